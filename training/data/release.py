"""Reads a release and its test photos, ready to train on."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace

from pipeline.domain.splits import MIN_TEST_PER_CLASS
from pipeline.embedding import Embedder, load_embedder
from pipeline.errors import ReleaseRefused
from training.data.decoding import Decoder, OnRead, Photos
from training.data.images import LabelledImages
from training.data.leaks import near_duplicates, repeated
from training.data.rows import LabelledRows, Row
from training.data.sources import rows_of


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

    def test_counts(self) -> dict[str, int]:
        """Count the test photos of each class."""
        counts = Counter(self.test.labels.tolist())
        return {name: counts[index] for index, name in enumerate(self.classes)}


def load_release(
    dataset: str,
    test: str | None,
    *,
    side_px: int,
    allow_leak: bool = False,
    on_read: OnRead | None = None,
) -> Release:
    """Read a release and its test photos.

    Args:
        dataset: a release folder, a plain folder class/*.jpg (all of it real training photos) or train/class/*.jpg
            with test/class/*.jpg, or a Hub id ns/name.
        test: the same kinds; all its real images are test photos. None: the release's own test split.
        side_px: side of the decoded squares.
        allow_leak: whether test photos may be near-duplicates of training photos; a note then says so.
        on_read: called with the number of images decoded so far.

    Raises:
        ReleaseRefused: missing, unreadable, without training images, with too few test photos, or with test photos
            that are near-duplicates of training photos.
    """
    decoder = Decoder(side_px, on_read)
    real, synthetic = rows_of(dataset, "real", "train"), rows_of(dataset, "synthetic", "train")
    classes = tuple(dict.fromkeys((*real.classes, *synthetic.classes)))
    if len(classes) < 2:
        raise ReleaseRefused(
            f"{dataset} has {len(classes)} class(es); a classifier needs at least 2: publish photos of more classes"
        )
    test_rows = rows_of(test, "real", None) if test else rows_of(dataset, "real", "test")
    embedder = load_embedder()
    train_photos = decoder.photos(real.rows, classes, embedder)
    synthetic_images = decoder.images(synthetic.rows, classes)
    test_photos = decoder.photos(_of_known_classes(test_rows, classes, test or dataset), classes, embedder)
    test_photos, leak_notes = _without_leaks(test_photos, train_photos, embedder, allow_leak=allow_leak)
    release = Release(
        name=str(dataset),
        classes=classes,
        real_train=train_photos.images,
        synthetic_train=synthetic_images,
        test=test_photos.images,
        test_name=str(test) if test else f"{dataset} (its own test split)",
        models={method: tuple(sorted(names)) for method, names in sorted(decoder.models.items())},
        notes=(*decoder.notes, *leak_notes),
    )
    return _checked(release, own_split=test is None)


def _of_known_classes(test_rows: LabelledRows, classes: tuple[str, ...], test: str) -> Iterable[Row]:
    """Return the test rows once it is certain that training knows every class of theirs."""
    unknown = sorted(set(test_rows.classes) - set(classes))
    if unknown:
        raise ReleaseRefused(
            f"the test set {test} has the class '{unknown[0]}' that is not in the training data; "
            f"rename it to one of {', '.join(classes)}, or remove it"
        )
    return test_rows.rows


def _without_leaks(
    test: Photos, train: Photos, embedder: Embedder, *, allow_leak: bool
) -> tuple[Photos, list[str]]:
    """Remove test photos that are also training photos, in whatever encoding; refuse or note their near-duplicates.

    Returns:
        The test photos that are left, and what a reader of the results must know.
    """
    notes = []
    leaked = repeated(test.images.images, train.images.images)
    if leaked.any():
        notes.append(f"{leaked.sum()} test photos are also training photos and were left out of the test.")
        names = tuple(name for name, is_leaked in zip(test.names, leaked, strict=True) if not is_leaked)
        test = Photos(images=test.images.where(~leaked), vectors=test.vectors[~leaked], names=names)
    pairs = near_duplicates(test.vectors, train.vectors, embedder.near_duplicate)
    if pairs:
        place, other = pairs[0]
        are = (
            "1 test photo is a near-duplicate of a training photo"
            if len(pairs) == 1
            else f"{len(pairs)} test photos are near-duplicates of training photos"
        )
        leak = f"{are}, for example {test.names[place]} ~ {train.names[other]}"
        if not allow_leak:
            raise ReleaseRefused(
                f"{leak}; a test with them measures memory: exclude one photo of each pair or give both one split, "
                "and publish again, or allow the leak (--allow-leak)"
            )
        notes.append(f"{leak}; the rates are higher than on other photos.")
    return test, notes


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
