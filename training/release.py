"""Reads a release into square uint8 arrays: decoded once, so that training never waits for a decoder."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from itertools import islice

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageOps

from pipeline.domain.photos import load_rgb
from pipeline.errors import ReleaseRefused, UnreadableImage
from training.sources import Found, Row, rows_of

LEAST_TEST_PER_CLASS = 5  # fewer cannot carry a rate
_CHUNK = 256  # encoded pictures held in memory at a time
# The same photograph in another encoding (JPEG here, WebP there): its pixels differ by some grey levels, but no part of
# it has another mean. Measured at 64 px on photographs of ../shared/data: copies 0.8 on average at most.
_SAME_PIXELS = 3.0  # largest mean absolute difference, in grey levels
_SAME_PARTS = 4.0  # largest difference of the means of any of 8 x 8 parts, in grey levels
_PARTS = 8

OnRead = Callable[[int], None]  # told how many pictures have been decoded so far


@dataclass(frozen=True, slots=True, kw_only=True)
class Pictures:
    """Decoded pictures; all arrays have the same length N.

    `images` is (N, side, side, 3) uint8 RGB: the largest centred square of each picture, scaled to the side.
    `labels` is (N,) int64 into the release's classes; `origins` and `methods` are (N,) strings.
    """

    images: NDArray[np.uint8]
    labels: NDArray[np.int64]
    origins: NDArray[np.str_]
    methods: NDArray[np.str_]

    def __len__(self) -> int:
        return len(self.labels)

    def only(self, keep: NDArray[np.bool_]) -> Pictures:
        """Those where `keep`, (N,) bool, is true."""
        return Pictures(
            images=self.images[keep],
            labels=self.labels[keep],
            origins=self.origins[keep],
            methods=self.methods[keep],
        )

    def joined(self, others: Pictures) -> Pictures:
        """These pictures, then the others."""
        return Pictures(
            images=np.concatenate([self.images, others.images]),
            labels=np.concatenate([self.labels, others.labels]),
            origins=np.concatenate([self.origins, others.origins]),
            methods=np.concatenate([self.methods, others.methods]),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Release:
    """A release, ready to train on. `notes` are sentences that a reader of the results must know."""

    name: str
    classes: tuple[str, ...]
    real_train: Pictures
    synthetic_train: Pictures
    test: Pictures
    test_name: str
    models: Mapping[str, tuple[str, ...]] = field(default_factory=dict)  # method → what drew its pictures
    notes: tuple[str, ...] = ()

    def test_counts(self) -> dict[str, int]:
        """Test pictures by class."""
        held = Counter(self.test.labels.tolist())
        return {name: held[index] for index, name in enumerate(self.classes)}


def load_release(dataset: str, test: str | None, *, side_px: int, on_read: OnRead | None = None) -> Release:
    """Read a release and its test photographs.

    Args:
        dataset: a release folder, a plain folder class/*.jpg (all real training data), or a Hub id ns/name.
        test: the same kinds; all its real pictures are test photographs. None: the release's own test split.
        side_px: side of the decoded squares.

    Raises:
        ReleaseRefused: missing, unreadable, without training pictures, or too few test photographs.
    """
    reader = _Reader(side_px, on_read)
    real, synthetic = rows_of(dataset, "real", "train"), rows_of(dataset, "synthetic", "train")
    classes = tuple(dict.fromkeys((*real.classes, *synthetic.classes)))
    if len(classes) < 2:
        raise ReleaseRefused(f"{dataset} has {len(classes)} class(es); a classifier needs at least 2")
    held_out = rows_of(test, "real", None) if test else rows_of(dataset, "real", "test")
    release = Release(
        name=str(dataset),
        classes=classes,
        real_train=reader.pictures(real.rows, classes),
        synthetic_train=reader.pictures(synthetic.rows, classes),
        test=reader.pictures(_known(held_out, classes, test or dataset), classes),
        test_name=str(test) if test else f"{dataset} (its own test split)",
        models={method: tuple(sorted(names)) for method, names in sorted(reader.models.items())},
        notes=tuple(reader.notes),
    )
    return _checked(_without_leaks(release), own_split=test is None)


class _Reader:
    """Decodes rows to arrays, tells how far it is, and notes what it could not read."""

    def __init__(self, side_px: int, on_read: OnRead | None) -> None:
        self.side_px, self.on_read = side_px, on_read
        self.done = 0
        self.notes: list[str] = []
        self.models: dict[str, set[str]] = {}  # method → models of its rows

    def pictures(self, rows: Iterable[Row], classes: tuple[str, ...]) -> Pictures:
        """The rows as arrays, in their order; unreadable ones are left out and noted."""
        index = {name: position for position, name in enumerate(classes)}
        images: list[NDArray[np.uint8]] = []
        kept: list[Row] = []
        broken: list[str] = []
        waiting = iter(rows)
        with ThreadPoolExecutor() as pool:
            while chunk := list(islice(waiting, _CHUNK)):
                for row, image in zip(chunk, pool.map(self._decoded, chunk), strict=True):
                    if image is None:
                        broken.append(row.name)
                    else:
                        images.append(image)
                        kept.append(row)
                        if row.model:
                            self.models.setdefault(row.method, set()).add(row.model)
                self.done += len(chunk)
                if self.on_read:
                    self.on_read(self.done)
        if broken:
            were = "picture was" if len(broken) == 1 else "pictures were"
            self.notes.append(f"{len(broken)} unreadable {were} left out, the first is {broken[0]}.")
        shape = (len(images), self.side_px, self.side_px, 3)
        return Pictures(
            images=np.stack(images) if images else np.zeros(shape, np.uint8),
            labels=np.array([index[row.label] for row in kept], np.int64),
            origins=np.array([row.origin for row in kept], np.str_),
            methods=np.array([row.method for row in kept], np.str_),
        )

    def _decoded(self, row: Row) -> NDArray[np.uint8] | None:
        try:
            return squared(row.data, self.side_px)
        except UnreadableImage:
            return None


def squared(data: bytes, side_px: int) -> NDArray[np.uint8]:
    """(side, side, 3) uint8 RGB: the largest centred square of an encoded picture, scaled with antialiasing.

    Cropped, not padded: bars beside photographs and none beside generated squares would tell origins apart.

    Raises:
        UnreadableImage: see `load_rgb`.
    """
    image = Image.fromarray(load_rgb(data, "image", enough_px=2 * side_px))
    return np.asarray(ImageOps.fit(image, (side_px, side_px), Image.Resampling.LANCZOS), np.uint8)


def _known(found: Found, classes: tuple[str, ...], test: str) -> Iterable[Row]:
    """The test rows, once it is sure that every class of theirs can be answered."""
    strange = sorted(set(found.classes) - set(classes))
    if strange:
        raise ReleaseRefused(
            f"the test set {test} has the class '{strange[0]}' that the training data does not know; "
            f"the classes there are {', '.join(classes)}"
        )
    return found.rows


def _without_leaks(release: Release) -> Release:
    """Test photographs that are also training photographs, in whatever encoding, taken out, and said."""
    fresh = ~repeated(release.test.images, release.real_train.images)
    leaked = int((~fresh).sum())
    if not leaked:
        return release
    note = f"{leaked} test photographs are also training photographs and were left out of the test."
    return replace(release, test=release.test.only(fresh), notes=(*release.notes, note))


def repeated(images: NDArray[np.uint8], others: NDArray[np.uint8]) -> NDArray[np.bool_]:
    """Which pictures are also among the others, but for what an encoder changes.

    Args:
        images: (N, side, side, 3) uint8.
        others: (M, side, side, 3) uint8.

    Returns:
        (N,) bool.
    """
    found = np.zeros(len(images), bool)
    if not len(images) or not len(others):
        return found
    known = _part_means(others)
    for place, parts in enumerate(_part_means(images)):
        alike = np.flatnonzero((np.abs(known - parts) <= _SAME_PARTS).all(1))
        gaps = np.abs(others[alike].astype(np.int16) - images[place]).mean((1, 2, 3))
        found[place] = bool((gaps <= _SAME_PIXELS).any())
    return found


def _part_means(images: NDArray[np.uint8]) -> NDArray[np.float32]:
    """(N, 8 * 8 * 3) mean colours of the parts of (N, side, side, 3) pictures, 0 to 255."""
    edges = np.linspace(0, images.shape[1], min(_PARTS, images.shape[1]) + 1).astype(int)
    sums = np.add.reduceat(
        np.add.reduceat(images, edges[:-1], axis=1, dtype=np.float32), edges[:-1], axis=2, dtype=np.float32
    )
    areas = np.diff(edges)[:, None] * np.diff(edges)[None, :]
    return (sums / areas[..., None]).reshape(len(images), -1)


def _checked(release: Release, *, own_split: bool) -> Release:
    if not len(release.real_train) and not len(release.synthetic_train):
        raise ReleaseRefused(
            f"{release.name} has no training pictures; accept some samples and publish again"
        )
    counts = release.test_counts()
    mend = "give test photographs with --test DIR" if own_split else "add photographs of it"
    if not len(release.test):
        raise ReleaseRefused(f"there are no test photographs in {release.test_name}; {mend}")
    few = {name: count for name, count in counts.items() if count < LEAST_TEST_PER_CLASS}
    absent = [name for name, count in few.items() if not count]
    if few and (own_split or len(absent) < len(few)):
        name, count = next((n, c) for n, c in few.items() if own_split or c)
        raise ReleaseRefused(
            f"{release.test_name} has {count} test photographs of '{name}'; "
            f"at least {LEAST_TEST_PER_CLASS} a class are needed: {mend}"
        )
    if absent:
        note = (
            f"The test set has no photographs of {', '.join(absent)}; the rates are over the other classes."
        )
        return replace(release, notes=(*release.notes, note))
    return release
