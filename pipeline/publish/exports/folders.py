"""Class folders: SPLIT/CLASS/ID.webp with SPLIT/metadata.jsonl, the "imagefolder" of datasets and torchvision.

`datasets` takes the types of the columns from each split's file on its own and refuses files that differ. A value whose
type depends on its content would: scores, which photos lack, are JSON text; so are boxes, where a split has none, and
distractors, which are there where any image of the export has some.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from pipeline.publish.exports.image import ExportedImage, ImageFacts, safe_file_name, write_file


@dataclass(slots=True)
class FolderWriter:
    """Writes images into class folders."""

    folder: Path
    labels: Sequence[str]
    facts: dict[str, list[tuple[str, ImageFacts]]] = field(default_factory=dict)  # split → file name, facts

    def add(self, image: ExportedImage) -> None:
        """Write one image and note its metadata."""
        split = safe_file_name(image.row.split)
        name = f"{safe_file_name(image.row.label)}/{image.name}.webp"
        write_file(self.folder / split / name, image.data)
        self.facts.setdefault(split, []).append((name, image.facts()))

    def close(self) -> None:
        """Write the metadata files."""
        has_boxes = [any(facts["boxes"] for _, facts in of_split) for of_split in self.facts.values()]
        as_text = ["scores"] if all(has_boxes) else ["scores", "boxes"]
        if any("distractors" in facts for of_split in self.facts.values() for _, facts in of_split):
            as_text.append("distractors")
            for of_split in self.facts.values():
                for _, facts in of_split:
                    facts.setdefault("distractors", [])
        for split, of_split in self.facts.items():
            lines = [_line(name, facts, as_text) for name, facts in of_split]
            write_file(self.folder / split / "metadata.jsonl", ("\n".join(lines) + "\n").encode())


def _line(name: str, facts: ImageFacts, as_text: Sequence[str]) -> str:
    columns = {key: json.dumps(value) if key in as_text else value for key, value in facts.items()}
    return json.dumps({"file_name": name, **columns}, ensure_ascii=False)
