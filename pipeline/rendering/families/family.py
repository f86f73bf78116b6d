"""What a generator family provides."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from pipeline.domain.methods import Method
from pipeline.domain.plan import ModelFacts
from pipeline.rendering.checkpoints import Checkpoint, Part
from pipeline.rendering.generator import Generator


@dataclass(frozen=True, slots=True, kw_only=True)
class FolderReader:
    """How a family recognises its local checkpoint folders."""

    unlike: Callable[
        [Mapping[str, object]], str | None
    ]  # what a model_index.json describes; None = this family
    native_size: Callable[[Checkpoint], int]  # side in px of the images that a folder was trained for


@dataclass(frozen=True, slots=True, kw_only=True)
class Family:
    """A kind of generator: one architecture of checkpoints, or one way without any.

    `load` may import torch when it is called; nothing else here does.
    """

    name: str
    title: str  # in the message about a checkpoint that no family can load
    parts: Mapping[
        Method, tuple[Part, ...]
    ]  # methods that it can generate, the main one first → what of the Hub each
    # needs; the revisions of these repositories are the method's
    load: Callable[[Checkpoint, ModelFacts], Generator]  # downloads and loads what every method needs
    folders: FolderReader | None = None  # None where its checkpoints are not local folders

    @property
    def needed_by_all(self) -> tuple[Part, ...]:
        """What every method needs from the Hub."""
        return tuple(part for part in Part if all(part in needed for needed in self.parts.values()))
