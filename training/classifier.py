"""The Lightning module: trains any network that gives logits, and keeps the curve of what it reached."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import Any

import lightning
import torch
from torch import Tensor, nn
from torchmetrics import MeanMetric
from torchmetrics.classification import MulticlassConfusionMatrix

from training.options import TrainingOptions
from training.scores import accuracy, balanced_accuracy

_WARM_UP = 0.1  # share of the steps over which the learning rate rises


@dataclass(frozen=True, slots=True, kw_only=True)
class Point:
    """One point of a learning curve: after `step` steps, over all test photographs."""

    step: int
    loss: float  # mean training loss since the last point
    accuracy: float
    balanced_accuracy: float


class Classifier(lightning.LightningModule):
    """Trains a network handed in, with AdamW and a warmed-up cosine.

    Args:
        network: (B, 3, S, S) float32 -> (B, classes) logits.
        classes: number of classes.
        options: hyper-parameters.
        on_point: told every new point of the curve.
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
        self.loss = MeanMetric()
        self.counted = MulticlassConfusionMatrix(num_classes=classes)
        self.confusion: list[list[int]] = []  # of the last look at the test photographs
        self.curve: list[Point] = []

    def forward(self, images: Tensor) -> Tensor:
        """(B, 3, S, S) float32 in -1..1 -> (B, classes) logits."""
        return self.network(images)

    def training_step(self, batch: tuple[Tensor, Tensor], _place: int) -> Tensor:
        """The cross entropy of one batch."""
        images, labels = batch
        loss = nn.functional.cross_entropy(self(images).float(), labels)
        self.loss.update(loss.detach())
        return loss

    def validation_step(self, batch: tuple[Tensor, Tensor], _place: int) -> None:
        """Count the answers to one batch of test photographs."""
        images, labels = batch
        self.counted.update(self(images).argmax(dim=1), labels)

    def on_train_epoch_end(self) -> None:
        """Close an interval: one more point of the curve."""
        self.confusion = self.counted.compute().tolist()
        point = Point(
            step=self.global_step,
            loss=float(self.loss.compute()),
            accuracy=accuracy(self.confusion),
            balanced_accuracy=balanced_accuracy(self.confusion),
        )
        self.counted.reset()
        self.loss.reset()
        self.curve.append(point)
        if self.on_point:
            self.on_point(point)

    def configure_optimizers(self) -> Any:
        """AdamW; the learning rate rises over a tenth of the steps, then falls along a cosine to 0."""
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

    def on_load_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        """Take the curve up where the checkpoint was written."""
        self.curve = [Point(**point) for point in checkpoint["curve"]]
        self.confusion = checkpoint["confusion"]


def warmed_cosine(step: int, steps: int) -> float:
    """Learning rate as a share of the highest: a line up over the first tenth, then a cosine to 0."""
    warm_up = max(1, round(steps * _WARM_UP))
    if step < warm_up:
        return (step + 1) / warm_up
    return 0.5 * (1.0 + math.cos(math.pi * (step - warm_up) / max(1, steps - warm_up)))
