import json
from dataclasses import replace
from pathlib import Path

import pytest
from torch import Tensor

from pipeline.domain.arms import Arm
from pipeline.errors import InvalidRequest
from training.data.release import Release, load_release
from training.fit.classifier import Classifier
from training.fit.fit import RunRecord
from training.fit.options import TrainingOptions
from training.report.write import write_reports
from training.study.options import StudyOptions
from training.study.result import StudyResult
from training.study.run_files import RunFiles
from training.study.study import study

pytestmark = pytest.mark.usefixtures("one_thread")
QUICK = TrainingOptions(steps=10, batch=6, image_size=16)
ARMS = [Arm.REAL, Arm.MIXED, Arm.TEXT_TO_IMAGE]


@pytest.fixture
def release(full_release: Path) -> Release:
    return load_release(str(full_release), None, side_px=16)


def run(
    release: Release, arms: list[Arm], seeds: list[int], out: Path, *, training: TrainingOptions = QUICK
) -> StudyResult:
    return study(release, StudyOptions(arms=tuple(arms), seeds=tuple(seeds), training=training), out=out)


def progress(out: Path) -> list[dict]:
    return [json.loads(line) for line in (out / "progress.jsonl").read_text().splitlines()]


def test_a_study_writes_its_verdict_as_json_markdown_and_html(release: Release, tmp_path: Path) -> None:
    result = run(release, ARMS, [0, 1], tmp_path)
    assert json.loads((tmp_path / "study.json").read_text()) == result
    assert result["finding"] == "too_few_seeds"
    assert [arm["arm"] for arm in result["arms"]] == ["real", "mixed"]
    assert (tmp_path / "test_photos.json").is_file()
    assert len(result["arms"][0]["balanced_accuracy"]["values"]) == 2
    assert result["comparisons"][0]["smallest_p"] == 0.5
    write_reports(result, tmp_path)
    markdown, page = ((tmp_path / name).read_text() for name in ("report.md", "report.html"))
    assert result["verdict"].replace("<", "&lt;") in markdown
    assert "fewer than six seeds can never reach p &lt; 0.05" in page
    for report in (markdown, page):
        assert "Text to image" in report
        assert "the release has no training images of method text_to_image" in report.replace("\\_", "_")


def test_every_run_can_be_followed_while_it_trains(release: Release, tmp_path: Path) -> None:
    run(release, ARMS, [4], tmp_path)
    lines = progress(tmp_path)
    assert [line["event"] for line in lines] == (
        ["start", "skipped", "stage", "stage"] + [*["point"] * 10, "finished"] * 2 + ["stage", "verdict"]
    )
    assert [(line["done"], line["total"]) for line in lines if line["event"] == "finished"] == [
        (1, 2),
        (2, 2),
    ]
    assert lines[0]["arms"] == ["real", "mixed"]
    assert {line["first_seed"] for line in lines if line["event"] == "point"} == {4}
    first = next(line for line in lines if line["event"] == "point")
    assert first["step"] == 1
    assert 0.0 <= first["balanced_accuracy"] <= 1.0


def test_a_stopped_study_repeats_no_finished_run(
    release: Release, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    trained: list[tuple[Arm, int]] = []
    real_fit = study.__globals__["fit"]

    def counted(*arguments: object, **options: object) -> RunRecord:
        if len(trained) == 3:
            raise KeyboardInterrupt
        record = real_fit(*arguments, **options)
        trained.append((record.arm, record.seed))
        return record

    monkeypatch.setitem(study.__globals__, "fit", counted)
    with pytest.raises(KeyboardInterrupt):
        run(release, ARMS, [0, 1], tmp_path)
    assert trained == [(Arm.REAL, 0), (Arm.MIXED, 0), (Arm.REAL, 1)]
    assert not (tmp_path / "study.json").exists()
    trained.clear()
    result = run(release, ARMS, [0, 1], tmp_path)
    assert trained == [(Arm.MIXED, 1)]
    lines = progress(tmp_path)
    assert sum(line["event"] == "point" for line in lines) == 40
    assert sum(line["event"] == "finished" for line in lines) == 4
    assert result["seeds"] == [0, 1]


def test_more_seeds_and_arms_may_be_added_later(release: Release, tmp_path: Path) -> None:
    run(release, [Arm.REAL], [0], tmp_path)
    kept = (tmp_path / "runs" / "real-0.json").stat().st_mtime_ns
    result = run(release, [Arm.REAL, Arm.PASTE], [0, 1], tmp_path)
    assert (tmp_path / "runs" / "real-0.json").stat().st_mtime_ns == kept
    assert sorted(path.name for path in (tmp_path / "runs").glob("*.json")) == [
        "paste-0.json",
        "paste-1.json",
        "real-0.json",
        "real-1.json",
    ]
    assert result["comparisons"][0]["of"] == 2


def test_runs_of_other_settings_are_never_mixed_in(release: Release, tmp_path: Path) -> None:
    run(release, [Arm.REAL], [0], tmp_path)
    before = (tmp_path / "progress.jsonl").read_bytes()
    longer = TrainingOptions(steps=12, batch=6, image_size=16)
    with pytest.raises(InvalidRequest, match=r"holds a run with other settings \(steps was 10, now 12\)"):
        run(release, [Arm.REAL], [0], tmp_path, training=longer)
    assert (tmp_path / "progress.jsonl").read_bytes() == before


@pytest.mark.parametrize(("count", "seeds"), [(0, ()), (17, tuple(range(17)))])
def test_a_number_of_seeds_that_cannot_be_judged_is_refused(count: int, seeds: tuple[int, ...]) -> None:
    with pytest.raises(InvalidRequest, match=f"number of seeds is {count}; it must be between 1 and 16"):
        StudyOptions(seeds=seeds)


def test_a_seed_may_be_given_only_once() -> None:
    with pytest.raises(InvalidRequest, match="the seeds are 1, 1; each may be given only once"):
        StudyOptions(seeds=(1, 1))


def test_a_run_with_damaged_predictions_is_repeated(release: Release, tmp_path: Path) -> None:
    first = run(release, [Arm.REAL, Arm.MIXED], [0], tmp_path)
    predictions = tmp_path / "runs" / "real-0.npz"
    predictions.write_bytes(predictions.read_bytes()[:40])
    again = run(release, [Arm.REAL, Arm.MIXED], [0], tmp_path)
    assert again["arms"][0]["balanced_accuracy"] == first["arms"][0]["balanced_accuracy"]
    assert len(RunFiles(tmp_path / "runs").read(Arm.REAL, 0).probabilities) == len(release.test)


def test_planned_comparisons_have_a_table_of_their_own(release: Release, tmp_path: Path) -> None:
    result = run(release, [Arm.REAL, Arm.INPAINT, Arm.PASTE, Arm.MIXED], [0, 1], tmp_path)
    assert [(c["arm"], c["against"]) for c in result["planned"]] == [("inpaint", "paste")]
    assert {c["against"] for c in result["comparisons"]} == {"real"}
    assert all(c["low"] <= c["difference"] <= c["high"] for c in result["planned"])
    assert all(c["p_claim"] >= c["p_photos"] for c in (*result["planned"], *result["comparisons"]))


def test_measures_of_every_arm_are_told(release: Release, tmp_path: Path) -> None:
    (arm,) = run(release, [Arm.REAL], [0, 1], tmp_path)["arms"]
    assert set(arm["measures"]) == {"macro_f1", "worst_class", "ece", "brier", "nll"}
    assert 0 <= arm["measures"]["worst_class"] <= arm["balanced_accuracy"]["mean"]


def test_arms_with_other_numbers_of_images_are_told_and_can_be_made_equal(
    release: Release, tmp_path: Path
) -> None:
    options = StudyOptions(arms=(Arm.INPAINT, Arm.PASTE), seeds=(0,), training=QUICK)
    uneven = study(release, options, out=tmp_path / "uneven")
    assert "different numbers of synthetic images: Inpainted 12, Pasted 9" in " ".join(uneven["notes"])
    even = study(release, replace(options, equal_counts=True), out=tmp_path / "even")
    assert [arm["counts"]["synthetic"] for arm in even["arms"]] == [9, 9]
    assert "different numbers" not in " ".join(even["notes"])


def test_a_study_with_a_run_that_diverges_keeps_the_finished_runs_and_resumes(
    release: Release, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    healthy = Classifier.training_step

    def spoilt(self: Classifier, batch: tuple[Tensor, Tensor], index: int) -> Tensor:
        if index == 0 and self.global_step == 6 and (tmp_path / "runs" / "real-0.json").exists():
            batch = (batch[0] * float("nan"), batch[1])
        return healthy(self, batch, index)

    monkeypatch.setattr(Classifier, "training_step", spoilt)
    with pytest.raises(
        InvalidRequest, match="arm 'mixed' with seed 0 diverged: the loss is nan at step 7 of 10"
    ):
        run(release, ARMS, [0, 1], tmp_path)
    assert sorted(path.name for path in (tmp_path / "runs").glob("*.json")) == ["real-0.json"]
    kept = (tmp_path / "runs" / "real-0.json").stat().st_mtime_ns
    monkeypatch.setattr(Classifier, "training_step", healthy)
    assert run(release, ARMS, [0, 1], tmp_path)["seeds"] == [0, 1]
    assert (tmp_path / "runs" / "real-0.json").stat().st_mtime_ns == kept
