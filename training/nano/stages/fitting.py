"""Runs one stage: Lightning trainer, checkpoints, curves, learning rate, running average of the weights."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from datetime import timedelta
from pathlib import Path

import lightning
import numpy as np
import torch
from lightning.pytorch.callbacks import Callback, ModelCheckpoint
from lightning.pytorch.loggers import CSVLogger
from lightning.pytorch.utilities.types import OptimizerLRSchedulerConfig
from torch import nn
from torch.nn.attention import SDPBackend, sdpa_kernel
from torch.optim.lr_scheduler import LambdaLR
from torch.utils.data import DataLoader, Dataset

from pipeline.rendering.device import hardware
from training.fit.interrupt import exit_as_interrupt
from training.nano.config import StageOptions

Batch = dict[str, torch.Tensor]
Draw = Callable[[np.random.Generator], Mapping[str, object]]  # gives a batch for a generator


class StepBatches(Dataset[Mapping[str, object]]):
    """One item per step: a whole batch, drawn from a generator that is seeded with the step's number."""

    def __init__(self, draw: Draw, steps: int, salt: int) -> None:
        self.draw, self.steps, self.salt = draw, steps, salt

    def __len__(self) -> int:
        return self.steps

    def __getitem__(self, step: int) -> Mapping[str, object]:
        return self.draw(np.random.default_rng([self.salt, step]))


class Average(nn.Module):
    """Running average of the weights of networks; fast at the start, slow at the end."""

    def __init__(self, networks: Sequence[nn.Module], decay: float) -> None:
        super().__init__()
        self.decay, self.updates = decay, 0
        self._followed = [parameter for network in networks for parameter in network.parameters()]
        for index, parameter in enumerate(self._followed):
            self.register_buffer(f"p{index}", parameter.detach().clone())

    @torch.no_grad()
    def update(self) -> None:
        """Add the current weights to the average."""
        self.updates += 1
        weight = 1 - min(self.decay, (1 + self.updates) / (10 + self.updates))
        torch._foreach_lerp_(list(self.buffers()), [p.detach() for p in self._followed], weight)

    @torch.no_grad()
    def copy_to_networks(self) -> None:
        """Replace the weights of the networks by their averages."""
        for average, parameter in zip(self.buffers(), self._followed, strict=True):
            parameter.copy_(average)

    def get_extra_state(self) -> int:
        """Return the number of updates, for checkpoints."""
        return self.updates

    def set_extra_state(self, state: int) -> None:
        """Restore the number of updates."""
        self.updates = state


class Stage(lightning.LightningModule):
    """The base of all stages: AdamW, warm-up, cosine decay over the second half, running average."""

    average: Average

    def __init__(self, options: StageOptions) -> None:
        super().__init__()
        self.options = options

    def groups(self) -> list[dict[str, object]]:
        """Return parameter groups for the optimiser; only matrices have weight decay."""
        trained = [p for p in self.parameters() if p.requires_grad]
        return decayed(trained, self.options.learning_rate)

    def configure_optimizers(self) -> OptimizerLRSchedulerConfig:
        """Set up AdamW over `groups`; its learning rate is zero at the last step."""
        optimizer = torch.optim.AdamW(self.groups(), lr=self.options.learning_rate, betas=(0.9, 0.99))
        schedule = LambdaLR(optimizer, lambda step: rate(step, self.options))
        return {"optimizer": optimizer, "lr_scheduler": {"scheduler": schedule, "interval": "step"}}

    def on_train_batch_end(self, *_: object) -> None:
        """Update the average."""
        self.average.update()


def decayed(parameters: Sequence[nn.Parameter], learning_rate: float) -> list[dict[str, object]]:
    """Return two parameter groups: matrices with weight decay, vectors without."""
    matrices = [p for p in parameters if p.ndim > 1]
    vectors = [p for p in parameters if p.ndim <= 1]
    return [
        {"params": matrices, "weight_decay": 0.01, "lr": learning_rate},
        {"params": vectors, "weight_decay": 0.0, "lr": learning_rate},
    ]


def rate(step: int, options: StageOptions) -> float:
    """Return the learning rate at a step as a share of its peak: linear rise, constant to half-way, cosine to zero."""
    rise = min(1.0, (step + 1) / options.warm_up)
    done = max(0.0, step / options.steps - 0.5) * 2
    return rise * 0.5 * (1 + math.cos(math.pi * min(1.0, done)))


class ProgressLine(Callback):
    """Prints a progress line every few steps: step, loss, speed, minutes left."""

    def __init__(self, every: int) -> None:
        self.every, self.started, self.first, self.loss = every, 0.0, 0, 0.0

    def on_train_batch_end(
        self, trainer: lightning.Trainer, module: lightning.LightningModule, outputs: object, *_: object
    ) -> None:
        """Print a line at every `every`-th step."""
        step = trainer.global_step
        loss = float(outputs["loss"]) if isinstance(outputs, dict) else 0.0
        if not self.started:
            self.started, self.first, self.loss = time.monotonic(), step, loss
            return
        self.loss += 0.05 * (loss - self.loss)
        if step % self.every == 0:
            speed = (step - self.first) / (time.monotonic() - self.started)
            left = (trainer.max_steps - step) / speed / 60
            print(f"step {step} loss {self.loss:.4f} {speed:.2f} steps/s {left:.1f} min left", flush=True)


def _quick_attention() -> AbstractContextManager[None]:
    """Avoid torch's flash attention on the CPU: plain matrices train nano 1.5 times as fast."""
    return nullcontext() if torch.cuda.is_available() else sdpa_kernel(SDPBackend.MATH)


def fit(stage: Stage, draw: Draw, folder: Path) -> None:
    """Train a stage to its last step, resuming from `folder/last.ckpt` where there is one.

    Args:
        stage: ends up with the averaged weights.
        draw: gives a batch for a generator.
        folder: `last.ckpt`, and the curves of each start as curves/from_STEP/metrics.csv.
    """
    last = folder / "last.ckpt"
    steps = stage.options.steps
    done = torch.load(last, map_location="cpu", weights_only=False)["global_step"] if last.exists() else 0
    if done < steps:
        loader = DataLoader(StepBatches(draw, steps, salt=done), batch_size=None)
        trainer = _trainer(stage.options, folder, done=done)
        with _quick_attention(), exit_as_interrupt():
            trainer.fit(stage, loader, ckpt_path=last if done else None, weights_only=False)
        trainer.save_checkpoint(last)
    else:
        stage.load_state_dict(torch.load(last, map_location="cpu", weights_only=False)["state_dict"])
    stage.average.copy_to_networks()


def _trainer(options: StageOptions, folder: Path, *, done: int) -> lightning.Trainer:
    saver = ModelCheckpoint(
        dirpath=folder,
        filename="last",
        train_time_interval=timedelta(seconds=options.save_every_s),
        enable_version_counter=False,
    )
    return lightning.Trainer(
        accelerator="auto",
        devices=1,
        precision="bf16-mixed" if hardware(half=True).dtype == torch.bfloat16 else "32-true",
        max_steps=options.steps,
        max_epochs=-1,
        gradient_clip_val=1.0,
        log_every_n_steps=options.log_every,
        logger=CSVLogger(folder, name="curves", version=f"from_{done}"),
        callbacks=[saver, ProgressLine(options.log_every)],
        enable_progress_bar=False,
        enable_model_summary=False,
    )
