"""Learn a field profile in the background, so that the page follows it and outlives a reload."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from pipeline.errors import Cancelled, InvalidRequest, StudioError
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
    is_stopped: bool = False  # whether the last one was stopped, so that nothing was stored
    _stop: threading.Event = field(default_factory=threading.Event)
    _thread: threading.Thread | None = None
    _starting: threading.Lock = field(default_factory=threading.Lock)

    @property
    def running(self) -> bool:
        """Whether a profile is being learnt."""
        return self._thread is not None and self._thread.is_alive()

    def start(self, files: Sequence[Path], *, name: str, has_objects: bool, licence: str = "") -> None:
        """Begin to learn from photos.

        Args:
            licence: of the photos, as the person names it.

        Raises:
            InvalidRequest: another profile is being learnt.
        """
        with self._starting:
            if self.running:
                raise InvalidRequest("a profile is being learnt; wait for its end, or stop it")
            self._stop.clear()
            self.done, self.total, self.report, self.problem, self.is_stopped = 0, len(files), None, "", False
            self._thread = threading.Thread(
                target=self._run, args=(tuple(files), name, has_objects, licence), name="field", daemon=True
            )
            self._thread.start()

    def stop(self) -> None:
        """Ask it to stop after the current photo; nothing is stored then."""
        self._stop.set()

    def wait(self) -> None:
        """Wait until it has ended."""
        if self._thread is not None:
            self._thread.join()

    def _run(self, files: Sequence[Path], name: str, has_objects: bool, licence: str) -> None:
        try:
            self.report = learn_field(
                self.studio.library,
                files,
                name=name,
                has_objects=has_objects,
                licence=licence,
                network=self.studio.settings.network_file,
                on_progress=self._note,
                cancelled=self._stop.is_set,
            )
        except Cancelled:
            self.is_stopped = True
        except StudioError as error:
            self.problem = str(error)
        except Exception as error:  # nobody else would see it
            self.problem = sentence_of(error, self._run)

    def _note(self, done: int, total: int | None, _name: str) -> None:
        self.done, self.total = done, total or 0
