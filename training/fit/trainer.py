"""Lightning's trainer as every run uses it, and its checkpoint."""

from __future__ import annotations

import io
import logging
import math
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import torch
from lightning.fabric.plugins import TorchCheckpointIO
from lightning.pytorch import Trainer
from lightning.pytorch.callbacks import ModelCheckpoint

from training.fit.classifier import Point
from training.fit.networks import precision_for
from training.fit.options import TrainingOptions
from training.fit.run_folder import whole_file

_CHECKPOINT = "checkpoint"


def interval_of(options: TrainingOptions) -> int:
    """Return the steps between two points of the training curve, which are an epoch of the trainer."""
    return math.ceil(options.steps / options.curve_points)


def checkpoint_path(folder: Path) -> Path:
    """Return where a run keeps its weights."""
    return folder / f"{_CHECKPOINT}.ckpt"


def last_checkpoint(checkpoints: Path | None) -> Path | None:
    """Return the checkpoint from which a run resumes; None where there is none."""
    path = checkpoint_path(checkpoints) if checkpoints else None
    return path if path and path.is_file() else None


def curve_so_far(checkpoints: Path) -> list[Point]:
    """Read the training curve up to the last checkpoint; empty where there is none."""
    path = last_checkpoint(checkpoints)
    if path is None:
        return []
    state = torch.load(path, map_location="cpu", weights_only=True)
    return [Point(**point) for point in state["curve"]]


def build_trainer(options: TrainingOptions, checkpoints: Path | None) -> Trainer:
    """Build the trainer of one run.

    Args:
        checkpoints: folder for `checkpoint.ckpt`, written at every point of the curve; None writes none.
    """
    keep_last = ModelCheckpoint(
        dirpath=checkpoints, filename=_CHECKPOINT, enable_version_counter=False, save_on_train_epoch_end=True
    )
    return Trainer(
        max_epochs=math.ceil(options.steps / interval_of(options)),
        precision=precision_for(options.network),
        devices=options.devices,
        strategy="ddp" if options.devices > 1 else "auto",
        use_distributed_sampler=False,  # every process takes its part of each batch, see `ArmDataModule`
        deterministic="warn"
        if torch.cuda.is_available()
        else None,  # a CPU is anyway, and checking costs time
        reload_dataloaders_every_n_epochs=1,
        num_sanity_val_steps=0,
        callbacks=[keep_last] if checkpoints else [],
        plugins=[_WholeCheckpoints()],
        enable_checkpointing=checkpoints is not None,
        default_root_dir=checkpoints,
        logger=False,
        enable_progress_bar=False,
        enable_model_summary=False,
    )


class _WholeCheckpoints(TorchCheckpointIO):
    """Writes a checkpoint whole or not at all, also on a full disk, where Lightning leaves half of it."""

    def save_checkpoint(
        self, checkpoint: dict[str, Any], path: str | Path, storage_options: object = None
    ) -> None:
        """Write a checkpoint.

        Raises:
            InvalidRequest: it cannot be written; the last one is kept.
        """
        memory = io.BytesIO()  # torch would hide why a file cannot be written
        torch.save(checkpoint, memory)
        with whole_file(Path(path)) as file:
            file.write(memory.getbuffer())


@contextmanager
def quiet_lightning() -> Iterator[None]:
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
