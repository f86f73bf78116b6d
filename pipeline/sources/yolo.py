"""A YOLO dataset: images/…/NAME.jpg with labels/…/NAME.txt, and the class names in data.yaml or classes.txt."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import PurePosixPath

import numpy as np
import yaml

from pipeline.domain.photo_formats import is_image_name
from pipeline.domain.photo_layout import visible
from pipeline.errors import SourceRefused
from pipeline.sources.annotations import MarkedObject, bounding, object_items
from pipeline.sources.files import split_named
from pipeline.sources.item import Refusal, SourceItem
from pipeline.sources.trees import FolderTree, Tree, Unreadable

_IMAGES, _LABELS = "images", "labels"
_NAME_FILES = frozenset({"classes.txt", "obj.names", "classes.names"})
_YAML = frozenset({".yaml", ".yml"})
_BOX_VALUES, _TURNED_BOX_VALUES = 4, 8  # numbers behind the class: a box; the corners of a turned box
_MOST_YAML_BYTES = 1_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class YoloLayout:
    """The images of a YOLO dataset with their label files, and the class names."""

    pairs: tuple[tuple[PurePosixPath, PurePosixPath], ...]  # image, labels
    names: tuple[str, ...]
    unlabelled: tuple[PurePosixPath, ...]
    has_keypoints: bool


class YoloSource:
    """Photos of the objects in a YOLO dataset: polygons are masks, boxes are hints where to look for the object.

    Raises:
        SourceRefused: nothing says what the classes are called.
    """

    def __init__(self, tree: Tree, layout: YoloLayout) -> None:
        if not layout.names:
            raise SourceRefused(
                f"{tree.name} holds YOLO labels, but no data.yaml or classes.txt with the names of the classes; "
                "give the folder that holds it"
            )
        self._tree, self._layout = tree, layout
        self.note = f"YOLO dataset with the classes {', '.join(layout.names)}; one photo per object"
        self.address: str | None = None
        self.refused = list(tree.refused)
        self.refused += [Refusal(str(path), "has no label file") for path in layout.unlabelled]
        self.count: int | None = None

    def items(self) -> Iterator[SourceItem]:
        """Yield every object, image by image."""
        for image, labels in self._layout.pairs:
            try:
                objects = self._objects(self._tree.read(labels).decode("utf-8", errors="replace"))
                data = self._tree.read(image)
            except (Unreadable, ValueError) as error:
                self.refused.append(Refusal(str(image), str(error)))
                continue
            if not objects:
                self.refused.append(Refusal(str(image), "no object is marked in it"))
            yield from object_items(image, data, objects, split_named(str(image.parent)))

    def _objects(self, text: str) -> list[MarkedObject]:
        """Parse a label file.

        Raises:
            ValueError: a line is none of YOLO, or names a class that data.yaml lacks.
        """
        return [self._object(line) for line in dict.fromkeys(text.splitlines()) if line.strip()]

    def _object(self, line: str) -> MarkedObject:
        try:
            number, *values = (float(value) for value in line.split())
        except ValueError:
            raise ValueError(f"its labels hold the line '{line[:60]}', which is none of YOLO") from None
        if number != int(number) or not 0 <= number < len(self._layout.names):
            raise ValueError(f"its labels hold class {number:g}; data.yaml names {len(self._layout.names)}")
        label = self._layout.names[int(number)]
        if len(values) <= _BOX_VALUES + 1 or self._layout.has_keypoints:  # a fifth value is a confidence
            x, y, width, height = values[:_BOX_VALUES] if len(values) >= _BOX_VALUES else (0.0,) * 4
            corners = np.clip((x - width / 2, y - height / 2, x + width / 2, y + height / 2), 0, 1)
            if not (width > 0 and height > 0):
                raise ValueError(f"its labels hold an empty box in the line '{line[:60]}'")
            return MarkedObject(label, (corners[0], corners[1], corners[2], corners[3]))
        points = np.array(values[: len(values) // 2 * 2]).reshape(-1, 2)
        return MarkedObject(label, bounding([points]), () if len(values) == _TURNED_BOX_VALUES else (points,))


def yolo_layout(tree: Tree) -> YoloLayout | None:
    """Return the layout of a YOLO dataset; None where a tree is none.

    The class names of one of its splits, train/ or valid/, are read from the data.yaml beside that folder.
    """
    paths = visible(tree.paths)
    texts = {path for path in paths if path.suffix.lower() == ".txt" and path.name.lower() not in _NAME_FILES}
    images = [path for path in paths if is_image_name(path)]
    found = {path: labels for path in images if (labels := _labels_of(path, texts))}
    names, has_keypoints = _names(tree)
    in_folders = any(_LABELS in (part.lower() for part in labels.parts) for labels in found.values())
    if not found or not (names or in_folders):
        return None
    if not names and isinstance(tree, FolderTree):
        names, has_keypoints = _names(FolderTree(tree.root.resolve().parent, deep=False))
    return YoloLayout(
        pairs=tuple(found.items()),
        names=names,
        unlabelled=tuple(path for path in images if path not in found),
        has_keypoints=has_keypoints,
    )


def _labels_of(image: PurePosixPath, texts: set[PurePosixPath]) -> PurePosixPath | None:
    """Return the label file of an image: in `labels` where the image lies in `images`, or beside it."""
    beside = image.with_suffix(".txt")
    for place in reversed(range(len(image.parts) - 1)):
        if image.parts[place].lower() == _IMAGES:
            in_labels = PurePosixPath(*image.parts[:place], _LABELS, *image.parts[place + 1 :]).with_suffix(
                ".txt"
            )
            if in_labels in texts:
                return in_labels
    return beside if beside in texts else None


def _names(tree: Tree) -> tuple[tuple[str, ...], bool]:
    """Return the class names and whether the labels hold keypoints; no names where no file tells them."""
    for path in visible(tree.paths):
        try:
            if path.suffix.lower() in _YAML:
                content = yaml.safe_load(tree.read(path)[:_MOST_YAML_BYTES])
                if isinstance(content, dict) and (names := _listed(content.get("names"))):
                    return names, "kpt_shape" in content
            elif path.name.lower() in _NAME_FILES:
                lines = tree.read(path).decode("utf-8-sig", errors="replace").splitlines()
                return tuple(line.strip() for line in lines if line.strip()), False
        except (Unreadable, yaml.YAMLError, ValueError):
            continue
    return (), False


def _listed(names: object) -> tuple[str, ...]:
    if isinstance(names, dict):
        numbers: Sequence[object] = sorted(names) if all(isinstance(key, int) for key in names) else ()
        return (
            tuple(str(names[number]) for number in numbers)
            if list(numbers) == list(range(len(names)))
            else ()
        )
    return tuple(map(str, names)) if isinstance(names, list) else ()
