import csv
import sys
from collections.abc import Callable
from pathlib import Path
from types import ModuleType, SimpleNamespace

import pytest

from pipeline.domain.arms import Arm
from pipeline.errors import InvalidRequest
from training.data.release import Release, load_release
from training.fit import trackers as trackers_module
from training.fit import tracking as tracking_module
from training.fit.classifier import Point
from training.fit.options import TrainingOptions
from training.fit.run_folder import run_name
from training.fit.single import fit_to_folder
from training.fit.trackers import Tracker, refuse_missing_packages
from training.fit.tracking import Tracking
from training.study.options import StudyOptions
from training.study.study import study

pytestmark = pytest.mark.usefixtures("one_thread")
QUICK = TrainingOptions(steps=10, batch=6, image_size=16)
POINTS = [Point(step=step, loss=1 / step, accuracy=0.5, balanced_accuracy=0.25 * step) for step in (1, 2, 3)]


@pytest.fixture
def release(full_release: Path) -> Release:
    return load_release(str(full_release), None, side_px=16)


def logged(folder: Path, run: str) -> list[dict[str, float]]:
    with (folder / "logs" / "csv" / run / "metrics.csv").open(newline="") as file:
        return [{name: float(value) for name, value in row.items()} for row in csv.DictReader(file)]


def test_a_point_is_logged_with_the_learning_rate_of_its_step(tmp_path: Path) -> None:
    with Tracking([Tracker.CSV], tmp_path, QUICK).run("real%50", 3) as track:
        track(POINTS[0])
    (row,) = logged(tmp_path, run_name("real%50", 3))
    # the warm-up takes one step of ten, so the first has the full rate
    assert row == {"step": 1, "loss": 1.0, "lr": QUICK.lr, "accuracy": 0.5, "balanced_accuracy": 0.25}


def test_the_log_of_a_resumed_run_is_whole(tmp_path: Path) -> None:
    tracking = Tracking([Tracker.CSV], tmp_path, QUICK)
    with tracking.run("real", 0) as track:
        track(POINTS[0])
        track(POINTS[1])
    with tracking.run("real", 0, earlier=POINTS[:1]) as track:
        track(POINTS[1])
        track(POINTS[2])
    assert [row["step"] for row in logged(tmp_path, "real-0")] == [1, 2, 3]


def test_a_stopped_fit_has_its_whole_curve_in_the_log(release: Release, tmp_path: Path) -> None:
    def stop_at_five(point: Point) -> None:
        if point.step == 5:
            raise KeyboardInterrupt

    def fitted(on_point: Callable[[Point], None] | None = None) -> None:
        fit_to_folder(
            release, Arm.REAL, QUICK, seed=0, out=tmp_path, trackers=[Tracker.CSV], on_point=on_point
        )

    with pytest.raises(KeyboardInterrupt):
        fitted(stop_at_five)
    fitted()
    assert [row["step"] for row in logged(tmp_path, "real-0")] == list(range(1, 11))


def test_a_finished_study_takes_another_tracker_and_stays_the_same(release: Release, tmp_path: Path) -> None:
    def result(*trackers: Tracker) -> dict[str, object]:
        options = StudyOptions(
            arms=(Arm.REAL, Arm.PASTE), seeds=(0, 1), training=QUICK, trackers=trackers, diagnosis=False
        )
        return {**study(release, options, out=tmp_path), "seconds": 0}

    first = result()
    assert not (tmp_path / "logs").exists()
    settings = (tmp_path / "settings.json").read_bytes()
    times = [path.stat().st_mtime_ns for path in sorted((tmp_path / "runs").iterdir())]
    assert result(Tracker.CSV) == first
    assert (tmp_path / "settings.json").read_bytes() == settings
    assert [path.stat().st_mtime_ns for path in sorted((tmp_path / "runs").iterdir())] == times
    runs = sorted(path.name for path in (tmp_path / "logs" / "csv").iterdir())
    assert runs == ["paste-0", "paste-1", "real-0", "real-1"]
    assert [row["step"] for row in logged(tmp_path, "paste-1")] == list(range(1, 11))


def test_a_tracker_changes_no_result(release: Release, tmp_path: Path) -> None:
    plain, logged_run = (
        fit_to_folder(release, Arm.MIXED, QUICK, seed=0, out=tmp_path / name, trackers=trackers)
        for name, trackers in (("plain", []), ("logged", [Tracker.CSV]))
    )
    assert plain["confusion"] == logged_run["confusion"]
    curves = [(tmp_path / name / "curves.csv").read_text() for name in ("plain", "logged")]
    assert curves[0] == curves[1]
    assert (tmp_path / "logged" / "logs" / "csv" / "mixed-0" / "metrics.csv").is_file()


def test_tensorboard_gets_every_point_in_a_folder_of_the_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    calls: list[tuple[object, ...]] = []

    class Writer:
        def __init__(self, folder: Path, *, name: str, version: str, default_hp_metric: bool) -> None:
            calls.append(("open", folder, name, version, default_hp_metric))

        def log_metrics(self, metrics: dict[str, float], step: int) -> None:
            calls.append((step, metrics["balanced_accuracy"]))

        def save(self) -> None:
            calls.append(("save",))

        def finalize(self, status: str) -> None:
            calls.append((status,))

    monkeypatch.setattr(tracking_module, "TensorBoardLogger", Writer)
    with Tracking([Tracker.TENSORBOARD], tmp_path, QUICK).run("real", 0, earlier=POINTS[:1]) as track:
        track(POINTS[1])
    assert calls == [
        ("open", tmp_path / "logs", "tensorboard", "real-0", False),
        (1, 0.25),
        ("save",),
        (2, 0.5),
        ("save",),
        ("success",),
    ]


def test_trackio_logs_to_the_folder_and_prints_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    calls: list[object] = []
    trackio = ModuleType("trackio")

    def init(**options: object) -> SimpleNamespace:
        print("* Trackio project initialized")
        calls.append(options)
        return SimpleNamespace(
            log=lambda metrics, step: calls.append((step, sorted(metrics))),
            finish=lambda: calls.append("finished"),
        )

    trackio.init = init  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "trackio", trackio)
    monkeypatch.setenv("TRACKIO_DIR", "")
    monkeypatch.delenv("TRACKIO_DIR")
    with Tracking([Tracker.TRACKIO], tmp_path / "s", QUICK).run("real", 0) as track:
        track(POINTS[0])
    assert calls == [
        {"project": "s", "name": "real-0", "resume": "allow"},
        (1, ["accuracy", "balanced_accuracy", "loss", "lr"]),
        "finished",
    ]
    assert tracking_module.os.environ["TRACKIO_DIR"] == str(tmp_path / "s" / "logs" / "trackio")
    assert capsys.readouterr().out == ""


@pytest.mark.parametrize("tracker", [Tracker.TENSORBOARD, Tracker.TRACKIO])
def test_a_missing_package_is_one_sentence(tracker: Tracker, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(trackers_module, "find_spec", lambda package: None)
    refuse_missing_packages([Tracker.CSV])
    with pytest.raises(
        InvalidRequest,
        match=f"^the tracker '{tracker}' needs a package that is not installed: pip install {tracker}$",
    ):
        refuse_missing_packages([Tracker.CSV, tracker])


def test_a_log_that_cannot_be_written_is_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "logs").write_text("in the way")
    with (
        pytest.raises(InvalidRequest, match="logs cannot be written: "),
        Tracking([Tracker.CSV], tmp_path, QUICK).run("real", 0) as track,
    ):
        track(POINTS[0])
