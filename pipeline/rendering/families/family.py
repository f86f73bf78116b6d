"""What a generator family provides."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from pipeline.domain.methods import Method
from pipeline.domain.plan import ModelFacts
from pipeline.rendering.checkpoints import Checkpoint, Part
from pipeline.rendering.generator import Generator


@dataclass(frozen=True, slots=True, kw_only=True)
class Family:
    """Checkpoints of one architecture. `load` may import torch when it is called; the rest never does."""

    name: str
    title: str  # as it is named to a person who brought something else
    parts: Mapping[
        Method, tuple[Part, ...]
    ]  # what a method needs of the Hub; their revisions are the method's
    unlike: Callable[[Mapping[str, Any]], str | None]  # what a model_index.json describes; None = this family
    native_size: Callable[[Checkpoint], int]  # side in px of the images that a folder was trained for
    load: Callable[[Checkpoint, ModelFacts], Generator]  # downloads and loads what every method needs

    @property
    def needed_by_all(self) -> tuple[Part, ...]:
        """What every method needs of the Hub."""
        return tuple(part for part in Part if all(part in needed for needed in self.parts.values()))
