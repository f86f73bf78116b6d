"""What a study tells while it runs: one JSON object a line, for a page that follows it."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from training.arms import Arm, SkippedArm
from training.classifier import Point
from training.fit import RunRecord
from training.folder import append_line, write_text


class ProgressLog:
    """Appends to progress.jsonl. It starts the file afresh; finished runs are told again by `finished`.

    Every line has `event`, and `done` and `total` in runs (one arm with one seed).
    """

    def __init__(self, path: Path, *, arms: Sequence[Arm], seeds: Sequence[int], steps: int) -> None:
        self.path, self.first_seed, self.steps = path, seeds[0], steps
        self.done, self.total = 0, len(arms) * len(seeds)
        write_text(path, "")
        self._tell("start", arms=list(arms), seeds=list(seeds), first_seed=self.first_seed, steps=steps)

    def skipped(self, arm: SkippedArm) -> None:
        """An arm that has no data."""
        self._tell("skipped", arm=arm.arm, reason=arm.reason)

    def point(self, arm: Arm, seed: int, point: Point) -> None:
        """One more point of a learning curve."""
        self._tell(
            "point",
            arm=arm,
            seed=seed,
            first_seed=self.first_seed,
            step=point.step,
            steps=self.steps,
            loss=round(point.loss, 5),
            accuracy=round(point.accuracy, 5),
            balanced_accuracy=round(point.balanced_accuracy, 5),
        )

    def finished(self, record: RunRecord, *, earlier: bool) -> None:
        """A run is done; one from an earlier start brings its curve with it."""
        if earlier:
            for point in record.curve:
                self.point(record.arm, record.seed, point)
        self.done += 1
        final = round(record.balanced_accuracy, 5)
        self._tell(
            "finished",
            arm=record.arm,
            seed=record.seed,
            final_balanced_accuracy=final,
            seconds=record.seconds,
        )

    def verdict(self, finding: str, sentence: str) -> None:
        """The end."""
        self._tell("verdict", finding=finding, verdict=sentence)

    def _tell(self, event: str, **facts: Any) -> None:
        line = json.dumps(
            {"event": event, "done": self.done, "total": self.total, **facts}, ensure_ascii=False
        )
        append_line(self.path, line)
