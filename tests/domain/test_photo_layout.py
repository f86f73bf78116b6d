"""Photos, classes and masks are told from the names of files."""

from __future__ import annotations

import unicodedata
from pathlib import PurePosixPath

import pytest

from pipeline.domain.photo_layout import alike, class_folders, clean_label, is_split_name


def layout_of(*names: str) -> tuple[list[tuple[str, str, str | None]], dict[str, str], str]:
    layout = class_folders([PurePosixPath(name) for name in names])
    entries = [(entry.label, str(entry.path), entry.mask and str(entry.mask)) for entry in layout.entries]
    return entries, {str(path): reason for path, reason in layout.left_out}, layout.fault


def masks_of(*names: str) -> dict[str, str | None]:
    entries, _, _ = layout_of(*names)
    return {path: mask for _, path, mask in entries}


def test_a_folder_called_masks_is_a_class_when_none_of_its_files_belongs_to_a_photo() -> None:
    entries, left_out, _ = layout_of("gloves/0.png", "helmets/0.png", "masks/0.png", "masks/1.png")
    assert [label for label, _, _ in entries] == ["gloves", "helmets", "masks", "masks"]
    assert left_out == {}


def test_masks_are_found_with_any_ending_in_every_usual_place() -> None:
    assert masks_of("nut/0.jpg", "masks/nut/0.BMP") == {"nut/0.jpg": "masks/nut/0.BMP"}
    assert masks_of("nut/0.jpg", "bolt/1.jpg", "nut/masks/0.png") == {
        "nut/0.jpg": "nut/masks/0.png",
        "bolt/1.jpg": None,
    }
    assert masks_of("images/nut/0.jpg", "images/bolt/0.jpg", "Masks/nut/0_mask.tif") == {
        "images/nut/0.jpg": "Masks/nut/0_mask.tif",
        "images/bolt/0.jpg": None,
    }
    assert masks_of("nut/a (1).png", "nut/a (1)_mask.png", "bolt/b.png", "bolt/b-Mask.jpg") == {
        "nut/a (1).png": "nut/a (1)_mask.png",
        "bolt/b.png": "bolt/b-Mask.jpg",
    }


def test_a_photo_called_mask_without_a_partner_is_a_photo() -> None:
    assert masks_of("masks/blue_mask.png", "gloves/left.png") == {
        "masks/blue_mask.png": None,
        "gloves/left.png": None,
    }


def test_masks_that_fit_no_photo_or_a_second_time_are_named() -> None:
    _, left_out, _ = layout_of(
        "nut/0.png", "nut/0_mask.png", "nut/0_mask_1.png", "masks/nut/7.png", "nut/1.png"
    )
    assert left_out == {"nut/0_mask_1.png": "is a second mask of 0.png; join the masks into one file"}
    _, left_out, _ = layout_of("nut/0.png", "masks/nut/0.png", "masks/nut/7.png")
    assert left_out == {"masks/nut/7.png": "is a mask without a photo of the same name"}


def test_folders_round_the_class_folders_are_looked_through() -> None:
    entries, _, fault = layout_of("archive/train/cat/0.png", "archive/train/dog/0.png")
    assert [label for label, _, _ in entries] == ["cat", "dog"]
    assert fault == ""


def test_folders_by_day_inside_the_only_class_are_no_classes() -> None:
    entries, _, _ = layout_of("bolt/2024-05-01/0.png", "bolt/2024-05-02/0.png")
    assert {label for label, _, _ in entries} == {"bolt"}


def splits_of(*names: str) -> tuple[list[tuple[str, str | None]], str]:
    """Return (class, split) of each entry, and the note."""
    layout = class_folders([PurePosixPath(name) for name in names])
    assert layout.fault == ""
    return [(entry.label, entry.split) for entry in layout.entries], layout.note


@pytest.mark.parametrize(
    ("names", "splits", "note"),
    [
        (
            ("train/cat/0.png", "train/dog/1.png", "test/cat/0.png"),
            [("cat", "test"), ("cat", "train"), ("dog", "train")],
            "test, train",
        ),
        (
            ("Training/cat/0.png", "Testing/cat/0.png"),
            [("cat", "test"), ("cat", "train")],
            "Testing (test), Training (train)",
        ),
        (
            ("a/seg_train/seg_train/cat/0.png", "a/seg_test/seg_test/cat/0.png"),
            [("cat", "test"), ("cat", "train")],
            "seg_test (test), seg_train (train)",
        ),
        (
            ("train/images/cat/0.png", "test/images/cat/0.png"),
            [("cat", "test"), ("cat", "train")],
            "test, train",
        ),
        (
            ("train/cat/0.png", "valid/cat/0.png", "test/cat/0.png"),
            [("cat", "test"), ("cat", "train"), ("cat", "train")],
            "test, train, valid (train, since there is a test folder)",
        ),
        (
            ("set/train2017/cat/0.png", "set/val2017/cat/0.png"),
            [("cat", "train"), ("cat", "test")],
            "train2017 (train), val2017 (test, since there is no test folder)",
        ),
    ],
)
def test_folders_round_the_class_folders_name_the_splits(
    names: tuple[str, ...], splits: list[tuple[str, str]], note: str
) -> None:
    assert splits_of(*names) == (splits, f"the folders name the splits: {note}")


def test_one_folder_round_all_classes_names_no_split() -> None:
    assert splits_of("train/cat/0.png", "train/dog/0.png") == ([("cat", None), ("dog", None)], "")


def test_masks_belong_to_the_photos_of_their_split() -> None:
    assert masks_of("train/cat/0.png", "test/cat/0.png", "masks/train/cat/0.png", "test/masks/cat/0.png") == {
        "train/cat/0.png": "masks/train/cat/0.png",
        "test/cat/0.png": "test/masks/cat/0.png",
    }


def test_photos_outside_the_splits_and_their_classes_are_named() -> None:
    _, left_out, fault = layout_of("train/cat/0.png", "test/0.png", "more/cat/0.png", "1.png")
    assert fault == ""
    assert left_out == {
        "test/0.png": "is outside any class folder",
        "more/cat/0.png": "is outside the folders of the splits (test, train)",
        "1.png": "is outside the folders of the splits (test, train)",
    }


def test_splits_that_hold_folders_by_day_instead_of_classes_are_refused() -> None:
    _, _, fault = layout_of("train/2024-05-01/0.png", "test/2024-05-02/0.png")
    assert fault == (
        "the folders are splits (test, train) and hold no class folders; put the photos of each split into one folder "
        "per class"
    )
    assert "are splits (train), not classes" in layout_of("train/2024-05-01/0.png")[2]


@pytest.mark.parametrize(
    "name", ["trainer", "testbed", "validator", "trains", "data", "segment", "train_engine"]
)
def test_a_class_that_only_begins_like_a_split_is_a_class(name: str) -> None:
    assert not is_split_name(name)


def test_classes_called_like_splits_that_hold_the_photos_are_classes() -> None:
    assert layout_of("train/0.png", "test/0.png")[2] == ""


def test_photos_with_annotations_are_not_one_class_called_images() -> None:
    assert "annotations of objects" in layout_of("images/0.png", "images/1.png", "labels/0.txt")[2]
    assert layout_of("images/0.png", "images/1.png", "readme.txt")[2] == ""


def test_a_class_has_one_spelling() -> None:
    decomposed = unicodedata.normalize("NFD", "Dübel")
    entries, _, _ = layout_of(f"{decomposed}/0.png", "D\u00fcbel/1.png", "bolt /2.png", "bolt/3.png")
    assert {label for label, _, _ in entries} == {"D\u00fcbel", "bolt"}
    assert clean_label(" bolt\u00a0") == "bolt"


def test_names_that_differ_in_capitals_and_blanks_are_alike() -> None:
    assert alike(["bolt", "Bolt", "nut", "hex bolt", "hex_bolt"]) == [
        ("Bolt", "bolt"),
        ("hex bolt", "hex_bolt"),
    ]


def test_hidden_files_and_those_of_systems_are_passed_over() -> None:
    entries, left_out, _ = layout_of(
        "bolt/0.png",
        "bolt/._0.png",
        ".thumbnails/0.png",
        "__MACOSX/bolt/0.png",
        "bolt/@eaDir/0.png",
        "Thumbs.db",
    )
    assert [path for _, path, _ in entries] == ["bolt/0.png"]
    assert left_out == {}
