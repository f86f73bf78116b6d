"""Pure measures of images: reconstruction, edges, spread of colours."""

from __future__ import annotations

import cv2
import numpy as np


def psnr(first: np.ndarray, second: np.ndarray) -> float:
    """Return the mean peak signal-to-noise ratio in dB of two (N, H, W, 3) uint8 batches, image by image."""
    error = ((first.astype(np.float64) - second.astype(np.float64)) ** 2).mean((1, 2, 3))
    return float((10 * np.log10(255**2 / np.maximum(error, 1e-9))).mean())


def edge_f_score(expected: np.ndarray, drawn: np.ndarray) -> float:
    """Return the F-score of two (H, W) uint8 edge maps with one pixel of tolerance; 1 where both are empty."""
    if not expected.any() and not drawn.any():
        return 1.0
    around = np.ones((3, 3), np.uint8)
    hits = (drawn > 0) & (cv2.dilate(expected, around) > 0)
    recalled = (expected > 0) & (cv2.dilate(drawn, around) > 0)
    precision, recall = hits.sum() / max(1, (drawn > 0).sum()), recalled.sum() / max(1, (expected > 0).sum())
    return float(2 * precision * recall / max(1e-9, precision + recall))


def colour_spread(images: np.ndarray) -> float:
    """Return the std of the mean colours of (N, H, W, 3) uint8 images, averaged over the channels, 0 to 255."""
    return float(images.mean((1, 2)).std(0).mean())


def structure_features(images: np.ndarray) -> np.ndarray:
    """Describe (N, H, W, 3) uint8 by (N, 256) features: an 8x8 thumbnail, centred, and 8x8 gradient strengths."""
    thumbs = np.stack([cv2.resize(p, (8, 8), interpolation=cv2.INTER_AREA).ravel() for p in images])
    greys = [cv2.cvtColor(p, cv2.COLOR_RGB2GRAY).astype(np.float32) for p in images]
    strength = [np.abs(cv2.Laplacian(grey, cv2.CV_32F)) for grey in greys]
    strengths = np.stack([cv2.resize(s, (8, 8), interpolation=cv2.INTER_AREA).ravel() for s in strength])
    return np.concatenate([thumbs.astype(np.float32) - 127.5, 4 * strengths], 1)


def green_magenta_kept(images: np.ndarray, rebuilt: np.ndarray) -> float:
    """Measure how much of the green-magenta difference between images survives: 1 = all, 0 = none (a regression slope).

    Args:
        images: (N, H, W, 3) uint8.
        rebuilt: the same images after the autoencoder.
    """
    before, after = (
        (p[..., 1] - (p[..., 0] + p[..., 2]) / 2.0).mean((1, 2)) for p in (images / 255.0, rebuilt / 255.0)
    )
    before, after = before - before.mean(), after - after.mean()
    return float((before * after).sum() / max(1e-9, (before**2).sum()))


def share_of_the_way(
    start: np.ndarray, reached: np.ndarray, ceiling: np.ndarray, *, draws: int = 1000
) -> tuple[float, float, float]:
    """Measure how far `reached` lies from `start` to `ceiling` (means), with a 95 % bootstrap interval.

    Args:
        start, reached, ceiling: (N,) scores of the same N images.
    """

    def share(chosen: np.ndarray) -> np.ndarray:
        low, mid, high = (scores[chosen].mean(-1) for scores in (start, reached, ceiling))
        return np.asarray((mid - low) / np.maximum(high - low, 1e-9))

    count = len(start)
    drawn = share(np.random.default_rng(0).integers(0, count, (draws, count)))
    low, high = np.percentile(drawn, (2.5, 97.5))
    return float(share(np.arange(count))), float(low), float(high)
