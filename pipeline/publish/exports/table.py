"""The formats of `export`, in one table.

To add a format, write a module with a writer (see `ExportWriter`) and add a row to `EXPORT_FORMATS`. The command
line's help and its error messages read the table.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from pipeline.errors import UnknownName
from pipeline.publish.exports.coco import CocoWriter
from pipeline.publish.exports.folders import FolderWriter
from pipeline.publish.exports.image import ExportedImage
from pipeline.publish.exports.webdataset import WebDatasetWriter
from pipeline.publish.exports.yolo import YoloWriter


class ExportWriter(Protocol):
    """Writes the images of a release into a folder."""

    def add(self, image: ExportedImage) -> None:
        """Write one image."""

    def close(self) -> None:
        """Write what describes all images together, and close the files; called after a refusal, too."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ExportFormat:
    """What is known of a format."""

    description: str  # what is written, one line, for help texts
    writer: Callable[[Path, Sequence[str]], ExportWriter]  # (empty folder, class names) → writer
    needs_boxes: bool = False  # whether an image without a box would claim that it shows no object


EXPORT_FORMATS: dict[str, ExportFormat] = {
    "folders": ExportFormat(
        description="class folders with metadata.jsonl, for datasets and torchvision", writer=FolderWriter
    ),
    "coco": ExportFormat(
        description="COCO annotations with boxes and masks", writer=CocoWriter, needs_boxes=True
    ),
    "yolo": ExportFormat(
        description="YOLO labels and data.yaml, for ultralytics", writer=YoloWriter, needs_boxes=True
    ),
    "webdataset": ExportFormat(description="tar shards for WebDataset", writer=WebDatasetWriter),
}


def export_format(name: str) -> ExportFormat:
    """Return the format of a name.

    Raises:
        UnknownName: there is no such format.
    """
    if name not in EXPORT_FORMATS:
        raise UnknownName("export format", name, EXPORT_FORMATS)
    return EXPORT_FORMATS[name]


def export_formats_help() -> str:
    """One line for help texts: every format with its description."""
    return "; ".join(f"{name}: {row.description}" for name, row in EXPORT_FORMATS.items())
