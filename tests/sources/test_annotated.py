"""YOLO and COCO datasets give one photo for each object, with its mask or its box."""

from __future__ import annotations

import hashlib
import json
import zipfile
from io import BytesIO
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from pipeline.errors import SourceRefused
from pipeline.sources import AnnotatedBox, Source, open_source

WIDTH, HEIGHT = 40, 20


def image(seed: int = 0) -> bytes:
    file = BytesIO()
    Image.new("RGB", (WIDTH, HEIGHT), (seed, 2, 3)).save(file, "PNG")
    return file.getvalue()


def write(root: Path, files: dict[str, bytes | str]) -> Path:
    for name, data in files.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_bytes(data.encode() if isinstance(data, str) else data)
    return root


def opened(path: Path) -> Source:
    source = open_source(str(path))
    assert not hasattr(source, "records")
    return source  # type: ignore[return-value]


def mask_of(data: bytes | None) -> np.ndarray:
    assert data is not None
    return np.asarray(Image.open(BytesIO(data)))


YOLO = {
    "data.yaml": "train: train/images\nval: valid/images\nnames: [bolt, nut]\n",
    "train/images/a.png": image(1),
    "train/labels/a.txt": "1 0.5 0.5 0.5 0.5\n",
    "valid/images/b.png": image(2),
    "valid/labels/b.txt": "0 0.25 0.5 0.5 1\n1 0.5 0 1 0 1 0.5 0.75 0.75 0.5 0.5\n",
}


def test_yolo_gives_a_photo_for_each_object_with_class_split_and_box(tmp_path: Path) -> None:
    first, second, third = opened(write(tmp_path, YOLO)).items()
    assert (first.label, first.name, first.split, first.mask) == ("nut", "train/images/a.png", "train", None)
    assert first.box == AnnotatedBox((0.25, 0.25, 0.75, 0.75), alone=True)
    assert (second.label, second.name, second.split) == ("bolt", "valid/images/b.png#1", "test")
    assert second.box == AnnotatedBox((0.0, 0.0, 0.5, 1.0), alone=False)
    assert third.label == "nut"
    assert third.box == AnnotatedBox((0.5, 0.0, 1.0, 0.75), alone=False)
    mask = mask_of(third.mask)
    assert mask.shape == (HEIGHT, WIDTH)
    assert mask[2, 35] == 255
    assert not mask[:, :15].any()


def test_one_split_of_yolo_takes_the_names_from_the_folder_round_it(tmp_path: Path) -> None:
    write(tmp_path, YOLO)
    assert [item.label for item in opened(tmp_path / "train").items()] == ["nut"]
    (tmp_path / "data.yaml").unlink()
    with pytest.raises(SourceRefused, match=r"no data\.yaml or classes\.txt with the names"):
        open_source(str(tmp_path / "train"))


def test_yolo_in_a_zip_and_with_classes_beside_the_images(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "set.zip", "w") as archive:
        for name, data in YOLO.items():
            archive.writestr(name, data)
    assert [item.label for item in opened(tmp_path / "set.zip").items()] == ["nut", "bolt", "nut"]
    flat = {"classes.txt": "bolt\nnut\n", "a.png": image(), "a.txt": "0 0.5 0.5 0.5 0.5\n", "b.png": image(1)}
    source = opened(write(tmp_path / "flat", flat))
    assert [item.label for item in source.items()] == ["bolt"]
    assert [(refusal.name, refusal.reason) for refusal in source.refused] == [("b.png", "has no label file")]


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ("5 0.5 0.5 0.5 0.5", "its labels hold class 5; data.yaml names 2"),
        ("bolt 0.5", "its labels hold the line 'bolt 0.5', which is none of YOLO"),
        ("0 0.5 0.5 0 0", "its labels hold an empty box in the line '0 0.5 0.5 0 0'"),
        ("", "no object is marked in it"),
    ],
)
def test_a_damaged_label_file_is_named_and_the_others_are_read(
    tmp_path: Path, line: str, reason: str
) -> None:
    source = opened(write(tmp_path, {**YOLO, "train/labels/a.txt": line}))
    assert [item.label for item in source.items()] == ["bolt", "nut"]
    assert [(refusal.name, refusal.reason) for refusal in source.refused] == [("train/images/a.png", reason)]


def test_captions_in_text_files_make_no_yolo_set(tmp_path: Path) -> None:
    source = opened(write(tmp_path, {"bolt/a.png": image(), "bolt/a.txt": "a bolt"}))
    assert [(item.label, item.box) for item in source.items()] == [("bolt", None)]


INSIDE = np.zeros((HEIGHT, WIDTH), np.uint8)
INSIDE[4:12, 10:30] = 255


def coco(*annotations: dict[str, object], **of_image: object) -> str:
    return json.dumps(
        {
            "images": [{"id": 7, "file_name": "a.png", "width": WIDTH, "height": HEIGHT, **of_image}],
            "annotations": [{"image_id": 7, "category_id": 3, **one} for one in annotations],
            "categories": [{"id": 3, "name": "bolt"}, {"id": 9, "name": "nut"}],
        }
    )


BOX = {"bbox": [10, 4, 20, 8]}
RUNS = {"size": [HEIGHT, WIDTH], "counts": [204, *([8, 12] * 19), 8, 208]}


@pytest.mark.parametrize(
    "segmentation",
    [[[10, 4, 29, 4, 29, 11, 10, 11]], RUNS],
    ids=["polygon", "run lengths"],
)
def test_coco_gives_masks(tmp_path: Path, segmentation: object) -> None:
    annotation = {**BOX, "segmentation": segmentation}
    write(tmp_path, {"train/a.png": image(), "train/_annotations.coco.json": coco(annotation)})
    (item,) = opened(tmp_path).items()
    assert (item.label, item.name, item.split) == ("bolt", "train/a.png", "train")
    assert item.box == AnnotatedBox((0.25, 0.2, 0.75, 0.6), alone=True)
    assert (mask_of(item.mask) == INSIDE).all()


def test_the_run_lengths_of_pycocotools_are_read(tmp_path: Path) -> None:
    masks = pytest.importorskip("pycocotools.mask", reason="pycocotools is not installed")
    random = np.asfortranarray(np.random.default_rng(0).integers(0, 2, (HEIGHT, WIDTH), np.uint8))
    encoded = masks.encode(random)
    annotation = {**BOX, "segmentation": {"size": encoded["size"], "counts": encoded["counts"].decode()}}
    (item,) = opened(write(tmp_path, {"a.png": image(), "set.json": coco(annotation)})).items()
    assert (mask_of(item.mask) == random * 255).all()


def test_coco_finds_its_images_where_tools_put_them(tmp_path: Path) -> None:
    for number, (file, photo) in enumerate(
        [
            ("annotations/instances_val2017.json", "val2017/a.png"),
            ("annotations/train.json", "images/a.png"),
            ("result.json", "images/a.png"),
        ]
    ):
        root = write(tmp_path / str(number), {file: coco(BOX), photo: image()})
        assert [item.name for item in opened(root).items()] == [photo]


def test_crowds_damaged_and_absent_objects_are_named(tmp_path: Path) -> None:
    files: dict[str, bytes | str] = {"a.png": image(), "set.json": coco(BOX, {**BOX, "iscrowd": 1})}
    assert len(list(opened(write(tmp_path, files)).items())) == 1
    for annotation, reason in (
        ({"bbox": [1, 2]}, "its annotation in set.json is damaged"),
        ({**BOX, "category_id": 4}, "its annotation in set.json is damaged"),
        ({**BOX, "segmentation": {**RUNS, "counts": [5]}}, "do not fill the image"),
        ({**BOX, "iscrowd": 1}, "no object is marked in it"),
    ):
        source = opened(write(tmp_path, {"set.json": coco(annotation)}))
        assert list(source.items()) == []
        assert reason in source.refused[0].reason
    with pytest.raises(SourceRefused, match=r"none of the images that set\.json names is in"):
        opened(write(tmp_path, {"set.json": coco(BOX, file_name="gone.png")}))


def test_the_objects_of_one_image_have_it_in_common(tmp_path: Path) -> None:
    annotations = [{"bbox": [x, 4, 8, 8]} for x in (0, 10, 20, 30)]
    items = list(opened(write(tmp_path, {"a.png": image(), "set.json": coco(*annotations)})).items())
    assert len({item.name for item in items}) == 4
    assert [item.split for item in items] == [None] * 4
    (common,) = {item.image for item in items}
    assert common == hashlib.sha256(image()).hexdigest()
