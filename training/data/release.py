"""Reads a release and its test photos, ready to train on."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace

from pipeline.errors import ReleaseRefused
from training.data.decoding import Decoder, OnRead
from training.data.images import LabelledImages
from training.data.leaks import repeated
from training.data.rows import LabelledRows, Row
from training.data.sources import rows_of

MIN_TEST_PER_CLASS = 5  # fewer photos give no meaningful rate


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
    classes = tuple(dict.fromkeys((*real.classes, *synthetic.classes)))
    if len(classes) < 2:
        raise ReleaseRefused(
            f"{dataset} has {len(classes)} class(es); a classifier needs at least 2: publish photos of more classes"
        )
    test_rows = rows_of(test, "real", None) if test else rows_of(dataset, "real", "test")
    release = Release(
        name=str(dataset),
        classes=classes,
        real_train=decoder.images(real.rows, classes),
        synthetic_train=decoder.images(synthetic.rows, classes),
        test=decoder.images(_of_known_classes(test_rows, classes, test or dataset), classes),
        test_name=str(test) if test else f"{dataset} (its own test split)",
        models={method: tuple(sorted(names)) for method, names in sorted(decoder.models.items())},
        notes=tuple(decoder.notes),
    )
    return _checked(_without_leaks(release), own_split=test is None)


def _of_known_classes(test_rows: LabelledRows, classes: tuple[str, ...], test: str) -> Iterable[Row]:
    """Return the test rows once it is certain that training knows every class of theirs."""
    unknown = sorted(set(test_rows.classes) - set(classes))
    if unknown:
        raise ReleaseRefused(
            f"the test set {test} has the class '{unknown[0]}' that is not in the training data; "
            f"rename it to one of {', '.join(classes)}, or remove it"
        )
    return test_rows.rows


def _without_leaks(release: Release) -> Release:
    """Remove test photos that are also training photos, in whatever encoding, and note how many."""
    leaked = repeated(release.test.images, release.real_train.images)
    if not leaked.any():
        return release
    note = f"{leaked.sum()} test photos are also training photos and were left out of the test."
    return replace(release, test=release.test.where(~leaked), notes=(*release.notes, note))


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
