"""Lists beside images give them their classes."""

from __future__ import annotations

import json
import zipfile
from pathlib import Path

import pytest

from pipeline.errors import SourceRefused, UnknownName
from pipeline.sources import ColumnMap, Refusal, Source, SourceItem, open_source


def opened(root: Path, columns: ColumnMap | None = None, **files: str) -> Source:
    """A source of files whose names have "__" for "/" and "_dot_" for "."."""
    for name, text in files.items():
        path = root / name.replace("__", "/").replace("_dot_", ".")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    source = open_source(str(root), columns or ColumnMap())
    assert not hasattr(source, "records")
    return source  # type: ignore[return-value]


def pairs(source: Source) -> list[tuple[str, str, str | None]]:
    return [(item.label, item.name, item.split) for item in source.items()]


@pytest.mark.parametrize(
    "text",
    [
        "file_name,label\na.jpg,bolt\nsub/b.png,nut\n",
        "\ufefffilename;class\r\na.jpg;bolt\r\nsub\\b.png;nut\r\n",
        "id\tbreed\na\tbolt\nb\tnut\n",  # as Kaggle has it: no endings, and a column of its own name
        "a.jpg,bolt\nb.png,nut\n",
    ],
)
def test_every_usual_list_gives_the_classes(tmp_path: Path, text: str) -> None:
    source = opened(tmp_path, labels_dot_csv=text, a_dot_jpg="1", sub__b_dot_png="2")
    assert pairs(source) == [("bolt", "a.jpg", None), ("nut", "sub/b.png", None)]
    assert source.refused == []
    assert "labels.csv" in source.note


def test_an_imagefolder_brings_its_splits_and_masks(tmp_path: Path) -> None:
    rows = [{"file_name": "a.jpg", "label": "bolt", "mask": "m/a.png"}]
    source = opened(
        tmp_path,
        train__metadata_dot_jsonl="\n".join(map(json.dumps, rows)),
        test__metadata_dot_csv="file_name,label\nb.jpg,nut\n",
        train__a_dot_jpg="1",
        train__m__a_dot_png="m",
        test__b_dot_jpg="2",
    )
    assert list(source.items()) == [
        SourceItem("nut", "test/b.jpg", b"2", split="test"),
        SourceItem("bolt", "train/a.jpg", b"1", b"m", split="train"),
    ]
    assert source.refused == []


def test_a_column_of_splits_is_used(tmp_path: Path) -> None:
    text = "path,label,split\na.jpg,bolt,train\nb.jpg,bolt,valid\n"
    source = opened(tmp_path, metadata_dot_csv=text, a_dot_jpg="1", b_dot_jpg="2")
    assert pairs(source) == [("bolt", "a.jpg", "train"), ("bolt", "b.jpg", "test")]


def test_what_the_list_and_the_images_do_not_share_is_named(tmp_path: Path) -> None:
    text = "file,label\na.jpg,bolt\na.jpg,nut\ngone.jpg,nut\n../../etc/passwd,nut\nb.jpg,\n"
    source = opened(tmp_path, labels_dot_csv=text, a_dot_jpg="1", b_dot_jpg="2", c_dot_jpg="3")
    assert pairs(source) == [("bolt", "a.jpg", None)]
    assert source.refused == [
        Refusal("a.jpg", "is listed under two classes, 'bolt' and 'nut' (labels.csv)"),
        Refusal("gone.jpg", "is listed, but there is no such image (labels.csv)"),
        Refusal("../../etc/passwd", "is listed, but there is no such image (labels.csv)"),
        Refusal("b.jpg", "is listed without a class (labels.csv)"),
        Refusal("b.jpg", "is in no list of classes"),
        Refusal("c.jpg", "is in no list of classes"),
    ]


def test_generated_images_of_an_export_are_no_photos(tmp_path: Path) -> None:
    rows = [{"file_name": f"{name}.webp", "label": "bolt", "origin": name} for name in ("real", "synthetic")]
    text = "\n".join(map(json.dumps, rows))
    source = opened(tmp_path, metadata_dot_jsonl=text, real_dot_webp="1", synthetic_dot_webp="2")
    assert pairs(source) == [("bolt", "real.webp", None)]
    assert "is a synthetic image, not a photo" in source.refused[0].reason


def test_columns_can_be_named_and_a_wrong_one_is_refused(tmp_path: Path) -> None:
    text = "file,label,material\na.jpg,bolt,steel\n"
    source = opened(tmp_path, ColumnMap(label="material"), labels_dot_csv=text, a_dot_jpg="1")
    assert pairs(source) == [("steel", "a.jpg", None)]
    with pytest.raises(UnknownName, match="did you mean 'material'"):
        open_source(str(tmp_path), ColumnMap(label="materials"))


def test_captions_are_no_classes_and_class_folders_stay(tmp_path: Path) -> None:
    text = '{"file_name": "a.jpg", "text": "a bolt on a bench"}'
    source = opened(tmp_path, bolt__metadata_dot_jsonl=text, bolt__a_dot_jpg="1")
    assert pairs(source) == [("bolt", "bolt/a.jpg", None)]


def test_a_list_without_images_is_refused(tmp_path: Path) -> None:
    with pytest.raises(
        SourceRefused, match=r"no image that labels\.csv lists can be used; the first, a\.jpg"
    ):
        opened(tmp_path, labels_dot_csv="file,label\na.jpg,bolt\n")


def test_a_list_in_a_zip_is_read(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "set.zip", "w") as archive:
        archive.writestr("set/labels.csv", "file,label\na.jpg,bolt\n")
        archive.writestr("set/images/a.jpg", b"1")
    source = open_source(str(tmp_path / "set.zip"))
    assert [item.label for item in source.items()] == ["bolt"]  # type: ignore[union-attr]
