"""Embeddings of images: they follow from the pixels, so a replica leaves them out and they are computed again."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import exists, func, select

from pipeline.store.database import Database, insert_new
from pipeline.store.rows import RENDERED_STATES, EmbeddedSample, SampleSet, SampleState
from pipeline.store.schema import embeddings, samples
from pipeline.store.sql import AnyRow, chunks

_STORED = np.dtype("<f2")  # little-endian on every machine
_UNREJECTED = tuple(state for state in RENDERED_STATES if state is not SampleState.REJECTED)


class EmbeddingRepository:
    """A vector for each image and embedder; those of different embedders cannot be compared."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def add(self, embedder: str, vectors: Mapping[str, NDArray[np.float16]]) -> None:
        """Store the vectors of images; one that is there already stays.

        Args:
            vectors: image id → (D,) float16.
        """
        rows = [
            {"image_id": image_id, "embedder": embedder, "vector": vector.astype(_STORED).tobytes()}
            for image_id, vector in vectors.items()
        ]
        if not rows:
            return
        with self._database.writing() as transaction:
            transaction.connection.execute(insert_new(transaction.connection, embeddings), rows)

    def of(self, embedder: str, image_ids: Iterable[str]) -> dict[str, NDArray[np.float16]]:
        """Return the stored vectors of images, image id → (D,) float16; images without one are left out."""
        columns = (embeddings.c.image_id, embeddings.c.vector)
        statement = select(*columns).where(embeddings.c.embedder == embedder)
        found = {}
        with self._database.reading() as connection:
            for chunk in chunks(image_ids):
                for image_id, data in connection.execute(statement.where(embeddings.c.image_id.in_(chunk))):
                    found[image_id] = np.frombuffer(data, _STORED).astype(np.float16)
        return found

    def count(self, embedder: str) -> int:
        """How many images have a vector."""
        statement = select(func.count()).where(embeddings.c.embedder == embedder)
        with self._database.reading() as connection:
            return connection.scalar(statement) or 0

    def is_empty(self) -> bool:
        """Whether no image has a vector of any embedder."""
        with self._database.reading() as connection:
            return connection.scalar(select(embeddings.c.image_id).limit(1)) is None

    def newest_samples(
        self, embedder: str, *, limit: int
    ) -> tuple[list[EmbeddedSample], list[EmbeddedSample]]:
        """Those of the newest rendered samples whose image has a vector, and those whose image has none.

        Args:
            limit: how many samples, the latest planned ones; both lists are in the order of planning.
        """
        same_image = (embeddings.c.image_id == samples.c.image_id, embeddings.c.embedder == embedder)
        columns = (samples.c.seq, samples.c.id, samples.c.image_id, samples.c.label, samples.c.cluster)
        statement = select(*columns, exists().where(*same_image).label("has_vector"))
        statement = statement.order_by(samples.c.seq.desc()).limit(limit)
        with self._database.reading() as connection:
            rows = [
                row
                for state in RENDERED_STATES
                for row in connection.execute(statement.where(samples.c.state == state))
            ]
        lists: tuple[list[EmbeddedSample], list[EmbeddedSample]] = ([], [])
        for row in sorted(rows, key=lambda row: row.seq)[-limit:]:
            sample = EmbeddedSample(
                id=row.id, image_id=row.image_id, label=row.label, group=row.cluster or row.id
            )
            lists[0 if row.has_vector else 1].append(sample)
        return lists

    def sets(self, embedder: str, *, each: int) -> list[SampleSet]:
        """The rendered samples that are not rejected, by plan, method and class, the sets in the order of planning.

        Args:
            each: how many images of a set are named, the first planned ones.
        """
        of_set = (samples.c.plan, samples.c.method, samples.c.label)
        unrejected = select(
            samples.c.seq,
            samples.c.image_id,
            *of_set,
            func.row_number().over(partition_by=of_set, order_by=samples.c.seq).label("place"),
            func.count().over(partition_by=of_set).label("total"),
        ).where(samples.c.state.in_(_UNREJECTED))
        ranked = unrejected.subquery()
        same_image = (embeddings.c.image_id == ranked.c.image_id, embeddings.c.embedder == embedder)
        first = select(ranked, exists().where(*same_image).label("has_vector"))
        first = first.where(ranked.c.place <= each).order_by(ranked.c.seq)
        rows: dict[tuple[str, str, str], list[AnyRow]] = {}
        with self._database.reading() as connection:
            for row in connection.execute(first):
                rows.setdefault((row.plan, row.method, row.label), []).append(row)
        return [
            SampleSet(
                plan=plan,
                method=method,
                label=label,
                total=of_one[0].total,
                images=tuple((row.image_id, bool(row.has_vector)) for row in of_one),
            )
            for (plan, method, label), of_one in rows.items()
        ]
