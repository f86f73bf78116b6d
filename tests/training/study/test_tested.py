from __future__ import annotations

from pathlib import Path

import numpy as np

from training.data.release import load_release
from training.study.tested import keep_tested_photos, read_predictions, read_tested_photos


def test_a_study_writes_down_its_test_photos_alike_at_every_size(full_release: Path, tmp_path: Path) -> None:
    kept = []
    for side_px in (16, 24):
        release = load_release(str(full_release), None, side_px=side_px)
        keep_tested_photos(release, tmp_path / str(side_px))
        kept.append(read_tested_photos(tmp_path / str(side_px)))
    first, second = kept
    assert first is not None
    assert first == second
    assert (len(set(first.photos)), len(first.groups)) == (15, 15)
    assert sorted(set(first.labels)) == ["blue", "green", "red"]


def test_what_is_missing_or_damaged_reads_as_nothing(tmp_path: Path) -> None:
    assert read_tested_photos(tmp_path) is None
    (tmp_path / "test_photos.json").write_text('{"photos": 3}')
    assert read_tested_photos(tmp_path) is None
    assert read_predictions(tmp_path, "real", 0) is None
    (tmp_path / "runs").mkdir()
    np.savez(
        tmp_path / "runs" / "mixed~0.5-2.npz", probabilities=np.ones((2, 3))
    )  # as earlier versions named it
    (tmp_path / "runs" / "mixed~0.5-2.json").write_text('{"arm": "mixed:0.5"}')
    assert read_predictions(tmp_path, "mixed%0.5", 2) is None
    predictions = read_predictions(tmp_path, "mixed:0.5", 2)
    assert predictions is not None
    assert predictions.shape == (2, 3)
