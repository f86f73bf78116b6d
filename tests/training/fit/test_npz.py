from __future__ import annotations

import struct
import zipfile
from pathlib import Path

import numpy as np
import pytest

from pipeline.domain.arms import Arm
from training.fit.npz import read_arrays
from training.study.run_files import RunFiles
from training.study.tested import read_predictions


def kept(folder: Path) -> Path:
    """A file of predictions that are long enough to be compressed in several steps."""
    path = folder / "runs" / "real-0.npz"
    path.parent.mkdir(parents=True, exist_ok=True)
    predictions = np.random.default_rng(0).random((400, 3)).astype(np.float32)
    np.savez_compressed(path, probabilities=predictions)
    return path


def data_start(path: Path) -> int:
    """Where the compressed data of the first array begin."""
    with zipfile.ZipFile(path) as file:
        start = file.infolist()[0].header_offset
    name, extra = struct.unpack_from("<HH", path.read_bytes(), start + 26)
    return int(start + 30 + name + extra)


def no_deflate_stream(path: Path) -> None:
    whole = bytearray(path.read_bytes())
    whole[data_start(path)] = 0xFF  # a kind of block that there is not
    path.write_bytes(whole)


def short_data(path: Path) -> None:
    """Let the directory promise more bytes than the file has."""
    with zipfile.ZipFile(path) as file:
        size = file.infolist()[0].compress_size
    whole = path.read_bytes()
    entry = bytearray(whole[whole.index(b"PK\x01\x02") :])
    struct.pack_into("<I", entry, 20, size + 10_000)
    cut = data_start(path) + size // 2
    struct.pack_into("<I", entry, entry.index(b"PK\x05\x06") + 16, cut)
    path.write_bytes(whole[:cut] + entry)


def cut_off(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:200])


@pytest.mark.parametrize("damage", [no_deflate_stream, short_data, cut_off, Path.unlink])
def test_a_damaged_file_reads_as_none_everywhere(tmp_path: Path, damage: object) -> None:
    path = kept(tmp_path)
    arrays = read_arrays(path)
    assert arrays is not None
    assert arrays["probabilities"].shape == (400, 3)
    assert callable(damage)
    damage(path)
    assert read_arrays(path) is None
    assert read_predictions(tmp_path, "real", 0) is None
    path.with_suffix(".json").write_text(
        '{"arm": "real", "seed": 0, "accuracy": 1, "balanced_accuracy": 1, "per_class": {}, "confusion": [], '
        '"curve": [], "seconds": 1}'
    )
    assert RunFiles(path.parent).read(Arm.REAL, 0) is None
    kept(tmp_path)
    assert RunFiles(path.parent).read(Arm.REAL, 0) is not None
