"""Compare embeddings: pure functions on arrays."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from pipeline.domain.images import RGB

_ROWS = 1024  # vectors compared at once, so that memory does not grow with the square of the number of images
_BLOCK = 256  # vectors that are widened at once: they fit into the processor's cache


def shrunk(rgb: RGB, side_px: int) -> RGB:
    """Resize a whole image to a square, whatever its shape; nothing is cut off.

    Args:
        rgb: (H, W, 3) uint8.

    Returns:
        (side_px, side_px, 3) uint8; the same object where the image has this size already.
    """
    if rgb.shape[:2] == (side_px, side_px):
        return rgb
    small = cv2.resize(np.ascontiguousarray(rgb), (side_px, side_px), interpolation=cv2.INTER_AREA)
    return np.asarray(small, np.uint8)


def normalised(vectors: NDArray[np.float16]) -> NDArray[np.float32]:
    """Scale vectors to length 1, so that their dot product is the cosine similarity; zeros stay zeros.

    Args:
        vectors: (N, D).

    Returns:
        (N, D) float32.
    """
    wide = vectors.astype(np.float32)
    lengths = np.linalg.norm(wide, axis=1, keepdims=True)
    return wide / np.maximum(lengths, np.float32(1e-9))


def most_similar(
    queries: NDArray[np.float16], others: NDArray[np.float16]
) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
    """Find the most similar of other vectors for each query.

    Args:
        queries: (N, D).
        others: (M, D) with M of at least 1.

    Returns:
        (N,) positions in `others`; the first of several that are equally similar.
        (N,) cosine similarities, -1 to 1.
    """
    assert len(others)
    best = np.full(len(queries), -np.inf, np.float32)
    places = np.zeros(len(queries), np.int64)
    rows = normalised(queries)
    for start in range(0, len(others), _ROWS):
        cosines = rows @ normalised(others[start : start + _ROWS]).T
        place = cosines.argmax(axis=1)
        value = cosines[np.arange(len(rows)), place]
        better = value > best
        best[better], places[better] = value[better], place[better] + start
    return places, best


def linked_groups(vectors: NDArray[np.float16], least: float) -> NDArray[np.int64]:
    """Group vectors that are similar, directly or over a chain of others.

    Args:
        vectors: (N, D).
        least: cosine similarity from which two vectors are in one group.

    Returns:
        (N,) the position of the first vector of each one's group.
    """
    first = np.arange(len(vectors))
    for row in range(0, len(vectors), _ROWS):
        rows = normalised(vectors[row : row + _ROWS])
        for column in range(row, len(vectors), _ROWS):
            similar = rows @ normalised(vectors[column : column + _ROWS]).T >= least
            _link(first, similar, row, column)
    return first


def _link(first: NDArray[np.int64], similar: NDArray[np.bool_], row: int, column: int) -> None:
    """Join the groups of similar vectors.

    Args:
        first: (N,) as of `linked_groups`, changed in place.
        similar: (R, C) bool: vectors from `row` on against vectors from `column` on.
    """
    height, width = similar.shape
    while True:
        groups, others = first[row : row + height], first[column : column + width]
        apart = similar & (groups[:, None] != others[None, :])
        positions = np.flatnonzero(apart.any(axis=1))
        if not len(positions):
            return
        for position in positions:
            pair = first[row + position], first[column + apart[position].argmax()]
            first[first == max(pair)] = min(pair)


def nearest(
    query: NDArray[np.float16], unit_rows: NDArray[np.float16], count: int
) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
    """Find the vectors that are most similar to one, the most similar first.

    Args:
        query: (D,).
        unit_rows: (M, D), each of length 1.
        count: how many to find; fewer where M is smaller.

    Returns:
        (N,) positions in `unit_rows`; of equally similar ones the first.
        (N,) cosine similarities, -1 to 1.
    """
    unit_query = normalised(query[None])[0]
    cosines = np.empty(len(unit_rows), np.float32)
    for start in range(0, len(unit_rows), _BLOCK):
        block = unit_rows[start : start + _BLOCK].astype(np.float32)
        np.dot(block, unit_query, out=cosines[start : start + _BLOCK])
    count = min(count, len(cosines))
    places = np.argpartition(-cosines, count - 1)[:count] if count else np.zeros(0, np.int64)
    places = places[np.lexsort((places, -cosines[places]))].astype(np.int64)
    return places, cosines[places]
