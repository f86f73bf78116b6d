"""The settings that a tuning budget tries: draws of learning rate and weight decay, the same for every arm."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from training.fit.options import TrainingOptions

SPAN = 10.0  # a draw is at most this many times the default, and at least the default divided by it
_LARGEST = 10.0  # that `TrainingOptions` allows of both
_SMALLEST_RATE = 1e-7  # likewise
_SEED = 4107


def drawn_options(default: TrainingOptions, count: int) -> tuple[TrainingOptions, ...]:
    """Draw settings log-uniformly around the default; the first is the default itself.

    A larger number begins with the draws of a smaller one, so that a budget can be raised later. Values have three
    significant digits.

    Args:
        default: the options of the study; all but learning rate and weight decay stay as they are.
        count: at least 1.

    Source: J. Bergstra and Y. Bengio, Random search for hyper-parameter optimization, 2012.
    """
    exponents = np.random.default_rng(_SEED).uniform(-1.0, 1.0, (count - 1, 2))
    drawn = (
        replace(
            default,
            lr=_rounded(max(default.lr * SPAN**rate, _SMALLEST_RATE)),
            weight_decay=_rounded(default.weight_decay * SPAN**decay),
        )
        for rate, decay in exponents.tolist()
    )
    return (default, *drawn)


def setting_name(options: TrainingOptions) -> str:
    """Name learning rate and weight decay, for the folder of the runs with them."""
    return f"lr-{options.lr:.12g}-decay-{options.weight_decay:.12g}"


def _rounded(value: float) -> float:
    return min(float(f"{value:.3g}"), _LARGEST)
