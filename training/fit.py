"""Trains one network on one arm with one seed."""

from __future__ import annotations

import logging
import math
import time
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import lightning
import torch
from lightning.pytorch.callbacks import ModelCheckpoint

from training.arms import Arm, ArmData
from training.classifier import Classifier, Point
from training.datamodule import ArmDataModule
from training.interrupt import told_as_interrupt
from training.networks import build_network, precision_for
from training.options import TrainingOptions
from training.release import Release
from training.scores import accuracy, balanced_accuracy, per_class

POINTS = 10  # of a learning curve
_CHECKPOINT = "checkpoint"


@dataclass(frozen=True, slots=True, kw_only=True)
class RunRecord:
    """What one run reached on the test photographs after its last step.

    Never its best step: that one would be chosen with the test set.
    """

    arm: Arm
    seed: int
    accuracy: float
    balanced_accuracy: float
    per_class: dict[str, float]  # recall by class
    confusion: list[list[int]]  # (C, C): rows true, columns answered
    curve: list[Point]
    seconds: float  # training and looking at the test photographs

    def to_json(self) -> dict[str, Any]:
        """Plain values."""
        return {**asdict(self), "arm": str(self.arm)}

    @classmethod
    def from_json(cls, fields: dict[str, Any]) -> RunRecord:
        """The record that `to_json` gave."""
        return cls(
            **{**fields, "arm": Arm(fields["arm"]), "curve": [Point(**point) for point in fields["curve"]]}
        )


def fit(
    release: Release,
    data: ArmData,
    options: TrainingOptions,
    *,
    seed: int,
    checkpoints: Path | None = None,
    on_point: Callable[[Point], None] | None = None,
) -> RunRecord:
    """Train one arm from nothing and test it; the same arguments give the same record on the same machine.

    Args:
        checkpoints: folder for `checkpoint.ckpt`, written about ten times a run; one found there is resumed.
        on_point: told every point of the learning curve.

    Raises:
        KeyboardInterrupt: stopped by the person.
    """
    started = time.perf_counter()
    interval = math.ceil(options.steps / POINTS)
    lightning.seed_everything(seed, workers=True, verbose=False)
    with _quiet():
        network = build_network(options.network, len(release.classes))
        module = Classifier(network, len(release.classes), options, on_point=on_point)
        feed = ArmDataModule(data, release.test, options, seed=seed, interval=interval)
        trainer = _trainer(options, interval, checkpoints)
        resumed = _last_checkpoint(checkpoints)
        with told_as_interrupt():
            trainer.fit(module, datamodule=feed, ckpt_path=str(resumed) if resumed else None)
    return RunRecord(
        arm=data.arm,
        seed=seed,
        accuracy=accuracy(module.confusion),
        balanced_accuracy=balanced_accuracy(module.confusion),
        per_class=per_class(module.confusion, release.classes),
        confusion=module.confusion,
        curve=module.curve,
        seconds=round(time.perf_counter() - started, 2),
    )


def load_weights(checkpoint: Path, options: TrainingOptions, classes: int) -> Classifier:
    """The classifier of a checkpoint that `fit` wrote, ready to answer: `classifier(images).argmax(1)`."""
    module = Classifier(build_network(options.network, classes), classes, options)
    module.load_state_dict(torch.load(checkpoint, map_location="cpu", weights_only=True)["state_dict"])
    return module.eval()


def checkpoint_path(folder: Path) -> Path:
    """Where `fit` keeps its weights."""
    return folder / f"{_CHECKPOINT}.ckpt"


def _trainer(options: TrainingOptions, interval: int, checkpoints: Path | None) -> lightning.Trainer:
    keeping = ModelCheckpoint(
        dirpath=checkpoints, filename=_CHECKPOINT, enable_version_counter=False, save_on_train_epoch_end=True
    )
    return lightning.Trainer(
        max_epochs=math.ceil(options.steps / interval),  # an epoch is an interval of the curve
        precision=precision_for(options.network),
        devices=1,
        deterministic="warn" if torch.cuda.is_available() else None,  # the CPU is, and checking it costs time
        reload_dataloaders_every_n_epochs=1,
        num_sanity_val_steps=0,
        callbacks=[keeping] if checkpoints else [],
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
    """Lightning's tips and its advice on workers are for its authors; the person sees our own progress."""
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
