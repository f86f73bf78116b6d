"""Reads arrays that a run kept, whatever has become of their file."""

from __future__ import annotations

import zipfile
import zlib
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray


def read_arrays(path: Path) -> dict[str, NDArray[Any]] | None:
    """Read all arrays of a .npz file by name; None where the file is missing or damaged."""
    try:
        with path.open("rb") as raw, np.load(raw, allow_pickle=False) as file:
            arrays = dict(file)
    except (OSError, ValueError, KeyError, EOFError, RuntimeError, zipfile.BadZipFile, zlib.error):
        return None
    whole = all(isinstance(array, np.ndarray) for array in arrays.values())  # bytes where a header is damaged
    return arrays if whole else None
