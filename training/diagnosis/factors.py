"""What may make a test photo hard: the factors, and their values photo by photo."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum

import cv2
import numpy as np
from numpy.typing import NDArray

from pipeline.domain.images import RGB, Mask
from pipeline.domain.quality import object_share, sharpness
from training.diagnosis.cutouts import PhotoCutout, PhotoCutouts
from training.diagnosis.squares import Squares

_INSIDE = 127  # mask values above this are object
_RIM_PX = 5  # beside the outline, which counts neither as object nor as background
_LEAST_BACKGROUND = 0.02  # share of the photo, below which nothing can be said of its background
_EDGE_LEVELS = (60, 150)  # of Canny's two thresholds, on grey levels

Values = NDArray[np.float64]  # (N,), NaN where a factor of a photo is not known


class Factor(StrEnum):
    """What is measured of a test photo."""

    OBJECT_SIZE = "object_size"
    OFF_CENTRE = "off_centre"
    CLUTTER = "clutter"
    LIGHT = "light"
    CONTRAST = "contrast"
    SHARPNESS = "sharpness"
    OBJECTS = "objects"
    UNLIKENESS = "unlikeness"

    @property
    def facts(self) -> FactorFacts:
        """The factor's row of the table."""
        return FACTORS[self]


@dataclass(frozen=True, slots=True, kw_only=True)
class FactorFacts:
    """One row of the table of factors. The phrases continue "Photos …" and "… of the …"."""

    title: str
    description: str
    low: str  # photos with low values
    high: str
    lowest: str  # third of the photos
    highest: str
    split: float | None = None  # value that separates low from high, in place of thirds


FACTORS: dict[Factor, FactorFacts] = {
    Factor.OBJECT_SIZE: FactorFacts(
        title="object size",
        description="share of the photo that the object covers",
        low="in which the object is small",
        high="in which the object is large",
        lowest="smallest third",
        highest="largest third",
    ),
    Factor.OFF_CENTRE: FactorFacts(
        title="distance from the centre",
        description="of the object's centre of mass, in half diagonals of the photo",
        low="in which the object is near the centre",
        high="in which the object is away from the centre",
        lowest="third nearest to it",
        highest="third farthest from it",
    ),
    Factor.CLUTTER: FactorFacts(
        title="clutter",
        description="share of the background's pixels that lie on an edge",
        low="with a calm background",
        high="with a cluttered background",
        lowest="calmest third",
        highest="most cluttered third",
    ),
    Factor.LIGHT: FactorFacts(
        title="light",
        description="mean luminance of the photo, 0 to 1",
        low="that are dark",
        high="that are bright",
        lowest="darkest third",
        highest="brightest third",
    ),
    Factor.CONTRAST: FactorFacts(
        title="contrast with the background",
        description="distance of the mean colours of object and background in CIELAB",
        low="in which the object has nearly the colour of its background",
        high="in which the object contrasts with its background",
        lowest="third with the least contrast",
        highest="third with the most",
    ),
    Factor.SHARPNESS: FactorFacts(
        title="sharpness",
        description="1 - exp(-σ / 20), σ of the Laplacian of grey levels",
        low="that are blurred",
        high="that are sharp",
        lowest="most blurred third",
        highest="sharpest third",
    ),
    Factor.OBJECTS: FactorFacts(
        title="number of objects",
        description="that stand clearly apart",
        low="of a single object",
        high="of several objects",
        lowest="photos of a single object",
        highest="photos of several",
        split=1.5,
    ),
    Factor.UNLIKENESS: FactorFacts(
        title="unlikeness to the training photos",
        description="1 - cosine similarity to the most similar training photo of the class",
        low="that resemble a training photo",
        high="unlike all training photos of their class",
        lowest="third most like one",
        highest="third least like any",
    ),
}


def factor_values(squares: Squares, cutouts: PhotoCutouts, unlikeness: Values | None) -> dict[Factor, Values]:
    """Measure all factors of N test photos.

    Args:
        unlikeness: (N,) of each photo to the training photos of its class; None where it is not known.

    Returns:
        (N,) by factor; NaN where it is not known of a photo: those of object and background need a usable mask.
    """
    images = list(zip(squares.images, cutouts.of_photos, strict=True))
    unknown = np.full(len(squares), np.nan)
    return {
        **{
            factor: np.array([_of_mask(measure, image, cutout) for image, cutout in images])
            for factor, measure in _OF_MASK.items()
        },
        Factor.LIGHT: np.array([luminance(image) for image in squares.images]),
        Factor.SHARPNESS: np.array([sharpness(image) for image in squares.images]),
        Factor.OBJECTS: np.array([_count(cutout) for cutout in cutouts.of_photos]),
        Factor.UNLIKENESS: unknown if unlikeness is None else unlikeness,
    }


def luminance(rgb: RGB) -> float:
    """Return the mean luminance of an image (H, W, 3), 0 to 1."""
    return float(cv2.cvtColor(np.ascontiguousarray(rgb), cv2.COLOR_RGB2GRAY).mean()) / 255


def off_centre(alpha: Mask) -> float:
    """Return how far the object's centre of mass lies from that of the image, in half diagonals: 0 to 1.

    Args:
        alpha: (H, W) uint8, 255 = object.
    """
    rows, columns = np.nonzero(alpha > _INSIDE)
    height, width = alpha.shape
    gap = np.hypot(rows.mean() - (height - 1) / 2, columns.mean() - (width - 1) / 2)
    return float(gap / (np.hypot(height, width) / 2))


def clutter(rgb: RGB, alpha: Mask) -> float:
    """Return the share of the background's pixels that lie on an edge (Canny), 0 to 1; NaN without a background.

    Args:
        rgb: (H, W, 3) uint8.
        alpha: (H, W) uint8, 255 = object.
    """
    background = background_of(alpha)
    edges = cv2.Canny(cv2.cvtColor(np.ascontiguousarray(rgb), cv2.COLOR_RGB2GRAY), *_EDGE_LEVELS) > 0
    return float(edges[background].mean()) if background.any() else float("nan")


def contrast(rgb: RGB, alpha: Mask) -> float:
    """Return the distance of the mean colours of object and background in CIELAB; NaN without a background.

    Args:
        rgb: (H, W, 3) uint8.
        alpha: (H, W) uint8, 255 = object.
    """
    background = background_of(alpha)
    if not background.any():
        return float("nan")
    lab = cv2.cvtColor(rgb.astype(np.float32) / 255, cv2.COLOR_RGB2LAB)
    return float(np.linalg.norm(lab[alpha > _INSIDE].mean(axis=0) - lab[background].mean(axis=0)))


def background_of(alpha: Mask) -> NDArray[np.bool_]:
    """Mark the background away from the object's outline, (H, W) bool; nowhere where too little of it is left."""
    kernel = np.ones((2 * _RIM_PX + 1, 2 * _RIM_PX + 1), np.uint8)
    background = cv2.dilate((alpha > 0).astype(np.uint8), kernel) == 0
    return background if background.mean() >= _LEAST_BACKGROUND else np.zeros(alpha.shape, bool)


_OF_MASK: dict[Factor, Callable[[RGB, Mask], float]] = {
    Factor.OBJECT_SIZE: lambda _rgb, alpha: object_share(alpha),
    Factor.OFF_CENTRE: lambda _rgb, alpha: off_centre(alpha),
    Factor.CLUTTER: clutter,
    Factor.CONTRAST: contrast,
}


def _of_mask(measure: Callable[[RGB, Mask], float], image: RGB, cutout: PhotoCutout | None) -> float:
    return measure(image, cutout.alpha) if cutout is not None and cutout.usable else float("nan")


def _count(cutout: PhotoCutout | None) -> float:
    count = None if cutout is None else cutout.count
    return float("nan") if count is None else float(count)
