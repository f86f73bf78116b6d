"""Releases and exports tell of distractors: objects of other classes with their class, shapes without one."""

from __future__ import annotations

import json
import tarfile
from dataclasses import replace
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest
import yaml

from pipeline.domain.release import Subset
from pipeline.domain.run_lengths import mask_of_runs
from pipeline.errors import ReleaseRefused
from pipeline.publish import release_writer
from pipeline.publish.exports import export
from pipeline.publish.release_writer import write_release
from pipeline.publish.row_index import IndexWriter, read_index
from pipeline.store import Library
from tests.publish.test_release_writer import load_elsewhere
from tests.toy_distractors import (
    NUT_BOX,
    SHAPE_BOX,
    add_sample_with_distractors,
    part_mask,
    render_with_distractors,
    with_distractors,
)
from tests.toy_library import BOX, SIDE_PX, add_subject, decision, mask, render, spec

SIZE = (SIDE_PX, SIDE_PX)


@pytest.fixture
def crowded(library: Library) -> str:
    """Fill the library with an accepted sample of a bolt, with a nut and a shape behind it; its id."""
    planned = add_sample_with_distractors(library)
    library.review.record(decision(planned.id))
    return planned.id


def test_a_row_tells_class_source_box_and_mask_of_each(library: Library, crowded: str) -> None:
    (row,) = library.releases.rows(Subset.SYNTHETIC)
    nut, shape = row.distractors
    assert (nut.label, nut.shape, nut.box) == ("nut", "", NUT_BOX)
    assert (shape.label, shape.shape, shape.box, shape.source_id) == ("", "rod", SHAPE_BOX, "")
    assert np.array_equal(mask_of_runs(nut.runs, SIZE), part_mask(NUT_BOX))
    assert row.source_ids == (nut.source_id, library.samples.get(crowded).spec.front.photo_id)
    assert (row.label, row.boxes, row.sample_id) == ("bolt", (BOX,), crowded)


def test_a_release_holds_them_in_a_column_of_every_configuration(
    library: Library, crowded: str, tmp_path: Path
) -> None:
    write_release(library, tmp_path / "release", name="Crowded")
    loaded = load_elsewhere(tmp_path / "release", tmp_path / "hf")
    (row,) = loaded["synthetic"]["train"]
    nut, shape = row["distractors"]
    assert (nut["label"], nut["bbox"], shape["shape"], shape["bbox"]) == (
        "nut", list(NUT_BOX), "rod", list(SHAPE_BOX),
    )  # fmt: skip
    assert np.array_equal(mask_of_runs(nut["runs"], SIZE), part_mask(NUT_BOX))
    assert (row["bbox"], row["source_ids"][0]) == (list(BOX), nut["source_id"])
    assert [each["distractors"] for each in loaded["real"]["train"]] == [[], []]
    assert len(loaded["mixed"]["train"]) == 3
    card = (tmp_path / "release" / "README.md").read_text()
    assert "- 1 synthetic image shows distractors" in card
    assert "| `distractors` | what else it shows" in card


def test_a_release_without_any_has_the_columns_and_digests_of_before(
    library: Library, tmp_path: Path
) -> None:
    planned = spec(add_subject(library, 1))
    library.plans.add("plain", "", [planned])
    library.review.record(decision(render(library, planned)))
    write_release(library, tmp_path / "release", name="Plain")
    (path,) = (tmp_path / "release/data/synthetic").glob("train-*.parquet")
    assert "distractors" not in pq.read_schema(path).names
    assert "distractors" not in (tmp_path / "release" / "README.md").read_text()


def test_the_tables_by_class_and_context_say_that_they_count_no_distractors(
    library: Library, crowded: str, tmp_path: Path
) -> None:
    nut = library.photos.list(label="nut")[0]
    other = replace(spec(nut, seed=9), slots=(("surface", "moss"),))
    library.plans.add("nuts", "", [other])
    library.review.record(decision(render(library, other), client_id="nut"))
    write_release(library, tmp_path / "release", name="Crowded")
    card = (tmp_path / "release" / "README.md").read_text()
    assert (
        "have the bits by chance. An image counts for the class of its objects; distractors are not counted."
        in card
    )
    facts = json.loads((tmp_path / "release" / "release.json").read_text())
    assert facts["contexts"] == {"surface": {"bolt": {"gravel": 1}, "nut": {"moss": 1}}}


def test_another_mask_of_a_distractor_is_another_row(library: Library, crowded: str, tmp_path: Path) -> None:
    (row,) = library.releases.rows(Subset.SYNTHETIC)
    moved = replace(row, distractors=(replace(row.distractors[0], box=(0, 0, 4, 4)),))
    digests = []
    for number, each in enumerate((row, moved, replace(row, distractors=()))):
        with IndexWriter(tmp_path / f"{number}.parquet") as index:
            index.add(Subset.SYNTHETIC, each)
        digests += read_index(tmp_path / f"{number}.parquet").values()
    assert len(set(digests)) == 3


def test_the_first_one_that_is_accepted_while_a_release_is_written_is_refused(
    library: Library, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    photos = add_subject(library, 1), add_subject(library, 2, label="nut")
    plain, late = spec(photos[0]), with_distractors(*photos)
    library.plans.add("plain", "", [plain, late])
    library.review.record(decision(render(library, plain)))
    render_with_distractors(library, late)
    counted = release_writer.release_contents

    def counted_too_early(*given: object, **named: object) -> object:
        contents = counted(*given, **named)  # type: ignore[arg-type]
        library.review.record(decision(late.id))
        return contents

    monkeypatch.setattr(release_writer, "release_contents", counted_too_early)
    with pytest.raises(ReleaseRefused, match="accepted while the release was written; publish again"):
        write_release(library, tmp_path / "release", name="Late")
    assert not (tmp_path / "release").exists()
    monkeypatch.undo()
    assert write_release(library, tmp_path / "release", name="Late").counts["synthetic"]["train"] == 2


def test_yolo_has_boxes_of_their_own_class_and_none_of_shapes(
    library: Library, crowded: str, tmp_path: Path
) -> None:
    export(library, tmp_path / "out", "yolo")
    assert yaml.safe_load((tmp_path / "out" / "data.yaml").read_text())["names"] == {0: "bolt", 1: "nut"}
    table = np.loadtxt(tmp_path / "out" / "labels" / "train" / f"{crowded}.txt", ndmin=2)
    assert table[:, 0].tolist() == [0, 1]
    for row, box in zip(table, (BOX, NUT_BOX), strict=True):
        centre, size = row[1:3] * SIDE_PX, row[3:] * SIDE_PX
        assert np.allclose([*(centre - size / 2), *(centre + size / 2)], box, atol=1e-3)


def test_coco_has_annotations_of_their_own_class_and_lists_shapes_with_the_image(
    library: Library, crowded: str, tmp_path: Path
) -> None:
    coco = pytest.importorskip("pycocotools.coco", reason="pycocotools is not installed")
    export(library, tmp_path / "out", "coco")
    annotated = coco.COCO(str(tmp_path / "out" / "annotations" / "train.json"))
    (entry,) = [each for each in annotated.dataset["images"] if each["file_name"] == f"{crowded}.webp"]
    own, nut = annotated.loadAnns(annotated.getAnnIds(entry["id"]))
    names = {category["id"]: category["name"] for category in annotated.dataset["categories"]}
    assert (names[own["category_id"]], names[nut["category_id"]]) == ("bolt", "nut")
    assert nut["bbox"] == [0, 0, 5, 4]
    assert np.array_equal(annotated.annToMask(nut), part_mask(NUT_BOX) // 255)
    assert np.array_equal(annotated.annToMask(own), (mask() > 127).astype(np.uint8))
    assert entry["distractors"] == [
        {"label": "nut", "shape": "", "box": list(NUT_BOX)},
        {"label": "", "shape": "rod", "box": list(SHAPE_BOX)},
    ]


def test_class_folders_are_one_imagefolder_though_photos_have_none(
    library: Library, crowded: str, tmp_path: Path
) -> None:
    from datasets import load_dataset

    add_subject(library, 7, split="test")
    export(library, tmp_path / "out", "folders")
    dataset = load_dataset("imagefolder", data_dir=str(tmp_path / "out"), cache_dir=str(tmp_path / "cache"))
    told = [json.loads(row["distractors"]) for row in dataset["train"]]
    assert sorted(map(len, told)) == [0, 0, 2]
    assert [json.loads(row["distractors"]) for row in dataset["test"]] == [[]]


def test_webdataset_tells_them_in_the_metadata(library: Library, crowded: str, tmp_path: Path) -> None:
    export(library, tmp_path / "out", "webdataset")
    with tarfile.open(tmp_path / "out" / "train-000000.tar") as shard:
        (member,) = [name for name in shard.getnames() if name == f"{crowded}.json"]
        file = shard.extractfile(member)
        assert file is not None
        facts = json.load(file)
    assert [each["label"] or each["shape"] for each in facts["distractors"]] == ["nut", "rod"]


def test_a_class_of_which_only_distractors_are_left_keeps_its_boxes(
    library: Library, crowded: str, tmp_path: Path
) -> None:
    nut = library.samples.get(crowded).spec.photo_ids[0]
    library.photos.delete([nut])
    export(library, tmp_path / "out", "yolo")
    assert yaml.safe_load((tmp_path / "out" / "data.yaml").read_text())["names"] == {0: "bolt", 1: "nut"}
    export(library, tmp_path / "coco", "coco")
    content = json.loads((tmp_path / "coco" / "annotations" / "train.json").read_text())
    assert content["categories"] == [{"id": 1, "name": "bolt"}, {"id": 2, "name": "nut"}]
    report = write_release(library, tmp_path / "release", name="Bolts")
    assert report.classes == ("bolt",)  # there is nothing of the other to train on


def test_a_sample_goes_with_an_excluded_photo_of_its_distractor(library: Library, crowded: str) -> None:
    nut = library.samples.get(crowded).spec.photo_ids[0]
    library.photos.exclude_all([nut], True)
    assert list(library.releases.rows(Subset.SYNTHETIC)) == []
    library.photos.exclude_all([nut], False)
    assert len(list(library.releases.rows(Subset.SYNTHETIC))) == 1


def test_what_an_image_shows_keeps_its_class_when_photos_get_another_one(
    library: Library, crowded: str, tmp_path: Path
) -> None:
    nut, bolt = library.samples.get(crowded).spec.photo_ids
    library.photos.set_label(bolt, "washer")
    library.photos.set_label(nut, "bolt")  # even that of the image's own object
    names = write_release(library, tmp_path / "release", name="Relabelled").classes
    (path,) = (tmp_path / "release/data/synthetic").glob("train-*.parquet")
    (row,) = pq.read_table(path, columns=["label", "distractors"]).to_pylist()
    assert (names[row["label"]], row["distractors"][0]["label"]) == ("bolt", "nut")

    export(library, tmp_path / "yolo", "yolo")
    classes = yaml.safe_load((tmp_path / "yolo" / "data.yaml").read_text())["names"]
    table = np.loadtxt(tmp_path / "yolo" / "labels" / "train" / f"{crowded}.txt", ndmin=2)
    assert [classes[int(number)] for number in table[:, 0]] == ["bolt", "nut"]

    export(library, tmp_path / "coco", "coco")
    content = json.loads((tmp_path / "coco" / "annotations" / "train.json").read_text())
    named = {category["id"]: category["name"] for category in content["categories"]}
    (image_id,) = [each["id"] for each in content["images"] if each["file_name"] == f"{crowded}.webp"]
    of_image = [each for each in content["annotations"] if each["image_id"] == image_id]
    assert [named[each["category_id"]] for each in of_image] == ["bolt", "nut"]
