"""Opening the library, and keeping it where the settings say that it must outlive the machine."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from pathlib import Path

from pipeline.errors import StudioError
from pipeline.publish import hub_name
from pipeline.publish.state import DatasetState, take_token
from pipeline.settings import Settings
from pipeline.store import Library, ReplicaFolder, Restored

_log = logging.getLogger(__name__)
_FIRST = 3  # damaged lines that are named


@dataclass(frozen=True, slots=True)
class OpenedLibrary:
    """A library, what came back when it was opened, and where its state is sent."""

    library: Library
    sentence: str = ""
    dataset: DatasetState | None = None

    def send(self) -> None:
        """Send what was decided so far to where the state is kept; a failure is logged, `close` tries again."""
        try:
            if self.dataset:
                self.dataset.send()
        except StudioError as error:
            _log.error("not sent yet: %s", error)

    def close(self) -> None:
        """Keep what is left to keep, and close."""
        try:
            self.library.close()
        finally:
            if self.dataset:
                self.dataset.close()


def open_library(settings: Settings, *, create: bool) -> OpenedLibrary:
    """The library of the settings. With a state, what that holds is taken over first, and all is kept there.

    Raises:
        LibraryUnusable: the library or the state folder cannot be used.
        ReleaseRefused: the state lies in a dataset that cannot be used.
        InvalidRequest: the state is no folder and no dataset.
    """
    if not settings.state:
        return OpenedLibrary(Library.open(settings.library, create=create))
    folder, dataset = Path(settings.state), None
    if name := hub_name(settings.state):
        folder = settings.library.with_name(f"{settings.library.name}-state")
        dataset = DatasetState(name, folder, token=take_token())
    library = Library.open(settings.library, create=create)
    try:
        restored = library.replicate_to(ReplicaFolder(folder, dataset.guard if dataset else None))
    except BaseException:
        library.close()
        raise
    return OpenedLibrary(library, sentence_of(restored), dataset)


def sentence_of(restored: Restored) -> str:
    """What came back, and what did not, for the person; "" where there is nothing to say."""
    sentences = []
    if restored.photos or restored.samples or restored.decisions:
        sentences.append(
            f"{restored.photos} photos, {restored.samples} pictures and {restored.decisions} decisions came back "
            "from the state folder"
        )
    if restored.lost:
        sentences.append(
            f"{len(restored.lost)} decided pictures were lost; their decisions are kept and hold again when the run "
            "of their recipe draws them"
        )
    if restored.left_out:
        sentences.append(
            f"{restored.left_out} decisions are on pictures that nothing is known of; they stay in the folder"
        )
    if restored.damaged:
        first = ", ".join(restored.damaged[:_FIRST])
        sentences.append(f"{len(restored.damaged)} damaged lines were skipped ({first})")
    return "; ".join(sentences)
