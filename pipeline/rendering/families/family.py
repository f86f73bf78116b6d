"""What a generator family provides."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from pipeline.domain.plan import ModelFacts
from pipeline.rendering.checkpoints import Checkpoint
from pipeline.rendering.generator import Generator


@dataclass(frozen=True, slots=True, kw_only=True)
class Family:
    """Checkpoints of one architecture. The functions may import torch when they are called, not before."""

    name: str
    title: str
    fetch: Callable[[Checkpoint], None]  # download what loading needs; no torch
    load: Callable[[Checkpoint, ModelFacts], Generator]
