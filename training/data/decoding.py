"""Decodes rows to square arrays once, so that training never waits for a decoder."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from itertools import islice

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageOps

from pipeline.domain.photo_decoding import load_rgb
from pipeline.errors import UnreadableImage
from training.data.images import LabelledImages
from training.data.rows import Row

_CHUNK = 256  # encoded images held in memory at a time

OnRead = Callable[[int], None]  # called with the number of images decoded so far


class Decoder:
    """Decodes rows, reports how many it has done, and collects what a reader of the results must know.

    Args:
        side_px: side of the decoded squares.
        on_read: called after every chunk of rows.
    """

    def __init__(self, side_px: int, on_read: OnRead | None) -> None:
        self.side_px, self.on_read = side_px, on_read
        self.decoded_count = 0
        self.notes: list[str] = []
        self.models: dict[str, set[str]] = {}  # method → models of its rows

    def images(self, rows: Iterable[Row], classes: tuple[str, ...]) -> LabelledImages:
        """Decode rows in their order; unreadable ones are left out and noted."""
        index = {name: position for position, name in enumerate(classes)}
        images: list[NDArray[np.uint8]] = []
        readable: list[Row] = []
        unreadable: list[str] = []
        waiting = iter(rows)
        with ThreadPoolExecutor() as pool:
            while chunk := list(islice(waiting, _CHUNK)):
                for row, image in zip(chunk, pool.map(self._decoded, chunk), strict=True):
                    if image is None:
                        unreadable.append(row.name)
                    else:
                        images.append(image)
                        readable.append(row)
                self.decoded_count += len(chunk)
                if self.on_read:
                    self.on_read(self.decoded_count)
        self._note(readable, unreadable)
        shape = (len(images), self.side_px, self.side_px, 3)
        return LabelledImages(
            images=np.stack(images) if images else np.zeros(shape, np.uint8),
            labels=np.array([index[row.label] for row in readable], np.int64),
            origins=np.array([row.origin for row in readable], np.str_),
            methods=np.array([row.method for row in readable], np.str_),
        )

    def _note(self, readable: list[Row], unreadable: list[str]) -> None:
        for row in readable:
            if row.model:
                self.models.setdefault(row.method, set()).add(row.model)
        if unreadable:
            subject = "image was" if len(unreadable) == 1 else "images were"
            self.notes.append(
                f"{len(unreadable)} unreadable {subject} left out, the first is {unreadable[0]}."
            )

    def _decoded(self, row: Row) -> NDArray[np.uint8] | None:
        try:
            return squared(row.data, self.side_px)
        except UnreadableImage:
            return None


def squared(data: bytes, side_px: int) -> NDArray[np.uint8]:
    """Decode the largest centred square of an image and scale it with antialiasing.

    Cropped, not padded: bars beside photos and none beside generated squares would give the origin away.

    Returns:
        (side, side, 3) uint8 RGB.

    Raises:
        UnreadableImage: see `load_rgb`.
    """
    image = Image.fromarray(load_rgb(data, "image", enough_px=2 * side_px))
    return np.asarray(ImageOps.fit(image, (side_px, side_px), Image.Resampling.LANCZOS), np.uint8)
