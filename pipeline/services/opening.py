"""Open the library, and replicate it to the state folder or dataset that the settings name."""

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
    """A library, a sentence on what was restored when it was opened, and the dataset that holds its state."""

    library: Library
    sentence: str = ""
    dataset: DatasetState | None = None

    def send(self) -> None:
        """Send the decisions made so far to the state dataset; a failure is logged, and `close` tries again."""
        try:
            if self.dataset:
                self.dataset.send()
        except StudioError as error:
            _log.error("the state was not sent yet: %s", error)

    def close(self) -> None:
        """Close the library and send the remaining state."""
        try:
            self.library.close()
        finally:
            if self.dataset:
                self.dataset.close()


def open_library(settings: Settings, *, create: bool) -> OpenedLibrary:
    """Open the library of the settings. With a state folder or dataset, restore from it first and replicate to it.

    Raises:
        LibraryUnusable: the library or the state folder cannot be used.
        ReleaseRefused: the state lies in a dataset that cannot be used.
        InvalidRequest: the state is neither a folder nor a dataset.
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
    """Tell what was restored and what was not; "" where there is nothing to tell."""
    sentences = []
    if restored.photos or restored.samples or restored.decisions:
        sentences.append(
            f"{restored.photos} photos, {restored.samples} synthetic images and {restored.decisions} decisions "
            "were restored from the state folder"
        )
    if restored.lost:
        sentences.append(
            f"{len(restored.lost)} reviewed images were lost; their decisions are kept and apply again once their "
            "recipe is run again"
        )
    if restored.left_out:
        sentences.append(
            f"{restored.left_out} decisions concern unknown images; they stay in the state folder"
        )
    if restored.damaged:
        first = ", ".join(restored.damaged[:_FIRST])
        sentences.append(f"{len(restored.damaged)} damaged lines were skipped ({first})")
    return "; ".join(sentences)
