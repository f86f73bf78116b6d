"""Batches of one arm and the test photographs, as a Lightning DataModule over decoded arrays."""

from __future__ import annotations

from collections.abc import Iterator

import lightning
import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.utils.data import DataLoader, Dataset

from training.arms import ArmData
from training.augment import lightly_augmented, strongly_augmented
from training.options import TrainingOptions
from training.release import Pictures

Batch = tuple[Tensor, Tensor]  # (B, 3, S, S) float32 in -1..1, (B,) int64
_TEST_BATCH = 256


class ArmDataModule(lightning.LightningDataModule):
    """Feeds one arm. An epoch is one interval of steps, so that a resumed run meets the same batches."""

    def __init__(
        self, data: ArmData, test: Pictures, options: TrainingOptions, *, seed: int, interval: int
    ) -> None:
        super().__init__()
        self.data, self.test, self.options, self.seed, self.interval = data, test, options, seed, interval
        self.draws = drawn_indices(data.pictures, count=options.steps * options.batch, seed=seed)

    def train_dataloader(self) -> DataLoader[Batch]:
        """The batches of the interval that the trainer is in."""
        done = self.trainer.current_epoch * self.interval if self.trainer else 0
        steps = range(done, min(done + self.interval, self.options.steps))
        return DataLoader(_Steps(self, steps), batch_size=None, num_workers=0)

    def val_dataloader(self) -> DataLoader[Batch]:
        """The test photographs, unaugmented, in order."""
        return DataLoader(_Shown(self.test), batch_size=None, num_workers=0)

    def batch(self, step: int) -> Batch:
        """The augmented batch of one step: the same for the same arm, seed and step."""
        size = self.options.batch
        chosen = self.draws[step * size : (step + 1) * size]
        images = _channels_first(self.data.pictures.images[chosen])
        seeded = torch.Generator().manual_seed(_mixed_seed(self.seed, step))
        images = lightly_augmented(images, seeded)
        if self.data.arm.strong_augmentation:
            images = strongly_augmented(images, seed=_mixed_seed(self.seed, step))
        return normalised(images), torch.from_numpy(self.data.pictures.labels[chosen])


def drawn_indices(pictures: Pictures, *, count: int, seed: int) -> NDArray[np.int64]:
    """Which picture every place of every batch shows: classes in equal shares, and origins within a class.

    Each class comes up equally often in random order; within a class, real and synthetic pictures alternate
    where it has both; within these, every picture is shown once before any is shown again.

    Returns:
        (count,) int64 positions in `pictures`.
    """
    random = np.random.default_rng(seed)
    queues = {}
    for label in np.unique(pictures.labels):
        of_class = pictures.labels == label
        groups = [
            np.flatnonzero(of_class & (pictures.origins == origin)) for origin in np.unique(pictures.origins)
        ]
        queues[int(label)] = _alternating([_endless(group, random) for group in groups if group.size])
    labels = _endless(np.array(list(queues)), random)
    return np.fromiter((next(queues[next(labels)]) for _ in range(count)), np.int64, count)


def normalised(images: Tensor) -> Tensor:
    """(B, 3, S, S) uint8 -> float32 in -1..1, channels last; the same constants for every arm."""
    return images.float().div_(127.5).sub_(1.0).contiguous(memory_format=torch.channels_last)


class _Steps(Dataset[Batch]):
    def __init__(self, module: ArmDataModule, steps: range) -> None:
        self.module, self.steps = module, steps

    def __len__(self) -> int:
        return len(self.steps)

    def __getitem__(self, place: int) -> Batch:
        return self.module.batch(self.steps[place])


class _Shown(Dataset[Batch]):
    def __init__(self, pictures: Pictures) -> None:
        self.pictures = pictures

    def __len__(self) -> int:
        return -(-len(self.pictures) // _TEST_BATCH)

    def __getitem__(self, place: int) -> Batch:
        part = slice(place * _TEST_BATCH, (place + 1) * _TEST_BATCH)
        images = normalised(_channels_first(self.pictures.images[part]))
        return images, torch.from_numpy(self.pictures.labels[part])


def _channels_first(images: NDArray[np.uint8]) -> Tensor:
    return torch.from_numpy(np.ascontiguousarray(images)).permute(0, 3, 1, 2)


def _endless(items: NDArray[np.int64], random: np.random.Generator) -> Iterator[int]:
    while True:
        yield from random.permutation(items).tolist()


def _alternating(sources: list[Iterator[int]]) -> Iterator[int]:
    while True:
        for source in sources:
            yield next(source)


def _mixed_seed(seed: int, step: int) -> int:
    return int(np.random.SeedSequence([seed, step]).generate_state(1, np.uint64)[0] >> 1)
