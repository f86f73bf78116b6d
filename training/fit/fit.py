"""Trains one network on one arm with one seed."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

import numpy as np
from lightning.pytorch import seed_everything
from numpy.typing import NDArray

from pipeline.domain.arms import Arm
from pipeline.domain.studies import Network
from pipeline.errors import InvalidRequest
from training.data.arm_data import ArmData
from training.data.datamodule import ArmDataModule
from training.data.release import Release
from training.fit.classifier import Classifier, Diverged, Point
from training.fit.devices import fit_on_devices
from training.fit.disk import SMALL_FILES, checkpoint_bytes, refuse_full_disk
from training.fit.features import FeatureCache
from training.fit.interrupt import exit_as_interrupt
from training.fit.networks import build_network
from training.fit.options import Augmentation, TrainingOptions
from training.fit.prediction import ExtraPredictions, extra_predictions
from training.fit.probe import ProbeDataModule
from training.fit.scores import accuracy, balanced_accuracy, recall_per_class
from training.fit.trainer import build_trainer, interval_of, last_checkpoint, quiet_lightning


class DivergedRun(InvalidRequest):
    """The loss of a run is no longer finite; the sentence names the run and what helps."""


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
    on_point: Callable[[Point], None] | None = None,
) -> RunRecord:
    """Train one arm and test it; the same arguments give the same record on the same machine.

    Args:
        cache: the features of the linear probe, shared by the runs of a study.
        extra_images: (M, S, S, 3) that the trained network classifies, too.
        checkpoints: folder for `checkpoint.ckpt`, written about ten times per run; an existing one is resumed.
        on_point: called with every point of the training curve.

    Raises:
        DivergedRun: the loss is no longer finite.
        InvalidRequest: the checkpoint cannot be written, or would not fit on the disk.
        KeyboardInterrupt: stopped by the user.
    """
    started, cache = time.perf_counter(), cache or FeatureCache()
    seed_everything(seed, workers=True, verbose=False)
    network = build_network(options.network, len(release.classes), side_px=options.image_size)
    if checkpoints:
        refuse_full_disk(checkpoints, SMALL_FILES + checkpoint_bytes(network))
    module = Classifier(network, len(release.classes), options, on_point=on_point)
    batches = _batches(release, data, options, seed=seed, cache=cache)
    with _refusing_divergence(data.arm, seed, options):
        _train(module, batches, seed=seed, checkpoints=checkpoints)
    record = _record(release, data.arm, seed, module, seconds=time.perf_counter() - started)
    if extra_images is None:
        return record
    return replace(record, extra=extra_predictions(network, options.network, extra_images, cache))


def _train(module: Classifier, batches: ArmDataModule, *, seed: int, checkpoints: Path | None) -> None:
    if module.options.devices > 1:
        fit_on_devices(module, batches, seed=seed, checkpoints=checkpoints)
        return
    with quiet_lightning(), exit_as_interrupt():
        trainer = build_trainer(module.options, checkpoints)
        trainer.fit(module, datamodule=batches, ckpt_path=last_checkpoint(checkpoints))


@contextmanager
def _refusing_divergence(arm: Arm, seed: int, options: TrainingOptions) -> Iterator[None]:
    """Say which run diverged, and what helps."""
    try:
        yield
    except Diverged as error:
        raise DivergedRun(
            f"the training of the arm '{arm}' with seed {seed} diverged: {error} of {options.steps}; "
            f"choose a lower --lr than {options.lr:g} and another folder with --out; finished runs are kept"
        ) from error


def _batches(
    release: Release,
    data: ArmData,
    options: TrainingOptions,
    *,
    seed: int,
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
        interval=interval_of(options),
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
