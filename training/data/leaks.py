"""Finds test photos that are also training photos, or look like one."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from pipeline.embedding import most_similar

# The same photo in another encoding (JPEG here, WebP there): its pixels differ by some grey levels, but no part of it
# has another mean. Measured at 64 px on photos of ../shared/data: copies 0.8 on average at most.
_SAME_PIXELS = 3.0  # largest mean absolute difference, in grey levels
_SAME_PARTS = 4.0  # largest difference of the means of any of 8 x 8 parts, in grey levels
_PARTS = 8


def repeated(images: NDArray[np.uint8], others: NDArray[np.uint8]) -> NDArray[np.bool_]:
    """Tell which images are also among the others, apart from what an encoder changes.

    Args:
        images: (N, side, side, 3) uint8.
        others: (M, side, side, 3) uint8.

    Returns:
        (N,) bool.
    """
    is_repeated = np.zeros(len(images), bool)
    if not len(images) or not len(others):
        return is_repeated
    other_means = _part_means(others)
    for position, means in enumerate(_part_means(images)):
        alike = np.flatnonzero((np.abs(other_means - means) <= _SAME_PARTS).all(1))
        gaps = np.abs(others[alike].astype(np.int16) - images[position]).mean((1, 2, 3))
        is_repeated[position] = bool((gaps <= _SAME_PIXELS).any())
    return is_repeated


def near_duplicates(
    vectors: NDArray[np.float16], others: NDArray[np.float16], least: float
) -> list[tuple[int, int]]:
    """Find the images that look like one of the others.

    Args:
        vectors: (N, D) embeddings.
        others: (M, D).
        least: cosine similarity from which two images are near-duplicates.

    Returns:
        The positions of each such image and of the other that is most similar to it, the most similar pair first.
    """
    if not len(vectors) or not len(others):
        return []
    places, similarities = most_similar(vectors, others)
    order = np.argsort(-similarities, kind="stable")
    return [(int(position), int(places[position])) for position in order if similarities[position] >= least]


def _part_means(images: NDArray[np.uint8]) -> NDArray[np.float32]:
    """Mean colours, 0 to 255, of 8 x 8 parts: (N, side, side, 3) -> (N, 8 * 8 * 3)."""
    edges = np.linspace(0, images.shape[1], min(_PARTS, images.shape[1]) + 1).astype(int)
    row_sums = np.add.reduceat(images, edges[:-1], axis=1, dtype=np.float32)
    sums = np.add.reduceat(row_sums, edges[:-1], axis=2, dtype=np.float32)
    areas = np.diff(edges)[:, None] * np.diff(edges)[None, :]
    means = (sums / areas[..., None]).reshape(len(images), -1)
    return np.asarray(means, np.float32)
