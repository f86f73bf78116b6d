"""The YAML front matter of a release's card, as the Hub and `datasets` read it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NotRequired, TypedDict

from pipeline.domain.release import Subset
from pipeline.publish.contents import ReleaseContents

MIXED = "mixed"  # real and synthetic; what load_dataset loads without a name
_TASKS = ["image-classification", "object-detection", "image-segmentation"]
_SIZES = ((1_000, "n<1K"), (10_000, "1K<n<10K"), (100_000, "10K<n<100K"), (1_000_000, "100K<n<1M"))


class SplitInfo(TypedDict):
    """The size of a split."""

    name: str
    num_bytes: int
    num_examples: int


class DatasetInfo(TypedDict):
    """Columns and sizes of a configuration, as `datasets` writes them."""

    config_name: str
    features: list[dict[str, object]]
    splits: list[SplitInfo]
    download_size: int
    dataset_size: int


class DataFiles(TypedDict):
    """The files of a split."""

    split: str
    path: list[str]


class Config(TypedDict):
    """A configuration and its files."""

    config_name: str
    data_files: list[DataFiles]
    default: NotRequired[bool]


def configs_of(contents: ReleaseContents) -> tuple[str, ...]:
    """Return the configurations of a release; the first is the default."""
    return (MIXED, *(str(subset) for subset in contents.subsets))


def subsets_of(config: str) -> tuple[Subset, ...]:
    """Return the subsets that a configuration is made of."""
    return (Subset.REAL, Subset.SYNTHETIC) if config == MIXED else (Subset(config),)


def front_matter(contents: ReleaseContents, name: str, dataset_info: Sequence[DatasetInfo]) -> str:
    """Return the YAML between the two fences.

    Args:
        contents: what the release holds.
        name: its title.
        dataset_info: of each configuration; empty before the files are written.
    """
    from huggingface_hub import DatasetCardData  # slow to import

    total = sum(contents.total(subset) for subset in subsets_of(MIXED))
    data = DatasetCardData(
        pretty_name=name,
        task_categories=_TASKS,
        size_categories=[next((size for limit, size in _SIZES if total < limit), "1M<n<10M")],
        tags=_tags(contents),
        configs=[_config(config, contents) for config in configs_of(contents)],
        dataset_info=list(dataset_info) or None,  # None is left out
    )
    return data.to_yaml(line_break="\n")


def _config(config: str, contents: ReleaseContents) -> Config:
    """`mixed` reads the files of the other two, so that no image is stored twice."""
    subsets = subsets_of(config)
    files: list[DataFiles] = [
        {"split": split, "path": [f"data/{subset}/{split}-*.parquet" for subset in subsets]}
        for split in contents.splits_of(subsets)
    ]
    entry: Config = {"config_name": config, "data_files": files}
    if config == MIXED:
        entry["default"] = True
    return entry


def _tags(contents: ReleaseContents) -> list[str]:
    if not contents.total(Subset.SYNTHETIC):
        return ["backlot"]
    return ["backlot", "synthetic", "stable-diffusion-xl", "data-augmentation"]
