"""The row most like a new one among rows that grow in number: all are compared, or the lists nearest to it.

Rows have length 1, so that dot products are cosines.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

Rows = NDArray[np.float32]  # (N, D), each of length 1

EXACT = 16_384  # rows that are all compared; of more, those of some lists
_LISTS_SEARCHED = 12
_GROUPED_AGAIN = 4  # times the rows of the last grouping
_SAMPLED = 48  # rows a list by which the centres of the lists are found
_ROUNDS = 6  # of moving the centres
_GROWTH = 1.25
_FEWEST_ROWS = 16
_ROWS_AT_ONCE = 4_096  # compared with all centres


@dataclass(slots=True)
class _RowList:
    """Rows with their positions among all rows; those after the first `used` are spare capacity."""

    rows: Rows
    positions: NDArray[np.int64]
    used: int

    def add(self, row: Rows, position: int) -> None:
        """Append a row, (D,)."""
        if self.used == len(self.rows):
            spare = max(_FEWEST_ROWS, int(_GROWTH * self.used)) - self.used
            self.rows = np.concatenate([self.rows, np.zeros((spare, len(row)), np.float32)])
            self.positions = np.concatenate([self.positions, np.zeros(spare, np.int64)])
        self.rows[self.used], self.positions[self.used] = row, position
        self.used += 1

    def nearest(self, row: Rows) -> tuple[float, int]:
        """Return the cosine and the position of the row most like another one, (D,); the list must not be empty."""
        cosines = self.rows[: self.used] @ row
        place = int(np.argmax(cosines))
        return float(cosines[place]), int(self.positions[place])


class NearestRows:
    """Rows in memory, searched and added to one by one.

    Up to `EXACT` rows a search compares all of them. More are grouped into as many lists as the square root of their
    number, each of the rows nearest to its centre, and a search compares the lists with the nearest centres ("inverted
    file", Sivic and Zisserman, ICCV 2003). It can miss the nearest row and then returns another, with its exact cosine.
    The lists are made by the first search after a row was added, since a single search is faster without them, and
    anew at four times as many rows. Rows that are added wait for the next search, too: there may be none, and the first
    of them takes a copy of all.

    Args:
        rows: those that are there already.
    """

    def __init__(self, rows: Rows) -> None:
        self._count = len(rows)
        self._waiting: list[Rows] = []  # the last of `_count`, in no list yet
        self._lists = [_RowList(rows, np.arange(len(rows)), len(rows))]
        self._grouped_at = max(EXACT, len(rows)) + 1

    @property
    def nbytes(self) -> int:
        """The memory that the rows take, spare capacity included."""
        waiting = sum(row.nbytes for row in self._waiting)
        return waiting + sum(each.rows.nbytes + each.positions.nbytes for each in self._lists)

    def nearest(self, row: Rows) -> tuple[float, int] | None:
        """Return the greatest cosine to a row, (D,), and its position in the order of adding; None without rows."""
        if self._waiting:
            self._take_up()
        if len(self._lists) == 1:
            return self._lists[0].nearest(row) if self._count else None
        cosines = self._centres @ row
        first = max(0, len(cosines) - _LISTS_SEARCHED)
        nearest = np.argpartition(cosines, first)[first:]
        answers = [self._lists[place].nearest(row) for place in nearest.tolist() if self._lists[place].used]
        return max(answers, key=lambda answer: (answer[0], -answer[1]), default=None)

    def add(self, row: Rows) -> None:
        """Append a row, (D,)."""
        self._waiting.append(np.array(row))
        self._count += 1

    def _take_up(self) -> None:
        """Put the rows that wait into lists."""
        for position, row in enumerate(self._waiting, self._count - len(self._waiting)):
            place = int(np.argmax(self._centres @ row)) if len(self._lists) > 1 else 0
            self._lists[place].add(row, position)
        self._waiting.clear()
        if self._count >= self._grouped_at:
            self._group()

    def _group(self) -> None:
        """Make the lists."""
        rows = np.concatenate([each.rows[: each.used] for each in self._lists])
        positions = np.concatenate([each.positions[: each.used] for each in self._lists])
        self._grouped_at = _GROUPED_AGAIN * self._count
        centres = _centres(rows, math.isqrt(self._count))
        used, place = np.unique(_nearest_centres(rows, centres), return_inverse=True)
        self._centres = centres[used]  # of equal centres, which equal rows give, all but one have no rows
        order = np.lexsort((positions, place))
        ends = np.searchsorted(place[order], np.arange(len(used) + 1))
        members = [order[start:end] for start, end in pairwise(ends.tolist())]
        self._lists = [_RowList(rows[each], positions[each], len(each)) for each in members]


def _centres(rows: Rows, count: int) -> Rows:
    """Find the centres of groups of rows, (count, D) of length 1, from a sample (spherical k-means, Dhillon 2001)."""
    chosen = np.random.default_rng(0).choice(len(rows), min(len(rows), _SAMPLED * count), replace=False)
    sample = rows[chosen]
    centres = sample[:count].copy()
    for _ in range(_ROUNDS):
        place = _nearest_centres(sample, centres)
        order = np.argsort(place, kind="stable")
        present, starts = np.unique(place[order], return_index=True)
        sums = np.add.reduceat(sample[order], starts, axis=0)
        centres[present] = sums / np.maximum(np.linalg.norm(sums, axis=1, keepdims=True), np.float32(1e-9))
    return centres


def _nearest_centres(rows: Rows, centres: Rows) -> NDArray[np.int64]:
    """Return the centre nearest to each row, (N,)."""
    place = np.empty(len(rows), np.int64)
    for start in range(0, len(rows), _ROWS_AT_ONCE):
        block = rows[start : start + _ROWS_AT_ONCE]
        place[start : start + _ROWS_AT_ONCE] = np.argmax(block @ centres.T, axis=1)
    return place
