"""Fill a new library with the starter set in the background, so that the first page load does not wait."""

from __future__ import annotations

import threading
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from pipeline.errors import StudioError

if TYPE_CHECKING:
    from pipeline.studio import Studio


@dataclass(slots=True)
class StarterJob:
    """One background import of the starter set; a page polls `running`, `done`, `total`, `problem`."""

    studio: Studio
    done: int = 0
    total: int = 0
    problem: str = ""
    _thread: threading.Thread | None = field(default=None)

    @property
    def running(self) -> bool:
        """Whether the import is in progress."""
        return self._thread is not None and self._thread.is_alive()

    def start(self) -> None:
        """Begin, where the library is to be filled and no import of the set is in progress."""
        if not self.running and self.studio.photos.wants_starter:
            self._thread = threading.Thread(target=self._fill, name="starter set", daemon=True)
            self._thread.start()

    def wait(self) -> None:
        """Wait until it has ended."""
        if self._thread is not None:
            self._thread.join()

    def _fill(self) -> None:
        try:
            self.studio.photos.fill_with_starter(on_progress=self._note)
        except StudioError as error:
            self.problem = str(error)

    def _note(self, done: int, total: int | None, _name: str) -> None:
        self.done, self.total = done, total or 0
