"""Sizes of files in words."""

from __future__ import annotations

_UNITS = (("B", 1, 0), ("kB", 1e3, 0), ("MB", 1e6, 1), ("GB", 1e9, 1))  # unit, bytes in it, decimals
_STEP = 1000


def file_size(size: int) -> str:
    """A size in words, in the largest unit of which there is one or more: 512 B, 34 kB, 1.2 MB, 3.4 GB."""
    unit, whole, decimals = next((one for one in _UNITS if size < one[1] * _STEP), _UNITS[-1])
    return f"{size / whole:.{decimals}f} {unit}"
