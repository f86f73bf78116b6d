"""Augmentation of whole batches of uint8 pictures, decided by a seed alone: a resumed run meets the same."""

from __future__ import annotations

import numpy as np
import torch
from PIL import Image
from torch import Tensor
from torchvision.transforms import v2

_SHIFT = 1 / 12  # of the side: how far the light augmentation moves the frame, each way
_STRONG_OPERATIONS = 2  # of RandAugment, each picture
_STRONG_MAGNITUDE = 10  # of 30


def lightly_augmented(images: Tensor, seeded: torch.Generator) -> Tensor:
    """Mirror half of the pictures and move each by up to a twelfth of its side (edges repeated).

    Args:
        images: (B, 3, S, S) uint8.
        seeded: decides flips and shifts.

    Returns:
        (B, 3, S, S) uint8, a new tensor.
    """
    count, _, side, _ = images.shape
    reach = max(1, round(side * _SHIFT))
    flips = torch.rand(count, generator=seeded) < 0.5
    shifts = torch.randint(-reach, reach + 1, (2, count, 1), generator=seeded)
    places = torch.arange(side)[None, :]
    rows = (places + shifts[0]).clamp(0, side - 1)  # (B, S)
    columns = (places + shifts[1]).clamp(0, side - 1)
    columns = torch.where(flips[:, None], columns.flip(1), columns)
    picture = torch.arange(count)[:, None, None]
    moved = images.permute(0, 2, 3, 1)[picture, rows[:, :, None], columns[:, None, :]]  # (B, S, S, 3)
    return moved.permute(0, 3, 1, 2)


def strongly_augmented(images: Tensor, *, seed: int) -> Tensor:
    """RandAugment, each picture on its own; torch's global generator is left as it was.

    Args:
        images: (B, 3, S, S) uint8.
        seed: decides the operations.

    Source: E. D. Cubuk et al., RandAugment, 2020 (arXiv 1909.13719), as torchvision.transforms.v2 has it.
    """
    operations = v2.RandAugment(num_ops=_STRONG_OPERATIONS, magnitude=_STRONG_MAGNITUDE, fill=127)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        pictures = (
            images.permute(0, 2, 3, 1).contiguous().numpy()
        )  # Pillow's operations cost a ninth of torch's here
        changed = np.stack([np.asarray(operations(Image.fromarray(picture))) for picture in pictures])
    return torch.from_numpy(changed).permute(0, 3, 1, 2)
