"""An import takes what it can use and names the rest, whatever the files or the machine do."""

from __future__ import annotations

import os
import pickle
import struct
import unicodedata
from collections.abc import Iterator
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from pipeline.cli import main
from pipeline.domain.photo_decoding import DecodedPhoto
from pipeline.domain.placement import Box
from pipeline.segmentation import CutoutOrigin, CutoutResult, cut_out
from pipeline.services.photos import importing as imports
from pipeline.services.photos import objects
from pipeline.services.photos import workers as cores
from pipeline.services.photos.importing import import_photos
from pipeline.services.photos.objects import cutout_of_item
from pipeline.services.photos.service import PhotoService
from pipeline.settings import Settings
from pipeline.sources import SourceItem
from pipeline.store import Library

DDS_OF_AN_UNKNOWN_FORMAT = (
    struct.pack("<4s7I", b"DDS ", 124, 0x1007, 40, 48, 0, 0, 0)
    + bytes(44)
    + struct.pack("<2I4s5I", 32, 4, b"DX10", 0, 0, 0, 0, 0)
    + struct.pack("<5I", 0x1000, 0, 0, 0, 0)
    + struct.pack("<5I", 999, 3, 0, 1, 0)
)


@pytest.fixture
def library(tmp_path: Path) -> Iterator[Library]:
    with Library.open(tmp_path / "library", create=True) as opened:
        yield opened


def photo(number: int) -> bytes:
    image = Image.new("RGB", (64, 64), (200, 200, 200))
    image.paste((200, 30, 10 * number), (20, 20, 44, 44))
    file = BytesIO()
    image.save(file, "PNG")
    return file.getvalue()


def folder_of(root: Path, count: int, **others: bytes) -> str:
    (root / "cup").mkdir(parents=True)
    for number in range(count):
        (root / "cup" / f"{number:02d}.png").write_bytes(photo(number))
    for name, data in others.items():
        (root / "cup" / f"{name}.jpg").write_bytes(data)
    return str(root)


@pytest.mark.parametrize("count", [2, 10], ids=["in this process", "in others"])
def test_a_file_that_no_reader_understands_is_refused_and_the_others_are_imported(
    library: Library, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, count: int
) -> None:
    monkeypatch.setattr(os, "cpu_count", lambda: 2)
    source = folder_of(tmp_path / "photos", count, odd=DDS_OF_AN_UNKNOWN_FORMAT)
    report = import_photos(library, source)
    assert report.added == count
    assert report.refused == (
        ("cup/odd.jpg", "not a readable image (JPEG, PNG, WebP, BMP, TIFF, GIF, AVIF, HEIC)"),
    )


def test_a_photo_whose_process_was_killed_twice_is_refused_with_the_reason(
    library: Library, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def lost_first(items: Iterator[SourceItem], job: cores.Job[Any, Any, Any]) -> Iterator[Any]:
        yield job.lost(next(items))
        for item in items:
            yield job.work(item, job.shared)

    monkeypatch.setattr(imports, "on_all_cores", lost_first)
    report = import_photos(library, folder_of(tmp_path / "photos", 2))
    assert report.refused == (("cup/00.png", cores.LOST),)
    assert [stored.name for stored in library.photos.list()] == ["cup/01.png"]


def test_what_is_sent_with_a_photo_does_not_grow_with_the_library(
    library: Library, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(os, "cpu_count", lambda: 2)
    monkeypatch.setattr(library.photos, "ids", lambda: {f"{number:020x}" for number in range(100_000)})
    sizes: list[int] = []
    submit = cores.ProcessPoolExecutor.submit

    def measured(pool, work, item):  # type: ignore[no-untyped-def]
        sizes.append(len(pickle.dumps((work, item))) - len(item.data))
        return submit(pool, work, item)

    monkeypatch.setattr(cores.ProcessPoolExecutor, "submit", measured)
    assert import_photos(library, folder_of(tmp_path / "photos", 12)).added == 12
    assert len(sizes) == 24  # once to choose test photos, once to store
    assert max(sizes) < 300


def test_a_photo_that_cannot_be_cut_out_comes_in_doubted_and_stops_nothing(
    library: Library, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def failing(
        rgb: np.ndarray, *, alpha: np.ndarray | None = None, network: Path | None = None
    ) -> CutoutResult:
        if rgb[30, 30, 2] == 10:
            raise ValueError("Conjugate gradient descent did not converge")
        return cut_out(rgb, alpha=alpha, network=network)

    monkeypatch.setattr(objects, "cut_out", failing)
    report = import_photos(library, folder_of(tmp_path / "photos", 3))
    assert (report.added, report.refused) == (3, ())
    doubts = {photo.name: photo.mask_doubts for photo in library.photos.list()}
    assert doubts["cup/01.png"] == ("the object could not be cut out; draw its mask",)
    assert doubts["cup/00.png"] == doubts["cup/02.png"] == ()


def test_a_test_photo_is_cut_out_only_when_its_object_is_asked_for(
    library: Library, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    cut: list[str] = []

    def counted(item: SourceItem, photo: DecodedPhoto, box: Box | None, network: Path | None) -> CutoutResult:
        cut.append(item.name)
        return cutout_of_item(item, photo, box, network)

    monkeypatch.setattr(imports, "cutout_of_item", counted)
    report = import_photos(library, folder_of(tmp_path / "field", 2), split="test")
    assert (cut, report.doubtful) == ([], 0)
    import_photos(library, folder_of(tmp_path / "lab", 3), split="train")  # two of them are in the library
    assert cut == ["cup/02.png"]
    stored = library.photos.list(split="test")
    assert [(row.cutout_id, row.mask_doubts, row.box) for row in stored] == [(None, (), None)] * 2
    assert library.verify() == []
    mask = PhotoService(library, Settings()).mask(stored[0].id)
    assert (mask[32, 32], mask[5, 5]) == (255, 0)


def test_a_mask_that_comes_with_a_test_photo_is_kept(library: Library, tmp_path: Path) -> None:
    image = Image.open(BytesIO(photo(1))).convert("RGBA")
    image.putalpha(Image.fromarray(np.where(np.asarray(image)[..., 0] == 200, 0, 255).astype(np.uint8)))
    (tmp_path / "set" / "cup").mkdir(parents=True)
    image.save(tmp_path / "set" / "cup" / "a.png")
    import_photos(library, str(tmp_path / "set"), split="test")
    assert library.photos.list()[0].mask_origin == CutoutOrigin.GIVEN


def test_a_mask_of_the_surroundings_is_inverted_and_needs_checking(library: Library, tmp_path: Path) -> None:
    source = folder_of(tmp_path / "photos", 1)
    mask = Image.new("L", (64, 64), 255)
    mask.paste(0, (20, 20, 44, 44))
    (tmp_path / "photos" / "masks" / "cup").mkdir(parents=True)
    mask.save(tmp_path / "photos" / "masks" / "cup" / "00.png")
    assert import_photos(library, source).doubtful == 1
    (stored,) = library.photos.list()
    assert stored.mask_doubts == ("The given mask marked what is around the object and was inverted",)
    assert stored.box is not None
    assert np.abs(np.array(stored.box) - [20, 20, 44, 44]).max() <= 2


def test_one_name_in_two_unicode_forms_is_one_class(library: Library, tmp_path: Path) -> None:
    for number, form in enumerate(("NFD", "NFC")):
        folder = tmp_path / form / unicodedata.normalize(form, "Dübel")
        folder.mkdir(parents=True)
        (folder / "a.png").write_bytes(photo(number))
        import_photos(library, str(tmp_path / form))
    assert dict(library.counts().classes) == {unicodedata.normalize("NFC", "Dübel"): 2}


def class_folders(root: Path, **classes: range) -> Path:
    for label, numbers in classes.items():
        (root / label.replace("_", " ")).mkdir(parents=True)
        for number in numbers:
            (root / label.replace("_", " ") / f"{number:02d}.png").write_bytes(photo(number))
    return root


def test_an_import_says_what_it_found_by_class_and_split(library: Library, tmp_path: Path) -> None:
    source = class_folders(tmp_path / "set", bolt=range(6), nut=range(6, 8))
    (source / "nut" / "broken.png").write_bytes(b"no image")
    import_photos(library, str(class_folders(tmp_path / "lab", bolt=range(2))), split="test")
    report = import_photos(library, str(source), split="train")
    assert report.found == {"bolt": {"train": 4, "test": 2}, "nut": {"train": 2}}
    assert report.summary == "bolt 6 (4 train, 2 test), nut 2 (2 train); 1 refused"


def test_a_dry_run_says_the_same_and_writes_nothing(library: Library, tmp_path: Path) -> None:
    source = str(class_folders(tmp_path / "set", bolt=range(3), nut=range(3, 5)))
    files = sorted(path for path in library.path.rglob("*") if path.is_file())
    outlook = import_photos(library, source, dry_run=True)
    assert library.photos.list() == []
    assert library.photos.refusals() == []
    assert sorted(path for path in library.path.rglob("*") if path.is_file()) == files
    report = import_photos(library, source)
    assert outlook.dry_run
    assert (outlook.summary, outlook.added) == (report.summary, 5)


def test_a_dry_run_into_a_library_that_is_not_there_creates_none(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    source = str(class_folders(tmp_path / "set", bolt=range(2)))
    command = ["import", source, "--library", str(tmp_path / "new"), "--split", "train"]
    assert main([*command, "--dry-run"]) == 0
    assert not (tmp_path / "new").exists()
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == "dry run, nothing was written: 2 added, 0 already there, 0 refused"
    assert main(command) == 0
    assert capsys.readouterr().out.splitlines()[-1] == lines[-1] == "bolt 2 (2 train); 0 refused"


def test_a_photo_under_another_class_is_named_and_relabelled_on_request(
    library: Library, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    source = class_folders(tmp_path / "set", bolt=range(2), nut=range(2, 4))
    import_photos(library, str(source))
    (source / "bolt").rename(source / "hex bolt")
    (source / "nut" / "02.png").rename(source / "hex bolt" / "02.png")
    library.photos.set_excluded(library.photos.list(label="bolt")[0].id, excluded=True)
    report = import_photos(library, str(source))
    assert dict(library.counts().classes) == {"bolt": 2, "nut": 2}
    assert report.other_class == (
        ("hex bolt/00.png", "bolt", "hex bolt"),
        ("hex bolt/01.png", "bolt", "hex bolt"),
        ("hex bolt/02.png", "nut", "hex bolt"),
    )
    assert main(["import", str(source), "--library", str(library.path)]) == 0
    output = capsys.readouterr().out
    assert (
        "3 photos are in the library under another class, the first is hex bolt/00.png: 'bolt' in the library"
        in output
    )
    assert "import again with --relabel" in output
    assert import_photos(library, str(source), relabel=True, dry_run=True).found.keys() == {"hex bolt", "nut"}
    assert dict(library.counts().classes) == {"bolt": 2, "nut": 2}
    assert import_photos(library, str(source), relabel=True).relabelled
    counts = library.counts()
    assert dict(counts.classes) == {"hex bolt": 3, "nut": 1}
    library.recompute()
    assert library.counts() == counts
    assert import_photos(library, str(source)).other_class == ()


def test_classes_that_differ_in_capitals_are_named_and_blanks_at_the_ends_are_nothing(
    library: Library, tmp_path: Path
) -> None:
    import_photos(library, str(class_folders(tmp_path / "lab", bolt=range(2))))
    class_folders(tmp_path / "field", Bolt=range(2, 4), bolt_=range(4, 6))
    report = import_photos(library, str(tmp_path / "field"))
    assert dict(library.counts().classes) == {"bolt": 4, "Bolt": 2}
    assert report.alike == (("Bolt", "bolt"),)
    assert report.warnings[0].startswith("the classes 'Bolt' and 'bolt' differ in capitals or blanks only")


def scene() -> Image.Image:
    image = Image.new("RGB", (200, 100), (200, 200, 200))
    image.paste((200, 30, 10), (20, 30, 60, 70))
    image.paste((20, 30, 200), (130, 30, 170, 70))
    return image


def test_an_image_with_two_annotated_objects_gives_two_photos_with_their_masks(
    library: Library, tmp_path: Path
) -> None:
    (tmp_path / "images").mkdir()
    (tmp_path / "labels").mkdir()
    scene().save(tmp_path / "images" / "a.png")
    (tmp_path / "data.yaml").write_text("names: [bolt, nut]\n")
    polygon = "1 0.65 0.3 0.85 0.3 0.85 0.5 0.85 0.7 0.65 0.7"
    (tmp_path / "labels" / "a.txt").write_text(f"0 0.2 0.5 0.2 0.4\n{polygon}\n")
    report = import_photos(library, str(tmp_path))
    assert (report.added, report.refused) == (2, ())
    bolt, nut = sorted(library.photos.list(), key=lambda photo: photo.label)
    assert (bolt.label, nut.label) == ("bolt", "nut")
    assert (bolt.height, bolt.width) == (60, 60)
    assert bolt.split == nut.split
    for stored in (bolt, nut):
        assert stored.box is not None
        assert np.abs(np.array(stored.box) - [10, 10, 50, 50]).max() <= 2
    assert nut.mask_origin == "given"
    assert bolt.mask_origin != "given"


def test_an_object_that_is_too_small_in_its_image_is_refused(library: Library, tmp_path: Path) -> None:
    scene().save(tmp_path / "a.png")
    (tmp_path / "classes.txt").write_text("bolt\n")
    (tmp_path / "a.txt").write_text("0 0.2 0.5 0.2 0.4\n0 0.9 0.9 0.02 0.04\n")
    report = import_photos(library, str(tmp_path))
    assert report.added == 1
    assert report.refused == (("a.png#2", "its object is 6x6 px; at least 32 are needed"),)
