"""A COCO dataset: images with a .json file of boxes, polygons or run lengths."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import cast

import numpy as np

from pipeline.domain.images import Mask
from pipeline.domain.photo_layout import visible
from pipeline.errors import SourceRefused
from pipeline.sources.annotations import MarkedObject, object_items
from pipeline.sources.files import FileIndex, split_named
from pipeline.sources.item import Refusal, SourceItem
from pipeline.sources.trees import Tree, Unreadable

_NEEDED = ("images", "annotations", "categories")
_MOST_FILES = 20  # .json files that are looked into; sets with one file for each image are no COCO
_SYNTHETIC = "synthetic"  # origin of generated images in Backlot's own exports
_LEAST_POINTS = 3  # of a polygon

Entry = Mapping[str, object]


@dataclass(frozen=True, slots=True)
class CocoFile:
    """An annotation file."""

    path: PurePosixPath
    images: Sequence[Entry]
    objects: Mapping[object, Sequence[Entry]]  # id of an image → its annotations
    names: Mapping[object, str]  # id of a category → class


class CocoSource:
    """Photos of the objects in a COCO dataset: polygons and run lengths are masks, boxes hints where to look.

    Raises:
        SourceRefused: none of the annotated images is there.
    """

    def __init__(self, tree: Tree, files: Sequence[CocoFile]) -> None:
        self._tree, self._files = tree, files
        self._index = FileIndex(tree.paths)
        names = dict.fromkeys(name for file in files for name in file.names.values())
        self.note = f"COCO dataset with the classes {', '.join(names)}; one photo per object"
        self.address: str | None = None
        self.refused = list(tree.refused)
        self.count: int | None = None
        if not any(self._image(file, entry) for file in files for entry in file.images):
            raise SourceRefused(
                f"none of the images that {files[0].path} names is in {tree.name}; put them beside the file"
            )

    def items(self) -> Iterator[SourceItem]:
        """Yield every object, image by image."""
        for file in self._files:
            for entry in file.images:
                name = str(entry.get("file_name", ""))
                try:
                    yield from self._of_image(file, entry)
                except (Unreadable, ValueError) as error:
                    self.refused.append(Refusal(name, str(error)))

    def _image(self, file: CocoFile, entry: Entry) -> PurePosixPath | None:
        folder = file.path.parent
        beside = folder.parent if folder.parts else folder
        split = file.path.stem.removeprefix("instances_")
        return self._index.find(
            str(entry.get("file_name", "")), folder, folder / "images", beside / split, beside / "images"
        )

    def _of_image(self, file: CocoFile, entry: Entry) -> list[SourceItem]:
        path = self._image(file, entry)
        if path is None:
            raise ValueError(f"is annotated in {file.path}, but there is no such image")
        if entry.get("origin") == _SYNTHETIC:
            raise ValueError("is a synthetic image, not a photo")
        size = int(cast("int", entry.get("height") or 0)), int(cast("int", entry.get("width") or 0))
        if min(size) < 1:
            raise ValueError(f"{file.path} does not tell its width and height")
        annotations = [one for one in file.objects.get(entry.get("id"), ()) if not one.get("iscrowd")]
        try:
            objects = [_object(one, size, file.names) for one in annotations]
        except (TypeError, KeyError, IndexError, ValueError) as error:
            raise ValueError(f"its annotation in {file.path} is damaged ({error})") from error
        if not objects:
            raise ValueError("no object is marked in it")
        split = split_named(str(path.parent)) or split_named(str(file.path))
        return object_items(path, self._tree.read(path), objects, split)


def coco_files(tree: Tree) -> list[CocoFile]:
    """Return the annotation files of a COCO dataset; empty where a tree is none."""
    candidates = [path for path in visible(tree.paths) if path.suffix.lower() == ".json"]
    files = []
    for path in candidates if len(candidates) <= _MOST_FILES else ():
        try:
            content = json.loads(tree.read(path))
        except (Unreadable, ValueError, RecursionError):
            continue
        if isinstance(content, dict) and all(isinstance(content.get(key), list) for key in _NEEDED):
            files.append(_file(path, content))
    return [file for file in files if file.objects]


def _file(path: PurePosixPath, content: Mapping[str, Sequence[Entry]]) -> CocoFile:
    objects: dict[object, list[Entry]] = {}
    for one in content["annotations"]:
        if "bbox" in one or one.get("segmentation"):
            objects.setdefault(one.get("image_id"), []).append(one)
    names = {category.get("id"): str(category.get("name", "")) for category in content["categories"]}
    return CocoFile(path, content["images"], objects, names)


def _object(one: Entry, size: tuple[int, int], names: Mapping[object, str]) -> MarkedObject:
    height, width = size
    label = names[one["category_id"]]
    segmentation = one.get("segmentation")
    mask = None
    polygons = []
    if isinstance(segmentation, dict):
        mask = _from_run_lengths(segmentation)
        if mask.shape != size:
            raise ValueError("its run lengths have another size than the image")
    elif isinstance(segmentation, list):
        pairs = [np.array(flat, float).reshape(-1, 2) for flat in segmentation]
        polygons = [points / (width, height) for points in pairs if len(points) >= _LEAST_POINTS]
    if "bbox" in one:
        x, y, box_width, box_height = (float(value) for value in cast("Sequence[float]", one["bbox"]))
    else:
        marked = np.zeros(size, np.uint8) if mask is None else mask
        points = np.concatenate(polygons) * (width, height) if polygons else np.argwhere(marked)[:, ::-1]
        x, y = points.min(axis=0)
        box_width, box_height = points.max(axis=0) - (x, y)
    corners = np.clip((x / width, y / height, (x + box_width) / width, (y + box_height) / height), 0, 1)
    x0, y0, x1, y1 = (float(value) for value in corners)
    if x1 <= x0 or y1 <= y0:
        raise ValueError("an empty box")
    return MarkedObject(label, (x0, y0, x1, y1), tuple(polygons), mask)


def _from_run_lengths(segmentation: Mapping[str, object]) -> Mask:
    """Decode COCO's run lengths, as numbers or as the text of pycocotools; (H, W) uint8."""
    height, width = (int(value) for value in cast("Sequence[int]", segmentation["size"]))
    counts = segmentation["counts"]
    runs = (
        _runs_of(counts) if isinstance(counts, str) else [int(run) for run in cast("Sequence[int]", counts)]
    )
    if min(runs, default=0) < 0 or sum(runs) != height * width:
        raise ValueError("its run lengths do not fill the image")
    values = np.zeros(len(runs), np.uint8)
    values[1::2] = 255
    return np.ascontiguousarray(np.repeat(values, runs).reshape((height, width), order="F"))


def _runs_of(text: str) -> list[int]:
    """Decode the compressed run lengths of pycocotools: 5 bits a character, from the third run on differences."""
    runs: list[int] = []
    value = shift = 0
    for character in text:
        bits = ord(character) - 48
        value |= (bits & 0x1F) << shift
        shift += 5
        if bits & 0x20:
            continue
        if bits & 0x10:
            value -= 1 << shift
        runs.append(value + (runs[-2] if len(runs) > 2 else 0))
        value = shift = 0
    return runs
