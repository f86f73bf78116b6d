"""YOLO as ultralytics reads it: images/SPLIT/ID.webp, labels/SPLIT/ID.txt and data.yaml."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import yaml

from pipeline.publish.exports.image import ClassNumbers, ExportedImage, safe_file_name, write_file

_VALIDATION_SPLIT = "test"  # the split that ultralytics validates on


@dataclass(slots=True)
class YoloWriter:
    """Writes images and their boxes as shares of the image's width and height."""

    folder: Path
    labels: Sequence[str]
    splits: set[str] = field(default_factory=set)
    numbers: ClassNumbers = field(init=False)

    def __post_init__(self) -> None:
        self.numbers = ClassNumbers(self.labels)

    def add(self, image: ExportedImage) -> None:
        """Write one image and its boxes, those of objects of other classes as boxes of their own class."""
        split = safe_file_name(image.row.split)
        self.splits.add(split)
        height, width = image.size
        write_file(self.folder / "images" / split / f"{image.name}.webp", image.data)
        boxes = [(image.row.label, box) for box in image.row.boxes]
        boxes += [(other.label, other.box) for other in image.other_objects()]
        lines = [
            f"{self.numbers.number(label)} {(x0 + x1) / 2 / width:.6f} {(y0 + y1) / 2 / height:.6f} "
            f"{(x1 - x0) / width:.6f} {(y1 - y0) / height:.6f}\n"
            for label, (x0, y0, x1, y1) in boxes
        ]
        write_file(self.folder / "labels" / split / f"{image.name}.txt", "".join(lines).encode())

    def close(self) -> None:
        """Write data.yaml: the splits and the class names.

        It has no `path`: ultralytics then looks beside the file, wherever it is started.
        """
        paths = {split: f"images/{split}" for split in sorted(self.splits)}
        paths.setdefault("train", next(iter(paths.values()), "images/train"))
        paths["val"] = paths.get(_VALIDATION_SPLIT, paths["train"])
        content = {**paths, "names": dict(enumerate(self.numbers.labels))}
        text = yaml.safe_dump(content, sort_keys=False, allow_unicode=True)
        write_file(self.folder / "data.yaml", text.encode())
