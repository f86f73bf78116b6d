"""The finished runs of a study, two files each: what a run reached, and its predictions for the test photos."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel

from pipeline.domain.arms import Arm
from training.data.shares import SHARE_RULE, depends_on_share_rule
from training.fit.classifier import Point
from training.fit.fit import RunRecord
from training.fit.npz import read_arrays
from training.fit.prediction import ExtraPredictions
from training.fit.run_folder import read_json, run_file, whole_file, write_json
from training.study.tested import PREDICTIONS

_NO_EXTRA = np.zeros((0, 0), np.float32)
_IN_ARRAYS = (PREDICTIONS, "extra")  # fields of a record that its JSON file does not hold


class _Fields(BaseModel):
    """A run as JSON holds it."""

    arm: str
    seed: int
    accuracy: float
    balanced_accuracy: float
    per_class: dict[str, float]
    confusion: list[list[int]]
    curve: list[Point]
    seconds: float
    share_rule: int = 1  # of which images belong to a share; not told by earlier versions


@dataclass(frozen=True, slots=True)
class RunFiles:
    """The folder of the runs of a study."""

    folder: Path

    def write(self, record: RunRecord) -> None:
        """Keep a finished run; its JSON file is written last and says that it is whole.

        Raises:
            InvalidRequest: the folder cannot be written.
        """
        path = self._path(str(record.arm), record.seed)
        with whole_file(path.with_suffix(".npz")) as file:
            np.savez_compressed(
                file,
                probabilities=record.probabilities,
                extra_probabilities=_NO_EXTRA if record.extra is None else record.extra.probabilities,
                extra_images="" if record.extra is None else record.extra.images,
            )
        fields = {name: value for name, value in asdict(record).items() if name not in _IN_ARRAYS}
        write_json(path, {**fields, "arm": str(record.arm), "share_rule": SHARE_RULE})

    def read(self, arm: Arm, seed: int) -> RunRecord | None:
        """Return a finished run; None where it is missing or damaged, or trained on other images of a share."""
        path = self._path(str(arm), seed)
        try:
            fields = _Fields.model_validate(read_json(path))
            arrays = read_arrays(path.with_suffix(".npz")) or {}
            probabilities, extra = arrays[PREDICTIONS], _extra(arrays)
        except (OSError, ValueError, KeyError):
            return None
        if depends_on_share_rule(arm) and fields.share_rule != SHARE_RULE:
            return None
        return RunRecord(
            arm=arm,
            seed=fields.seed,
            accuracy=fields.accuracy,
            balanced_accuracy=fields.balanced_accuracy,
            per_class=fields.per_class,
            confusion=fields.confusion,
            curve=fields.curve,
            seconds=fields.seconds,
            probabilities=probabilities,
            extra=extra,
        )

    def _path(self, arm: str, seed: int) -> Path:
        return run_file(self.folder, arm, seed)


def _extra(file: Mapping[str, NDArray[Any]]) -> ExtraPredictions | None:
    """The predictions for further images; None in the files of earlier versions, and where there were none."""
    if "extra_images" not in file or not str(file["extra_images"]):
        return None
    return ExtraPredictions(images=str(file["extra_images"]), probabilities=file["extra_probabilities"])
