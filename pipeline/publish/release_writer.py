"""Write a release as a folder that `datasets.load_dataset` reads without the library."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from pipeline.domain.release import MethodYield, Subset
from pipeline.errors import ReleaseRefused
from pipeline.publish.atomic_folder import fresh_folder, refuse_foreign
from pipeline.publish.card_merging import merged
from pipeline.publish.contents import ReleaseContents, release_contents
from pipeline.publish.counts_plot import PLOT_NAME, write_plot
from pipeline.publish.credits import published_model
from pipeline.publish.example_grid import GRID_NAME, write_grid
from pipeline.publish.features import release_features, stored_distractors, stored_row, stored_schema
from pipeline.publish.front_matter import DatasetInfo, SplitInfo, configs_of, subsets_of
from pipeline.publish.previous_release import (
    CARD_NAME,
    CHANGELOG_NAME,
    PreviousRelease,
    changelog,
    previous_release,
    refuse_missing_classes,
)
from pipeline.publish.release_card import NO_ADDRESS, CardDetails, Study, card
from pipeline.publish.release_facts import ReleaseFacts, write_facts
from pipeline.publish.release_source import ReleaseSource
from pipeline.publish.row_index import INDEX_NAME, IndexWriter, RowChanges, read_index, row_changes
from pipeline.publish.shards import SHARD_BYTES, Shard, ShardWriter

if TYPE_CHECKING:
    from datasets import Features

_FIRST_DISTRACTORS = (
    "the first image with distractors was accepted while the release was written; publish again"
)
Progress = Callable[[int, int], None]  # images written, images in total


@dataclass(frozen=True, slots=True, kw_only=True)
class ReleaseOptions:
    """What a release holds besides the photos and the accepted samples."""

    rejected: bool = False  # add a configuration of the rejected samples with their reasons
    classes_changed: bool = False  # classes of the previous release may be missing
    study: Study | None = None  # a verdict for the card
    shard_bytes: int = SHARD_BYTES  # of images in one parquet file, about


@dataclass(frozen=True, slots=True, kw_only=True)
class ReleaseReport:
    """What was written."""

    path: Path
    name: str
    version: str
    classes: tuple[str, ...]
    counts: Mapping[str, Mapping[str, int]]  # configuration → split → images
    file_bytes: int
    before: str  # version of the previous release, "" for none
    changes: RowChanges  # since then
    changed: bool  # False: it equals the previous release and has its version


@dataclass(frozen=True, slots=True)
class _WrittenSplit:
    """One split of one subset on disk."""

    rows: int
    data_bytes: int
    shards: tuple[Shard, ...]

    @property
    def file_bytes(self) -> int:
        return sum(shard.file_bytes for shard in self.shards)


@dataclass(frozen=True, slots=True, kw_only=True)
class _WrittenData:
    """The parquet files of a release."""

    contents: ReleaseContents  # counted while writing: people go on deciding meanwhile
    features: Mapping[Subset, Features]
    splits: Mapping[tuple[Subset, str], _WrittenSplit]

    @property
    def file_bytes(self) -> int:
        return sum(split.file_bytes for split in self.splits.values())

    def counts(self) -> dict[str, dict[str, int]]:
        """Configuration → split → images."""
        return {
            config: {
                split: sum(written.rows for written in self.of(config, split))
                for split in self.contents.splits
            }
            for config in configs_of(self.contents)
        }

    def of(self, config: str, split: str) -> list[_WrittenSplit]:
        """What a configuration is made of in one split."""
        return [self.splits[subset, split] for subset in subsets_of(config)]

    def dataset_info(self, config: str) -> DatasetInfo:
        """What the YAML of a card says of a configuration, as `datasets` writes it."""
        subsets = subsets_of(config)
        written = {split: self.of(config, split) for split in self.contents.splits_of(subsets)}
        splits: list[SplitInfo] = [
            {
                "name": name,
                "num_bytes": sum(split.data_bytes for split in parts),
                "num_examples": sum(split.rows for split in parts),
            }
            for name, parts in written.items()
        ]
        return {
            "config_name": config,
            "features": self.features[subsets[0]]._to_yaml_list(),
            "splits": splits,
            "download_size": sum(split.file_bytes for parts in written.values() for split in parts),
            "dataset_size": sum(split["num_bytes"] for split in splits),
        }


def write_release(
    source: ReleaseSource,
    out: Path,
    *,
    name: str,
    options: ReleaseOptions | None = None,
    before: PreviousRelease | None = None,
    address: str | None = None,
    on_progress: Progress | None = None,
) -> ReleaseReport:
    """Write all photos and everything that is accepted as a dataset with several configurations.

    Args:
        source: the library.
        out: a new or empty folder, or an earlier release, which is replaced once the new one is complete.
        name: the title of the card.
        options: what else the release holds.
        before: the release that this one follows; by default the one in `out`.
        address: where the release will be loaded from, for the card.
        on_progress: called after each image.

    Raises:
        ReleaseRefused: there is nothing to release, a class of the previous release is missing, `out` holds other
            files, its card is broken, or the disk is full. `out` is unchanged.
    """
    options = options or ReleaseOptions()
    refuse_foreign(out)
    previous = previous_release(out) if before is None else before
    contents = release_contents(source, rejected=options.rejected, previous_labels=previous.classes)
    refuse_missing_classes(previous, contents.labels, may_change=options.classes_changed)
    with fresh_folder(out) as folder:
        data = _write_data(source, contents, folder, on_progress, options.shard_bytes)
        write_grid(source, data.contents, folder)
        write_plot(data.contents, folder)
        texts = _Texts(
            data=data, yields=_published_yields(source), previous=previous, name=name, study=options.study,
            address=address, out=out,
        )  # fmt: skip
        return texts.write(folder)


def _published_yields(source: ReleaseSource) -> tuple[MethodYield, ...]:
    """Return what came of the samples of each method, models by the names that other people may read."""
    return tuple(replace(method, model=published_model(method.model)) for method in source.releases.yields())


def _write_data(
    source: ReleaseSource,
    contents: ReleaseContents,
    folder: Path,
    on_progress: Progress | None,
    shard_bytes: int,
) -> _WrittenData:
    """Write the parquet files and the index, and count what went into them."""
    numbers = {label: number for number, label in enumerate(contents.labels)}
    total, done = sum(contents.total(subset) for subset in contents.subsets), 0
    distractors = contents.with_distractors > 0
    features = {
        subset: release_features(contents.labels, subset, distractors=distractors)
        for subset in contents.subsets
    }
    splits: dict[tuple[Subset, str], _WrittenSplit] = {}
    counted = contents.emptied()
    with IndexWriter(folder / INDEX_NAME) as index:
        for subset in contents.subsets:
            schema = stored_schema(features[subset])
            for split in contents.splits:
                with ShardWriter(folder / "data" / subset, split, schema, shard_bytes) as writer:
                    for row in source.releases.rows(subset, split=split):
                        stored = stored_row(source, subset, row, numbers)
                        if distractors:
                            stored["distractors"] = stored_distractors(row)
                        elif row.distractors:
                            raise ReleaseRefused(_FIRST_DISTRACTORS)
                        writer.add(stored, place=row.place)
                        index.add(subset, row)
                        counted.count(subset, row)
                        done += 1
                        if on_progress:
                            on_progress(done, total)
                splits[subset, split] = _WrittenSplit(writer.rows, writer.data_bytes, tuple(writer.shards))
    return _WrittenData(contents=counted, features=features, splits=splits)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Texts:
    """Card, changelog and release.json of a release whose data is written."""

    data: _WrittenData
    yields: tuple[MethodYield, ...]
    previous: PreviousRelease
    name: str
    study: Study | None
    address: str | None
    out: Path

    def write(self, folder: Path) -> ReleaseReport:
        """Write the texts. A release that equals the previous one keeps its version and date."""
        previous, contents = self.previous, self.data.contents
        files = _hashes(folder, self.data)
        changes = row_changes(previous.rows, read_index(folder / INDEX_NAME))
        index = files[INDEX_NAME]
        changed = files != dict(previous.files) or self._card(previous.version, index) != previous.card
        version, created, log = previous.version, previous.created_at, previous.changelog
        if changed:
            version, created = previous.next_version, datetime.now(UTC).isoformat(timespec="seconds")
            totals = ", ".join(f"{contents.total(subset):,} {subset}" for subset in contents.subsets)
            log = changelog(previous, version, date=created[:10], changes=changes, contents=totals)
        counts = self.data.counts()
        (folder / CARD_NAME).write_text(self._card(version, index), encoding="utf-8")
        (folder / CHANGELOG_NAME).write_text(log, encoding="utf-8")
        facts = ReleaseFacts(
            name=self.name, version=version, created_at=created, classes=contents.labels, counts=counts,
            contexts=contents.contexts, yields=self.yields, files=files,
        )  # fmt: skip
        write_facts(folder, facts)
        return ReleaseReport(
            path=self.out, name=self.name, version=version, classes=contents.labels, counts=counts,
            file_bytes=self.data.file_bytes, before=previous.version, changes=changes, changed=changed,
        )  # fmt: skip

    def _card(self, version: str, index: str) -> str:
        """Return the card as it is with a version, merged into the previous one."""
        contents = self.data.contents
        details = CardDetails(
            name=self.name,
            version=version,
            address=self.address or NO_ADDRESS,
            study=self.study,
            index=index,
            with_images=True,
            dataset_info=tuple(self.data.dataset_info(config) for config in configs_of(contents)),
        )
        return merged(card(contents, details), self.previous.card, where=self.address or str(self.out))


def _hashes(folder: Path, data: _WrittenData) -> dict[str, str]:
    """Path in the release → SHA-256, of all files except the texts."""
    shards = {
        shard.path.relative_to(folder).as_posix(): shard.sha256
        for split in data.splits.values()
        for shard in split.shards
    }
    others = (INDEX_NAME, GRID_NAME, PLOT_NAME)
    return shards | {name: hashlib.sha256((folder / name).read_bytes()).hexdigest() for name in others}
