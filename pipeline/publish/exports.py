"""The accepted pictures in the formats of other tools: class folders, COCO, YOLO, WebDataset.

Picture files are the library's own, byte for byte. Boxes and masks are those of the placed objects; where several
objects stand in one picture, the mask of each is the picture's mask within its box.
"""

from __future__ import annotations

import io
import json
import re
import shutil
import tarfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import Any, Protocol
from urllib.parse import quote

import numpy as np
import yaml
from numpy.typing import NDArray

from pipeline.domain.images import decode
from pipeline.domain.release import ReleaseRow, Subset
from pipeline.errors import ReleaseRefused
from pipeline.publish.credits import published_model, published_source
from pipeline.publish.source import ReleaseSource, stored_picture, survey

_INSIDE = 127  # a mask above this is object
_SHARD_BYTES = 500_000_000
_VALIDATION = "test"  # the split that other tools validate on
_NO_NAME = re.compile(
    r"[/\\\x00-\x1f\x7f]|^\.{1,2}$|%(?=[0-9A-Fa-f]{2})"
)  # what no file can be called, and quotes

Progress = Callable[[int, int], None]
Box = tuple[int, int, int, int]


class Format(StrEnum):
    """The format of an export."""

    FOLDERS = (
        "folders"  # SPLIT/CLASS/ID.webp and SPLIT/metadata.jsonl ("imagefolder" of datasets, torchvision)
    )
    COCO = "coco"  # SPLIT/ID.webp and annotations/SPLIT.json with boxes and masks
    YOLO = "yolo"  # images/SPLIT/ID.webp, labels/SPLIT/ID.txt, data.yaml (ultralytics)
    WEBDATASET = "webdataset"  # SPLIT-000000.tar: ID.webp, ID.mask.webp, ID.cls, ID.json

    @property
    def needs_boxes(self) -> bool:
        """Whether a picture without a box tells a detector that no object is in it."""
        return self in (Format.COCO, Format.YOLO)


@dataclass(frozen=True, slots=True, kw_only=True)
class ExportReport:
    """What an export wrote."""

    written: int  # pictures
    left_out: int = 0  # pictures whose object has no box, in a format that needs boxes


@dataclass(frozen=True, slots=True)
class Picture:
    """One row with its files."""

    row: ReleaseRow
    data: bytes  # WebP
    mask: bytes | None  # WebP
    size: tuple[int, int]  # height, width

    @property
    def name(self) -> str:
        """The file's name without an ending."""
        return self.row.sample_id

    def facts(self) -> dict[str, Any]:
        """What is known of it, JSON-ready."""
        row = self.row
        return {
            "label": row.label,
            "origin": str(row.origin),
            "method": row.method,
            "prompt": row.prompt,
            "seed": row.seed,
            "model": published_model(row.model),
            "source_ids": list(row.source_ids),
            "source": published_source(row.source),
            "boxes": [list(box) for box in row.boxes],  # x0, y0, x1, y1, the last two exclusive
            "scores": dict(row.scores),
        }


class _Writer(Protocol):
    def add(self, picture: Picture) -> None: ...

    def close(self) -> None: ...


def export(
    source: ReleaseSource,
    to: Path,
    kind: Format,
    *,
    parts: Sequence[Subset] = (Subset.REAL, Subset.SYNTHETIC),
    on_progress: Progress | None = None,
) -> ExportReport:
    """Write all pictures of a release in another format. The folder is there whole or not at all.

    COCO and YOLO leave out pictures without a box (text-to-image samples, photos without a mask): their object is
    somewhere in the picture, and a detector would learn that there is none.

    Raises:
        ReleaseRefused: there is nothing to export, a picture is missing or damaged, the folder holds something, or it
            cannot be written.
    """
    found = survey(source)
    total = sum(found.total(part) for part in parts)
    if not total:
        raise ReleaseRefused(f"there is nothing {' or '.join(parts)} to export; choose another origin")
    written = left_out = 0
    with _whole_folder(to) as folder:
        writer = _WRITERS[kind](folder, found.labels)
        for row in (row for part in parts for row in source.releases.rows(part)):
            if kind.needs_boxes and not row.boxes:
                left_out += 1
            else:
                writer.add(_picture(source, row))
                written += 1
            if on_progress:
                on_progress(written + left_out, total)
        if not written:
            raise ReleaseRefused(
                f"none of the {left_out} pictures has a box, which {kind} needs; export as folders or webdataset"
            )
        writer.close()
    return ExportReport(written=written, left_out=left_out)


@contextmanager
def _whole_folder(to: Path) -> Iterator[Path]:
    to = to.resolve()  # "." has no name of its own
    part = to.with_name(f".{to.name}.part")
    try:
        if to.exists() and (not to.is_dir() or any(to.iterdir())):
            raise ReleaseRefused(f"{to} is there already and not empty; choose a new folder")
        shutil.rmtree(part, ignore_errors=True)  # of an export that was killed
        part.mkdir(parents=True)
        yield part
        if to.exists():
            to.rmdir()
        part.rename(to)
    except OSError as error:
        raise ReleaseRefused(
            f"{to} cannot be written: {error.strerror or error}; choose another place"
        ) from error
    finally:
        shutil.rmtree(part, ignore_errors=True)


def _picture(source: ReleaseSource, row: ReleaseRow) -> Picture:
    data = stored_picture(source, row, row.image_id)
    mask = None if row.mask_id is None else stored_picture(source, row, row.mask_id)
    height, width = decode(data).shape[:2]
    return Picture(row, data, mask, (height, width))


def _file_name(name: str) -> str:
    """A class or split as one part of a path: what would lead elsewhere is written as %2F and the like."""
    return _NO_NAME.sub(lambda found: quote(found[0], safe="").replace(".", "%2E"), name)


def _put(path: Path, data: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data)


@dataclass(slots=True)
class _Folders:
    folder: Path
    labels: Sequence[str]
    lines: dict[str, list[str]] = field(default_factory=dict)

    def add(self, picture: Picture) -> None:
        split = _file_name(picture.row.split)
        name = f"{_file_name(picture.row.label)}/{picture.name}.webp"
        _put(self.folder / split / name, picture.data)
        line = json.dumps({"file_name": name, **picture.facts()}, ensure_ascii=False)
        self.lines.setdefault(split, []).append(line)

    def close(self) -> None:
        for split, lines in self.lines.items():
            (self.folder / split / "metadata.jsonl").write_text("\n".join(lines) + "\n", encoding="utf-8")


@dataclass(slots=True)
class _Coco:
    folder: Path
    labels: Sequence[str]
    splits: dict[str, dict[str, list[dict[str, Any]]]] = field(default_factory=dict)

    def add(self, picture: Picture) -> None:
        row, place = picture.row, _file_name(picture.row.split)
        _put(self.folder / place / f"{picture.name}.webp", picture.data)
        split = self.splits.setdefault(place, {"images": [], "annotations": []})
        number = len(split["images"]) + 1
        height, width = picture.size
        entry = {"id": number, "file_name": f"{picture.name}.webp", "height": height, "width": width}
        split["images"].append({**entry, **picture.facts()})
        inside = np.ones(picture.size, bool) if picture.mask is None else decode(picture.mask) > _INSIDE
        for box in row.boxes:
            mask = _within(inside, box)
            split["annotations"].append(
                {
                    "id": len(split["annotations"]) + 1,
                    "image_id": number,
                    "category_id": list(self.labels).index(row.label) + 1,
                    "bbox": [box[0], box[1], box[2] - box[0], box[3] - box[1]],
                    "area": int(mask.sum()),
                    "segmentation": _run_lengths(mask),
                    "iscrowd": 0,
                }
            )

    def close(self) -> None:
        categories = [{"id": number, "name": label} for number, label in enumerate(self.labels, start=1)]
        for split, parts in self.splits.items():
            text = json.dumps({**parts, "categories": categories}, ensure_ascii=False)
            _put(self.folder / "annotations" / f"{split}.json", text.encode())


def _within(inside: NDArray[np.bool_], box: Box) -> NDArray[np.bool_]:
    x0, y0, x1, y1 = box
    mask = np.zeros_like(inside)
    mask[y0:y1, x0:x1] = inside[y0:y1, x0:x1]
    return mask


def _run_lengths(mask: NDArray[np.bool_]) -> dict[str, Any]:
    """COCO's uncompressed run lengths: columns one after the other, beginning with a run of zeros."""
    flat = mask.ravel(order="F")
    ends = np.flatnonzero(np.diff(flat)) + 1
    runs = np.diff([0, *ends, flat.size]).tolist()
    return {"size": list(mask.shape), "counts": [0, *runs] if flat[0] else runs}


@dataclass(slots=True)
class _Yolo:
    folder: Path
    labels: Sequence[str]
    splits: set[str] = field(default_factory=set)

    def add(self, picture: Picture) -> None:
        row, split = picture.row, _file_name(picture.row.split)
        self.splits.add(split)
        height, width = picture.size
        _put(self.folder / "images" / split / f"{picture.name}.webp", picture.data)
        lines = [
            f"{list(self.labels).index(row.label)} {(x0 + x1) / 2 / width:.6f} {(y0 + y1) / 2 / height:.6f} "
            f"{(x1 - x0) / width:.6f} {(y1 - y0) / height:.6f}\n"
            for x0, y0, x1, y1 in row.boxes
        ]
        _put(self.folder / "labels" / split / f"{picture.name}.txt", "".join(lines).encode())

    def close(self) -> None:
        places = {split: f"images/{split}" for split in sorted(self.splits)}
        places.setdefault("train", next(iter(places.values())))
        places["val"] = places.get(_VALIDATION, places["train"])
        facts = {"path": ".", **places, "names": dict(enumerate(self.labels))}
        text = yaml.safe_dump(facts, sort_keys=False, allow_unicode=True)
        (self.folder / "data.yaml").write_text(text, encoding="utf-8")


@dataclass(slots=True)
class _WebDataset:
    folder: Path
    labels: Sequence[str]
    shards: dict[str, tarfile.TarFile] = field(default_factory=dict)
    numbers: dict[str, int] = field(default_factory=dict)

    def add(self, picture: Picture) -> None:
        shard = self._shard(_file_name(picture.row.split))
        number = list(self.labels).index(picture.row.label)
        parts = {"webp": picture.data, "cls": str(number).encode()}
        if picture.mask is not None:
            parts["mask.webp"] = picture.mask
        parts["json"] = json.dumps(picture.facts(), ensure_ascii=False).encode()
        for ending, data in parts.items():
            entry = tarfile.TarInfo(f"{picture.name}.{ending}")
            entry.size = len(data)
            shard.addfile(entry, io.BytesIO(data))

    def _shard(self, split: str) -> tarfile.TarFile:
        shard = self.shards.get(split)
        if shard is not None and shard.offset < _SHARD_BYTES:
            return shard
        if shard is not None:
            shard.close()
        number = self.numbers.get(split, -1) + 1
        self.numbers[split] = number
        self.shards[split] = tarfile.open(self.folder / f"{split}-{number:06d}.tar", "w")  # noqa: SIM115
        return self.shards[split]

    def close(self) -> None:
        for shard in self.shards.values():
            shard.close()
        _put(self.folder / "classes.txt", "".join(f"{_file_name(label)}\n" for label in self.labels).encode())


_WRITERS: dict[Format, Callable[[Path, Sequence[str]], _Writer]] = {
    Format.FOLDERS: _Folders,
    Format.COCO: _Coco,
    Format.YOLO: _Yolo,
    Format.WEBDATASET: _WebDataset,
}
