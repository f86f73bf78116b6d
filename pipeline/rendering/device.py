"""Where a model runs and in which precision: chosen here and nowhere else."""

from __future__ import annotations

import ctypes
from dataclasses import dataclass
from functools import cache

import torch

from pipeline.rendering.zerogpu import on_zero_gpu

_MIB = 1 << 20
_KEPT_FREE = -1  # mallopt's M_TRIM_THRESHOLD: free bytes at the end of the heap that are kept
_MALLOC_RULES = {  # the others: option → bytes
    -3: 32 * _MIB,  # below this size memory comes from the heap instead of fresh pages that fault one by one
    -2: 16 * _MIB,  # the heap grows by no less
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Hardware:
    """A torch device and the floating-point type of the weights on it."""

    device: str
    dtype: torch.dtype


def hardware(*, half: bool) -> Hardware:
    """Return the best device of this machine.

    CUDA: bfloat16, or float16 on cards that do not compute in bfloat16. Apple: float16. Small models keep float32
    on both. CPU: bfloat16 where the processor multiplies in it (1.7 times faster in batches), else float32; never
    float16, which is 40 times slower there. On a ZeroGPU Space small models stay on the CPU.

    Args:
        half: whether 16-bit floats are wanted on graphics hardware.
    """
    if on_zero_gpu() and half:  # the card is there only while a call borrows it
        return Hardware(device="cuda", dtype=torch.bfloat16)
    if torch.cuda.is_available() and not on_zero_gpu():
        best = torch.bfloat16 if torch.cuda.is_bf16_supported() else torch.float16
        return Hardware(device="cuda", dtype=best if half else torch.float32)
    if torch.backends.mps.is_available():
        return Hardware(device="mps", dtype=torch.float16 if half else torch.float32)
    return Hardware(device="cpu", dtype=torch.bfloat16 if _multiplies_bfloat16() else torch.float32)


@cache
def keep_freed_memory(*, kept_bytes: int = 256 * _MIB) -> None:
    """Let the C library reuse freed memory between steps (glibc only; saves a sixth of the painting time on CPUs).

    Args:
        kept_bytes: free memory that is not given back to the system, below 2 GiB; training needs more than painting.
    """
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    if mallopt:
        for option, size in (*_MALLOC_RULES.items(), (_KEPT_FREE, kept_bytes)):
            mallopt(option, size)


def _multiplies_bfloat16() -> bool:
    """Whether the processor has instructions for bfloat16 products (AVX-512 BF16 or AMX)."""
    asked = ("_is_avx512_bf16_supported", "_is_amx_tile_supported")
    return any(getattr(torch.cpu, name, bool)() for name in asked)
