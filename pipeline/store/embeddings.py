"""Embeddings of images: they follow from the pixels, so a replica leaves them out and they are computed again."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import select

from pipeline.store.database import Database, insert_new
from pipeline.store.schema import embeddings
from pipeline.store.sql import chunks

_STORED = np.dtype("<f2")  # little-endian on every machine


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
