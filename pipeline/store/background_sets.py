"""Which stored images are the pictures of a set of backgrounds, so that no picture is drawn twice for a library.

Only a cache: the file may be deleted or damaged at any time. A picture that it does not know is drawn again.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import asdict
from itertools import count
from pathlib import Path

from pipeline.domain.look import Ground

_Key = tuple[str, int, int]  # set, side in pixels, number of the picture from 0
_Picture = tuple[str, Ground | None]  # image id, what is known of the ground


class BackgroundSets:
    """The pictures of sets of backgrounds, in a text file of one JSON line for each.

    Args:
        path: the file; it is made when the first picture is noted. Only the holder of the work lock notes pictures.
    """

    def __init__(self, path: Path) -> None:
        self._path = path

    def read(self, name: str, side: int) -> list[tuple[str, Ground | None]]:
        """Return the id and the ground of each picture of a set, from the first to the last before one is unknown.

        Args:
            side: of the square pictures, pixels.
        """
        known = dict(self._lines())
        keys = ((name, side, number) for number in count())
        pictures: list[_Picture] = []
        for key in keys:
            if key not in known:
                break
            pictures.append(known[key])
        return pictures

    def note(self, name: str, side: int, number: int, image_id: str, ground: Ground | None) -> None:
        """Note the image of a picture, which is stored already."""
        line = json.dumps([name, side, number, image_id, ground and asdict(ground)])
        with suppress(OSError), self._path.open("ab") as file:  # without it, the picture is drawn again
            file.write(f"{line}\n".encode())

    def _lines(self) -> Iterator[tuple[_Key, _Picture]]:
        try:
            lines = self._path.read_bytes().splitlines()
        except OSError:
            return
        for line in lines:
            with suppress(ValueError, TypeError):  # half a line of a process that was killed
                name, side, number, image_id, ground = json.loads(line)
                yield (str(name), int(side), int(number)), (str(image_id), ground and Ground(**ground))
