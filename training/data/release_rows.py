"""Reads a release, in a folder or on the Hub, through Hugging Face `datasets`."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from pathlib import Path
from typing import TypedDict

from pipeline.domain.methods import present_name
from pipeline.domain.placement import is_empty
from pipeline.domain.release import Matrix, Origin
from pipeline.domain.warping import Box
from pipeline.errors import ReleaseRefused
from training.data.rows import NO_ROWS, PHOTO, READ_ERRORS, LabelledRows, Row

_COLUMNS = (
    "image", "label", "origin", "method", "model", "sample_id", "recipe", "source_id", "source_ids", "prompt",
    "boxes", "mask", "homography",
)  # fmt: skip
_REASON_LENGTH = 200  # characters of another program's message that are shown


class _EncodedImage(TypedDict):
    bytes: bytes | None
    path: str


class _Columns(TypedDict, total=False):
    """The columns of a release that training reads; only `image` and `label` are always there."""

    image: _EncodedImage | None
    label: int | None
    origin: str | None
    method: str | None
    model: str | None
    sample_id: str | None
    recipe: str | None
    source_id: str | None
    source_ids: list[str] | None  # back to front
    prompt: str | None
    boxes: list[list[int]] | None  # back to front
    mask: _EncodedImage | None
    homography: list[list[float]] | None


def release_rows(dataset: str, config: str, split: str | None) -> LabelledRows:
    """Open one configuration and split (None: all its splits); empty where the release lacks them.

    Raises:
        ReleaseRefused: it cannot be read, or lacks the columns `image` and `label`.
    """
    try:
        return _opened(dataset, config, split)
    except READ_ERRORS as error:
        where = "" if Path(dataset).is_dir() else " (nor is there a folder of this name)"
        reason = _reason(error) or type(error).__name__
        raise ReleaseRefused(f"{dataset} cannot be read as a release{where}: {reason}") from error


def _opened(dataset: str, config: str, split: str | None) -> LabelledRows:
    import datasets

    datasets.disable_progress_bars()
    datasets.utils.logging.set_verbosity_error()
    logging.getLogger("huggingface_hub").setLevel(
        logging.ERROR
    )  # an unreachable Hub is reported once, not per retry
    path = dataset.removeprefix("hf://datasets/")
    if config not in datasets.get_dataset_config_names(path):
        return NO_ROWS
    splits = datasets.load_dataset(path, config, streaming=True)  # no second copy in the user's cache
    chosen = [name for name in splits if split in (None, str(name))]
    if not chosen:
        return NO_ROWS
    features = splits[chosen[0]].features or {}
    if not {"image", "label"} <= set(features) or not hasattr(features["label"], "names"):
        raise ReleaseRefused(
            f"{dataset} has no columns 'image' and 'label' (ClassLabel); choose a release that Backlot published"
        )
    names = tuple(features["label"].names)
    columns = [name for name in _COLUMNS if name in features]

    def rows() -> Iterator[Row]:
        for name in chosen:
            encoded = splits[name].select_columns(columns)
            for image in {"image", "mask"} & set(columns):
                encoded = encoded.cast_column(image, datasets.Image(decode=False))
            for position, row in enumerate(encoded):
                place = f"{config}/{name} row {position}"
                yield _row(row, _label(row, names, f"{place} of {dataset}"), fallback=place)

    return LabelledRows(names, _refusing(rows(), dataset))


def _row(columns: _Columns, label: str, *, fallback: str) -> Row:
    image = columns["image"]
    return Row(
        data=_data(image),
        label=label,
        origin=columns.get("origin") or str(Origin.REAL),
        method=present_name(columns.get("method") or PHOTO),
        name=columns.get("sample_id") or fallback,
        model=columns.get("model") or "",
        recipe=columns.get("recipe") or "",
        source=columns.get("source_id") or "",
        sources=tuple(columns.get("source_ids") or ()),
        prompt=columns.get("prompt") or "",
        box=_front_box(columns.get("boxes")),
        homography=_matrix(columns.get("homography")),
        mask=_data(mask) if (mask := columns.get("mask")) else b"",
    )


def _label(columns: _Columns, names: tuple[str, ...], place: str) -> str:
    label = columns["label"]
    if label is None or not 0 <= label < len(names):  # -1 stands for an unknown one
        raise ReleaseRefused(f"{place} has no label ({label}); label it or remove it")
    return names[label]


def _data(image: _EncodedImage | None) -> bytes:
    if image is None:
        return b""  # an unreadable image, as any other
    return image["bytes"] if image["bytes"] is not None else Path(image["path"]).read_bytes()


def _matrix(rows: list[list[float]] | None) -> Matrix | None:
    if rows is None or [len(row) for row in rows] != [3, 3, 3]:
        return None
    return tuple((a, b, c) for a, b, c in rows)


def _front_box(boxes: list[list[int]] | None) -> Box | None:
    if not boxes or len(boxes[-1]) != 4:
        return None
    x0, y0, x1, y1 = boxes[-1]
    return None if is_empty((x0, y0, x1, y1)) else (x0, y0, x1, y1)


def _refusing(rows: Iterator[Row], dataset: str) -> Iterator[Row]:
    try:
        yield from rows
    except READ_ERRORS as error:
        raise ReleaseRefused(
            f"{dataset} stopped being readable: {_reason(error)}; publish or download it again"
        ) from error


def _reason(error: Exception) -> str:
    return " ".join(str(error).split())[:_REASON_LENGTH]
