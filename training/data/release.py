"""Reads a release and its test photos, ready to train on."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

from pipeline.domain.splits import MIN_TEST_PER_CLASS
from pipeline.embedding import Embedder, linked_groups, load_embedder
from pipeline.errors import ReleaseRefused
from training.data.decoding import Decoder, OnRead, Photos
from training.data.images import LabelledImages
from training.data.leaks import near_duplicates, repeated
from training.data.rows import LabelledRows, Row
from training.data.sources import rows_of


@dataclass(frozen=True, slots=True, kw_only=True)
class Leak:
    """Test photos that look like training photos, so that a test with them measures memory."""

    count: int
    test_name: str  # of the most similar pair
    train_name: str

    @property
    def sentence(self) -> str:
        """Say how many there are, with an example; no full stop."""
        are = (
            "1 test photo is a near-duplicate of a training photo"
            if self.count == 1
            else f"{self.count} test photos are near-duplicates of training photos"
        )
        return f"{are}, for example {self.test_name} ~ {self.train_name}"

    @property
    def note(self) -> str:
        """Say what it means for results."""
        return f"{self.sentence}; the rates are higher than on other photos."


@dataclass(frozen=True, slots=True, kw_only=True)
class PhotoSource:
    """Where the test photos of a release lie, for reading them once more; see `rows_of`."""

    dataset: str
    split: str | None  # None: all splits


@dataclass(frozen=True, slots=True, kw_only=True)
class Release:
    """A release, ready to train on. `notes` are sentences that a reader of the results must know."""

    name: str
    classes: tuple[str, ...]
    real_train: LabelledImages
    synthetic_train: LabelledImages
    test: LabelledImages
    test_name: str
    models: Mapping[str, tuple[str, ...]] = field(
        default_factory=dict
    )  # method → models that generated its images
    notes: tuple[str, ...] = ()
    leak: Leak | None = None  # also among the notes
    test_groups: NDArray[np.int64] | None = (
        None  # (N,) near-duplicates among the test photos of a class have one number
    )
    train_groups: NDArray[np.int64] | None = (
        None  # (N,) near-duplicates among the real training photos, of any class, have one number
    )
    test_fingerprints: NDArray[np.str_] | None = None  # (N,) of the test photos' files, 16 hex digits
    test_source: PhotoSource | None = None  # None: they cannot be read again

    def test_counts(self) -> dict[str, int]:
        """Count the test photos of each class."""
        counts = Counter(self.test.labels.tolist())
        return {name: counts[index] for index, name in enumerate(self.classes)}


def load_release(dataset: str, test: str | None, *, side_px: int, on_read: OnRead | None = None) -> Release:
    """Read a release and its test photos.

    Args:
        dataset: a release folder, a plain folder class/*.jpg (all of it real training photos) or train/class/*.jpg
            with test/class/*.jpg, or a Hub id ns/name.
        test: the same kinds; all its real images are test photos. None: the release's own test split.
        side_px: side of the decoded squares.
        on_read: called with the number of images decoded so far.

    Raises:
        ReleaseRefused: missing, unreadable, without training images, or with too few test photos.
    """
    decoder = Decoder(side_px, on_read)
    real, synthetic = rows_of(dataset, "real", "train"), rows_of(dataset, "synthetic", "train")
    classes = _classes(dataset, real, synthetic)
    source = PhotoSource(dataset=test or dataset, split=None if test else "test")
    test_rows = rows_of(source.dataset, "real", source.split)
    embedder = load_embedder()
    train_photos = decoder.photos(real.rows, classes, embedder)
    synthetic_images = decoder.images(synthetic.rows, classes)
    test_photos = decoder.photos(_of_known_classes(test_rows, classes, test or dataset), classes, embedder)
    test_photos, copies = _without_copies(test_photos, train_photos)
    leak = _leak(test_photos, train_photos, embedder)
    release = Release(
        name=str(dataset),
        classes=classes,
        real_train=train_photos.images,
        synthetic_train=synthetic_images,
        test=test_photos.images,
        test_name=str(test) if test else f"{dataset} (its own test split)",
        models={method: tuple(sorted(names)) for method, names in sorted(decoder.models.items())},
        notes=(*decoder.notes, *copies, *([leak.note] if leak else [])),
        leak=leak,
        test_groups=_groups(test_photos, embedder),
        test_fingerprints=test_photos.fingerprints,
        train_groups=linked_groups(train_photos.vectors, embedder.near_duplicate),
        test_source=source,
    )
    return _checked(release, own_split=test is None)


def _classes(dataset: str, *rows: LabelledRows) -> tuple[str, ...]:
    """Join the class names of several configurations; a classifier needs two, and each spelt in one way."""
    classes = tuple(dict.fromkeys(name for of_config in rows for name in of_config.classes))
    spellings: dict[str, str] = {}
    for name in classes:
        other = spellings.setdefault(re.sub(r"[\s_-]+", " ", name).strip().casefold(), name)
        if other != name:
            raise ReleaseRefused(
                f"{dataset} has the classes '{other}' and '{name}', which differ only in spelling; "
                "give both one name, and publish again"
            )
    if len(classes) < 2:
        raise ReleaseRefused(
            f"{dataset} has {len(classes)} class(es); a classifier needs at least 2: publish photos of more classes"
        )
    return classes


def _of_known_classes(test_rows: LabelledRows, classes: tuple[str, ...], test: str) -> Iterable[Row]:
    """Return the test rows once it is certain that training knows every class of theirs."""
    unknown = sorted(set(test_rows.classes) - set(classes))
    if unknown:
        raise ReleaseRefused(
            f"the test set {test} has the class '{unknown[0]}' that is not in the training data; "
            f"rename it to one of {', '.join(classes)}, or remove it"
        )
    return test_rows.rows


def _without_copies(test: Photos, train: Photos) -> tuple[Photos, list[str]]:
    """Remove test photos that are also training photos, in whatever encoding, and note how many."""
    is_copy = repeated(test.images.images, train.images.images)
    if not is_copy.any():
        return test, []
    names = tuple(name for name, copied in zip(test.names, is_copy, strict=True) if not copied)
    left = Photos(
        images=test.images.where(~is_copy),
        vectors=test.vectors[~is_copy],
        names=names,
        fingerprints=test.fingerprints[~is_copy],
    )
    return left, [f"{is_copy.sum()} test photos are also training photos and were left out of the test."]


def _leak(test: Photos, train: Photos, embedder: Embedder) -> Leak | None:
    pairs = near_duplicates(test.vectors, train.vectors, embedder.near_duplicate)
    if not pairs:
        return None
    place, other = pairs[0]
    return Leak(count=len(pairs), test_name=test.names[place], train_name=train.names[other])


def _groups(test: Photos, embedder: Embedder) -> NDArray[np.int64]:
    """Number the groups of near-duplicates of each class; (N,)."""
    linked = linked_groups(test.vectors, embedder.near_duplicate)
    pairs = np.stack([test.images.labels, linked], axis=1)
    return np.asarray(np.unique(pairs, axis=0, return_inverse=True)[1].reshape(-1), np.int64)


def _checked(release: Release, *, own_split: bool) -> Release:
    """Refuse a release that cannot be trained on or tested; note classes without test photos."""
    if not len(release.real_train) and not len(release.synthetic_train):
        raise ReleaseRefused(f"{release.name} has no training images; accept some samples and publish again")
    remedy = "give test photos with --test DIR" if own_split else "add photos to it"
    if not len(release.test):
        raise ReleaseRefused(f"there are no test photos in {release.test_name}; {remedy}")
    scarce = {name: count for name, count in release.test_counts().items() if count < MIN_TEST_PER_CLASS}
    # a test set that was named may leave classes out altogether
    absent = [] if own_split else [name for name, count in scarce.items() if not count]
    scarce = {name: count for name, count in scarce.items() if name not in absent}
    if scarce:
        name, count = next(iter(scarce.items()))
        raise ReleaseRefused(
            f"{release.test_name} has {count} test photos of '{name}'; "
            f"at least {MIN_TEST_PER_CLASS} per class are needed: {remedy}"
        )
    if absent:
        note = f"The test set has no photos of {', '.join(absent)}; the rates are over the other classes."
        return replace(release, notes=(*release.notes, note))
    return release
