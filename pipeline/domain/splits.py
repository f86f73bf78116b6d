"""The splits of photos: a test split that holds, decided once and never changed by a later import.

Photos that show one object (near-duplicates, objects cut out of one image) form a group, and a group is in one split:
else the test would measure memory.
"""

from __future__ import annotations

import hashlib
import math
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

TRAIN, TEST = "train", "test"
MIN_TEST_PER_CLASS = 5  # fewer test photos give no meaningful rate
MIN_TO_SPLIT = 10  # photos; a smaller class has none to spare for a test and is all train
_MIN_TRAIN_PER_CLASS = 5
_SHARE = 5  # one photo in five is for the test
_NAMED_CLASSES = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class GroupedPhoto:
    """A photo with what decides its split."""

    id: str
    label: str
    group: str  # photos of one group stay in one split
    split: str | None = None  # train or test where that is decided, None where it is to be decided
    counts: bool = True  # False: the photo only holds its group together, as an excluded one does


def decided_splits(photos: Iterable[GroupedPhoto]) -> dict[str, str]:
    """Decide the split of every photo that has none, the same on every machine and in any order of the photos.

    - A group with a decided photo takes its split; train, where it has photos in both.
    - A class with `MIN_TO_SPLIT` photos gets at least `MIN_TEST_PER_CLASS` test photos and one in five above that, as
      far as its groups allow and five training photos are left. Test photos that it has already count.
    - A smaller class gets none: they would be too few to measure anything.

    Args:
        photos: those of the library and the new ones.

    Returns:
        Photo id → train or test, for the photos without a split.
    """
    table = _Table.of(photos)
    for label in sorted(table.waiting, key=lambda label: (table.totals[label], label)):  # the rarest first
        _choose_test_groups(table, label)
    return {
        photo.id: TEST if group.split == TEST else TRAIN
        for group in table.groups.values()
        for photo in group.photos
        if photo.split is None
    }


def undivided_classes(photos: Iterable[GroupedPhoto], splits: Mapping[str, str]) -> tuple[str, ...]:
    """Return the classes with new photos that get too few test photos although they are large enough: few groups.

    Args:
        photos: as given to `decided_splits`.
        splits: what it returned.
    """
    listed = [photo for photo in photos if photo.counts]
    totals = Counter(photo.label for photo in listed)
    tests = Counter(photo.label for photo in listed if splits.get(photo.id, photo.split) == TEST)
    new = {photo.label for photo in listed if photo.split is None}
    return tuple(
        sorted(label for label in new if totals[label] >= MIN_TO_SPLIT and tests[label] < MIN_TEST_PER_CLASS)
    )


def shortage_of_test_photos(test_photos: Mapping[str, int]) -> str:
    """Say which classes have too few test photos for a study; "" where none has.

    Args:
        test_photos: class → number of its test photos, classes without any included.
    """
    scarce = {label: count for label, count in sorted(test_photos.items()) if count < MIN_TEST_PER_CLASS}
    if not scarce:
        return ""
    needed = f"a study needs at least {MIN_TEST_PER_CLASS} of each class"
    if not any(test_photos.values()):
        return f"there are no test photos; {needed}"
    named = ", ".join(f"'{label}' ({count})" for label, count in list(scarce.items())[:_NAMED_CLASSES])
    more = len(scarce) - _NAMED_CLASSES
    others = f" and {more} more {'class' if more == 1 else 'classes'}" if more > 0 else ""
    return f"too few test photos of {named}{others}; {needed}"


@dataclass(slots=True)
class _Group:
    """Photos that stay in one split."""

    photos: list[GroupedPhoto] = field(default_factory=list)
    split: str | None = None

    def sizes(self) -> Counter[str]:
        """Count the photos of each class."""
        return Counter(photo.label for photo in self.photos if photo.counts)

    def place(self) -> str:
        """Return what decides its place in the order in which groups are chosen: a hash, so that chance decides."""
        return hashlib.sha256(f"split:{min(photo.id for photo in self.photos)}".encode()).hexdigest()


@dataclass(slots=True)
class _Table:
    """All groups, and how many photos of each class there are."""

    groups: dict[str, _Group]
    totals: Counter[str]
    tests: Counter[str]  # test photos decided so far
    waiting: dict[str, list[_Group]]  # class → its groups without a split, in the order of choice

    @classmethod
    def of(cls, photos: Iterable[GroupedPhoto]) -> _Table:
        """Sort photos into groups, and give groups with a decided photo its split."""
        groups: dict[str, _Group] = {}
        for photo in photos:
            groups.setdefault(photo.group, _Group()).photos.append(photo)
        table = cls(groups, Counter(), Counter(), {})
        for group in sorted(groups.values(), key=_Group.place):
            splits = {photo.split for photo in group.photos} - {None}
            group.split = (TEST if splits == {TEST} else TRAIN) if splits else None
            for photo in group.photos:
                table.totals[photo.label] += photo.counts
                table.tests[photo.label] += photo.counts and (photo.split or group.split) == TEST
            if not splits:
                for label in group.sizes():
                    table.waiting.setdefault(label, []).append(group)
        return table

    def take(self, group: _Group) -> None:
        """Put a group into the test."""
        group.split = TEST
        self.tests += group.sizes()

    def give_back(self, group: _Group) -> None:
        """Take a group out of the test again."""
        group.split = None
        self.tests -= group.sizes()

    def spares(self, group: _Group) -> bool:
        """Whether every class of a group keeps enough training photos without it."""
        return all(
            self.totals[label] - self.tests[label] - size
            >= min(_MIN_TRAIN_PER_CLASS, math.ceil(self.totals[label] / 2))
            for label, size in group.sizes().items()
        )


def _choose_test_groups(table: _Table, label: str) -> None:
    """Put as many groups of a class into the test as it needs."""
    groups = [(group, group.sizes()[label]) for group in table.waiting[label] if group.split is None]
    wanted = _wanted(table.totals[label], table.tests[label], sum(size for _, size in groups))
    least = MIN_TEST_PER_CLASS - table.tests[label]
    taken: list[_Group] = []
    left = wanted
    for group, size in groups:
        if size <= left and table.spares(group):
            table.take(group)
            taken.append(group)
            left -= size
    if left <= 0:
        return
    if wanted - left >= least:  # five are reached: a group too many is better than a gap that is larger
        larger = [(group, size) for group, size in groups if group.split is None and size < 2 * left]
        fitting = [group for group, _ in sorted(larger, key=lambda pair: pair[1]) if table.spares(group)]
        for group in fitting[:1]:
            table.take(group)
        return
    for group in taken:
        table.give_back(group)
    most = table.totals[label] - table.tests[label] - _MIN_TRAIN_PER_CLASS
    spared = [(group, size) for group, size in groups if table.spares(group)]
    for place in _best_sum([size for _, size in spared], wanted, least, most):
        if table.spares(spared[place][0]):
            table.take(spared[place][0])


def _wanted(total: int, tests: int, new: int) -> int:
    """Return how many more test photos a class needs.

    Args:
        total: photos of the class.
        tests: test photos among them.
        new: photos of which some may become test photos; one in five does, unless five test photos need more.
    """
    if total < MIN_TO_SPLIT:
        return 0
    share = min(round(total / _SHARE) - tests, math.ceil(new / _SHARE))
    return max(share, MIN_TEST_PER_CLASS - tests)


def _best_sum(sizes: Sequence[int], wanted: int, least: int, most: int) -> tuple[int, ...]:
    """Return the places of sizes whose sum is nearest to `wanted`, of at least `least` if possible, at most `most`.

    Called for a few large groups only: where the groups are small, taking one after the other reaches the number.
    """
    sums: dict[int, tuple[int, ...]] = {0: ()}
    for place, size in enumerate(sizes):
        for total, places in list(sums.items()):
            if total + size <= most:
                sums.setdefault(total + size, (*places, place))
    enough = [total for total in sums if total >= least]
    best = min(enough, key=lambda total: (abs(total - wanted), total)) if enough else max(sums)
    return sums[best]
