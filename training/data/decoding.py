"""Decodes rows to square arrays once, so that training never waits for a decoder."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import islice
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageOps

from pipeline.domain.images import RGB
from pipeline.domain.methods import Method
from pipeline.domain.photo_decoding import load_rgb
from pipeline.embedding import Embedder, shrunk
from pipeline.errors import UnreadableImage
from training.data.images import LabelledImages
from training.data.rows import Row

_CHUNK = 256  # encoded images held in memory at a time

Decoded = TypeVar("Decoded")
OnRead = Callable[[int], None]  # called with the number of images decoded so far


@dataclass(frozen=True, slots=True, kw_only=True)
class Photos:
    """Decoded photos with their embeddings, names and fingerprints, N of each."""

    images: LabelledImages
    vectors: NDArray[np.float16]  # (N, D)
    names: tuple[str, ...]
    fingerprints: NDArray[np.str_]  # (N,) of the encoded files, 16 hex digits: the same at every `side_px`


class Decoder:
    """Decodes rows, reports how many it has done, and collects what a reader of the results must know.

    Args:
        side_px: side of the decoded squares.
        on_read: called after every chunk of rows.
    """

    def __init__(self, side_px: int, on_read: OnRead | None) -> None:
        self.side_px, self.on_read = side_px, on_read
        self.decoded_count = 0
        self.notes: list[str] = []
        self.models: dict[str, set[str]] = {}  # method → models of its rows

    def images(self, rows: Iterable[Row], classes: tuple[str, ...]) -> LabelledImages:
        """Decode rows in their order; unreadable ones are left out and noted."""

        def square(row: Row) -> NDArray[np.uint8]:
            return squared(row.data, self.side_px)

        pairs = [pair for chunk in self._chunks(rows, square) for pair in chunk]
        return self._labelled([row for row, _ in pairs], [image for _, image in pairs], classes)

    def photos(self, rows: Iterable[Row], classes: tuple[str, ...], embedder: Embedder) -> Photos:
        """Decode rows as `images` does, and embed the whole images."""

        def square_and_small(row: Row) -> tuple[NDArray[np.uint8], RGB, str]:
            whole = load_rgb(row.data, "image", enough_px=2 * embedder.side_px)
            fingerprint = hashlib.sha256(row.data).hexdigest()[:16]
            return squared(row.data, self.side_px), shrunk(whole, embedder.side_px), fingerprint

        readable: list[Row] = []
        images: list[NDArray[np.uint8]] = []
        fingerprints: list[str] = []
        vectors = [np.zeros((0, embedder.size), np.float16)]
        for chunk in self._chunks(rows, square_and_small):
            readable += [row for row, _ in chunk]
            images += [image for _, (image, _, _) in chunk]
            fingerprints += [fingerprint for _, (_, _, fingerprint) in chunk]
            vectors.append(embedder.embed(small for _, (_, small, _) in chunk))
        return Photos(
            images=self._labelled(readable, images, classes),
            vectors=np.concatenate(vectors),
            names=tuple(row.name for row in readable),
            fingerprints=np.array(fingerprints, np.str_),
        )

    def _chunks(
        self, rows: Iterable[Row], decode: Callable[[Row], Decoded]
    ) -> Iterator[list[tuple[Row, Decoded]]]:
        """Yield what the readable rows are decoded to, with their rows without data; note the unreadable ones."""
        unreadable: list[str] = []

        def decoded(row: Row) -> Decoded | None:
            try:
                return decode(row)
            except UnreadableImage:
                return None

        waiting = iter(rows)
        with ThreadPoolExecutor() as pool:
            while chunk := list(islice(waiting, _CHUNK)):
                pairs = list(zip(chunk, pool.map(decoded, chunk), strict=True))
                unreadable += [row.name for row, image in pairs if image is None]
                yield [(row._replace(data=b"", mask=b""), image) for row, image in pairs if image is not None]
                self.decoded_count += len(chunk)
                if self.on_read:
                    self.on_read(self.decoded_count)
        if unreadable:
            subject = "image was" if len(unreadable) == 1 else "images were"
            self.notes.append(
                f"{len(unreadable)} unreadable {subject} left out, the first is {unreadable[0]}."
            )

    def _labelled(
        self, rows: Sequence[Row], images: Sequence[NDArray[np.uint8]], classes: tuple[str, ...]
    ) -> LabelledImages:
        for row in rows:
            if row.model:
                self.models.setdefault(row.method, set()).add(row.model)
        index = {name: position for position, name in enumerate(classes)}
        shape = (len(images), self.side_px, self.side_px, 3)
        return LabelledImages(
            images=np.stack(images) if images else np.zeros(shape, np.uint8),
            labels=np.array([index[row.label] for row in rows], np.int64),
            origins=np.array([row.origin for row in rows], np.str_),
            methods=np.array([row.method for row in rows], np.str_),
            recipes=np.array([row.recipe for row in rows], np.str_),
            sources=np.array([_source(row) for row in rows], np.str_),
            all_sources=np.array(["\n".join(_all_sources(row)) for row in rows], np.str_),
        )


def _source(row: Row) -> str:
    """The photo whose object a row shows in front; the row itself where that is no other photo, or not told."""
    told = row.source or "".join(row.sources[-1:])
    return told if told and _shows_object(row) else row.name


def _all_sources(row: Row) -> tuple[str, ...]:
    """The photos of all objects that a row shows; the row itself where these are no other photos; () if not told."""
    if not _shows_object(row):
        return (row.name,)
    return tuple(dict.fromkeys((*row.sources, _source(row)))) if row.sources else ()


def _shows_object(row: Row) -> bool:
    """Whether a row shows photographed objects that were placed."""
    return row.method in set(Method) and Method(row.method).facts.places_object


def squared(
    data: bytes, side_px: int, *, resampling: Image.Resampling = Image.Resampling.LANCZOS
) -> NDArray[np.uint8]:
    """Decode the largest centred square of an image and scale it with antialiasing.

    Cropped, not padded: bars beside photos and none beside generated squares would give the origin away.

    Returns:
        (side, side, 3) uint8 RGB.

    Raises:
        UnreadableImage: see `load_rgb`.
    """
    image = Image.fromarray(load_rgb(data, "image", enough_px=2 * side_px))
    return np.asarray(ImageOps.fit(image, (side_px, side_px), resampling), np.uint8)
