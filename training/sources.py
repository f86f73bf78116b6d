"""Where pictures come from: a release in a folder or on the Hub, or a plain folder of photos by class."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

from pipeline.domain.methods import present_name
from pipeline.domain.release import Origin
from pipeline.errors import ReleaseRefused

PHOTO = "photo"  # the method of a real row
WORLD = (
    OSError,
    ValueError,
    RuntimeError,
)  # what datasets, pyarrow and Pillow raise for broken or absent data
_HUB_ID = re.compile(r"(hf://datasets/)?\w[\w.-]*/[\w.-]+")
_PICTURES = {".jpg", ".jpeg", ".png", ".webp", ".bmp", ".gif", ".tif", ".tiff"}


class Row(NamedTuple):
    """One encoded picture on its way into the arrays."""

    data: bytes
    label: str
    origin: str
    method: str
    name: str
    model: str = ""  # what drew it


class Found(NamedTuple):
    """The class names of one configuration, and its rows, read one by one."""

    classes: tuple[str, ...]
    rows: Iterable[Row]


def rows_of(dataset: str, config: str, split: str | None) -> Found:
    """The rows of one configuration and split (None: all its splits); empty where the release lacks them."""
    folder = Path(dataset)
    if folder.is_dir() and next(folder.rglob("*.parquet"), None) is None:
        return _class_folder(folder) if config == "real" and split != "test" else Found((), ())
    if not folder.is_dir() and (not _HUB_ID.fullmatch(dataset) or folder.parent.is_dir()):
        raise ReleaseRefused(
            f"{dataset} does not exist; give a release folder, class/*.jpg, or a Hub id ns/name"
        )
    try:
        return _hugging_face(dataset, config, split)
    except WORLD as error:
        reason = " ".join(str(error).split())[:200] or type(error).__name__
        where = "" if folder.is_dir() else " (it is not a folder here either)"
        raise ReleaseRefused(f"{dataset} cannot be read as a release{where}: {reason}") from error


def _hugging_face(dataset: str, config: str, split: str | None) -> Found:
    import datasets
    import huggingface_hub

    datasets.disable_progress_bars()
    datasets.utils.logging.set_verbosity_error()
    huggingface_hub.utils.logging.set_verbosity_error()  # a hub out of reach is told once, not at every retry
    path = dataset.removeprefix("hf://datasets/")
    if config not in datasets.get_dataset_config_names(path):
        return Found((), ())
    splits = datasets.load_dataset(path, config, streaming=True)  # no second copy in the user's cache
    wanted = [name for name in splits if split in (None, str(name))]
    if not wanted:
        return Found((), ())
    features = splits[wanted[0]].features or {}
    if not {"image", "label"} <= set(features) or not hasattr(features["label"], "names"):
        raise ReleaseRefused(
            f"{dataset} has no columns 'image' and 'label' (ClassLabel); it is not a release"
        )
    names = tuple(features["label"].names)
    columns = [
        name for name in ("image", "label", "origin", "method", "model", "sample_id") if name in features
    ]

    def rows() -> Iterator[Row]:
        for name in wanted:
            encoded = splits[name].select_columns(columns).cast_column("image", datasets.Image(decode=False))
            for position, row in enumerate(encoded):
                yield _row(row, names, fallback=f"{config}/{name} row {position}")

    return Found(names, _world_refused(rows(), dataset))


def _row(row: dict[str, Any], names: tuple[str, ...], *, fallback: str) -> Row:
    picture = row["image"]
    data = picture["bytes"] if picture["bytes"] is not None else Path(picture["path"]).read_bytes()
    origin, method = row.get("origin") or str(Origin.REAL), row.get("method") or PHOTO
    name, model = str(row.get("sample_id") or fallback), str(row.get("model") or "")
    return Row(data, names[row["label"]], str(origin), present_name(str(method)), name, model)


def _world_refused(rows: Iterator[Row], dataset: str) -> Iterator[Row]:
    try:
        yield from rows
    except WORLD as error:
        raise ReleaseRefused(
            f"{dataset} broke off while it was read: {' '.join(str(error).split())[:200]}"
        ) from error


def _class_folder(folder: Path) -> Found:
    files = [
        (place.name, file)
        for place in sorted(folder.iterdir())
        if place.is_dir()
        for file in sorted(place.iterdir())
        if file.suffix.lower() in _PICTURES and not file.is_dir()
    ]
    if not files:
        raise ReleaseRefused(
            f"{folder} holds neither a release (data/*.parquet) nor class folders with pictures"
        )
    classes = tuple(dict.fromkeys(label for label, _file in files))
    return Found(classes, (Row(_bytes(file), label, "real", PHOTO, str(file)) for label, file in files))


def _bytes(file: Path) -> bytes:
    """What a file holds; nothing where it cannot be read, which no decoder takes for a picture."""
    try:
        return file.read_bytes()
    except OSError:
        return b""
