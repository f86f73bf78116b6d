"""A release as a folder that `datasets.load_dataset` reads, with no need of the library any more."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pipeline.domain.release import Subset
from pipeline.publish.card import Study, card, configs_of, parts_of
from pipeline.publish.features import release_features, release_record, stored_schema
from pipeline.publish.folders import fresh_folder, refuse_foreign, write_facts
from pipeline.publish.grid import GRID_NAME, write_grid
from pipeline.publish.history import (
    CARD_NAME,
    CHANGELOG_NAME,
    Earlier,
    changelog,
    earlier_release,
    refuse_other_classes,
)
from pipeline.publish.index import INDEX_NAME, IndexWriter, RowChanges, read_index, row_changes
from pipeline.publish.merging import merged
from pipeline.publish.plot import PLOT_NAME, write_plot
from pipeline.publish.shards import SHARD_BYTES, Shard, ShardWriter
from pipeline.publish.source import ReleaseSource, Survey, survey

if TYPE_CHECKING:
    from datasets import Features

Progress = Callable[[int, int], None]  # pictures written, pictures in all


@dataclass(frozen=True, slots=True, kw_only=True)
class ReleaseOptions:
    """What a release holds besides the photos and the accepted samples."""

    rejected: bool = False  # a configuration of its own for the rejected samples, with their reasons
    classes_changed: bool = False  # classes of the release before may be missing
    study: Study | None = None  # a verdict for the card
    shard_bytes: int = SHARD_BYTES  # of pictures in one parquet file, about


@dataclass(frozen=True, slots=True, kw_only=True)
class ReleaseReport:
    """What was written."""

    path: Path
    name: str
    version: str
    classes: tuple[str, ...]
    counts: Mapping[str, Mapping[str, int]]  # configuration → split → pictures
    file_bytes: int
    before: str  # version of the release before, "" for none
    changes: RowChanges  # since then
    changed: bool  # False: it is the release before, with the same version


@dataclass(frozen=True, slots=True)
class _Written:
    """One part and split on disk."""

    rows: int
    data_bytes: int
    shards: tuple[Shard, ...]

    @property
    def file_bytes(self) -> int:
        return sum(shard.file_bytes for shard in self.shards)


_Parts = Mapping[tuple[Subset, str], _Written]


def write_release(
    source: ReleaseSource,
    out: Path,
    *,
    name: str,
    options: ReleaseOptions | None = None,
    before: Earlier | None = None,
    address: str | None = None,
    on_progress: Progress | None = None,
) -> ReleaseReport:
    """Write everything that is accepted, and all photos, as a dataset with several configurations.

    Args:
        source: the library.
        out: a new or empty folder, or a release of ours, which is replaced once the new one is complete.
        name: what the card calls it.
        options: what else it holds.
        before: the release that this one follows; by default the one in `out`.
        address: where it will be loaded from, for the card.
        on_progress: called after each picture.

    Raises:
        ReleaseRefused: nothing to release, a class of the release before is gone, `out` holds other files, its card is
            broken, or the disk is full. `out` is as it was.
    """
    options = options or ReleaseOptions()
    refuse_foreign(out)
    before = earlier_release(out) if before is None else before
    found = survey(source, rejected=options.rejected, known=before.classes)
    refuse_other_classes(before, found.labels, may_change=options.classes_changed)
    with fresh_folder(out) as folder:
        features = {part: release_features(found.labels, part) for part in found.parts}
        written, found = _write_parts(source, found, folder, features, on_progress, options.shard_bytes)
        write_grid(source, found, folder)
        write_plot(found, folder)
        files = _hashes(folder, written)
        changes = row_changes(dict(before.rows), read_index(folder / INDEX_NAME))

        def text(version: str) -> str:
            info = [_dataset_info(config, found, features, written) for config in configs_of(found)]
            place = address or "FOLDER_OR_HUB_NAME"
            ours = card(
                found, name=name, version=version, dataset_info=info, pictures=True, study=options.study,
                index=files[INDEX_NAME], address=place
            )  # fmt: skip
            return merged(ours, before.card, where=address or str(out))

        changed = files != dict(before.files) or text(before.version) != before.card
        version = before.next_version if changed else before.version
        created = datetime.now(UTC).isoformat(timespec="seconds") if changed else before.created_at
        log = before.changelog
        if changed:
            said = ", ".join(f"{found.total(part):,} {part}" for part in found.parts)
            log = changelog(before, version, date=created[:10], changes=changes, said=said)
        (folder / CARD_NAME).write_text(text(version), encoding="utf-8")
        (folder / CHANGELOG_NAME).write_text(log, encoding="utf-8")
        counts = {
            config: {split: _rows(written, config, split) for split in found.splits}
            for config in configs_of(found)
        }
        facts = {"name": name, "version": version, "created_at": created, "classes": list(found.labels)}
        write_facts(folder, {**facts, "counts": counts, "files": files})
    return ReleaseReport(
        path=out,
        name=name,
        version=version,
        classes=found.labels,
        counts=counts,
        file_bytes=sum(part.file_bytes for part in written.values()),
        before=before.version,
        changes=changes,
        changed=changed,
    )


def _write_parts(
    source: ReleaseSource,
    found: Survey,
    folder: Path,
    features: Mapping[Subset, Features],
    on_progress: Progress | None,
    shard_bytes: int,
) -> tuple[_Parts, Survey]:
    """Write the data; what was written, and counted: people go on deciding meanwhile."""
    numbers = {label: number for number, label in enumerate(found.labels)}
    total, done = sum(found.total(part) for part in found.parts), 0
    written = {}
    seen = found.emptied()
    with IndexWriter(folder / INDEX_NAME) as index:
        for part in found.parts:
            schema = stored_schema(features[part])
            for split in found.splits:
                with ShardWriter(folder / "data" / part, split, schema, shard_bytes) as writer:
                    for row in source.releases.rows(part, split=split):
                        writer.add(release_record(source, part, row, numbers), place=row.place)
                        index.add(part, row)
                        seen.count(part, row)
                        done += 1
                        if on_progress:
                            on_progress(done, total)
                written[part, split] = _Written(writer.rows, writer.data_bytes, tuple(writer.shards))
    return written, seen


def _hashes(folder: Path, written: _Parts) -> dict[str, str]:
    """Path in the release → SHA-256, of all files but the texts."""
    shards = {
        shard.path.relative_to(folder).as_posix(): shard.sha256
        for part in written.values()
        for shard in part.shards
    }
    others = (INDEX_NAME, GRID_NAME, PLOT_NAME)
    return shards | {name: hashlib.sha256((folder / name).read_bytes()).hexdigest() for name in others}


def _of(written: _Parts, config: str, split: str) -> list[_Written]:
    return [written[part, split] for part in parts_of(config)]


def _rows(written: _Parts, config: str, split: str) -> int:
    return sum(part.rows for part in _of(written, config, split))


def _dataset_info(
    config: str, found: Survey, features: Mapping[Subset, Features], written: _Parts
) -> dict[str, Any]:
    """What a card's YAML says of a configuration, as `datasets` writes it."""
    splits = found.splits_of(parts_of(config))
    sums = {
        split: (sum(one.data_bytes for one in parts), sum(one.file_bytes for one in parts))
        for split, parts in ((split, _of(written, config, split)) for split in splits)
    }
    return {
        "config_name": config,
        "features": features[parts_of(config)[0]]._to_yaml_list(),
        "splits": [
            {"name": split, "num_bytes": data_bytes, "num_examples": _rows(written, config, split)}
            for split, (data_bytes, _) in sums.items()
        ],
        "download_size": sum(file_bytes for _, file_bytes in sums.values()),
        "dataset_size": sum(data_bytes for data_bytes, _ in sums.values()),
    }
