"""What a new sample looks like among those of its class: how new it is, and the cluster of those that look alike."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from pipeline.store import Library

ALIKE = 0.95  # cosine of two descriptors from which two pictures of a class count as near-duplicates
_GROWTH = 2


@dataclass(slots=True)
class _Class:
    """The rows of one class; room for more is kept behind `used`."""

    clusters: list[str]
    rows: NDArray[np.float32]
    used: int

    def add(self, cluster: str, one: NDArray[np.float32]) -> None:
        if self.used == len(self.rows):
            room = np.zeros((max(64, _GROWTH * self.used), len(one)), np.float32)
            room[: self.used] = self.rows[: self.used]
            self.rows = room
        self.rows[self.used] = one
        self.used += 1
        self.clusters.append(cluster)


@dataclass(slots=True)
class Neighbours:
    """The descriptors of a library's rendered samples, read once a class; 384 bytes a sample."""

    library: Library
    _classes: dict[str, _Class] = field(default_factory=dict)

    def place(self, sample_id: str, label: str, one: NDArray[np.float32]) -> tuple[float, str]:
        """Novelty and cluster of a new sample, which is a neighbour of the next ones from now on.

        Args:
            one: (d,) descriptor of length 1, see `descriptors.descriptor`.

        Returns:
            1 - the greatest cosine to any earlier sample of the class, 1 for the first one; and the cluster of that
            neighbour where the cosine is at least `ALIKE`, else the sample's own id ("leader" clustering, Hartigan
            1975, chapter 3).
        """
        known = self._classes.get(label)
        if known is None:
            known = self._classes[label] = self._read(label, len(one))
        novelty, cluster = 1.0, sample_id
        if known.used:
            cosines = known.rows[: known.used] @ one
            nearest = int(np.argmax(cosines))
            novelty = float(np.clip(1.0 - cosines[nearest], 0.0, 1.0))
            if cosines[nearest] >= ALIKE:
                cluster = known.clusters[nearest]
        known.add(cluster, one)
        return novelty, cluster

    def _read(self, label: str, length: int) -> _Class:
        looks = [
            (cluster, stored)
            for cluster, stored in self.library.samples.descriptors(label)
            if len(stored) == 4 * length
        ]
        rows = np.frombuffer(b"".join(stored for _, stored in looks), np.dtype("<f4")).reshape(-1, length)
        return _Class([cluster for cluster, _ in looks], rows.astype(np.float32), len(looks))
