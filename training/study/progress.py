"""The progress of a study as a file, one JSON object per line, for a page that follows it."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

from pipeline.domain.arms import Arm
from training.data.arm_data import SkippedArm
from training.fit.classifier import Point
from training.fit.fit import RunRecord
from training.fit.run_folder import append_line, write_text

_DECIMALS = 5


class ProgressLog:
    """Appends to progress.jsonl; every start rewrites the file and reports kept runs again by `finished`.

    Every line has `event`, and `done` and `total` in runs (one arm with one seed).
    """

    def __init__(self, path: Path, *, arms: Sequence[Arm], seeds: Sequence[int], steps: int) -> None:
        self.path, self.first_seed, self.steps = path, seeds[0], steps
        self.done, self.total = 0, len(arms) * len(seeds)
        write_text(path, "")
        self._append("start", arms=list(arms), seeds=list(seeds), first_seed=self.first_seed, steps=steps)

    def skipped(self, arm: SkippedArm) -> None:
        """Record an arm that has no data."""
        self._append("skipped", arm=arm.arm, reason=arm.reason)

    def stage(self, what: str) -> None:
        """Record what is done before or after the runs, as a phrase for a person."""
        self._append("stage", stage=what)

    def point(self, arm: Arm, seed: int, point: Point) -> None:
        """Record a point of a training curve."""
        self._append(
            "point",
            arm=arm,
            seed=seed,
            first_seed=self.first_seed,
            step=point.step,
            steps=self.steps,
            loss=round(point.loss, _DECIMALS),
            accuracy=round(point.accuracy, _DECIMALS),
            balanced_accuracy=round(point.balanced_accuracy, _DECIMALS),
        )

    def finished(self, record: RunRecord, *, earlier: bool) -> None:
        """Record a finished run; one of an earlier start together with its curve."""
        if earlier:
            for point in record.curve:
                self.point(record.arm, record.seed, point)
        self.done += 1
        self._append(
            "finished",
            arm=record.arm,
            seed=record.seed,
            final_balanced_accuracy=round(record.balanced_accuracy, _DECIMALS),
            seconds=record.seconds,
        )

    def verdict(self, finding: str, sentence: str) -> None:
        """Record the verdict, the last line."""
        self._append("verdict", finding=finding, verdict=sentence)

    def _append(self, event: str, **facts: object) -> None:
        line = {"event": event, "done": self.done, "total": self.total, **facts}
        append_line(self.path, json.dumps(line, ensure_ascii=False))
