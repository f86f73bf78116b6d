"""The novelty of a new sample among those of its class, and its cluster of near-duplicates."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from pipeline.store import Library

ALIKE = 0.95  # cosine of two descriptors from which two images of a class count as near-duplicates
_GROWTH = 2


@dataclass(slots=True)
class _Class:
    """The descriptors of one class; the rows after `used` are spare capacity."""

    clusters: list[str]
    rows: NDArray[np.float32]
    used: int

    def add(self, cluster: str, descriptor: NDArray[np.float32]) -> None:
        if self.used == len(self.rows):
            larger = np.zeros((max(64, _GROWTH * self.used), len(descriptor)), np.float32)
            larger[: self.used] = self.rows[: self.used]
            self.rows = larger
        self.rows[self.used] = descriptor
        self.used += 1
        self.clusters.append(cluster)


@dataclass(slots=True)
class Neighbours:
    """The descriptors of a library's rendered samples, read once for each class; 384 bytes a sample."""

    library: Library
    _classes: dict[str, _Class] = field(default_factory=dict)

    def place(self, sample_id: str, label: str, descriptor: NDArray[np.float32]) -> tuple[float, str]:
        """Return the novelty and the cluster of a new sample, and add it to the neighbours of later samples.

        Args:
            descriptor: (d,) descriptor of length 1, see `pipeline.domain.descriptors`.

        Returns:
            1 - the greatest cosine to any earlier sample of the class, 1 for the first sample; and the cluster of that
            neighbour if the cosine is at least `ALIKE`, otherwise the sample's own id ("leader" clustering, Hartigan
            1975, chapter 3).
        """
        known = self._classes.get(label)
        if known is None:
            known = self._classes[label] = self._read(label, len(descriptor))
        novelty, cluster = 1.0, sample_id
        if known.used:
            cosines = known.rows[: known.used] @ descriptor
            nearest = int(np.argmax(cosines))
            novelty = float(np.clip(1.0 - cosines[nearest], 0.0, 1.0))
            if cosines[nearest] >= ALIKE:
                cluster = known.clusters[nearest]
        known.add(cluster, descriptor)
        return novelty, cluster

    def _read(self, label: str, length: int) -> _Class:
        descriptors = [
            (cluster, stored)
            for cluster, stored in self.library.samples.descriptors(label)
            if len(stored) == 4 * length
        ]
        rows = np.frombuffer(b"".join(stored for _, stored in descriptors), np.dtype("<f4")).reshape(
            -1, length
        )
        return _Class([cluster for cluster, _ in descriptors], rows.astype(np.float32), len(descriptors))
