"""Learn a field profile in the background, so that the page follows it and outlives a reload."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from pipeline.errors import InvalidRequest, StudioError
from pipeline.services.plans.fields import FieldReport, learn_field
from ui.errors import sentence_of

if TYPE_CHECKING:
    from pipeline.studio import Studio


@dataclass(slots=True)
class FieldJob:
    """The profile that is being learnt, or the last one; a page polls it."""

    studio: Studio
    done: int = 0
    total: int = 0
    report: FieldReport | None = None
    problem: str = ""
    _thread: threading.Thread | None = None
    _starting: threading.Lock = field(default_factory=threading.Lock)

    @property
    def running(self) -> bool:
        """Whether a profile is being learnt."""
        return self._thread is not None and self._thread.is_alive()

    def start(self, files: Sequence[Path], *, name: str, has_objects: bool) -> None:
        """Begin to learn from photos.

        Raises:
            InvalidRequest: another profile is being learnt.
        """
        with self._starting:
            if self.running:
                raise InvalidRequest("a profile is being learnt; wait for its end")
            self.done, self.total, self.report, self.problem = 0, len(files), None, ""
            self._thread = threading.Thread(
                target=self._run, args=(tuple(files), name, has_objects), name="field", daemon=True
            )
            self._thread.start()

    def wait(self) -> None:
        """Wait until it has ended."""
        if self._thread is not None:
            self._thread.join()

    def _run(self, files: Sequence[Path], name: str, has_objects: bool) -> None:
        try:
            self.report = learn_field(
                self.studio.library,
                files,
                name=name,
                has_objects=has_objects,
                network=self.studio.settings.network_file,
                on_progress=self._note,
            )
        except StudioError as error:
            self.problem = str(error)
        except Exception as error:  # nobody else would see it
            self.problem = sentence_of(error, self._run)

    def _note(self, done: int, total: int | None, _name: str) -> None:
        self.done, self.total = done, total or 0
