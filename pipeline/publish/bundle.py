"""A release as a folder that `datasets.load_dataset` reads, with no need of the library any more."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pipeline.domain.release import Origin
from pipeline.publish.card import CONFIGS, card, origins_of
from pipeline.publish.features import release_features, release_record
from pipeline.publish.folders import fresh_folder, refuse_foreign, release_facts, write_facts
from pipeline.publish.grid import write_grid
from pipeline.publish.shards import SHARD_BYTES, ShardWriter
from pipeline.publish.source import ReleaseSource, Survey, survey

if TYPE_CHECKING:
    from datasets import Features

Progress = Callable[[int, int], None]  # pictures written, pictures in all
_Part = tuple[Origin, str]  # origin, split


@dataclass(frozen=True, slots=True, kw_only=True)
class ReleaseReport:
    """What was written."""

    path: Path
    name: str
    version: str
    classes: tuple[str, ...]
    counts: Mapping[str, Mapping[str, int]]  # configuration → split → pictures
    file_bytes: int


@dataclass(frozen=True, slots=True)
class _Written:
    """One origin and split on disk."""

    rows: int
    data_bytes: int
    file_bytes: int


def write_release(
    source: ReleaseSource,
    out: Path,
    *,
    name: str,
    version: str | None = None,
    on_progress: Progress | None = None,
    shard_bytes: int = SHARD_BYTES,
) -> ReleaseReport:
    """Write everything that is accepted, and all photos, as a dataset with the configurations of CONFIGS.

    Args:
        source: the library.
        out: a new or empty folder, or a release of ours, which is replaced once the new one is complete.
        name: what the card calls it.
        version: of this release; one more than the release in `out` by default.
        on_progress: called after each picture.
        shard_bytes: a new parquet file begins after so many bytes of pictures.

    Raises:
        ReleaseRefused: nothing to release, `out` holds other files, the disk is full. `out` is as it was.
    """
    refuse_foreign(out)
    found = survey(source)
    version = version or _next_version(out)
    with fresh_folder(out) as folder:
        features = release_features(found.labels)
        written = _write_parts(source, found, folder, features, on_progress, shard_bytes)
        write_grid(source, found, folder)
        info = [_dataset_info(config, found, features, written) for config in CONFIGS]
        text = card(found, name=name, version=version, dataset_info=info, grid=True)
        (folder / "README.md").write_text(text, encoding="utf-8")
        counts = {
            config: {split: _sum(written, config, split).rows for split in found.splits} for config in CONFIGS
        }
        write_facts(
            folder,
            {
                "name": name,
                "version": version,
                "created_at": datetime.now(UTC).isoformat(timespec="seconds"),
                "classes": list(found.labels),
                "counts": counts,
            },
        )
    return ReleaseReport(
        path=out,
        name=name,
        version=version,
        classes=found.labels,
        counts=counts,
        file_bytes=sum(part.file_bytes for part in written.values()),
    )


def _write_parts(
    source: ReleaseSource,
    found: Survey,
    folder: Path,
    features: Features,
    on_progress: Progress | None,
    shard_bytes: int,
) -> dict[_Part, _Written]:
    numbers = {label: number for number, label in enumerate(found.labels)}
    total, done = sum(found.total(origin) for origin in Origin), 0
    written = {}
    for origin in Origin:
        for split in found.splits:
            place = folder / "data" / origin
            with ShardWriter(place, split, features.arrow_schema, shard_bytes) as writer:
                for row in source.release_rows(origin=origin, split=split):
                    writer.add(release_record(source, row, numbers))
                    done += 1
                    if on_progress:
                        on_progress(done, total)
            written[origin, split] = _Written(writer.rows, writer.data_bytes, writer.file_bytes)
    return written


def _sum(written: Mapping[_Part, _Written], config: str, split: str) -> _Written:
    parts = [written[origin, split] for origin in origins_of(config)]
    return _Written(
        sum(part.rows for part in parts),
        sum(part.data_bytes for part in parts),
        sum(part.file_bytes for part in parts),
    )


def _dataset_info(
    config: str, found: Survey, features: Features, written: Mapping[_Part, _Written]
) -> dict[str, Any]:
    """What a card's YAML says of a configuration, as `datasets` writes it."""
    sums = {split: _sum(written, config, split) for split in found.splits_of(origins_of(config))}
    return {
        "config_name": config,
        "features": features._to_yaml_list(),
        "splits": [
            {"name": split, "num_bytes": part.data_bytes, "num_examples": part.rows}
            for split, part in sums.items()
        ],
        "download_size": sum(part.file_bytes for part in sums.values()),
        "dataset_size": sum(part.data_bytes for part in sums.values()),
    }


def _next_version(out: Path) -> str:
    before = release_facts(out) or {}
    number = str(before.get("version", "0"))
    return str(int(number) + 1) if number.isdigit() else f"{number}-next"
