"""Holds out a part of the real training photos to choose settings on, so that the test photos are not needed for it."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from pipeline.domain.release import Origin
from pipeline.errors import ReleaseRefused
from training.data.arm_data import ArmData, SkippedArm, count_classes
from training.data.images import LabelledImages
from training.data.release import Release

VALIDATION_SHARE = 0.25  # of the training photos of each class
_LEAST_PHOTOS = 4  # training photos of a class: one to choose on, three to train on
_MOST_SHARE = 0.5  # that a class gives up where its groups of near-duplicates are large


@dataclass(frozen=True, slots=True, kw_only=True)
class Validation:
    """The validation photos of a release: real training photos that no run trains on while settings are chosen."""

    release: Release  # whose test photos are the validation photos
    held_out: frozenset[str]  # the sources of these photos

    @classmethod
    def of(cls, release: Release) -> Validation:
        """Hold out about a quarter of the real training photos of each class, near-duplicates together.

        Which ones follows from the pixels of the photos alone. The test photos are neither read nor kept.

        Raises:
            ReleaseRefused: a class has too few training photos, or too few that look different.
        """
        photos = release.real_train
        for name, count in count_classes(photos, release.classes).items():
            if count < _LEAST_PHOTOS:
                raise ReleaseRefused(
                    f"{release.name} has {count} real training photos of '{name}'; a tuning budget needs at least "
                    f"{_LEAST_PHOTOS} of each class, since settings are chosen on a part of them: add photos, or "
                    "leave out --tuning"
                )
        groups = np.arange(len(photos)) if release.train_groups is None else release.train_groups
        is_held_out = _held_out(photos, groups)
        chosen = photos.where(is_held_out)
        for name, count in count_classes(chosen, release.classes).items():
            if not count:
                raise ReleaseRefused(
                    f"the real training photos of '{name}' in {release.name} are near-duplicates of each other, so "
                    "none can be held out to choose settings on: add other photos, or leave out --tuning"
                )
        return cls(
            release=replace(release, test=chosen, test_groups=None, test_source=None),
            held_out=frozenset(chosen.sources.tolist()),
        )

    @property
    def photos(self) -> LabelledImages:
        """The validation photos."""
        return self.release.test

    @property
    def fingerprint(self) -> str:
        """Hash which images of the release may be trained on, to 16 hex digits."""
        digest = hashlib.sha256()
        for images in (self.release.real_train, self.release.synthetic_train):
            digest.update(self._may_train(images).tobytes())
        return digest.hexdigest()[:16]

    def training_part(self, data: ArmData) -> ArmData | SkippedArm:
        """Leave out the validation photos and every image that shows an object of one of them.

        Returns:
            The arm with the images that are left; why not, where a class is left without images that it had.
        """
        left = data.images.where(self._may_train(data.images))
        for origin in Origin:
            before = count_classes(data.images.where(data.images.origins == origin), self.release.classes)
            after = count_classes(left.where(left.origins == origin), self.release.classes)
            lost = [name for name, count in before.items() if count and not after[name]]
            if lost:
                reason = (
                    f"all its {origin} images of '{lost[0]}' are validation photos or show objects of them"
                )
                return SkippedArm(arm=data.arm, reason=reason)
        return ArmData(arm=data.arm, images=left)

    def _may_train(self, images: LabelledImages) -> NDArray[np.bool_]:
        """Tell which images show no object of a validation photo; (N,) bool."""
        shown = zip(images.sources.tolist(), images.all_sources.tolist(), strict=True)
        return np.array(
            [self.held_out.isdisjoint((source, *every.split("\n"))) for source, every in shown], np.bool_
        )


def _held_out(photos: LabelledImages, groups: NDArray[np.int64]) -> NDArray[np.bool_]:
    """Choose whole groups in an order decided by chance; where all are too large for a class, its smallest.

    Args:
        groups: (N,) photos of one group look alike.

    Returns:
        (N,) bool.
    """
    totals = Counter(photos.labels.tolist())
    order = [np.flatnonzero(groups == group) for group in _shuffled(photos, groups)]
    sizes = [Counter(photos.labels[members].tolist()) for members in order]
    taken: Counter[int] = Counter()
    is_held_out = np.zeros(len(photos), np.bool_)

    def take(places: Sequence[int], label: int, limit: float) -> None:
        for place in places:
            fits = all(
                taken[other] + size <= _MOST_SHARE * totals[other] for other, size in sizes[place].items()
            )
            if fits and not is_held_out[order[place][0]] and taken[label] + sizes[place][label] <= limit:
                is_held_out[order[place]] = True
                taken.update(sizes[place])

    for label in sorted(totals, key=lambda label: (totals[label], label)):  # the rarest first
        of_class = [place for place, size in enumerate(sizes) if size[label]]
        take(of_class, label, max(1, round(VALIDATION_SHARE * totals[label])))
        if not taken[label]:
            smallest = sorted(of_class, key=lambda place: sizes[place][label])
            take(smallest[:1], label, totals[label])
    return is_held_out


def _shuffled(photos: LabelledImages, groups: NDArray[np.int64]) -> list[int]:
    """Order the groups by the smallest hash of the pixels of their photos."""
    smallest: dict[int, str] = {}
    for group, image in zip(groups.tolist(), photos.images, strict=True):
        key = hashlib.sha256(np.ascontiguousarray(image).tobytes()).hexdigest()
        smallest[group] = min(key, smallest.get(group, key))
    return sorted(smallest, key=lambda group: smallest[group])
