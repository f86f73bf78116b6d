"""The columns of a release, and a row of it as parquet stores it."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, NotRequired, TypedDict

from pipeline.domain.quality import SCORE_NAMES
from pipeline.domain.release import IDENTITY, Matrix, ReleaseRow, Subset
from pipeline.errors import ReleaseRefused
from pipeline.publish.credits import published_model, published_source
from pipeline.publish.release_source import ReleaseSource, stored_image

if TYPE_CHECKING:
    import pyarrow as pa
    from datasets import Features

TEXT_COLUMNS = (  # written with dictionaries and statistics, which image bytes do not need
    "origin", "method", "prompt", "model", "revision", "source_id", "source", "sample_id", "recipe",
)  # fmt: skip
COMPRESSED_COLUMNS = ("image.bytes", "mask.bytes")  # WebP, which does not compress further

Box = tuple[int, int, int, int]


class ImageFile(TypedDict):
    """An encoded image as the `Image` feature of `datasets` stores it."""

    bytes: bytes
    path: str


class StoredDistractor(TypedDict):
    """An entry of the column `distractors`."""

    label: str
    shape: str
    source_id: str
    bbox: Box
    runs: Sequence[int]


class StoredRow(TypedDict):
    """One row, a value for each column of `release_features`."""

    image: ImageFile
    label: int
    mask: ImageFile | None
    bbox: Box | None
    boxes: Sequence[Box]
    origin: str
    method: str
    prompt: str
    seed: int
    model: str
    revision: str
    source_id: str
    source_ids: Sequence[str]
    source: str
    sample_id: str
    homography: Matrix
    homographies: Sequence[Matrix]
    scores: dict[str, float | None]
    recipe: str
    distractors: NotRequired[Sequence[StoredDistractor]]  # where any image of the release shows some
    reason: NotRequired[str]  # in the rejected subset only


def release_features(
    labels: tuple[str, ...], subset: Subset | None = None, *, distractors: bool = False
) -> Features:
    """Return the typed columns, the same in every configuration except for `reason` in the rejected one.

    `mask`, `bbox` and each of the scores may be null.

    Args:
        distractors: add their column; releases without any keep the columns of earlier versions.
    """
    from datasets import Features, List, Value  # slow to import, needed only here

    columns = _columns(labels)
    if distractors:
        texts = dict.fromkeys(("label", "shape", "source_id"), Value("string"))
        whole = Value("int32")
        columns["distractors"] = List({**texts, "bbox": List(whole, length=4), "runs": List(whole)})
    if subset is Subset.REJECTED:
        columns["reason"] = Value("string")
    return Features(columns)


def _columns(labels: tuple[str, ...]) -> dict[str, object]:
    from datasets import ClassLabel, Image, List, Value

    box = List(Value("int32"), length=4)  # x0, y0, x1, y1 in pixels, x1 and y1 exclusive
    matrix = List(List(Value("float64"), length=3), length=3)  # photo pixels → image pixels
    return {
        "image": Image(),
        "label": ClassLabel(names=list(labels)),
        "mask": Image(),
        "bbox": List(
            Value("int32")
        ),  # as `box`, or null, which pyarrow before 26 cannot read in lists of fixed length
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
        "recipe": Value("string"),
    }


def stored_schema(features: Features) -> pa.Schema:
    """Return the schema of the files. The class names are in the card alone: a new class leaves the files unchanged."""
    from datasets import Features, Value

    schema = Features({**features, "label": Value("int64")}).arrow_schema
    hint = json.loads(schema.metadata[b"huggingface"])
    return schema.with_metadata({b"huggingface": json.dumps(hint, sort_keys=True).encode()})


def stored_row(
    source: ReleaseSource, subset: Subset, row: ReleaseRow, label_numbers: Mapping[str, int]
) -> StoredRow:
    """Return a row with its stored image files, byte for byte; without the column `distractors`.

    Raises:
        ReleaseRefused: the library changed meanwhile, or an image of it is missing or damaged.
    """
    if row.label not in label_numbers:
        raise ReleaseRefused("photos of a new class were added while the release was written; publish again")
    stored: StoredRow = {
        "image": _file(source, row, row.image_id, "webp"),
        "label": label_numbers[row.label],
        "mask": None if row.mask_id is None else _file(source, row, row.mask_id, "mask.webp"),
        "bbox": row.boxes[-1] if row.boxes else None,  # of the front object: they are listed back to front
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
        "recipe": row.recipe,
    }
    if subset is Subset.REJECTED:
        stored["reason"] = row.reason
    return stored


def stored_distractors(row: ReleaseRow) -> list[StoredDistractor]:
    """Return the column `distractors` of a row."""
    return [
        {
            "label": each.label,
            "shape": each.shape,
            "source_id": each.source_id,
            "bbox": each.box,
            "runs": each.runs,
        }
        for each in row.distractors
    ]


def _file(source: ReleaseSource, row: ReleaseRow, image_id: str, extension: str) -> ImageFile:
    return {"bytes": stored_image(source, row, image_id), "path": f"{row.sample_id}.{extension}"}
