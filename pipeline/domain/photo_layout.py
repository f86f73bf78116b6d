"""Find the photos, classes and masks in a tree of files by their names, without reading them.

Imports and training read folders by these rules.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import PurePosixPath

from pipeline.domain.photo_formats import is_image_name

MASK_FOLDERS = frozenset({"mask", "masks"})
_PHOTO_FOLDERS = frozenset({"image", "images"})  # beside a mask folder they name no class
_MASK_NAME = re.compile(
    r"(?P<photo>.+?)[ _.-]+(mask|masks|matte|seg|segmentation)(?P<number>[ _.-]?\d+)?", re.I
)
_SPLIT_WORD = re.compile(r"^(train|test|val|valid|validation|eval|dev)(ing)?$")
_SPLIT_DECORATION = re.compile(r"[ _.-]+|(?<=[a-z])\d+$|(set|data|images?|seg|split)(?=[ _.-]|$)")
_DATE = re.compile(
    r"\d{4}[-_.]?\d{2}([-_.]?\d{2})?|(day|session|batch)[ _-]?\d+", re.I
)  # folders inside a class
_IGNORED = frozenset({"thumbs.db", "desktop.ini"})
_LEFT_BY_SYSTEMS = (".", "__MACOSX", "@eaDir")
_LABEL_SUFFIXES = frozenset({".txt", ".xml", ".json"})  # of annotations of objects, one file for each photo
_DETECTION_FOLDERS = frozenset({"images", "image", "jpegimages"})


@dataclass(frozen=True, slots=True)
class Entry:
    """A photo: its class, its path inside the source, the path of its mask or None, and its split or None."""

    label: str
    path: PurePosixPath
    mask: PurePosixPath | None = None
    split: str | None = None  # train or test, where a folder round the class folders names it


@dataclass(slots=True)
class Layout:
    """What class folders hold. `fault` says why they are none, and is "" where they are."""

    entries: list[Entry] = field(default_factory=list)  # in order of path
    left_out: list[tuple[PurePosixPath, str]] = field(default_factory=list)  # (file, reason)
    fault: str = ""
    note: str = ""  # which folders name the splits; "" where none does


def clean_label(label: str) -> str:
    """Return a class name in its one spelling: composed Unicode, without blanks at the ends."""
    return unicodedata.normalize("NFC", label).strip()


def visible(paths: Iterable[PurePosixPath]) -> list[PurePosixPath]:
    """Return files in order, without hidden ones and what systems and tools leave beside photos."""
    return [path for path in sorted(set(paths)) if not _is_hidden(path)]


def class_folders(paths: Iterable[PurePosixPath]) -> Layout:
    """Find the photos of class folders, in whatever folders these lie.

    Folders that contain all others, as archives have, are looked through. Two or more folders that are called like
    splits and hold the class folders give the photos their splits; validation photos are for training where there is
    a test folder, and else for the test. A mask is a file CLASS/NAME in a folder `masks` beside or inside the class
    folders, or NAME_mask beside the photo NAME; it need not have the photo's ending.

    Args:
        paths: files, relative to the source's root.
    """
    files = visible(paths)
    images = [path for path in files if is_image_name(path)]
    others = [path for path in files if not is_image_name(path)]
    layout = Layout(
        left_out=[(path, f"is not an image file ({path.suffix or 'no extension'})") for path in others]
    )
    masks = _masks_of(images)
    photos = [path for path in images if path not in masks.all]
    layout.left_out += [(path, reason) for path, reason in masks.left_out.items()]
    depth = _wrappers(photos)
    if splits := _split_folders(photos, depth):
        layout.note = _splits_note(splits)
        _add_splits(layout, photos, masks, depth, splits)
        return layout
    for path in photos:
        if len(path.parts) < depth + 2:
            layout.left_out.append((path, "is outside any class folder"))
        else:
            layout.entries.append(Entry(clean_label(path.parts[depth]), path, masks.of_photo.get(path)))
    layout.fault = _fault(layout.entries, others, depth)
    return layout


def mask_key(path: PurePosixPath) -> PurePosixPath:
    """Return what a photo and its mask have in common: their path without endings, mask folders and mask words."""
    match = _MASK_NAME.fullmatch(path.stem)
    name = match["photo"] if match else path.stem
    folders = [part for part in path.parts[:-1] if part.lower() not in MASK_FOLDERS | _PHOTO_FOLDERS]
    return PurePosixPath(*(unicodedata.normalize("NFC", part) for part in (*folders, name)))


def alike(labels: Iterable[str]) -> list[tuple[str, ...]]:
    """Return the class names that differ only in capitals, blanks, `_` and `-`, group by group."""
    groups: dict[str, list[str]] = {}
    for label in sorted(set(labels)):
        groups.setdefault(re.sub(r"[\s_-]+", "", label.casefold()), []).append(label)
    return [tuple(group) for group in groups.values() if len(group) > 1]


@dataclass(slots=True)
class _Masks:
    of_photo: dict[PurePosixPath, PurePosixPath] = field(default_factory=dict)
    left_out: dict[PurePosixPath, str] = field(default_factory=dict)
    all: set[PurePosixPath] = field(default_factory=set)


def _masks_of(images: Sequence[PurePosixPath]) -> _Masks:
    """Match masks with photos. A folder `masks` none of whose files belongs to a photo is a class of that name."""
    folders = {path: folder for path in images if (folder := _mask_folder(path)) is not None}
    named = {path for path in images if path not in folders and _MASK_NAME.fullmatch(path.stem)}
    photos: dict[PurePosixPath, list[PurePosixPath]] = {}
    for path in images:
        if path not in folders and path not in named:
            photos.setdefault(mask_key(path), []).append(path)
    masks = _Masks()
    for path in (path for path in images if path in folders or path in named):
        for photo in photos.get(mask_key(path), ()):
            masks.all.add(path)
            if masks.of_photo.setdefault(photo, path) != path:
                masks.left_out[path] = f"is a second mask of {photo.name}; join the masks into one file"
    in_use = {folders[path] for path in masks.all if path in folders}
    for path, folder in folders.items():
        if path not in masks.all and folder in in_use:
            masks.all.add(path)
            masks.left_out[path] = "is a mask without a photo of the same name"
    return masks


def _mask_folder(path: PurePosixPath) -> PurePosixPath | None:
    """Return the folder of masks in which a file lies."""
    for place, part in enumerate(path.parts[:-1], start=1):
        if part.lower() in MASK_FOLDERS:
            return PurePosixPath(*path.parts[:place])
    return None


def _is_hidden(path: PurePosixPath) -> bool:
    return path.name.lower() in _IGNORED or any(part.startswith(_LEFT_BY_SYSTEMS) for part in path.parts)


def _wrappers(paths: Sequence[PurePosixPath]) -> int:
    """Return how many folders contain everything else, class folders included."""
    depth = 0
    while (
        paths
        and all(len(path.parts) > depth + 2 for path in paths)
        and len({path.parts[depth] for path in paths}) == 1
        and not all(_DATE.fullmatch(path.parts[depth + 1]) for path in paths)
    ):
        depth += 1
    return depth


def _split_folders(photos: Sequence[PurePosixPath], depth: int) -> dict[str, str]:
    """Return the folders at a depth that name splits, folder → train or test; empty where they do not."""
    words = {
        path.parts[depth]: word
        for path in photos
        if len(path.parts) > depth + 1 and (word := _split_word(path.parts[depth]))
    }
    has_classes = any(len(path.parts) > depth + 2 for path in photos if path.parts[depth] in words)
    if len(words) < 2 or not has_classes:
        return {}
    validation = "train" if "test" in words.values() else "test"
    return {
        folder: word if word in ("train", "test") else validation for folder, word in sorted(words.items())
    }


def _splits_note(splits: Mapping[str, str]) -> str:
    """Say which folders name the splits: "test, train, valid (train, since there is a test folder)"."""
    names = []
    for folder, split in splits.items():
        if _split_word(folder) in ("train", "test"):
            names.append(folder if folder == split else f"{folder} ({split})")
        else:
            names.append(
                f"{folder} ({split}, since there is {'a' if split == 'train' else 'no'} test folder)"
            )
    return f"the folders name the splits: {', '.join(names)}"


def _add_splits(
    layout: Layout, photos: Sequence[PurePosixPath], masks: _Masks, depth: int, splits: Mapping[str, str]
) -> None:
    """Add the photos of the class folders inside folders that name splits."""
    outside = f"is outside the folders of the splits ({', '.join(splits)})"
    layout.left_out += [(path, outside) for path in photos if path.parts[depth] not in splits]
    for folder, split in splits.items():
        inside = [path for path in photos if path.parts[depth] == folder]
        classes = _class_depth(inside, depth + 1)
        for path in inside:
            if len(path.parts) < classes + 2:
                layout.left_out.append((path, "is outside any class folder"))
            else:
                label = clean_label(path.parts[classes])
                layout.entries.append(Entry(label, path, masks.of_photo.get(path), split))
    if all(_DATE.fullmatch(entry.label) for entry in layout.entries):
        layout.fault = (
            f"the folders are splits ({', '.join(splits)}) and hold no class folders; put the photos of each split "
            "into one folder per class"
        )


def _class_depth(paths: Sequence[PurePosixPath], depth: int) -> int:
    """Return the depth of the class folders in the folder of a split, as in seg_train/seg_train/cat/1.jpg."""
    deep = [path for path in paths if len(path.parts) > depth + 1]
    while len(names := {path.parts[depth] for path in deep if len(path.parts) > depth + 1}) == 1:
        (name,) = names
        if not is_split_name(name) and name.lower() not in _PHOTO_FOLDERS:
            break
        depth += 1
    return depth


def _fault(entries: Sequence[Entry], others: Sequence[PurePosixPath], depth: int) -> str:
    """Return why folders are no class folders; "" where they are."""
    folders = {entry.path.parts[depth] for entry in entries}
    flat = {entry.path.parts[depth] for entry in entries if len(entry.path.parts) == depth + 2}
    splits = {folder for folder in folders - flat if is_split_name(folder)}
    if splits and splits == folders:
        names = ", ".join(sorted(splits))
        return f"the folders are splits ({names}), not classes; import each by itself (--split train or test)"
    photos = {entry.path.stem for entry in entries}
    annotated = {path.stem for path in others if path.suffix.lower() in _LABEL_SUFFIXES} & photos
    if annotated and {folder.lower() for folder in folders} <= _DETECTION_FOLDERS:
        return (
            "the folders hold photos with annotations of objects, not classes; give the folder that holds data.yaml "
            "(YOLO) or the COCO .json file, or sort the photos into one folder per class"
        )
    return ""


def is_split_name(folder: str) -> bool:
    """Whether a folder is called like a split: train, Testing, seg_test, validation_set …"""
    return bool(_split_word(folder))


def _split_word(folder: str) -> str:
    """Return the split that a folder is called like: train, test, val, dev …; "" where it is called otherwise."""
    match = _SPLIT_WORD.fullmatch(_SPLIT_DECORATION.sub("", folder.lower()))
    return match[1] if match else ""
