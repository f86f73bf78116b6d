import os
from pathlib import Path

import pytest

from pipeline.errors import SourceRefused
from pipeline.sources import Refusal, SourceItem, open_source


def write(root: Path, **files: bytes) -> Path:
    """Files whose names have "__" for "/"."""
    for name, data in files.items():
        path = root / name.replace("__", "/").replace("_dot_", ".")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
    return root


def test_class_folders_give_labelled_items_in_order(tmp_path: Path) -> None:
    write(tmp_path, nut__b_dot_jpg=b"2", bolt__a_dot_JPG=b"1", nut__deep__c_dot_png=b"3")
    opened = open_source(str(tmp_path))
    assert opened.count == 3
    assert list(opened.items()) == [
        SourceItem("bolt", "bolt/a.JPG", b"1"),
        SourceItem("nut", "nut/b.jpg", b"2"),
        SourceItem("nut", "nut/deep/c.png", b"3"),
    ]
    assert opened.refused == []
    assert opened.note == ""


def test_masks_are_found_inside_the_folder_and_beside_it(tmp_path: Path) -> None:
    write(tmp_path, set__nut__a_dot_jpg=b"1", set__masks__nut__a_dot_png=b"m")
    assert [item.mask for item in open_source(str(tmp_path / "set")).items()] == [b"m"]
    write(tmp_path, other__nut__b_dot_jpg=b"1", masks__nut__b_dot_png=b"n")
    assert [item.mask for item in open_source(str(tmp_path / "other")).items()] == [b"n"]


def test_masks_beside_the_folder_have_any_ending(tmp_path: Path) -> None:
    write(tmp_path, images__nut__a_dot_jpg=b"1", images__nut__b_dot_jpg=b"2", images__nut__c_dot_jpg=b"3")
    write(tmp_path, masks__nut__a_dot_jpg=b"x", masks__nut__b_dot_BMP=b"y", masks__nut__c_dot_PNG=b"z")
    assert [item.mask for item in open_source(str(tmp_path / "images")).items()] == [b"x", b"y", b"z"]


def test_files_with_the_endings_of_browsers_and_phones_are_photos(tmp_path: Path) -> None:
    names = ("a.jfif", "b.jpe", "c.avif", "d.HEIC")
    (tmp_path / "nut").mkdir()
    for name in names:
        (tmp_path / "nut" / name).write_bytes(b"1")
    assert [item.name for item in open_source(str(tmp_path)).items()] == [f"nut/{name}" for name in names]


def test_the_folder_round_the_class_folders_may_be_given(tmp_path: Path) -> None:
    write(tmp_path, archive__train__cat__a_dot_jpg=b"1", archive__train__dog__b_dot_jpg=b"2")
    assert [item.label for item in open_source(str(tmp_path)).items()] == ["cat", "dog"]


def test_folders_called_train_and_test_give_the_photos_their_splits(tmp_path: Path) -> None:
    write(tmp_path, set__train__cat__a_dot_jpg=b"1", set__test__cat__b_dot_jpg=b"2")
    opened = open_source(str(tmp_path))
    assert list(opened.items()) == [
        SourceItem("cat", "set/test/cat/b.jpg", b"2", split="test"),
        SourceItem("cat", "set/train/cat/a.jpg", b"1", split="train"),
    ]
    assert opened.note == "the folders name the splits: test, train"


def test_other_files_are_refused_with_a_reason_and_hidden_ones_are_silent(tmp_path: Path) -> None:
    write(tmp_path, nut__a_dot_jpg=b"1", nut__notes_dot_txt=b"x", stray_dot_png=b"2", nut___dot_DS_Store=b"y")
    opened = open_source(str(tmp_path))
    assert [item.name for item in opened.items()] == ["nut/a.jpg"]
    assert opened.refused == [
        Refusal("nut/notes.txt", "is not an image file (.txt)"),
        Refusal("stray.png", "is outside any class folder"),
    ]


def test_symbolic_links_to_files_and_folders_are_refused(tmp_path: Path) -> None:
    outside = write(tmp_path / "outside", nut__secret_dot_jpg=b"s")
    root = write(tmp_path / "set", nut__a_dot_jpg=b"1")
    (root / "nut/link.jpg").symlink_to(outside / "nut/secret.jpg")
    (root / "bolt").symlink_to(outside / "nut")
    opened = open_source(str(root))
    assert [item.name for item in opened.items()] == ["nut/a.jpg"]
    assert {refusal.name for refusal in opened.refused} == {"nut/link.jpg", "bolt"}
    assert all("symbolic link" in refusal.reason for refusal in opened.refused)


def test_pipes_are_refused_without_being_opened(tmp_path: Path) -> None:
    write(tmp_path, nut__a_dot_jpg=b"1")
    os.mkfifo(tmp_path / "nut/pipe.jpg")
    opened = open_source(str(tmp_path))
    assert len(list(opened.items())) == 1
    assert opened.refused == [Refusal("nut/pipe.jpg", "is not a regular file")]


def test_a_file_that_vanished_meanwhile_is_listed(tmp_path: Path) -> None:
    write(tmp_path, nut__a_dot_jpg=b"1", nut__b_dot_jpg=b"2")
    opened = open_source(str(tmp_path))
    (tmp_path / "nut/a.jpg").unlink()
    assert [item.name for item in opened.items()] == ["nut/b.jpg"]
    assert opened.refused == [Refusal("nut/a.jpg", "cannot be read: No such file or directory")]


@pytest.mark.parametrize(
    ("files", "message"),
    [
        ({}, "holds no images; a folder with one sub-folder per class is needed"),
        ({"notes_dot_txt": b""}, "holds no images"),
        ({"a_dot_jpg": b""}, "holds images but no class folders"),
        (
            {"train__2024-05-01__a_dot_jpg": b"", "test__2024-05-02__b_dot_jpg": b""},
            r"are splits \(test, train\) and hold no class folders",
        ),
    ],
)
def test_a_folder_with_nothing_usable_says_what_is_missing(
    tmp_path: Path, files: dict[str, bytes], message: str
) -> None:
    with pytest.raises(SourceRefused, match=message):
        open_source(str(write(tmp_path, **files)))


def test_classes_that_are_called_like_splits_are_fine_when_they_hold_the_pictures(tmp_path: Path) -> None:
    write(tmp_path, train__a_dot_jpg=b"1", test__b_dot_jpg=b"2")
    assert [item.label for item in open_source(str(tmp_path)).items()] == ["test", "train"]


def test_what_does_not_exist_or_is_no_source_is_refused(tmp_path: Path) -> None:
    with pytest.raises(SourceRefused) as refused:
        open_source("/nowhere")
    assert str(refused.value) == (
        "/nowhere does not exist; name 'starter', hf://datasets/owner/name, a folder or a .zip"
    )
    for source in ("n" * 300, "~a-user-that-this-machine-lacks/photos"):
        with pytest.raises(SourceRefused, match="does not exist"):
            open_source(source)
    (tmp_path / "a.jpg").write_bytes(b"1")
    with pytest.raises(SourceRefused, match="is not a source of photos"):
        open_source(str(tmp_path / "a.jpg"))
    with pytest.raises(SourceRefused, match="not a known kind of address"):
        open_source("https://example.org/set.zip")
