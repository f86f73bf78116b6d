"""A linear probe on the real photos: is an object still recognised as its class?"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from pipeline.domain.images import RGB
from pipeline.domain.warping import Box
from pipeline.embedding import normalised

_LENGTH = 8.0  # of a feature vector: a scale at which the usual regularisation is mild
_MOST_STEPS = 2000
_MARGIN = 0.12  # around an object, as a share of its longer side
_GREY = 127  # beyond the image


class _Probe(Protocol):
    def predict_proba(self, vectors: NDArray[np.float32]) -> NDArray[np.float64]: ...


@dataclass(frozen=True, slots=True)
class Recognition:
    """A trained probe."""

    labels: Sequence[str]  # its classes, in order
    _probe: _Probe = field(repr=False, compare=False)

    def relative(self, vectors: NDArray[np.float16], label: str) -> NDArray[np.float64]:
        """Return the probability of a class over that of the likeliest class: 1 = recognised; (N,), 0 to 1.

        Args:
            vectors: embeddings, (N, D).
        """
        probabilities = self._probe.predict_proba(_LENGTH * normalised(vectors))
        return np.asarray(probabilities[:, list(self.labels).index(label)] / probabilities.max(axis=1))


def trained(vectors: NDArray[np.float16], labels: Sequence[str]) -> Recognition | None:
    """Train a probe on the embeddings of photos, (N, D); None with fewer than two classes."""
    from sklearn.linear_model import LogisticRegression  # imported here, since it takes a second

    if len(set(labels)) < 2:
        return None
    probe: Any = LogisticRegression(class_weight="balanced", max_iter=_MOST_STEPS)
    probe.fit(_LENGTH * normalised(vectors), list(labels))
    return Recognition(probe.classes_.tolist(), probe)


def square_around(rgb: RGB, box: Box) -> RGB:
    """Return the square of an image around a box, with a margin; grey beyond the image."""
    half = max(box[2] - box[0], box[3] - box[1]) * (0.5 + _MARGIN)
    centre = (box[0] + box[2]) / 2, (box[1] + box[3]) / 2
    left, top = (round(middle - half) for middle in centre)
    side = max(1, round(2 * half))
    crop = np.full((side, side, 3), _GREY, np.uint8)
    height, width = rgb.shape[:2]
    x0, y0, x1, y1 = max(left, 0), max(top, 0), min(left + side, width), min(top + side, height)
    crop[y0 - top : y1 - top, x0 - left : x1 - left] = rgb[y0:y1, x0:x1]
    return crop
