"""Images with a list of their classes: labels.csv, metadata.csv or metadata.jsonl beside them."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import PurePosixPath

from pipeline.domain.photo_formats import is_image_name
from pipeline.domain.photo_layout import visible
from pipeline.errors import SourceRefused, UnknownName
from pipeline.sources.columns import LABEL_NAMES, ColumnMap
from pipeline.sources.files import FileIndex, split_named
from pipeline.sources.item import Refusal, SourceItem
from pipeline.sources.trees import Tree, Unreadable

_LISTS = frozenset(
    {"labels.csv", "labels.tsv", "metadata.csv", "metadata.tsv", "metadata.jsonl", "labels.jsonl"}
)
_FILE_NAMES = (
    *(
        "file_name",
        "filename",
        "file",
        "image",
        "img",
        "path",
        "filepath",
        "image_path",
        "image_name",
        "image_id",
    ),
    *("id", "name"),
)
_SPLIT_NAMES = ("split", "subset", "partition")
_MASK_NAMES = ("mask", "mask_file", "mask_path")
_TEXTS = frozenset({"text", "caption", "prompt"})  # the only other column of a list without classes
_DELIMITERS = (",", ";", "\t")
_SYNTHETIC = "synthetic"  # origin of generated images in Backlot's own exports

Row = Mapping[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Columns:
    file: str
    label: str
    mask: str | None
    split: str | None


@dataclass(frozen=True, slots=True)
class ImageList:
    """A list of images with its rows."""

    path: PurePosixPath
    columns: _Columns
    rows: tuple[Row, ...]


class ListedSource:
    """The images of a tree that lists name, with the classes that these give.

    Raises:
        SourceRefused: none of the listed images is there.
    """

    def __init__(self, tree: Tree, lists: Sequence[ImageList]) -> None:
        self._tree = tree
        self._index = FileIndex(tree.paths)
        self._lists = lists
        self.address: str | None = None
        self.refused = list(tree.refused)
        self._wanted = list(self._matched())
        self.count: int | None = len(self._wanted)
        first = lists[0]
        self.note = (
            f"classes from column '{first.columns.label}' of {', '.join(str(one.path) for one in lists)}"
        )
        if not self._wanted:
            named = self.refused[0] if self.refused else Refusal(str(first.path), "it is empty")
            raise SourceRefused(
                f"no image that {first.path} lists can be used; the first, {named.name}: {named.reason}"
            )

    def items(self) -> Iterator[SourceItem]:
        """Yield every listed image in the order of the lists."""
        for path, mask, label, split in self._wanted:
            try:
                yield SourceItem(
                    label,
                    str(path),
                    self._tree.read(path),
                    self._tree.read(mask) if mask else None,
                    split=split,
                )
            except Unreadable as error:
                self.refused.append(Refusal(str(path), str(error)))

    def _matched(self) -> Iterator[tuple[PurePosixPath, PurePosixPath | None, str, str | None]]:
        labels: dict[PurePosixPath, str] = {}
        masks: set[PurePosixPath] = set()
        for one in self._lists:
            for row in one.rows:
                name, label = row.get(one.columns.file, ""), row.get(one.columns.label, "")
                path = self._index.find(name, one.path.parent)
                if reason := _reason_against(path, label, row, labels):
                    self.refused.append(Refusal(name or str(one.path), f"{reason} ({one.path})"))
                elif path is not None and path not in labels:
                    labels[path] = label
                    mask = self._index.find(row.get(one.columns.mask or "", ""), one.path.parent)
                    masks |= {mask} if mask else set()
                    split = row.get(one.columns.split, "") if one.columns.split else str(one.path.parent)
                    yield path, mask, label, split_named(split)
        for path in visible(self._tree.paths):
            if is_image_name(path) and path not in labels and path not in masks:
                self.refused.append(Refusal(str(path), "is in no list of classes"))


def has_lists(tree: Tree) -> bool:
    """Whether a tree has a list of the classes of its images."""
    return any(_chosen(rows, ColumnMap()) for _, rows in _tables(tree))


def image_lists(tree: Tree, named: ColumnMap) -> list[ImageList]:
    """Return the lists of a tree that give images their classes.

    Args:
        named: the columns that a person names; the others are guessed.

    Raises:
        UnknownName: a named column is not in a list.
    """
    lists = []
    for path, rows in _tables(tree):
        for name in (named.image, named.label, named.mask):
            if name is not None and name not in rows[0]:
                raise UnknownName("column", name, rows[0])
        if columns := _chosen(rows, named):
            lists.append(ImageList(path, columns, tuple(rows)))
    return lists


def _tables(tree: Tree) -> Iterator[tuple[PurePosixPath, list[Row]]]:
    for path in (path for path in visible(tree.paths) if path.name.lower() in _LISTS):
        try:
            rows = _rows(path, tree.read(path))
        except (Unreadable, ValueError, csv.Error):
            continue
        if rows:
            yield path, rows


def _reason_against(
    path: PurePosixPath | None, label: str, row: Row, labels: Mapping[PurePosixPath, str]
) -> str:
    if path is None:
        return "is listed, but there is no such image"
    if not label.strip():
        return "is listed without a class"
    if row.get("origin") == _SYNTHETIC:
        return "is a synthetic image, not a photo"
    if labels.get(path, label) != label:
        return f"is listed under two classes, '{labels[path]}' and '{label}'"
    return ""


def _rows(path: PurePosixPath, data: bytes) -> list[Row]:
    """Parse a list.

    Raises:
        ValueError: it is no JSON lines.
    """
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError:
        text = data.decode("cp1252", errors="replace")
    if path.suffix.lower() == ".jsonl":
        parsed = [json.loads(line) for line in text.splitlines() if line.strip()]
        return [{key: _text(value) for key, value in row.items()} for row in parsed if isinstance(row, dict)]
    lines = text.splitlines()
    delimiter = max(_DELIMITERS, key=(lines or [""])[0].count)
    cells = [[cell.strip() for cell in row] for row in csv.reader(lines, delimiter=delimiter) if row]
    if not cells:
        return []
    has_header = not any(is_image_name(PurePosixPath(cell)) for cell in cells[0])
    header = (
        cells[0] if has_header else ["file_name", "label", *map(str, range(len(cells[0])))][: len(cells[0])]
    )
    return [dict(zip(header, row, strict=False)) for row in cells[has_header:]]


def _text(value: object) -> str:
    return value if isinstance(value, str) else "" if value is None else json.dumps(value)


def _chosen(rows: Sequence[Row], named: ColumnMap) -> _Columns | None:
    """Return the columns to use; None where no column names files, or none holds classes."""
    names = {name.lower(): name for name in rows[0]}
    file = named.image or _first(names, _FILE_NAMES)
    if file is None:
        return None
    others = {key: name for key, name in names.items() if name != file}
    label = named.label or _first(others, LABEL_NAMES)
    if label is None and len(others) == 1 and others.keys().isdisjoint(_TEXTS):
        (label,) = others.values()
    if label is None:
        return None
    mask = named.mask or _first(others, _MASK_NAMES)
    return _Columns(file=file, label=label, mask=mask, split=_first(others, _SPLIT_NAMES))


def _first(names: Mapping[str, str], wanted: Sequence[str]) -> str | None:
    return next((names[name] for name in wanted if name in names), None)
