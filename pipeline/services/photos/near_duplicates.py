"""Find photos of the test split that look like a photo of the train split: a test with them measures memory."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor

import numpy as np
from numpy.typing import NDArray

from pipeline.domain.images import RGB
from pipeline.domain.photos import Photo
from pipeline.embedding import Embedder, load_embedder, most_similar, shrunk
from pipeline.errors import Cancelled, DamagedPicture, NotFound
from pipeline.services.reports import NearDuplicate, Progress
from pipeline.store import Library

_STORED_AT_ONCE = 64  # embeddings in one transaction, and images decoded ahead at the embedder's size
_THREADS = 2  # that decode


def near_duplicates_across_splits(
    library: Library,
    *,
    on_progress: Progress | None = None,
    cancelled: Callable[[], bool] | None = None,
) -> tuple[NearDuplicate, ...]:
    """Compare the photos of the test split with those of the train split; excluded ones are left out.

    The first call embeds all these photos and stores the embeddings; a later call embeds new photos only. A library
    with one split has nothing to compare, and loads no network. A photo whose file is damaged is passed over.

    Returns:
        For each test photo that is a near-duplicate the most similar training photo, the most similar pair first.

    Raises:
        Cancelled: it was stopped; stored embeddings stay.
    """
    included = [photo for photo in library.photos.list() if not photo.excluded]
    splits = [[photo for photo in included if photo.split == split] for split in ("test", "train")]
    if not all(splits):
        return ()
    embedder = load_embedder()
    vectors = photo_vectors(library, embedder, included, on_progress=on_progress, cancelled=cancelled)
    test, train = ([photo for photo in photos if photo.image_id in vectors] for photos in splits)
    if not test or not train:
        return ()
    places, similarities = most_similar(
        *(np.stack([vectors[photo.image_id] for photo in photos]) for photos in (test, train))
    )
    pairs = [
        NearDuplicate(
            test_id=photo.id,
            test_name=photo.name,
            train_id=train[place].id,
            train_name=train[place].name,
            similarity=similarity,
        )
        for photo, place, similarity in zip(test, places.tolist(), similarities.tolist(), strict=True)
        if similarity >= embedder.near_duplicate
    ]
    return tuple(sorted(pairs, key=lambda pair: -pair.similarity))


def photo_vectors(
    library: Library,
    embedder: Embedder,
    photos: Sequence[Photo],
    *,
    store: bool = True,
    on_progress: Progress | None = None,
    cancelled: Callable[[], bool] | None = None,
) -> dict[str, NDArray[np.float16]]:
    """Return the embeddings of photos, image id → (D,); what is missing is computed, and stored where `store` says so.

    A photo whose file is damaged is left out.

    Raises:
        Cancelled: it was stopped; stored embeddings stay.
    """
    vectors = library.embeddings.of(embedder.name, (photo.image_id for photo in photos))
    missing = [photo for photo in photos if photo.image_id not in vectors]

    def small(photo: Photo) -> RGB | None:
        try:
            return shrunk(library.images.read(photo.image_id), embedder.side_px)
        except (NotFound, DamagedPicture):
            return None

    with ThreadPoolExecutor(_THREADS) as pool:
        for start in range(0, len(missing), _STORED_AT_ONCE):
            if cancelled and cancelled():
                raise Cancelled(start)
            batch = missing[start : start + _STORED_AT_ONCE]
            images = {
                photo.image_id: image for photo, image in zip(batch, pool.map(small, batch), strict=True)
            }
            readable = {image_id: image for image_id, image in images.items() if image is not None}
            new = dict(zip(readable, embedder.embed(readable.values()), strict=True))
            if store:
                library.embeddings.add(embedder.name, new)
            vectors |= new
            if on_progress:
                on_progress(start + len(batch), len(missing), f"comparing {batch[-1].name}")
    return vectors
