"""Logs training curves with Lightning's loggers, beside the files that a run writes anyway."""

from __future__ import annotations

import io
import os
import shutil
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, redirect_stdout
from dataclasses import dataclass
from pathlib import Path

from lightning.pytorch.loggers import CSVLogger, Logger, TensorBoardLogger

from training.fit.classifier import Point, warmed_cosine
from training.fit.options import TrainingOptions
from training.fit.run_folder import run_name, writable
from training.fit.trackers import Tracker

_FOLDER = "logs"

Track = Callable[[Point], None]


@dataclass(frozen=True, slots=True)
class Tracking:
    """The trackers of a study or a run; they log in `out/logs/TRACKER` and change nothing else.

    The log of a run is always written as a whole, whatever was logged before.
    """

    trackers: Sequence[Tracker]
    out: Path
    options: TrainingOptions

    @contextmanager
    def run(self, arm: str, seed: int, *, earlier: Sequence[Point] = ()) -> Iterator[Track]:
        """Open the log of a run and yield what logs a point of its curve.

        Args:
            earlier: the points that it reached in an earlier start.

        Raises:
            InvalidRequest: the log cannot be written.
        """
        loggers = [self._logger(tracker, run_name(arm, seed)) for tracker in self.trackers]
        status = "failed"

        def track(point: Point) -> None:
            with writable(self.out / _FOLDER):
                for logger in loggers:
                    logger.log_metrics(self._values(point), step=point.step)
                    logger.save()

        try:
            for point in earlier:
                track(point)
            yield track
            status = "success"
        finally:
            with writable(self.out / _FOLDER):
                for logger in loggers:
                    logger.finalize(status)

    def _values(self, point: Point) -> dict[str, float]:
        return {
            "loss": point.loss,
            "lr": self.options.lr * warmed_cosine(point.step - 1, self.options.steps),
            "accuracy": point.accuracy,
            "balanced_accuracy": point.balanced_accuracy,
        }

    def _logger(self, tracker: Tracker, name: str) -> Logger:
        folder = self.out / _FOLDER
        with writable(folder):
            if tracker is Tracker.TRACKIO:
                return _TrackioLogger(folder / tracker, project=self.out.absolute().name, name=name)
            shutil.rmtree(folder / tracker / name, ignore_errors=True)
            if tracker is Tracker.CSV:
                return CSVLogger(folder, name=str(tracker), version=name)
            return TensorBoardLogger(folder, name=str(tracker), version=name, default_hp_metric=False)


class _TrackioLogger(Logger):
    """Logs to a local Trackio project. All logs of a process go to the folder of the first, as Trackio has it."""

    def __init__(self, folder: Path, *, project: str, name: str) -> None:
        super().__init__()
        self._project, self._name = project, name
        os.environ.setdefault("TRACKIO_DIR", str(folder.absolute()))
        with _without_output():
            import trackio

            self._run = trackio.init(project=project, name=name, resume="allow")

    @property
    def name(self) -> str:
        """The project."""
        return self._project

    @property
    def version(self) -> str:
        """The run."""
        return self._name

    def log_metrics(self, metrics: Mapping[str, float], step: int | None = None) -> None:
        """Log the metrics of a step."""
        with _without_output():
            self._run.log(dict(metrics), step=step)

    def log_hyperparams(self, params: object, *args: object, **kwargs: object) -> None:
        """Log nothing: config.yaml has them."""

    def finalize(self, status: str) -> None:
        """End the run."""
        with _without_output():
            self._run.finish()


def _without_output() -> redirect_stdout[io.StringIO]:
    """Keep what Trackio prints off stdout, which may be read as JSON."""
    return redirect_stdout(io.StringIO())
