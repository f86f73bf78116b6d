"""Filling a new library with the starter set behind the screen, so that the first paint does not wait."""

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
        """Whether the import is at work now."""
        return self._thread is not None and self._thread.is_alive()

    def start(self) -> None:
        """Begin, unless it is at work already; a library with photos in it is left alone."""
        if not self.running:
            self._thread = threading.Thread(target=self._fill, name="starter set", daemon=True)
            self._thread.start()

    def wait(self) -> None:
        """Wait until it has ended."""
        if self._thread is not None:
            self._thread.join()

    def _fill(self) -> None:
        try:
            self.studio.fill_with_starter(on_progress=self._note)
        except StudioError as error:
            self.problem = str(error)

    def _note(self, done: int, total: int | None, _name: str) -> None:
        self.done, self.total = done, total or 0
