import stat
import zipfile
from pathlib import Path

import pytest

from pipeline.errors import SourceRefused
from pipeline.sources import SourceItem, open_source


def packed(path: Path, entries: dict[str, bytes], mode: int = stat.S_IFREG | 0o644) -> str:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in entries.items():
            info = zipfile.ZipInfo(name)
            info.external_attr = mode << 16
            info.compress_type = zipfile.ZIP_DEFLATED
            archive.writestr(info, data)
    return str(path)


def test_class_folders_in_an_archive_give_labelled_items_with_masks(tmp_path: Path) -> None:
    source = packed(tmp_path / "a.zip", {"nut/b.jpg": b"2", "bolt/a.jpg": b"1", "masks/nut/b.png": b"m"})
    opened = open_source(source)
    assert list(opened.items()) == [
        SourceItem("bolt", "bolt/a.jpg", b"1"),
        SourceItem("nut", "nut/b.jpg", b"2", b"m"),
    ]
    assert opened.count == 2


def test_folders_round_all_classes_are_looked_through(tmp_path: Path) -> None:
    names = {"my set/v1/nut/b.jpg": b"2", "my set/v1/bolt/a.jpg": b"1", "my set/v1/masks/nut/b.png": b"m"}
    items = list(open_source(packed(tmp_path / "a.zip", names)).items())
    assert [(item.label, item.mask) for item in items] == [("bolt", None), ("nut", b"m")]


def test_folders_of_an_archive_that_are_called_like_splits_are_the_splits(tmp_path: Path) -> None:
    names = {"set/train/nut/a.jpg": b"1", "set/val/nut/b.jpg": b"2", "set/test/nut/c.jpg": b"3"}
    opened = open_source(packed(tmp_path / "a.zip", names))
    assert [(item.name, item.split) for item in opened.items()] == [
        ("set/test/nut/c.jpg", "test"),
        ("set/train/nut/a.jpg", "train"),
        ("set/val/nut/b.jpg", "train"),
    ]
    assert (
        opened.note == "the folders name the splits: test, train, val (train, since there is a test folder)"
    )


def without_utf8_mark(path: Path, names: list[bytes]) -> str:
    """An archive whose names are stored as they are, without the mark of UTF-8, as the Finder wrote them for years."""
    with zipfile.ZipFile(path, "w") as archive:
        for number, name in enumerate(names):
            archive.writestr(chr(ord("a") + number) * len(name), b"")
    data = path.read_bytes()
    for number, name in enumerate(names):
        data = data.replace(bytes([ord("a") + number]) * len(name), name)  # in its entry and in the directory
    path.write_bytes(data)
    return str(path)


def test_utf8_names_without_their_mark_are_read_as_utf8(tmp_path: Path) -> None:
    names = ["Schlüssel/1.jpg".encode(), "Dübel/22.jpg".encode()]
    opened = open_source(without_utf8_mark(tmp_path / "mac.zip", names))
    assert [(item.label, item.name) for item in opened.items()] == [
        ("Dübel", "Dübel/22.jpg"),
        ("Schlüssel", "Schlüssel/1.jpg"),
    ]


def test_names_in_code_page_437_stay_what_they_are(tmp_path: Path) -> None:
    opened = open_source(without_utf8_mark(tmp_path / "dos.zip", ["Dübel/1.jpg".encode("cp437")]))
    assert [item.label for item in opened.items()] == ["Dübel"]


def test_an_archive_of_one_class_keeps_the_class(tmp_path: Path) -> None:
    assert [i.label for i in open_source(packed(tmp_path / "a.zip", {"nut/a.jpg": b"1"})).items()] == ["nut"]


@pytest.mark.parametrize(
    "name",
    ["../nut/evil.jpg", "nut/../../evil.jpg", "/etc/nut/evil.jpg", "C:/nut/evil.jpg", "..\\nut\\evil.jpg"],
)
def test_entries_that_leave_the_folder_are_refused_and_nothing_is_written(tmp_path: Path, name: str) -> None:
    source = packed(tmp_path / "a.zip", {"nut/a.jpg": b"1", name: b"x"})
    before = sorted(tmp_path.rglob("*"))
    opened = open_source(source)
    assert [item.name for item in opened.items()] == ["nut/a.jpg"]
    assert [refusal.reason for refusal in opened.refused] == ["its path leaves the folder"]
    assert sorted(tmp_path.rglob("*")) == before


@pytest.mark.filterwarnings("ignore:Duplicate name")
def test_a_second_file_of_one_name_is_refused_and_the_first_is_read(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as archive:
        for name, data in (("nut/a.jpg", b"1"), ("nut/a.jpg", b"2"), ("nut\\a.jpg", b"3")):
            archive.writestr(name, data)
    opened = open_source(str(tmp_path / "a.zip"))
    assert list(opened.items()) == [SourceItem("nut", "nut/a.jpg", b"1")]
    assert [refusal.reason for refusal in opened.refused] == [
        "the archive holds another file of this name; rename one of them"
    ] * 2


def test_symbolic_links_are_refused(tmp_path: Path) -> None:
    source = packed(tmp_path / "a.zip", {"nut/a.jpg": b"/etc/passwd"}, mode=stat.S_IFLNK | 0o777)
    with pytest.raises(SourceRefused, match=r"nut/a\.jpg is a symbolic link"):
        open_source(source)


def test_a_decompression_bomb_is_refused_unread(tmp_path: Path) -> None:
    opened = open_source(packed(tmp_path / "a.zip", {"nut/a.jpg": b"1", "nut/bomb.png": bytes(8 * 2**20)}))
    assert [item.name for item in opened.items()] == ["nut/a.jpg"]
    assert opened.refused[0].name == "nut/bomb.png"
    assert "decompression bombs" in opened.refused[0].reason


def test_an_encrypted_entry_is_refused(tmp_path: Path) -> None:
    path = Path(packed(tmp_path / "a.zip", {"nut/a.jpg": b"1", "nut/b.jpg": b"2"}))
    data = bytearray(path.read_bytes())
    second = data.rindex(b"PK\x01\x02")  # the central directory's record of nut/b.jpg
    data[second + 8] |= 1
    path.write_bytes(data)
    opened = open_source(str(path))
    assert [item.name for item in opened.items()] == ["nut/a.jpg"]
    assert [refusal.reason for refusal in opened.refused] == ["is encrypted; pack it without a password"]


def test_a_damaged_entry_is_listed_and_the_rest_is_read(tmp_path: Path) -> None:
    path = Path(packed(tmp_path / "a.zip", {"nut/a.jpg": b"1" * 40, "nut/b.jpg": b"2" * 40}))
    data = bytearray(path.read_bytes())
    data[30 + len("nut/a.jpg")] ^= 0xFF  # first byte of the first entry's packed data
    path.write_bytes(data)
    opened = open_source(str(path))
    assert [item.name for item in opened.items()] == ["nut/b.jpg"]
    assert [refusal.name for refusal in opened.refused] == ["nut/a.jpg"]
    assert opened.refused[0].reason.startswith("cannot be unpacked")


def test_an_archive_without_pictures_is_refused(tmp_path: Path) -> None:
    with pytest.raises(SourceRefused, match="holds no images"):
        open_source(packed(tmp_path / "empty.zip", {}))
    with pytest.raises(SourceRefused, match=r"notes\.txt is not an image file"):
        open_source(packed(tmp_path / "a.zip", {"notes.txt": b"x"}))
    (tmp_path / "cut.zip").write_bytes(
        Path(packed(tmp_path / "b.zip", {"nut/a.jpg": b"1"})).read_bytes()[:40]
    )
    with pytest.raises(SourceRefused):
        open_source(str(tmp_path / "cut.zip"))


@pytest.mark.parametrize("packing", [zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
def test_an_entry_that_its_decoder_cannot_read_is_listed_whatever_the_packing(
    packing: int, tmp_path: Path
) -> None:
    with zipfile.ZipFile(tmp_path / "a.zip", "w", packing) as archive:
        archive.writestr("nut/a.jpg", bytes(range(256)) * 8)
        archive.writestr("nut/b.jpg", b"2" * 40)
    data = bytearray((tmp_path / "a.zip").read_bytes())
    start = 30 + len("nut/a.jpg") + 9  # behind the header of LZMA
    data[start : start + 60] = b"\xff" * 60
    (tmp_path / "a.zip").write_bytes(data)
    opened = open_source(str(tmp_path / "a.zip"))
    assert [item.name for item in opened.items()] == ["nut/b.jpg"]
    assert [refusal.name for refusal in opened.refused] == ["nut/a.jpg"]
