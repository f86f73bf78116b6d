"""Batches of one arm and of the test photos, as a Lightning DataModule over decoded arrays."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import torch
from lightning.pytorch import LightningDataModule
from numpy.typing import NDArray
from torch import Tensor
from torch.utils.data import DataLoader, Dataset

from pipeline.domain.release import Origin
from training.data.arm_data import ArmData
from training.data.augment import cut_mixed, lightly_augmented, strongly_augmented
from training.data.images import LabelledImages

Batch = tuple[
    Tensor, Tensor
]  # (B, 3, S, S) float32 in -1..1; (B,) int64 classes, or (B, C) float32 shares of these
_TEST_BATCH = 256


class ArmDataModule(LightningDataModule):
    """Serves one arm. An epoch is one interval of steps, so that a resumed run gets the same batches.

    On several devices, each process builds the same batches and trains on its part of each.

    Args:
        data: the arm's training images.
        test: the test photos.
        steps: optimiser steps of the whole run.
        batch_size: images per step.
        seed: decides the order of the images and their augmentation.
        interval: steps per epoch.
        strong: augment strongly whatever the arm.
    """

    def __init__(
        self,
        data: ArmData,
        test: LabelledImages,
        *,
        steps: int,
        batch_size: int,
        seed: int,
        interval: int,
        strong: bool = False,
    ) -> None:
        super().__init__()
        self.strong = strong or data.arm.facts.strong_augmentation
        self.data, self.test, self.seed = data, test, seed
        self.steps, self.batch_size, self.interval = steps, batch_size, interval
        self.order = self._order(count=steps * batch_size)

    def train_dataloader(self) -> DataLoader[Batch]:
        """Serve the batches of the trainer's current interval."""
        done = self.trainer.current_epoch * self.interval if self.trainer else 0
        steps = range(done, min(done + self.interval, self.steps))
        return DataLoader(_TrainingBatches(self, steps, self._own_part()), batch_size=None, num_workers=0)

    def val_dataloader(self) -> DataLoader[Batch]:
        """Serve the test photos, unaugmented, in order."""
        return DataLoader(_TestBatches(self.test), batch_size=None, num_workers=0)

    def _own_part(self) -> slice:
        """The places of every batch that this process trains on: all of them on one device."""
        processes, rank = (self.trainer.world_size, self.trainer.global_rank) if self.trainer else (1, 0)
        size = self.batch_size // processes
        return slice(rank * size, (rank + 1) * size)

    def _order(self, *, count: int) -> NDArray[np.int64]:
        """The image for every place of every batch: (count,) positions in the arm's images."""
        return self._order_of(np.arange(len(self.data.images)), count=count)

    def _order_of(self, drawn: NDArray[np.int64], *, count: int) -> NDArray[np.int64]:
        """The same for a drawing of the arm's images, (M,) positions."""
        facts = self.data.arm.facts
        labels, origins = self.data.images.labels[drawn], self.data.images.origins[drawn]
        if facts.fine_tuned:
            steps = -(-self.steps // 2)
            first = drawn[origins == Origin.SYNTHETIC], steps * self.batch_size
            then = drawn[origins == Origin.REAL], count - steps * self.batch_size
            return np.concatenate([self._balanced(images, count=number) for images, number in (first, then)])
        ratio = 1.0 if facts.ratio is None else facts.ratio
        order = balanced_order(labels, origins, count=count, seed=self.seed, synthetic_for_each_real=ratio)
        return drawn[order]

    def _balanced(self, images: NDArray[np.int64], *, count: int) -> NDArray[np.int64]:
        labels, origins = self.data.images.labels[images], self.data.images.origins[images]
        return images[balanced_order(labels, origins, count=count, seed=self.seed)]

    def batch(self, step: int) -> Batch:
        """Build the augmented batch of one step: the same for the same arm, seed and step."""
        chosen = self.order[step * self.batch_size : (step + 1) * self.batch_size]
        images = channels_first(self.data.images.images[chosen])
        labels = torch.from_numpy(self.data.images.labels[chosen])
        seed = step_seed(self.seed, step)
        images = lightly_augmented(images, torch.Generator().manual_seed(seed))
        if self.strong:
            images = strongly_augmented(images, seed=seed)
            classes = len(np.unique(self.data.images.labels))  # every arm has images of every class
            images, labels = cut_mixed(images, labels, classes=classes, seed=seed)
        return normalised(images), labels


def balanced_order(
    labels: NDArray[np.int64],
    origins: NDArray[np.str_],
    *,
    count: int,
    seed: int,
    synthetic_for_each_real: float = 1.0,
) -> NDArray[np.int64]:
    """Choose the image for every place of every batch: classes in equal shares, origins within a class in given ones.

    Each class comes up equally often, in random order; within a class, real and synthetic images take turns where it
    has both; within these, every image is shown once before any is shown again.

    Args:
        labels: (N,) class of each image.
        origins: (N,) origin of each image.
        synthetic_for_each_real: how many turns synthetic images have for one of the real ones.

    Returns:
        (count,) int64 positions of images.
    """
    random = np.random.default_rng(seed)
    queues = {}
    for label in np.unique(labels):
        groups = {
            str(origin): np.flatnonzero((labels == label) & (origins == origin))
            for origin in np.unique(origins)
        }
        weights = {
            origin: 1.0 if origin == Origin.REAL else synthetic_for_each_real
            for origin, group in groups.items()
            if group.size
        }
        queues[int(label)] = _in_turns(
            [(_endless(groups[origin], random), weight) for origin, weight in weights.items()]
        )
    turns = _endless(np.array(list(queues)), random)
    return np.fromiter((next(queues[next(turns)]) for _ in range(count)), np.int64, count)


def normalised(images: Tensor) -> Tensor:
    """Scale (B, 3, S, S) uint8 to float32 in -1..1, channels last; the same constants for every arm."""
    return images.float().div_(127.5).sub_(1.0).contiguous(memory_format=torch.channels_last)


class _TrainingBatches(Dataset[Batch]):
    def __init__(self, module: ArmDataModule, steps: range, part: slice) -> None:
        self.module, self.steps, self.part = module, steps, part

    def __len__(self) -> int:
        return len(self.steps)

    def __getitem__(self, position: int) -> Batch:
        images, labels = self.module.batch(self.steps[position])
        return images[self.part], labels[self.part]


class _TestBatches(Dataset[Batch]):
    def __init__(self, test: LabelledImages) -> None:
        self.test = test

    def __len__(self) -> int:
        return -(-len(self.test) // _TEST_BATCH)

    def __getitem__(self, position: int) -> Batch:
        batch = slice(position * _TEST_BATCH, (position + 1) * _TEST_BATCH)
        images = normalised(channels_first(self.test.images[batch]))
        return images, torch.from_numpy(self.test.labels[batch])


def channels_first(images: NDArray[np.uint8]) -> Tensor:
    """Turn images (B, S, S, 3) into a tensor (B, 3, S, S), both uint8."""
    return torch.from_numpy(np.ascontiguousarray(images)).permute(0, 3, 1, 2)


def _endless(items: NDArray[np.int64], random: np.random.Generator) -> Iterator[int]:
    while True:
        yield from random.permutation(items).tolist()


def _in_turns(sources: list[tuple[Iterator[int], float]]) -> Iterator[int]:
    """Take from several sources so that each has its share, given by its weight, at every moment."""
    taken = [0] * len(sources)
    while True:
        chosen = min(range(len(sources)), key=lambda place: ((taken[place] + 1) / sources[place][1], place))
        taken[chosen] += 1
        yield next(sources[chosen][0])


def step_seed(seed: int, step: int) -> int:
    """Return the seed of one step's augmentation."""
    return int(np.random.SeedSequence([seed, step]).generate_state(1, np.uint64)[0] >> 1)
