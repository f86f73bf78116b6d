"""What `study.json` holds of similarity: how alike the images of each group are as their number grows."""

from __future__ import annotations

import math
from dataclasses import dataclass
from enum import StrEnum
from typing import TypedDict


class Measure(StrEnum):
    """What is measured of a set of n images."""

    VENDI = "vendi"
    MEAN_COSINE = "mean_cosine"
    NEAREST_OTHER = "nearest_other"
    NEAREST_REAL = "nearest_real"
    COVERAGE = "coverage"
    DENSITY = "density"
    KERNEL_DISTANCE = "kernel_distance"

    @property
    def facts(self) -> MeasureFacts:
        """The measure's row of the table."""
        return MEASURES[self]


@dataclass(frozen=True, slots=True, kw_only=True)
class MeasureFacts:
    """One row of the table of measures."""

    title: str  # in plots and tables
    description: str  # one line below a table
    decimals: int
    least: float = -math.inf  # the values that are possible
    most: float = math.inf


MEASURES: dict[Measure, MeasureFacts] = {
    Measure.VENDI: MeasureFacts(
        title="cosine-Vendi",
        description="how many effectively different images the set holds, 1 to n",
        decimals=1,
        least=1.0,
    ),
    Measure.MEAN_COSINE: MeasureFacts(
        title="mean cosine",
        description="mean cosine similarity of all pairs of the set; its level counts, since it does not depend on n",
        decimals=3,
        least=-1.0,
        most=1.0,
    ),
    Measure.NEAREST_OTHER: MeasureFacts(
        title="nearest in the set",
        description="cosine similarity to the most similar other image of the set, on average; it grows with n",
        decimals=3,
        least=-1.0,
        most=1.0,
    ),
    Measure.NEAREST_REAL: MeasureFacts(
        title="nearest training photo",
        description="cosine similarity to the most similar real training photo, on average",
        decimals=3,
        least=-1.0,
        most=1.0,
    ),
    Measure.COVERAGE: MeasureFacts(
        title="coverage",
        description="share of test photos that an image of the set lies close to (within their 5th neighbour)",
        decimals=3,
        least=0.0,
        most=1.0,
    ),
    Measure.DENSITY: MeasureFacts(
        title="density",
        description="how crowded the images are around test photos; 1 as among the test photos themselves",
        decimals=3,
        least=0.0,
    ),
    Measure.KERNEL_DISTANCE: MeasureFacts(
        title="KID",
        description="kernel distance to the test photos, 0 for the same distribution (without bias, so also below)",
        decimals=3,
    ),
}


class Band(TypedDict):
    """A mean over draws, with the range of 95 % of them."""

    mean: float
    low: float
    high: float


class SimilarityPoint(TypedDict):
    """What was measured of sets of n images."""

    n: int
    bands: dict[str, Band]  # by measure; those that need photos which are not there are absent


class SimilarityGroup(TypedDict):
    """The images of one origin, and how alike they are."""

    name: str  # `real`, `ours` or a method
    title: str
    methods: list[str]  # none for real photos
    images: int
    points: list[SimilarityPoint]  # n growing


class MissingGroup(TypedDict):
    """A group that could not be measured."""

    title: str
    reason: str


class Growth(StrEnum):
    """How the similarity of our images grows, compared with that of a baseline."""

    SLOWER = "slower"  # more different images among as many
    FASTER = "faster"
    UNCLEAR = "unclear"  # the interval of the difference holds 0


class SimilarityClaim(TypedDict):
    """Our images compared with a baseline, by cosine-Vendi at equal n."""

    against: str  # name of the baseline's group
    title: str
    n: int
    ours: float
    baseline: float
    difference: Band  # ours minus baseline
    growth: str


class SimilarityFindings(TypedDict):
    """How alike the images of each group are."""

    sentence: str
    claims: list[SimilarityClaim]
    groups: list[SimilarityGroup]
    left_out: list[MissingGroup]
    draws: int  # random sets of each n
    classes: int
    test_photos: int  # in each draw's reference; 0 where there were too few
    image_size: int  # px
