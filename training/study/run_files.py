"""The finished runs of a study, two files each: what a run reached, and its predictions for the test photos."""

from __future__ import annotations

import os
import re
import zipfile
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
from pydantic import BaseModel

from pipeline.domain.arms import Arm
from training.fit.classifier import Point
from training.fit.fit import RunRecord
from training.fit.run_folder import read_json, writable, write_json

_PREDICTIONS = "probabilities"


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
        predictions = path.with_suffix(".npz")
        unfinished = predictions.with_name(f".{predictions.name}.{os.getpid()}")
        with writable(predictions):
            predictions.parent.mkdir(parents=True, exist_ok=True)
            with unfinished.open("wb") as file:
                np.savez_compressed(file, probabilities=record.probabilities)
            unfinished.replace(predictions)
        fields = {name: value for name, value in asdict(record).items() if name != _PREDICTIONS}
        write_json(path, {**fields, "arm": str(record.arm)})

    def read(self, arm: Arm, seed: int) -> RunRecord | None:
        """Return a finished run; None where it is missing or damaged."""
        path = self._path(str(arm), seed)
        try:
            fields = _Fields.model_validate(read_json(path))
            with path.with_suffix(".npz").open("rb") as raw, np.load(raw, allow_pickle=False) as file:
                probabilities = file[_PREDICTIONS]
        except (OSError, ValueError, KeyError, zipfile.BadZipFile):
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
        )

    def _path(self, arm: str, seed: int) -> Path:
        return self.folder / f"{re.sub(r'[^A-Za-z0-9_.-]', '~', arm)}-{seed}.json"
