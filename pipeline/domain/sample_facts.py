"""What is known of a finished image besides its pixels."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from pipeline.domain.quality import GateFailure
from pipeline.domain.warping import Box

Matrix = Sequence[Sequence[float]]  # 3 x 3


@dataclass(frozen=True, slots=True, kw_only=True)
class SeenDistractor:
    """What is seen of one distractor in an image."""

    box: Box  # extent of its visible part; (0, 0, 0, 0) where nothing is seen
    visible: float  # share of its area that lies in the image and is not covered, 0 to 1
    runs: Sequence[int]  # its visible part, see `run_lengths`


@dataclass(frozen=True, slots=True, kw_only=True)
class SampleFacts:
    """What is known of a finished image besides its pixels; of several objects the backmost comes first.

    Boxes, homographies and visible shares are those of the objects of the sample's class.
    """

    boxes: Sequence[Box] = ()  # extent of the visible part of each object
    homographies: Sequence[Matrix] = ()  # of each object, photo pixels → image pixels
    visible: Sequence[
        float
    ] = ()  # share of each object's area that lies in the image and is not covered, 0 to 1
    scores: Mapping[str, float] = field(default_factory=dict)  # 0 to 1, see `quality.scores`
    failed_gates: tuple[GateFailure, ...] = ()
    descriptor: NDArray[np.float32] | None = None  # (96,), see `descriptors.descriptor`
    timings: Mapping[str, float] = field(default_factory=dict)  # seconds: place, generate, score, total
    exact: bool = True  # the kept object equals the warped photo; False where a camera changed it
    distractors: Sequence[SeenDistractor] = ()  # of each distractor of the spec
