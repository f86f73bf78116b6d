"""Augmentation of whole batches of uint8 images, decided by a seed alone: a resumed run gets the same."""

from __future__ import annotations

import numpy as np
import torch
from PIL import Image
from torch import Tensor
from torchvision.transforms import v2

_SHIFT = 1 / 12  # of the side: how far the light augmentation moves the frame, each way
_CUT_MIXED = 0.5  # share of the batches that CutMix mixes


def lightly_augmented(images: Tensor, generator: torch.Generator) -> Tensor:
    """Mirror half of the images and shift each by up to a twelfth of its side (edges repeated).

    Args:
        images: (B, 3, S, S) uint8.
        generator: decides flips and shifts.

    Returns:
        (B, 3, S, S) uint8, a new tensor.
    """
    count, _, side, _ = images.shape
    reach = max(1, round(side * _SHIFT))
    flips = torch.rand(count, generator=generator) < 0.5
    shifts = torch.randint(-reach, reach + 1, (2, count, 1), generator=generator)
    positions = torch.arange(side)[None, :]
    rows = (positions + shifts[0]).clamp(0, side - 1)  # (B, S)
    columns = (positions + shifts[1]).clamp(0, side - 1)
    columns = torch.where(flips[:, None], columns.flip(1), columns)
    image = torch.arange(count)[:, None, None]
    shifted = images.permute(0, 2, 3, 1)[image, rows[:, :, None], columns[:, None, :]]  # (B, S, S, 3)
    return shifted.permute(0, 3, 1, 2)


def strongly_augmented(images: Tensor, *, seed: int) -> Tensor:
    """Apply TrivialAugment to each image on its own; torch's global generator is left as it was.

    Args:
        images: (B, 3, S, S) uint8.
        seed: decides the operations.

    Source: S. G. Müller and F. Hutter, TrivialAugment, 2021 (arXiv 2103.10158), as torchvision.transforms.v2
    implements it.
    """
    operations = v2.TrivialAugmentWide(fill=127)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        # Pillow's operations cost a ninth of torch's here
        images_last = images.permute(0, 2, 3, 1).contiguous().numpy()  # (B, S, S, 3)
        augmented = np.stack([np.asarray(operations(Image.fromarray(image))) for image in images_last])
    return torch.from_numpy(augmented).permute(0, 3, 1, 2)


def cut_mixed(images: Tensor, labels: Tensor, *, classes: int, seed: int) -> tuple[Tensor, Tensor]:
    """Paste a rectangle of another image of the batch into each image, and mix the labels by area; half of all batches.

    Args:
        images: (B, 3, S, S).
        labels: (B,) int64.
        classes: number of classes C.
        seed: decides whether and what is mixed.

    Returns:
        Images of the same shape; (B, C) float32 shares of the classes.

    Source: S. Yun et al., CutMix, 2019 (arXiv 1905.04899), as torchvision.transforms.v2 implements it.
    """
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        if torch.rand(()) >= _CUT_MIXED:
            return images, torch.nn.functional.one_hot(labels, classes).float()
        mixed: tuple[Tensor, Tensor] = v2.CutMix(num_classes=classes)(images, labels)
        return mixed
