"""Refuses a study, before it starts, whose files would not fit on the disk."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from pipeline.domain.studies import Network
from training.data.arm_data import ArmData
from training.data.release import Release
from training.fit.disk import SMALL_FILES, feature_bytes, refuse_full_disk
from training.fit.options import Augmentation
from training.study.options import StudyOptions

_CURVE_BYTES = 4096  # of a run's JSON file and its lines of progress.jsonl


def refuse_full_disks(release: Release, arms: Sequence[ArmData], options: StudyOptions, out: Path) -> None:
    """Make sure that a study's runs, features and reports have space.

    Args:
        arms: those that are trained.
        out: the study's folder.

    Raises:
        InvalidRequest: the disk of one of the folders has too little.
    """
    run = 4 * len(release.test) * len(release.classes) + _CURVE_BYTES
    runs = len(arms) * (len(options.seeds) + (options.tuning + len(options.seeds) if options.tuning else 0))
    needed = {out: SMALL_FILES + run * runs}
    if options.training.network is Network.PROBE:
        folder = options.features or out
        strong = options.training.augmentation is Augmentation.STRONG
        needed[folder] = needed.get(folder, 0) + feature_bytes(folder, release, arms, strong=strong)
    for folder, count in needed.items():
        refuse_full_disk(folder, count)
