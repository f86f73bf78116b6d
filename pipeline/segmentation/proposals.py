"""What the object may be: one mask of the network, one of the background model, one of the hue."""

from __future__ import annotations

import cv2
import numpy as np

from pipeline.segmentation.background import Field, fitted_background
from pipeline.segmentation.fusion import Proposals
from pipeline.segmentation.outline import traced
from pipeline.segmentation.refinement import guided
from pipeline.segmentation.regions import divided, gathered_evidence, without_islands, without_lumps

_LEAST_PIECE = 0.002  # of the image: smaller pieces of the network's mask are dust
_BORDER_PX = 4
_CHROMA_GAIN = 4.0  # a distance in a*, b* of 64 and more counts as 255


def proposed(rgb: np.ndarray, probability: Field) -> Proposals:
    """Collect the proposals for a photo.

    Args:
        rgb: (H, W, 3) uint8, some 512 px.
        probability: (H, W) float32, 0 to 1, of the network.
    """
    background = fitted_background(rgb)
    evidence = gathered_evidence(background)
    by_background = without_lumps(evidence, traced(rgb, divided(evidence)))
    by_network = without_islands(guided(rgb, probability) > 0.5, _LEAST_PIECE * probability.size)
    return Proposals(
        probability=probability,
        network=by_network,
        background=by_background,
        chroma=off_hue(rgb),
        evidence=evidence,
        border_share=background.border_share,
    )


def off_hue(rgb: np.ndarray) -> np.ndarray:
    """Find what departs from the border's hue: distance of CIE a*, b* from the border's median, cut by Otsu's method.

    Args:
        rgb: (H, W, 3) uint8.

    Returns:
        (H, W) bool.
    """
    hue = cv2.cvtColor(cv2.GaussianBlur(rgb, (0, 0), 1), cv2.COLOR_RGB2LAB).astype(np.float32)[..., 1:]
    inner = np.zeros(hue.shape[:2], bool)
    inner[_BORDER_PX:-_BORDER_PX, _BORDER_PX:-_BORDER_PX] = True
    distance = _CHROMA_GAIN * np.linalg.norm(hue - np.median(hue[~inner], axis=0), axis=-1)
    limit, _ = cv2.threshold(
        np.clip(distance, 0, 255).astype(np.uint8), 0, 255, cv2.THRESH_BINARY + cv2.THRESH_OTSU
    )
    return distance > limit
