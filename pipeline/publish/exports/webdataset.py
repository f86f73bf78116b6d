"""WebDataset: SPLIT-000000.tar with ID.webp, ID.mask.webp, ID.cls and ID.json, and classes.txt.

The shards are written with tarfile: importing the webdataset package loads torch, which an export does not need. The
tests read them with webdataset.
"""

from __future__ import annotations

import io
import json
import tarfile
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path

from pipeline.publish.exports.image import ExportedImage, safe_file_name, write_file

_SHARD_BYTES = 500_000_000


@dataclass(slots=True)
class WebDatasetWriter:
    """Writes images into tar shards, a series for each split."""

    folder: Path
    labels: Sequence[str]
    shards: dict[str, tarfile.TarFile] = field(default_factory=dict)  # split → its open shard
    shard_numbers: dict[str, int] = field(default_factory=dict)

    def add(self, image: ExportedImage) -> None:
        """Write one image with its class, mask and metadata."""
        shard = self._open_shard(safe_file_name(image.row.split))
        class_number = list(self.labels).index(image.row.label)
        files = {"webp": image.data, "cls": str(class_number).encode()}
        if image.mask is not None:
            files["mask.webp"] = image.mask
        files["json"] = json.dumps(image.facts(), ensure_ascii=False).encode()
        for extension, data in files.items():
            entry = tarfile.TarInfo(f"{image.name}.{extension}")
            entry.size = len(data)
            shard.addfile(entry, io.BytesIO(data))

    def close(self) -> None:
        """Complete the shards and write the class names."""
        with ExitStack() as closing_all:  # also those after one that cannot be written
            for shard in self.shards.values():
                closing_all.callback(shard.close)
        class_names = "".join(f"{safe_file_name(label)}\n" for label in self.labels)
        write_file(self.folder / "classes.txt", class_names.encode())

    def _open_shard(self, split: str) -> tarfile.TarFile:
        shard = self.shards.get(split)
        if shard is not None and shard.offset < _SHARD_BYTES:
            return shard
        if shard is not None:
            shard.close()
        number = self.shard_numbers.get(split, -1) + 1
        self.shard_numbers[split] = number
        self.shards[split] = tarfile.open(self.folder / f"{split}-{number:06d}.tar", "w")  # noqa: SIM115
        return self.shards[split]
