"""Trains one network on one arm with one seed."""

from __future__ import annotations

import logging
import math
import time
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

import numpy as np
import torch
from lightning.pytorch import Trainer, seed_everything
from lightning.pytorch.callbacks import ModelCheckpoint
from numpy.typing import NDArray

from pipeline.domain.arms import Arm
from pipeline.domain.studies import Network
from training.data.arm_data import ArmData
from training.data.datamodule import ArmDataModule
from training.data.release import Release
from training.fit.classifier import Classifier, Point
from training.fit.features import FeatureCache
from training.fit.interrupt import exit_as_interrupt
from training.fit.networks import build_network, precision_for
from training.fit.options import Augmentation, TrainingOptions
from training.fit.prediction import ExtraPredictions, extra_predictions
from training.fit.probe import ProbeDataModule
from training.fit.scores import accuracy, balanced_accuracy, recall_per_class

CURVE_POINTS = 10  # of a training curve
_CHECKPOINT = "checkpoint"


@dataclass(frozen=True, slots=True, kw_only=True)
class RunRecord:
    """What one run reached on the test photos after its last step.

    Never at its best step, which would be chosen with the test set.
    """

    arm: Arm
    seed: int
    accuracy: float
    balanced_accuracy: float
    per_class: dict[str, float]  # recall by class
    confusion: list[list[int]]  # (C, C): rows true, columns predicted
    curve: list[Point]
    seconds: float  # training and testing
    probabilities: NDArray[np.float32]  # (N, C): of every class for every test photo
    extra: ExtraPredictions | None = (
        None  # for further images; None where there were none, and in earlier runs
    )

    def correct(self, labels: NDArray[np.int64]) -> NDArray[np.bool_]:
        """Tell which of the N test photos were classified correctly; `labels` is (N,)."""
        return np.asarray(self.probabilities.argmax(axis=1) == labels)


def fit(
    release: Release,
    data: ArmData,
    options: TrainingOptions,
    *,
    seed: int,
    checkpoints: Path | None = None,
    cache: FeatureCache | None = None,
    extra_images: NDArray[np.uint8] | None = None,
    curve_points: int = CURVE_POINTS,
    on_point: Callable[[Point], None] | None = None,
) -> RunRecord:
    """Train one arm and test it; the same arguments give the same record on the same machine.

    Args:
        cache: the features of the linear probe, shared by the runs of a study.
        extra_images: (M, S, S, 3) that the trained network classifies, too.
        checkpoints: folder for `checkpoint.ckpt`, written about ten times per run; an existing one is resumed.
        curve_points: how often the network is tested, evenly over the steps; the last time after the last step.
        on_point: called with every point of the training curve.

    Raises:
        KeyboardInterrupt: stopped by the user.
    """
    started, cache = time.perf_counter(), cache or FeatureCache()
    interval = math.ceil(options.steps / curve_points)
    seed_everything(seed, workers=True, verbose=False)
    with _quiet():
        network = build_network(options.network, len(release.classes), side_px=options.image_size)
        module = Classifier(network, len(release.classes), options, on_point=on_point)
        batches = _batches(release, data, options, seed=seed, interval=interval, cache=cache)
        trainer = _trainer(options, interval, checkpoints)
        checkpoint = _last_checkpoint(checkpoints)
        with exit_as_interrupt():
            trainer.fit(module, datamodule=batches, ckpt_path=checkpoint)
    record = _record(release, data.arm, seed, module, seconds=time.perf_counter() - started)
    if extra_images is None:
        return record
    return replace(record, extra=extra_predictions(network, options.network, extra_images, cache))


def _batches(
    release: Release,
    data: ArmData,
    options: TrainingOptions,
    *,
    seed: int,
    interval: int,
    cache: FeatureCache,
) -> ArmDataModule:
    build: Callable[..., ArmDataModule] = ArmDataModule
    if options.network is Network.PROBE:
        build = partial(ProbeDataModule, cache=cache)
    return build(
        data,
        release.test,
        steps=options.steps,
        batch_size=options.batch,
        seed=seed,
        interval=interval,
        strong=options.augmentation is Augmentation.STRONG,
    )


def _record(release: Release, arm: Arm, seed: int, module: Classifier, *, seconds: float) -> RunRecord:
    return RunRecord(
        arm=arm,
        seed=seed,
        accuracy=accuracy(module.confusion),
        balanced_accuracy=balanced_accuracy(module.confusion),
        per_class=recall_per_class(module.confusion, release.classes),
        confusion=module.confusion,
        curve=module.curve,
        seconds=round(seconds, 2),
        probabilities=module.probabilities,
    )


def checkpoint_path(folder: Path) -> Path:
    """Return where `fit` keeps its weights."""
    return folder / f"{_CHECKPOINT}.ckpt"


def _trainer(options: TrainingOptions, interval: int, checkpoints: Path | None) -> Trainer:
    keep_last = ModelCheckpoint(
        dirpath=checkpoints, filename=_CHECKPOINT, enable_version_counter=False, save_on_train_epoch_end=True
    )
    return Trainer(
        max_epochs=math.ceil(options.steps / interval),  # an epoch is an interval of the training curve
        precision=precision_for(options.network),
        devices=1,
        deterministic="warn"
        if torch.cuda.is_available()
        else None,  # a CPU is anyway, and checking costs time
        reload_dataloaders_every_n_epochs=1,
        num_sanity_val_steps=0,
        callbacks=[keep_last] if checkpoints else [],
        enable_checkpointing=checkpoints is not None,
        default_root_dir=checkpoints,
        logger=False,
        enable_progress_bar=False,
        enable_model_summary=False,
    )


def _last_checkpoint(checkpoints: Path | None) -> Path | None:
    path = checkpoint_path(checkpoints) if checkpoints else None
    return path if path and path.is_file() else None


@contextmanager
def _quiet() -> Iterator[None]:
    """Silence Lightning's tips and its advice on workers: this package shows its own progress."""
    loggers = [logging.getLogger(name) for name in ("lightning.pytorch", "lightning.fabric")]
    levels = [logger.level for logger in loggers]
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", module=r"lightning\..*")
        warnings.filterwarnings("ignore", message=r".*(num_workers|lr_scheduler\.step|deterministic).*")
        for logger in loggers:
            logger.setLevel(logging.ERROR)
        try:
            yield
        finally:
            for logger, level in zip(loggers, levels, strict=True):
                logger.setLevel(level)
