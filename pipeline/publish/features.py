"""The columns of a release, and a row of it as parquet wants it."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from pipeline.domain.quality import SCORE_NAMES
from pipeline.domain.release import IDENTITY, ReleaseRow, Subset
from pipeline.errors import ReleaseRefused
from pipeline.publish.credits import published_model, published_source
from pipeline.publish.source import ReleaseSource, stored_picture

if TYPE_CHECKING:
    import pyarrow as pa
    from datasets import Features

TEXT_COLUMNS = (  # written with dictionaries and statistics, which picture bytes do not need
    "origin", "method", "prompt", "model", "revision", "source_id", "source", "sample_id",
)  # fmt: skip
PICTURE_COLUMNS = ("image", "mask")
PACKED_COLUMNS = ("image.bytes", "mask.bytes")  # packed already


def release_features(labels: tuple[str, ...], part: Subset | None = None) -> Features:
    """The typed columns, the same in every configuration but for `reason` in the rejected one.

    `mask`, `bbox` and each of the scores may be null.
    """
    from datasets import ClassLabel, Features, Image, List, Value  # slow to import, needed only here

    box = List(Value("int32"), length=4)  # x0, y0, x1, y1 in pixels, x1 and y1 exclusive
    matrix = List(List(Value("float64"), length=3), length=3)  # photo pixels → picture pixels
    columns: dict[str, Any] = {
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
        "source": Value("string"),
        "sample_id": Value("string"),
        "homography": matrix,
        "homographies": List(matrix),
        "scores": {name: Value("float64") for name in SCORE_NAMES},
    }
    if part is Subset.REJECTED:
        columns["reason"] = Value("string")
    return Features(columns)


def stored_schema(features: Features) -> pa.Schema:
    """The schema of the files. The class names are in the card alone: a new class leaves the files as they are."""
    from datasets import Features, Value

    schema = Features({**features, "label": Value("int64")}).arrow_schema
    hint = json.loads(schema.metadata[b"huggingface"])
    return schema.with_metadata({b"huggingface": json.dumps(hint, sort_keys=True).encode()})


def release_record(
    source: ReleaseSource, part: Subset, row: ReleaseRow, label_numbers: dict[str, int]
) -> dict[str, Any]:
    """One row with its stored picture files, byte for byte.

    Raises:
        ReleaseRefused: the library changed meanwhile, or a picture of it is missing or damaged.
    """
    if row.label not in label_numbers:
        raise ReleaseRefused("photos of a new class came in while the release was written; publish again")
    record = {
        "image": _picture(source, row, row.image_id, "webp"),
        "label": label_numbers[row.label],
        "mask": None if row.mask_id is None else _picture(source, row, row.mask_id, "mask.webp"),
        "bbox": row.boxes[-1] if row.boxes else None,  # of the front object: all are listed back to front
        "boxes": row.boxes,
        "origin": str(row.origin),
        "method": row.method,
        "prompt": row.prompt,
        "seed": row.seed,
        "model": published_model(row.model),
        "revision": row.revision,
        "source_id": row.source_ids[-1],
        "source_ids": row.source_ids,
        "source": published_source(row.source),
        "sample_id": row.sample_id,
        "homography": row.homographies[-1] if row.homographies else IDENTITY,
        "homographies": row.homographies,
        "scores": {name: row.scores.get(name) for name in SCORE_NAMES},
    }
    if part is Subset.REJECTED:
        record["reason"] = row.reason
    return record


def _picture(source: ReleaseSource, row: ReleaseRow, blob_id: str, suffix: str) -> dict[str, Any]:
    return {"bytes": stored_picture(source, row, blob_id), "path": f"{row.sample_id}.{suffix}"}
