"""Class folders: SPLIT/CLASS/ID.webp with SPLIT/metadata.jsonl, the "imagefolder" of datasets and torchvision."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from pipeline.publish.exports.image import ExportedImage, safe_file_name, write_file


@dataclass(slots=True)
class FolderWriter:
    """Writes images into class folders."""

    folder: Path
    labels: Sequence[str]
    lines: dict[str, list[str]] = field(default_factory=dict)  # split → lines of its metadata.jsonl

    def add(self, image: ExportedImage) -> None:
        """Write one image and note its metadata."""
        split = safe_file_name(image.row.split)
        name = f"{safe_file_name(image.row.label)}/{image.name}.webp"
        write_file(self.folder / split / name, image.data)
        line = json.dumps({"file_name": name, **image.facts()}, ensure_ascii=False)
        self.lines.setdefault(split, []).append(line)

    def close(self) -> None:
        """Write the metadata files."""
        for split, lines in self.lines.items():
            write_file(self.folder / split / "metadata.jsonl", ("\n".join(lines) + "\n").encode())
