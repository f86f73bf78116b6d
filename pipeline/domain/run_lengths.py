"""Masks as run lengths, the form in which the browser sends and gets them, and in which distractors are stored."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from pipeline.domain.images import Mask
from pipeline.errors import InvalidRequest

_OBJECT = 127  # a mask above this is object


def run_lengths(mask: Mask) -> list[int]:
    """Return the lengths of the runs of background and object, row by row, background first.

    This is the uncompressed run-length encoding of COCO, but in the order of rows.

    Args:
        mask: (H, W) uint8; above 127 = object.
    """
    inside = (mask > _OBJECT).ravel()
    changes = np.flatnonzero(np.diff(inside, prepend=False, append=not inside[-1] if inside.size else False))
    return [int(length) for length in np.diff(changes, prepend=0)]


def mask_of_runs(runs: Sequence[object], size: tuple[int, int]) -> Mask:
    """Return the mask of run lengths, which a browser may have sent.

    Args:
        runs: lengths of the runs of background and object in turn, background first; they add up to the photo.
        size: (height, width) of the mask in pixels.

    Returns:
        (H, W) uint8: 255 = object, 0 = background.

    Raises:
        InvalidRequest: these are no run lengths of a mask of this size.
    """
    height, width = size
    lengths = [length for length in runs if type(length) is int and 0 <= length <= height * width]
    if len(lengths) != len(runs) or len(runs) > height * width + 1 or sum(lengths) != height * width:
        raise InvalidRequest("the mask does not fit the photo; reload the page and draw it again")
    values = np.zeros(len(lengths), np.uint8)
    values[1::2] = 255
    return np.repeat(values, lengths).reshape(height, width)
