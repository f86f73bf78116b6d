"""Refuses a run, before it starts, whose files would not fit on the disk."""

from __future__ import annotations

import shutil
from collections.abc import Iterable
from pathlib import Path

from torch import nn

from pipeline.embedding import FEATURES
from pipeline.errors import InvalidRequest
from training.data.arm_data import ArmData
from training.data.release import Release
from training.fit.features import View

SMALL_FILES = 4 * 2**20  # bytes: settings, curves, progress, reports
_MB = 1e6


def refuse_full_disk(folder: Path, needed: int) -> None:
    """Make sure that a folder can hold so many bytes more; it need not exist yet.

    Raises:
        InvalidRequest: its disk has less space.
    """
    nearest = next(place for place in (folder.absolute(), *folder.absolute().parents) if place.exists())
    free = shutil.disk_usage(nearest).free
    if free < needed:
        raise InvalidRequest(
            f"{folder} will need about {max(1, round(needed / _MB)):,} MB and {free / _MB:,.0f} MB are free on its "
            "disk; free some space or choose a folder on another disk"
        )


def checkpoint_bytes(network: nn.Module) -> int:
    """Estimate the space of checkpoints: the weights and two moments of AdamW, float32.

    The next checkpoint is written beside the last one, so there are two at a time.
    """
    return 2 * 3 * 4 * sum(weights.numel() for weights in network.parameters())


def feature_bytes(folder: Path, release: Release, arms: Iterable[ArmData], *, strong: bool) -> int:
    """Estimate the space of the probe's features that a folder does not hold yet.

    Args:
        folder: where `FeatureCache` keeps them.
        strong: whether all arms are augmented strongly.
    """
    counts = dict.fromkeys(View, 0)
    counts[View.PLAIN] = len(release.test) + len(release.real_train) + len(release.synthetic_train)
    for data in arms:
        view = View.STRONG if strong or data.arm.facts.strong_augmentation else View.LIGHT
        counts[view] = max(counts[view], len(data.images))
    values = sum(view.per_image * count * FEATURES for view, count in counts.items())
    kept = sum(file.stat().st_size for file in folder.glob("features-*.npz"))
    return max(0, 2 * values - kept)  # float16
