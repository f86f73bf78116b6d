"""The test split of an import: large enough, without views of training objects, the same wherever it is decided."""

from __future__ import annotations

import random
from collections import Counter, defaultdict
from itertools import combinations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.domain.splits import GroupedPhoto, decided_splits, shortage_of_test_photos, undivided_classes


def photos(label: str, *sizes: int, split: str | None = None, first: int = 0) -> list[GroupedPhoto]:
    """Photos of one class in groups of these sizes."""
    return [
        GroupedPhoto(id=f"{label}-{group}-{number}", label=label, group=f"{label}-{group}", split=split)
        for group, size in enumerate(sizes, start=first)
        for number in range(size)
    ]


def for_test(listed: list[GroupedPhoto]) -> dict[str, int]:
    splits = decided_splits(listed)
    return Counter(photo.label for photo in listed if splits.get(photo.id, photo.split) == "test")


@pytest.mark.parametrize(
    ("count", "test"), [(1, 0), (9, 0), (10, 5), (25, 5), (28, 6), (100, 20), (1000, 200)]
)
def test_a_class_with_ten_photos_gets_five_test_photos_and_one_in_five_above_that(
    count: int, test: int
) -> None:
    assert for_test(photos("bolt", *[1] * count))["bolt"] == test


@pytest.mark.parametrize(
    ("sizes", "test"),
    [
        ((6, 6), 6),
        ((4, 4, 4), 4),  # more would leave four training photos
        ((28, 2), 2),
        ((50, 50), 50),
        ((95, 5), 5),
        ((9, 9, 9, 9, 9, 9, 9, 9, 9, 9), 18),
        ((10,), 0),
    ],
)
def test_groups_are_taken_whole_as_near_to_the_number_as_they_allow(
    sizes: tuple[int, ...], test: int
) -> None:
    assert for_test(photos("bolt", *sizes))["bolt"] == test


def test_new_photos_fill_the_test_up_and_stored_ones_stay() -> None:
    stored = photos("bolt", *[1] * 9, split="train")
    more = photos("bolt", *[1] * 3, first=9)
    assert set(decided_splits([*stored, *more]).values()) == {"test"}
    assert for_test([*photos("bolt", *[1] * 40, split="train"), *photos("bolt", *[1] * 20, first=40)]) == {
        "bolt": 5
    }
    field = photos("bolt", *[1] * 40, split="test")
    assert for_test([*field, *photos("bolt", *[1] * 20, first=40)]) == {"bolt": 40}


def test_a_view_of_a_stored_object_joins_its_split() -> None:
    def view(split: str | None, group: str, name: str) -> GroupedPhoto:
        return GroupedPhoto(id=name, label="bolt", group=group, split=split)

    listed = [
        view("train", "a", "1"),
        view(None, "a", "2"),
        view("test", "b", "3"),
        view(None, "b", "4"),
        view("train", "c", "5"),
        view("test", "c", "6"),
        view(None, "c", "7"),
    ]
    assert decided_splits(listed) == {"2": "train", "4": "test", "7": "train"}


def test_excluded_photos_hold_their_group_and_do_not_count() -> None:
    excluded = GroupedPhoto(id="x", label="bolt", group="x", split="test", counts=False)
    assert decided_splits([excluded, GroupedPhoto(id="y", label="bolt", group="x")]) == {"y": "test"}
    assert for_test([*photos("bolt", *[1] * 9), excluded])["bolt"] == 1  # the excluded one; nine are too few


def test_images_with_several_classes_leave_every_class_training_photos() -> None:
    listed = [
        GroupedPhoto(id=f"{image}-{label}", label=label, group=f"{image}")
        for image in range(12)
        for label in ("bolt", "nut", *(["washer"] if image == 0 else []))
    ]
    counts = for_test(listed)
    assert (counts["bolt"], counts["nut"], counts["washer"]) == (5, 5, 0)


def test_large_classes_that_their_groups_keep_from_being_divided_are_named() -> None:
    listed = [*photos("bolt", 12), *photos("nut", 6, 6), *photos("axle", *[1] * 9)]
    listed += photos("old", *[1] * 30, split="train")
    assert undivided_classes(listed, decided_splits(listed)) == ("bolt",)


GROUPS = st.lists(
    st.tuples(
        st.integers(1, 12), st.sampled_from("ab"), st.sampled_from([None, None, None, "train", "test"])
    ),
    max_size=30,
)


def grouped(groups: list[tuple[int, str, str | None]]) -> list[GroupedPhoto]:
    return [
        GroupedPhoto(id=f"{place}-{number}", label=label, group=str(place), split=split)
        for place, (size, label, split) in enumerate(groups)
        for number in range(size)
    ]


@settings(max_examples=200, deadline=None)
@given(GROUPS, st.randoms(use_true_random=False))
def test_the_order_changes_nothing_and_no_group_is_divided(
    groups: list[tuple[int, str, str | None]], chance: random.Random
) -> None:
    listed = grouped(groups)
    splits = decided_splits(listed)
    assert splits.keys() == {photo.id for photo in listed if photo.split is None}
    mixed = list(listed)
    chance.shuffle(mixed)
    assert decided_splits(mixed) == splits
    of_group = defaultdict(set)
    for photo in listed:
        of_group[photo.group].add(splits.get(photo.id, photo.split))
    assert all(len(found) == 1 for found in of_group.values())


@settings(max_examples=200, deadline=None)
@given(GROUPS, GROUPS)
def test_a_later_import_changes_no_split(
    groups: list[tuple[int, str, str | None]], more: list[tuple[int, str, str | None]]
) -> None:
    listed = grouped(groups)
    splits = decided_splits(listed)
    stored = [
        GroupedPhoto(
            id=photo.id, label=photo.label, group=photo.group, split=splits.get(photo.id, photo.split)
        )
        for photo in listed
    ]
    assert decided_splits(stored) == {}
    later = [
        GroupedPhoto(id=f"later-{photo.id}", label=photo.label, group=f"later-{photo.group}")
        for photo in grouped(more)
    ]
    assert decided_splits([*stored, *later]).keys() == {photo.id for photo in later}


@settings(max_examples=300, deadline=None)
@given(st.lists(st.integers(1, 9), min_size=1, max_size=12))
def test_five_are_for_the_test_wherever_ten_photos_and_their_groups_allow_it(sizes: list[int]) -> None:
    count = sum(sizes)
    sums = {sum(chosen) for size in range(len(sizes) + 1) for chosen in combinations(sizes, size)}
    allow = count >= 10 and any(5 <= total <= count - 5 for total in sums)
    test = for_test(photos("bolt", *sizes))["bolt"]
    assert (test >= 5) == allow
    assert count - test >= min(5, count)


@pytest.mark.parametrize(
    ("test", "sentence"),
    [
        ({"bolt": 5, "nut": 6}, ""),
        ({}, ""),
        ({"bolt": 0}, "there are no test photos; a study needs at least 5 of each class"),
        (
            {"bolt": 4, "nut": 5, "axle": 0},
            "too few test photos of 'axle' (0), 'bolt' (4); a study needs at least 5 of each class",
        ),
        (
            {"a": 1, "b": 0, "c": 2, "d": 4, "e": 9},
            "too few test photos of 'a' (1), 'b' (0), 'c' (2) and 1 more class; a study needs at least 5 of each class",
        ),
    ],
)
def test_classes_with_too_few_test_photos_are_named(test: dict[str, int], sentence: str) -> None:
    assert shortage_of_test_photos(test) == sentence
