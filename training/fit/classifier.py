"""The Lightning module: trains any network that returns logits, and records its training curve."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import torch
from lightning.pytorch import LightningModule
from lightning.pytorch.utilities.types import OptimizerLRScheduler
from torch import Tensor, nn
from torchmetrics import MeanMetric
from torchmetrics.classification import MulticlassConfusionMatrix

from training.fit.options import TrainingOptions
from training.fit.scores import accuracy, balanced_accuracy

_WARM_UP_SHARE = 0.1  # of the steps, over which the learning rate rises


@dataclass(frozen=True, slots=True, kw_only=True)
class Point:
    """One point of a training curve: after `step` steps, over all test photos."""

    step: int
    loss: float  # mean training loss since the last point
    accuracy: float
    balanced_accuracy: float


class Diverged(Exception):
    """The loss, or the predictions, of a run are no longer finite; the message says at which step."""


class Classifier(LightningModule):
    """Trains a given network with AdamW and a warmed-up cosine schedule.

    Args:
        network: (B, 3, S, S) float32 -> (B, classes) logits.
        classes: number of classes.
        options: hyper-parameters.
        on_point: called with every new point of the curve.

    Raises:
        Diverged: while it is trained.
    """

    def __init__(
        self,
        network: nn.Module,
        classes: int,
        options: TrainingOptions,
        *,
        on_point: Callable[[Point], None] | None = None,
    ) -> None:
        super().__init__()
        self.network, self.options, self.on_point = network, options, on_point
        self.loss = MeanMetric(nan_strategy="disable")  # `training_step` looks
        self.confusion_counts = MulticlassConfusionMatrix(
            num_classes=classes,
            sync_on_compute=False,  # on several devices, each tests all photos
        )
        self.confusion: list[list[int]] = []  # at the last point of the curve
        self.probabilities = np.zeros((0, classes), np.float32)  # (N, C) of the test photos, likewise
        self._predicted: list[Tensor] = []
        self.curve: list[Point] = []

    def forward(self, images: Tensor) -> Tensor:
        """Classify images: (B, 3, S, S) float32 in -1..1 -> (B, classes) logits."""
        logits: Tensor = self.network(images)
        return logits

    def training_step(self, batch: tuple[Tensor, Tensor], _batch_index: int) -> Tensor:
        """Compute the cross entropy of one batch."""
        images, labels = batch
        loss = nn.functional.cross_entropy(self(images).float(), labels)
        if not torch.isfinite(loss):
            raise Diverged(f"the loss is {loss.item()} at step {self.global_step + 1}")
        self.loss.update(loss.detach())
        return loss

    def validation_step(self, batch: tuple[Tensor, Tensor], _batch_index: int) -> None:
        """Keep the predictions for one batch of test photos."""
        images, labels = batch
        logits = self(images).float()
        self.confusion_counts.update(logits.argmax(dim=1), labels)
        self._predicted.append(logits.softmax(dim=1).cpu())

    def on_train_epoch_end(self) -> None:
        """Close an interval: add a point to the curve."""
        self.confusion = self.confusion_counts.compute().tolist()
        point = Point(
            step=self.global_step,
            loss=float(self.loss.compute()),
            accuracy=accuracy(self.confusion),
            balanced_accuracy=balanced_accuracy(self.confusion),
        )
        self.probabilities = torch.cat(self._predicted).numpy()
        if not np.isfinite(self.probabilities).all():
            raise Diverged(f"the predictions are not finite after step {self.global_step}")
        self._predicted.clear()
        self.confusion_counts.reset()
        self.loss.reset()
        self.curve.append(point)
        if self.on_point:
            self.on_point(point)

    def configure_optimizers(self) -> OptimizerLRScheduler:
        """Set up AdamW; the learning rate rises over a tenth of the steps, then falls along a cosine to 0."""
        options = self.options
        optimiser = torch.optim.AdamW(self.parameters(), lr=options.lr, weight_decay=options.weight_decay)
        schedule = torch.optim.lr_scheduler.LambdaLR(
            optimiser, lambda step: warmed_cosine(step, options.steps)
        )
        return {"optimizer": optimiser, "lr_scheduler": {"scheduler": schedule, "interval": "step"}}

    def on_save_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        """Keep the curve with the weights, so that a resumed run has all of it."""
        checkpoint["curve"] = [asdict(point) for point in self.curve]
        checkpoint["confusion"] = self.confusion
        checkpoint["probabilities"] = torch.from_numpy(self.probabilities)

    def on_load_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        """Restore the curve as it was when the checkpoint was written."""
        self.curve = [Point(**point) for point in checkpoint["curve"]]
        self.confusion = checkpoint["confusion"]
        self.probabilities = checkpoint["probabilities"].numpy()


def warmed_cosine(step: int, steps: int) -> float:
    """Compute the learning rate as a share of its peak: linear over the first tenth, then a cosine to 0."""
    warm_up = max(1, round(steps * _WARM_UP_SHARE))
    if step < warm_up:
        return (step + 1) / warm_up
    return 0.5 * (1.0 + math.cos(math.pi * (step - warm_up) / max(1, steps - warm_up)))
