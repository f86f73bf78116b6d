"""Where a model runs and in which precision: chosen here and nowhere else."""

from __future__ import annotations

from dataclasses import dataclass

import torch


@dataclass(frozen=True, slots=True, kw_only=True)
class Hardware:
    """A torch device and the floating-point type of the weights on it."""

    device: str
    dtype: torch.dtype


def hardware(*, half: bool) -> Hardware:
    """The best device of this machine.

    CUDA: bfloat16, or float16 on cards that do not compute in bfloat16. Apple: float16. CPU: float32 (float16
    is 40 times slower there). Small models keep float32 everywhere.

    Args:
        half: whether 16-bit floats are wanted where the hardware likes them.
    """
    if torch.cuda.is_available():
        best = torch.bfloat16 if torch.cuda.is_bf16_supported() else torch.float16
        return Hardware(device="cuda", dtype=best if half else torch.float32)
    if torch.backends.mps.is_available():
        return Hardware(device="mps", dtype=torch.float16 if half else torch.float32)
    return Hardware(device="cpu", dtype=torch.float32)
