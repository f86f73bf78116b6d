"""File sizes for people."""

from __future__ import annotations

_UNITS = (("B", 1, 0), ("kB", 1e3, 0), ("MB", 1e6, 1), ("GB", 1e9, 1))  # unit, bytes in it, decimals
_STEP = 1000


def file_size(size: int) -> str:
    """Write a size in the largest unit that gives at least 1: 512 B, 34 kB, 1.2 MB, 3.4 GB."""
    unit, whole, decimals = next((entry for entry in _UNITS if size < entry[1] * _STEP), _UNITS[-1])
    return f"{size / whole:.{decimals}f} {unit}"
