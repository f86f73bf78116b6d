"""Exports read back by readers that are not ours."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from dataclasses import replace
from io import BytesIO
from pathlib import Path

import numpy as np
import pytest
import yaml
from PIL import Image

from pipeline.cli import main
from pipeline.domain.images import decode, encode_webp
from pipeline.domain.release import Origin, ReleaseRow, Subset
from pipeline.domain.spec import Method
from pipeline.domain.warping import Box
from pipeline.errors import ReleaseRefused, UnknownName
from pipeline.publish.exports import EXPORT_FORMATS, ExportReport, export, table
from pipeline.publish.exports.folders import FolderWriter
from pipeline.publish.exports.image import ExportedImage
from pipeline.store import Library
from tests.toy_library import BOX, SIDE_PX, add_subject, decision, mask, render, spec

ROWS = 10  # 5 photos and 5 accepted samples
LABELS = ["bolt", "gear"]


def expected(library: Library) -> dict[str, tuple[str, str, bytes]]:
    """Id → label, split, image file."""
    return {
        row.sample_id: (row.label, row.split, library.images.read_bytes(row.image_id))
        for subset in (Subset.REAL, Subset.SYNTHETIC)
        for row in library.releases.rows(subset)
    }


def test_every_format_has_a_module_a_description_and_a_place_in_the_help(
    capsys: pytest.CaptureFixture[str],
) -> None:
    folder = Path(table.__file__).parent
    modules = {path.stem for path in folder.glob("*.py")} - {"__init__", "image", "table", "writing"}
    assert set(EXPORT_FORMATS) == modules
    assert {row.writer.__module__.rpartition(".")[2] for row in EXPORT_FORMATS.values()} == modules
    with pytest.raises(SystemExit):
        main(["export", "--help"])
    text = " ".join(capsys.readouterr().out.split())
    assert all(f"{name}: {row.description}" in text for name, row in EXPORT_FORMATS.items())
    guide = (Path(__file__).parents[2] / "docs" / "publish.md").read_text(encoding="utf-8")
    (line,) = [line for line in guide.splitlines() if "pipeline export" in line]
    assert all(re.search(rf"\b{name}\b", line) for name in EXPORT_FORMATS)


def test_a_format_that_is_added_to_the_table_is_exported_and_named_in_errors(
    decided: Library, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Names:
        def __init__(self, folder: Path, labels: Sequence[str]) -> None:
            self.file, self.names = folder / "names.txt", [*labels]

        def add(self, image: ExportedImage) -> None:
            self.names.append(image.name)

        def close(self) -> None:
            self.file.write_text("\n".join(self.names))

    monkeypatch.setitem(EXPORT_FORMATS, "names", table.ExportFormat(description="ids", writer=Names))
    assert export(decided, tmp_path / "out", "names").written == ROWS
    names = (tmp_path / "out" / "names.txt").read_text().split()
    assert names == [*LABELS, *expected(decided)]
    with pytest.raises(UnknownName, match="there is no export format 'nams'; did you mean 'names'"):
        export(decided, tmp_path / "other", "nams")
    assert not (tmp_path / "other").exists()


def test_class_folders_are_an_imagefolder_of_datasets(decided: Library, tmp_path: Path) -> None:
    from datasets import load_dataset

    assert export(decided, tmp_path / "out", "folders").written == ROWS
    dataset = load_dataset("imagefolder", data_dir=str(tmp_path / "out"), cache_dir=str(tmp_path / "cache"))
    rows = {split: list(dataset[split]) for split in ("train", "test")}
    assert {split: len(of_split) for split, of_split in rows.items()} == {"train": 6, "test": 4}
    wanted = expected(decided)
    for split, of_split in rows.items():
        for row in of_split:
            (sample_id,) = [key for key, (_, _, data) in wanted.items() if same(row["image"], data)]
            assert (row["label"], split) == wanted[sample_id][:2]
            assert row["boxes"] == [list(BOX)]


@pytest.mark.parametrize("test_boxes", [(BOX,), ()])
def test_splits_with_other_columns_are_one_imagefolder(test_boxes: tuple[Box, ...], tmp_path: Path) -> None:
    from datasets import load_dataset

    image = encode_webp(np.full((8, 8, 3), 7, np.uint8))
    writer = FolderWriter(tmp_path / "out", LABELS)
    for split, scores, boxes in (("train", {"sharpness": 0.5}, (BOX,)), ("test", {}, test_boxes)):
        row = ReleaseRow(
            image_id="i", mask_id=None, label=LABELS[0], split=split, origin=Origin.REAL, method="photo",
            sample_id=split, source_ids=(split,), boxes=boxes, scores=scores,
        )  # fmt: skip
        writer.add(ExportedImage(row, image, None, (8, 8)))
    writer.close()
    dataset = load_dataset("imagefolder", data_dir=str(tmp_path / "out"), cache_dir=str(tmp_path / "cache"))
    assert [json.loads(dataset[split][0]["scores"]) for split in ("train", "test")] == [
        {"sharpness": 0.5},
        {},
    ]
    boxes_read = [dataset[split][0]["boxes"] for split in ("train", "test")]
    assert boxes_read == ([[list(BOX)]] * 2 if test_boxes else [json.dumps([list(BOX)]), "[]"])


def same(image: Image.Image, data: bytes) -> bool:
    return np.array_equal(np.asarray(image.convert("RGB")), decode(data))


def test_coco_is_read_by_pycocotools_with_exact_boxes_and_masks(decided: Library, tmp_path: Path) -> None:
    coco = pytest.importorskip("pycocotools.coco", reason="pycocotools is not installed")
    export(decided, tmp_path / "out", "coco")
    wanted = expected(decided)
    seen = set()
    for split in ("train", "test"):
        annotated = coco.COCO(str(tmp_path / "out" / "annotations" / f"{split}.json"))
        assert [category["name"] for category in annotated.loadCats(annotated.getCatIds())] == LABELS
        for entry in annotated.loadImgs(annotated.getImgIds()):
            data = (tmp_path / "out" / split / entry["file_name"]).read_bytes()
            sample_id = Path(entry["file_name"]).stem
            label, split_of, stored = wanted[sample_id]
            assert (split_of, data) == (split, stored)
            (note,) = annotated.loadAnns(annotated.getAnnIds(entry["id"]))
            assert LABELS[note["category_id"] - 1] == label
            assert note["bbox"] == [BOX[0], BOX[1], BOX[2] - BOX[0], BOX[3] - BOX[1]]
            assert np.array_equal(annotated.annToMask(note), (mask() > 127).astype(np.uint8))
            assert note["area"] == int((mask() > 127).sum())
            seen.add(sample_id)
    assert seen == set(wanted)


def test_yolo_holds_boxes_as_shares_and_a_data_file(decided: Library, tmp_path: Path) -> None:
    export(decided, tmp_path / "out", "yolo")
    facts = yaml.safe_load((tmp_path / "out" / "data.yaml").read_text())
    assert facts == {
        "test": "images/test", "train": "images/train", "val": "images/test",
        "names": {0: "bolt", 1: "gear"},
    }  # fmt: skip
    wanted = expected(decided)
    images = sorted((tmp_path / "out" / "images").rglob("*.webp"))
    assert len(images) == len(wanted)
    for (
        image
    ) in images:  # the rules of ultralytics' verify_image_label: beside each, as many columns, within 0 to 1
        label_file = Path(str(image).replace("/images/", "/labels/")).with_suffix(".txt")
        table = np.loadtxt(label_file, ndmin=2)
        assert table.shape == (1, 5)
        assert ((table[:, 1:] >= 0) & (table[:, 1:] <= 1)).all()
        label, split, data = wanted[image.stem]
        assert (facts["names"][int(table[0, 0])], image.parent.name) == (label, split)
        assert image.read_bytes() == data
        centre, size = table[0, 1:3] * SIDE_PX, table[0, 3:] * SIDE_PX
        assert np.allclose([*(centre - size / 2), *(centre + size / 2)], BOX, atol=1e-3)


def test_webdataset_is_read_by_its_own_library(decided: Library, tmp_path: Path) -> None:
    webdataset = pytest.importorskip("webdataset", reason="webdataset is not installed")
    export(decided, tmp_path / "out", "webdataset")
    wanted = expected(decided)
    labels = (tmp_path / "out" / "classes.txt").read_text().split()
    seen = set()
    for split in ("train", "test"):
        shard = str(tmp_path / "out" / f"{split}-000000.tar")
        for sample in webdataset.WebDataset(shard, shardshuffle=False):
            label, split_of, data = wanted[sample["__key__"]]
            assert (sample["webp"], split_of, labels[int(sample["cls"])]) == (data, split, label)
            assert json.loads(sample["json"])["boxes"] == [list(BOX)]
            with Image.open(BytesIO(sample["mask.webp"])) as stored:
                assert np.array_equal(np.asarray(stored.convert("L")), mask())
            seen.add(sample["__key__"])
    assert seen == set(wanted)


EVIL = ("../../evil", "a/b", "a%2Fb", "..", ".", "c\\d", "two\nlines", "\0", "50% Öl")


@pytest.mark.parametrize("kind", list(EXPORT_FORMATS))
def test_a_class_of_any_name_stays_within_the_export(library: Library, tmp_path: Path, kind: str) -> None:
    for number, label in enumerate(EVIL):
        add_subject(library, number, label=label)
    add_subject(library, len(EVIL), split="../../out")
    before = {path for path in tmp_path.rglob("*") if library.path not in path.parents}
    assert export(library, tmp_path / "deep" / "er" / "out", kind).written == len(EVIL) + 1
    after = {path for path in tmp_path.rglob("*") if library.path not in path.parents}
    out = tmp_path / "deep" / "er" / "out"
    assert {path for path in after - before if out not in path.parents} == {
        out,
        out.parent,
        out.parent.parent,
    }
    assert not any(
        "out" in path.parts for path in (path.relative_to(out) for path in after if out in path.parents)
    )
    if kind == "folders":
        folders = {path.name for path in (out / "train").iterdir() if path.is_dir()}
        assert folders == {
            "..%2F..%2Fevil", "a%2Fb", "a%252Fb", "%2E%2E", "%2E", "c%5Cd", "two%0Alines", "%00", "50% Öl",
        }  # fmt: skip
        lines = (out / "train" / "metadata.jsonl").read_text(encoding="utf-8").splitlines()
        rows = [json.loads(line) for line in lines]
        assert {row["label"] for row in rows} == set(EVIL)
        assert all((out / "train" / row["file_name"]).is_file() for row in rows)
    elif kind == "yolo":
        facts = yaml.safe_load((out / "data.yaml").read_text(encoding="utf-8"))
        assert set(facts["names"].values()) == {*EVIL, "bolt"}
    elif kind == "webdataset":
        assert len((out / "classes.txt").read_text(encoding="utf-8").splitlines()) == len(EVIL) + 1


def test_an_export_names_the_folder_of_a_model_without_its_path(library: Library, tmp_path: Path) -> None:
    planned = replace(spec(add_subject(library, 1)), model="/home/ann/private/ckpt")
    library.plans.add("floors", "", [planned])
    library.review.record(decision(render(library, planned)))
    export(library, tmp_path / "out", "folders", subsets=(Subset.SYNTHETIC,))
    (line,) = (tmp_path / "out" / "train" / "metadata.jsonl").read_text().splitlines()
    assert json.loads(line)["model"] == "ckpt"


def test_only_one_origin_and_only_into_a_new_folder(
    decided: Library, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "out"
    assert export(decided, out, "yolo", subsets=(Subset.SYNTHETIC,)).written == 5
    with pytest.raises(ReleaseRefused, match="already exists and is not empty; choose a new folder"):
        export(decided, out, "coco")
    command = ["export", "--library", str(decided.path), "--to", str(tmp_path / "real"), "--format", "coco"]
    assert main([*command, "--origin", "real"]) == 0
    assert "5 images" in capsys.readouterr().out
    assert len(list((tmp_path / "real").rglob("*.webp"))) == 5
    assert not list(tmp_path.glob(".*.part"))


@pytest.mark.parametrize("kind", ["coco", "yolo"])
def test_detection_exports_leave_out_text_to_image_samples_and_say_how_many(
    decided: Library, tmp_path: Path, capsys: pytest.CaptureFixture[str], kind: str
) -> None:
    drawn = accept_text_to_image(decided)
    command = ["export", "--library", str(decided.path), "--to", str(tmp_path / "out"), "--format", kind]
    assert main([*command, "--json"]) == 0
    answer = json.loads(capsys.readouterr().out)
    assert (answer["pictures"], answer["left_out"]) == (ROWS, 1)
    names = {path.stem for path in (tmp_path / "out").rglob("*.webp")}
    assert drawn not in names
    assert len(names) == ROWS


@pytest.mark.parametrize("kind", ["folders", "webdataset"])
def test_classification_exports_hold_text_to_image_samples(
    decided: Library, tmp_path: Path, kind: str
) -> None:
    accept_text_to_image(decided)
    assert export(decided, tmp_path / "out", kind) == ExportReport(written=ROWS + 1, left_out=0)


def test_a_detection_export_without_any_box_is_refused(library: Library, tmp_path: Path) -> None:
    add_subject(library, 1)
    accept_text_to_image(library)
    with pytest.raises(ReleaseRefused, match="none of the 1 images has a box, which coco needs"):
        export(library, tmp_path / "out", "coco", subsets=(Subset.SYNTHETIC,))
    assert not (tmp_path / "out").exists()


def accept_text_to_image(library: Library) -> str:
    """Accept a text-to-image sample of the first photo; its id."""
    planned = spec(library.photos.list()[0], seed=77, method=Method.TEXT_TO_IMAGE)
    library.plans.add("text", "", [planned])
    library.review.record(decision(render(library, planned)))
    return planned.id


def test_a_place_that_cannot_be_written_leaves_nothing(decided: Library, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(ReleaseRefused, match="cannot be written"):
        export(decided, tmp_path / "file" / "out", "coco")


def test_nothing_to_export_is_said(library: Library, tmp_path: Path) -> None:
    with pytest.raises(ReleaseRefused, match="nothing to publish"):
        export(library, tmp_path / "out", "coco")
    assert not (tmp_path / "out").exists()


def test_an_export_into_the_empty_folder_where_one_stands_is_written(
    decided: Library, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "out").mkdir()
    monkeypatch.chdir(tmp_path / "out")
    assert export(decided, Path(), "folders").written == ROWS
    assert (tmp_path / "out" / "train" / "metadata.jsonl").is_file()
