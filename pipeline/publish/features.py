"""The columns of a release, and a row of it as parquet wants it."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from pipeline.domain.release import IDENTITY, ReleaseRow
from pipeline.errors import NotFound, ReleaseRefused
from pipeline.publish.source import ReleaseSource

if TYPE_CHECKING:
    from datasets import Features

TEXT_COLUMNS = (  # written with dictionaries and statistics, which picture bytes do not need
    "origin", "method", "prompt", "model", "revision", "source_id", "sample_id", "scores",
)  # fmt: skip


def release_features(labels: tuple[str, ...]) -> Features:
    """The typed columns, the same in every configuration. `mask` and `bbox` may be null."""
    from datasets import ClassLabel, Features, Image, List, Value  # slow to import, needed only here

    box = List(Value("int32"), length=4)  # x0, y0, x1, y1 in pixels, x1 and y1 exclusive
    matrix = List(List(Value("float64"), length=3), length=3)  # photo pixels → picture pixels
    return Features(
        {
            "image": Image(),
            "label": ClassLabel(names=list(labels)),
            "mask": Image(),
            "bbox": box,
            "boxes": List(box),
            "origin": Value("string"),
            "method": Value("string"),
            "prompt": Value("string"),
            "seed": Value("int64"),
            "model": Value("string"),
            "revision": Value("string"),
            "source_id": Value("string"),
            "source_ids": List(Value("string")),
            "sample_id": Value("string"),
            "homography": matrix,
            "homographies": List(matrix),
            "scores": Value("string"),  # JSON object: score → number
        }
    )


def release_record(source: ReleaseSource, row: ReleaseRow, label_numbers: dict[str, int]) -> dict[str, Any]:
    """One row with its stored picture files, byte for byte.

    Raises:
        ReleaseRefused: the library changed or lost a picture meanwhile.
    """
    if row.label not in label_numbers:
        raise ReleaseRefused("photos of a new class came in while the release was written; publish again")
    return {
        "image": _picture(source, row, row.image_id, "webp"),
        "label": label_numbers[row.label],
        "mask": None if row.mask_id is None else _picture(source, row, row.mask_id, "mask.webp"),
        "bbox": row.boxes[0] if row.boxes else None,
        "boxes": row.boxes,
        "origin": str(row.origin),
        "method": row.method,
        "prompt": row.prompt,
        "seed": row.seed,
        "model": row.model,
        "revision": row.revision,
        "source_id": row.source_ids[0],
        "source_ids": row.source_ids,
        "sample_id": row.sample_id,
        "homography": row.homographies[0] if row.homographies else IDENTITY,
        "homographies": row.homographies,
        "scores": json.dumps(dict(row.scores), sort_keys=True),
    }


def _picture(source: ReleaseSource, row: ReleaseRow, blob_id: str, suffix: str) -> dict[str, Any]:
    try:
        return {"bytes": source.picture_bytes(blob_id), "path": f"{row.sample_id}.{suffix}"}
    except NotFound as error:
        raise ReleaseRefused(
            f"a picture of {row.sample_id} is missing; `python -m pipeline verify` lists what is broken"
        ) from error
