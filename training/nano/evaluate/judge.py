"""A small CNN that classifies the surface of an image, to measure whether nano draws what the prompt says."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import cv2
import numpy as np
import torch
import torch.nn.functional as F
from torch import nn

from training.nano.data.rows import Rows, single_surface

SIDE_PX = 64
JUDGES = 3
MOST_BLUR_PX = 2.0  # std of the blur in training, at the images' own size
LEAST_BLUR_PX = 0.2


class Judge(nn.Module):
    """A classifier of surface words.

    Args:
        words: the classes, in the order of the scores.
        grey: look at brightness only, so that texture decides and not colour.
    """

    def __init__(self, words: Sequence[str], *, grey: bool) -> None:
        super().__init__()
        self.words, self.grey = list(words), grey
        widths = (3, 32, 64, 96, 128)
        blocks: list[nn.Module] = []
        for number, (before, after) in enumerate(pairwise(widths)):
            blocks += [nn.Conv2d(before, after, 5 if number == 0 else 3, stride=2 if number == 0 else 1,
                                 padding=2 if number == 0 else 1, bias=False),
                       nn.BatchNorm2d(after), nn.ReLU(inplace=True)]  # fmt: skip
            blocks += [nn.MaxPool2d(2)] if number else []
        self.body = nn.Sequential(*blocks, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Dropout(0.2))
        self.head = nn.Linear(widths[-1], len(self.words))

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        """Score images: (B, 3, S, S) in -1 to 1 → (B, words)."""
        images = F.interpolate(images, (SIDE_PX, SIDE_PX), mode="area")
        if self.grey:
            images = images.mean(1, keepdim=True).expand(-1, 3, -1, -1)
        logits: torch.Tensor = self.head(self.body(images))
        return logits


class Judges:
    """Several judges whose scores are averaged: single ones differ by some percentage points."""

    def __init__(self, judges: Sequence[Judge]) -> None:
        self.judges, self.words = list(judges), judges[0].words

    @torch.no_grad()
    def ranks(self, images: np.ndarray, words: Sequence[str]) -> np.ndarray:
        """Rank each image's word among its scores: (N, S, S, 3) uint8 → (N,); 0 = first."""
        parts = [to_input(images[i : i + 64]) for i in range(0, len(images), 64)]
        scores = torch.cat([sum(judge.eval()(part).softmax(1) for judge in self.judges) for part in parts])
        own = scores[range(len(words)), [self.words.index(word) for word in words]]
        return (scores > own[:, None]).sum(1).numpy()


def to_input(images: np.ndarray) -> torch.Tensor:
    """Convert (B, S, S, 3) uint8 to (B, 3, S, S) float in -1 to 1."""
    return torch.from_numpy(np.ascontiguousarray(images.transpose(0, 3, 1, 2))).float() / 127.5 - 1


def blurred(images: np.ndarray, sigma_px: float) -> np.ndarray:
    """Blur (N, S, S, 3) uint8 with a Gaussian of `sigma_px`; below `LEAST_BLUR_PX` they stay as they are."""
    if sigma_px < LEAST_BLUR_PX:
        return images
    return np.stack([cv2.GaussianBlur(image, (0, 0), sigma_px) for image in images])


def trained_judges(
    rows: Rows, words: Sequence[str], *, grey: bool, steps: int, count: int = JUDGES
) -> Judges:
    """Train `count` judges with different initial weights and orders of the scenes."""
    return Judges([trained_judge(rows, words, grey=grey, steps=steps, seed=seed) for seed in range(count)])


def trained_judge(rows: Rows, words: Sequence[str], *, grey: bool, steps: int, seed: int = 0) -> Judge:
    """Train a judge on the drawn scenes that show a single surface, mirrored and blurred at random.

    Without the blur it reads how sharp an image is: of the autoencoder's own reconstructions of scenes that it knows
    well it then recognised, in grey, little more than half as many (39 against 70 %).
    """
    torch.manual_seed(seed)
    rng = np.random.default_rng(seed)
    judge = Judge(words, grey=grey).train()
    labels = np.array([judge.words.index(word) for word in rows.surfaces])
    shown = single_surface(rows)
    optimizer = torch.optim.AdamW(judge.parameters(), lr=2e-3, weight_decay=0.02)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, 4e-3, total_steps=steps)
    for _ in range(steps):
        chosen = np.sort(rng.choice(shown, min(64, len(shown)), replace=False))
        images = to_input(blurred(rows.rgb[chosen], rng.uniform(0, MOST_BLUR_PX)))
        images = images.flip(-1) if rng.random() < 0.5 else images
        loss = F.cross_entropy(judge(images), torch.from_numpy(labels[chosen]), label_smoothing=0.05)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        schedule.step()
    return judge.eval()
