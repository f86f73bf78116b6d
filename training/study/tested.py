"""What a study keeps so that another one can be compared with it: its test photos, and the predictions of its runs."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ValidationError

from training.fit.npz import read_arrays
from training.fit.run_folder import read_json, run_file, write_json

if TYPE_CHECKING:
    from training.data.release import Release

RESULT_FILE = "study.json"
RUNS = "runs"  # the folder of the runs
PREDICTIONS = "probabilities"  # the array of a run's file that holds its predictions
_PHOTOS_FILE = "test_photos.json"


class KeptPhotos(BaseModel):
    """The test photos of a study in the order of its predictions, N of each."""

    __test__ = False  # not a test of pytest

    photos: list[str]  # fingerprints of their files
    labels: list[str]
    groups: list[int]  # near-duplicates have one number


def keep_tested_photos(release: Release, out: Path) -> None:
    """Write down which photos a study tests.

    Raises:
        InvalidRequest: the folder cannot be written.
    """
    if release.test_fingerprints is None:
        return
    count = len(release.test)
    groups = np.arange(count) if release.test_groups is None else release.test_groups
    tested = KeptPhotos(
        photos=release.test_fingerprints.tolist(),
        labels=[release.classes[label] for label in release.test.labels],
        groups=groups.tolist(),
    )
    write_json(out / _PHOTOS_FILE, tested.model_dump())


def read_tested_photos(out: Path) -> KeptPhotos | None:
    """Read which photos a study tested; None where it is not written down, as in studies of earlier versions."""
    try:
        return KeptPhotos.model_validate(read_json(out / _PHOTOS_FILE))
    except ValidationError:
        return None


def read_predictions(out: Path, arm: str, seed: int) -> NDArray[np.float32] | None:
    """Read the predictions of one run of the study in `out`: (N, C), N test photos; None where they are missing."""
    arrays = read_arrays(run_file(out / RUNS, arm, seed).with_suffix(".npz")) or {}
    return np.asarray(arrays[PREDICTIONS], np.float32) if PREDICTIONS in arrays else None
