"""The novelty of a new sample among those of its class, and its cluster of near-duplicates."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from pipeline.domain.nearest_rows import NearestRows
from pipeline.store import Library

ALIKE = 0.95  # cosine of two descriptors from which two images of a class count as near-duplicates


@dataclass(slots=True)
class _Class:
    """The descriptors of one class, and the cluster of each, in one order."""

    clusters: list[str]
    rows: NearestRows


@dataclass(slots=True)
class Neighbours:
    """The descriptors of a library's rendered samples, read once for each class; about 500 bytes a sample."""

    library: Library
    _classes: dict[str, _Class] = field(default_factory=dict)

    def place(self, sample_id: str, label: str, descriptor: NDArray[np.float32]) -> tuple[float, str]:
        """Return the novelty and the cluster of a new sample, and add it to the neighbours of later samples.

        Args:
            descriptor: (d,) descriptor of length 1, see `pipeline.domain.descriptors`.

        Returns:
            1 - the greatest cosine to an earlier sample of the class, 1 for the first sample; and the cluster of that
            neighbour if the cosine is at least `ALIKE`, otherwise the sample's own id ("leader" clustering, Hartigan
            1975, chapter 3). Among more than `pipeline.domain.nearest_rows.EXACT` samples the neighbour is nearly
            always the nearest one, see `NearestRows`.
        """
        known = self._classes.get(label)
        if known is None:
            known = self._classes[label] = self._read(label, len(descriptor))
        novelty, cluster = 1.0, sample_id
        if (neighbour := known.rows.nearest(descriptor)) is not None:
            cosine, position = neighbour
            novelty = float(np.clip(1.0 - cosine, 0.0, 1.0))
            if cosine >= ALIKE:
                cluster = known.clusters[position]
        known.rows.add(descriptor)
        known.clusters.append(cluster)
        return novelty, cluster

    def _read(self, label: str, length: int) -> _Class:
        """Read the samples of a class whose descriptors have this length."""
        kept: dict[str, str] = {}  # one string for all samples of a cluster
        clusters, data = [], bytearray()
        for cluster, descriptor in self.library.samples.descriptors(label):
            if len(descriptor) == 4 * length:
                clusters.append(kept.setdefault(cluster, cluster))
                data += descriptor
        rows = np.frombuffer(data, np.dtype("<f4")).reshape(-1, length).astype(np.float32, copy=False)
        return _Class(clusters, NearestRows(rows))
