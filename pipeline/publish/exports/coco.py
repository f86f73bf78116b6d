"""COCO: SPLIT/ID.webp with annotations/SPLIT.json, which holds boxes and masks.

Masks are written as uncompressed run lengths. pycocotools reads them; it is used in the tests only, because it is a
compiled package and the writer needs four lines.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypedDict

import numpy as np
from numpy.typing import NDArray

from pipeline.domain.images import decode
from pipeline.domain.run_lengths import mask_of_runs
from pipeline.publish.exports.image import (
    ClassNumbers,
    ExportedImage,
    ImageFacts,
    safe_file_name,
    write_file,
)

_INSIDE = 127  # mask values above this are object
Box = tuple[int, int, int, int]
BoolMask = NDArray[np.bool_]  # (H, W)


class RunLengths(TypedDict):
    """A mask in COCO's uncompressed run lengths."""

    size: list[int]  # height, width
    counts: list[int]  # column by column, starting with a run of background


class CocoImage(ImageFacts):
    """An entry of `images`."""

    id: int
    file_name: str
    height: int
    width: int


class Annotation(TypedDict):
    """An entry of `annotations`: one object."""

    id: int
    image_id: int
    category_id: int
    bbox: list[int]  # x, y, width, height
    area: int  # pixels of the mask
    segmentation: RunLengths
    iscrowd: int


@dataclass(slots=True)
class _Split:
    images: list[CocoImage] = field(default_factory=list)
    annotations: list[Annotation] = field(default_factory=list)


@dataclass(slots=True)
class CocoWriter:
    """Writes images and their COCO annotations.

    Where several objects stand in one image, the mask of each is the image's mask within the object's box. Objects of
    other classes have annotations of their own class; neutral shapes are listed with the image alone.
    """

    folder: Path
    labels: Sequence[str]
    splits: dict[str, _Split] = field(default_factory=dict)
    numbers: ClassNumbers = field(init=False)

    def __post_init__(self) -> None:
        self.numbers = ClassNumbers(self.labels)

    def add(self, image: ExportedImage) -> None:
        """Write one image and note its objects."""
        split_name = safe_file_name(image.row.split)
        file_name = f"{image.name}.webp"
        write_file(self.folder / split_name / file_name, image.data)
        split = self.splits.setdefault(split_name, _Split())
        image_id = len(split.images) + 1
        height, width = image.size
        split.images.append(
            {"id": image_id, "file_name": file_name, "height": height, "width": width, **image.facts()}
        )
        inside = np.ones(image.size, bool) if image.mask is None else decode(image.mask) > _INSIDE
        for box in image.row.boxes:
            self._annotate(split, image_id, image.row.label, inside, box)
        for other in image.other_objects():
            self._annotate(split, image_id, other.label, mask_of_runs(other.runs, image.size) > 0, other.box)

    def close(self) -> None:
        """Write the annotation files."""
        labels = self.numbers.labels
        categories = [{"id": number, "name": label} for number, label in enumerate(labels, start=1)]
        for name, split in self.splits.items():
            content = {
                "images": split.images,
                "annotations": split.annotations,
                "categories": categories,
            }
            text = json.dumps(content, ensure_ascii=False)
            write_file(self.folder / "annotations" / f"{name}.json", text.encode())

    def _annotate(self, split: _Split, image_id: int, label: str, inside: BoolMask, box: Box) -> None:
        number, category_id = len(split.annotations) + 1, self.numbers.number(label) + 1
        split.annotations.append(_annotation(number, image_id, category_id, inside, box))


def _annotation(
    annotation_id: int, image_id: int, category_id: int, inside: BoolMask, box: Box
) -> Annotation:
    x0, y0, x1, y1 = box
    mask = np.zeros_like(inside)
    mask[y0:y1, x0:x1] = inside[y0:y1, x0:x1]
    return {
        "id": annotation_id,
        "image_id": image_id,
        "category_id": category_id,
        "bbox": [x0, y0, x1 - x0, y1 - y0],
        "area": int(mask.sum()),
        "segmentation": run_lengths(mask),
        "iscrowd": 0,
    }


def run_lengths(mask: BoolMask) -> RunLengths:
    """A mask as COCO's uncompressed run lengths: column by column, starting with a run of background."""
    flat = mask.ravel(order="F")
    ends = np.flatnonzero(np.diff(flat)) + 1
    runs: list[int] = np.diff([0, *ends, flat.size]).tolist()
    return {"size": list(mask.shape), "counts": [0, *runs] if flat[0] else runs}
