from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pytest

import training.study.study as study_module
from pipeline.domain.arms import Arm
from pipeline.errors import InvalidRequest, ReleaseRefused
from training.data.arm_data import ArmData
from training.data.release import Release, load_release
from training.data.validation import Validation
from training.fit.fit import DivergedRun, RunRecord, fit
from training.fit.options import TrainingOptions
from training.fit.tuning_draws import drawn_options
from training.report.write import write_reports
from training.study import tuning as tuning_module
from training.study.options import StudyOptions
from training.study.result import StudyResult
from training.study.step import StudyStep
from training.study.study import study
from training.study.tuning_outcome import Choice, _sentence

pytestmark = pytest.mark.usefixtures("one_thread")
QUICK = TrainingOptions(steps=4, batch=6, image_size=16)
ARMS = (Arm.REAL, Arm.MIXED)
DEFAULT, SECOND, THIRD = drawn_options(QUICK, 3)


class Run(NamedTuple):
    """The arguments of a training run."""

    release: Release
    data: ArmData
    options: TrainingOptions
    seed: int


@pytest.fixture
def release(full_release: Path) -> Release:
    """Synthetic image i of a class shows the object of training photo i of the class."""
    read = load_release(str(full_release), None, side_px=16)
    photos, images = read.real_train, read.synthetic_train
    sources = images.sources.copy().astype(photos.sources.dtype)
    for label in range(len(read.classes)):
        of_class = np.flatnonzero(images.labels == label)
        named = photos.sources[photos.labels == label]
        sources[of_class] = named[np.arange(len(of_class)) % len(named)]
    return replace(read, synthetic_train=replace(images, sources=sources, all_sources=sources))


@pytest.fixture
def runs(monkeypatch: pytest.MonkeyPatch) -> list[Run]:
    """What the tuning trains; scores on the validation photos are best for the third setting."""
    trained: list[Run] = []

    def recorded(
        release: Release, data: ArmData, options: TrainingOptions, *, seed: int, **others: object
    ) -> RunRecord:
        trained.append(Run(release, data, options, seed))
        record = fit(release, data, options, seed=seed, **others)  # type: ignore[arg-type]
        score = {DEFAULT: 0.5, SECOND: 0.4, THIRD: 0.9}.get(options, 0.1)
        is_test = release.test_source is not None
        return record if is_test else replace(record, balanced_accuracy=score)

    monkeypatch.setattr(tuning_module, "fit", recorded)
    return trained


def run(release: Release, out: Path, *, tuning: int, seeds: tuple[int, ...] = (0, 1)) -> StudyResult:
    return study(release, StudyOptions(arms=ARMS, seeds=seeds, training=QUICK, tuning=tuning), out=out)


def validated(runs: list[Run]) -> list[Run]:
    return [run for run in runs if run.release.test_source is None]


def test_every_arm_tries_the_same_settings_without_test_photos_and_images_of_validation_photos(
    release: Release, runs: list[Run], tmp_path: Path
) -> None:
    run(release, tmp_path, tuning=3)
    tried = {arm: [run.options for run in validated(runs) if run.data.arm == arm] for arm in ARMS}
    assert tried == {arm: [DEFAULT, SECOND, THIRD] for arm in ARMS}
    held_out = Validation.of(release).held_out
    test_pixels = {image.tobytes() for image in release.test.images}
    for of_validation in validated(runs):
        assert set(of_validation.release.test.sources) == held_out
        seen = (*of_validation.release.test.images, *of_validation.data.images.images)
        assert not test_pixels & {image.tobytes() for image in seen}
        assert not held_out & set(of_validation.data.images.sources)
    dropped = sum(source in held_out for source in release.synthetic_train.sources)
    assert dropped > 0


def test_a_setting_that_diverges_counts_as_the_worst(
    release: Release, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def diverging(
        release: Release, data: ArmData, options: TrainingOptions, *, seed: int, **others: object
    ) -> RunRecord:
        if options == SECOND:
            raise DivergedRun("the training diverged")
        return fit(release, data, options, seed=seed, **others)  # type: ignore[arg-type]

    monkeypatch.setattr(tuning_module, "fit", diverging)
    tuned = run(release, tmp_path, tuning=3)["tuning"]["arms"]
    assert [arm["validation_accuracy"][1] for arm in tuned] == [0.0, 0.0]
    assert all((arm["lr"], arm["weight_decay"]) != (SECOND.lr, SECOND.weight_decay) for arm in tuned)


def test_the_best_setting_is_trained_on_all_images_with_every_seed_and_tested(
    release: Release, runs: list[Run], tmp_path: Path
) -> None:
    result = run(release, tmp_path, tuning=3)
    tested = [run for run in runs if run.release is release]
    assert [(run.data.arm, run.seed, run.options) for run in tested] == [
        (arm, seed, THIRD) for seed in (0, 1) for arm in ARMS
    ]
    assert {run.data.arm: len(run.data.images) for run in tested} == {Arm.REAL: 18, Arm.MIXED: 30}
    real = result["tuning"]["arms"][0]
    assert (real["lr"], real["weight_decay"], real["is_default"]) == (THIRD.lr, THIRD.weight_decay, False)
    assert real["validation_accuracy"] == [0.5, 0.4, 0.9]
    assert len(real["balanced_accuracy"]["values"]) == 2
    assert [(c["arm"], c["against"]) for c in result["tuning"]["comparisons"]] == [("mixed", "real")]


def test_an_arm_that_keeps_the_default_is_not_trained_again(
    release: Release, runs: list[Run], tmp_path: Path
) -> None:
    result = run(release, tmp_path, tuning=2)
    assert validated(runs) == runs
    assert [arm["is_default"] for arm in result["tuning"]["arms"]] == [True, True]
    assert result["tuning"]["agreement"] in (1.0, None)  # None where both arms reach the same
    for tuned, primary in zip(result["tuning"]["arms"], result["arms"], strict=True):
        assert tuned["balanced_accuracy"] == primary["balanced_accuracy"]


@pytest.mark.parametrize(
    ("scores", "best"),
    [((0.5, 0.4, 0.9), THIRD), ((0.7, 0.7, 0.7), DEFAULT), ((0.1, 0.7, 0.7 + 1e-12), SECOND)],
)
def test_the_best_score_wins_and_the_default_where_several_are_equal(
    release: Release, scores: tuple[float, float, float], best: TrainingOptions
) -> None:
    data = ArmData(arm=Arm.REAL, images=release.real_train)
    assert Choice.of(data, dict(zip((DEFAULT, SECOND, THIRD), scores, strict=True))).options == best


def test_a_stopped_tuning_repeats_no_finished_run(
    release: Release, runs: list[Run], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    recorded: Callable[..., RunRecord] = tuning_module.fit

    def stopped(*arguments: object, **options: object) -> RunRecord:
        if len(runs) == 7:
            raise KeyboardInterrupt
        return recorded(*arguments, **options)

    monkeypatch.setattr(tuning_module, "fit", stopped)
    with pytest.raises(KeyboardInterrupt):
        run(release, tmp_path, tuning=3)
    assert not (tmp_path / "study.json").exists()
    runs.clear()
    monkeypatch.setattr(study_module, "fit", None)  # the runs of the study are kept as well
    run(release, tmp_path, tuning=3)
    assert [(run.data.arm, run.seed) for run in runs] == [
        (Arm.MIXED, 0),
        (Arm.REAL, 1),
        (Arm.MIXED, 1),
    ]


def test_tuning_may_be_added_to_a_finished_study_and_the_budget_be_raised(
    release: Release, runs: list[Run], tmp_path: Path
) -> None:
    before = run(release, tmp_path, tuning=0)
    assert "tuning" not in before
    assert not (tmp_path / "tuning").exists()
    run(release, tmp_path, tuning=2)
    runs.clear()
    after = run(release, tmp_path, tuning=3)
    assert {run.options for run in runs} == {THIRD}
    assert after["arms"] == before["arms"]
    assert sorted(path.name for path in (tmp_path / "runs").glob("*.json")) == [
        "mixed-0.json",
        "mixed-1.json",
        "real-0.json",
        "real-1.json",
    ]


def test_runs_with_other_validation_photos_are_never_mixed_in(
    release: Release, runs: list[Run], tmp_path: Path
) -> None:
    run(release, tmp_path, tuning=2)
    groups = np.repeat(np.arange(6), 3)  # other near-duplicates, so other validation photos
    with pytest.raises(InvalidRequest, match="tuning holds a run with other settings"):
        run(replace(release, train_groups=groups), tmp_path, tuning=2)


def test_too_few_training_photos_are_refused_before_anything_is_written(
    release: Release, tmp_path: Path
) -> None:
    few = release.real_train.where(np.arange(18) % 6 < 3)
    with pytest.raises(ReleaseRefused, match="3 real training photos of 'red'"):
        run(replace(release, real_train=few), tmp_path / "study", tuning=2)
    assert not (tmp_path / "study").exists()


@pytest.mark.parametrize("number", [-1, 65])
def test_a_budget_out_of_range_is_refused(number: int) -> None:
    with pytest.raises(
        InvalidRequest,
        match=f"number of settings to try is {number}; it must be between 1 and 64, or 0 for no tuning",
    ):
        StudyOptions(seeds=(0,), tuning=number)


def test_the_progress_reaches_its_total(release: Release, runs: list[Run], tmp_path: Path) -> None:
    steps: list[StudyStep] = []
    options = StudyOptions(arms=ARMS, seeds=(0,), training=QUICK, tuning=3)
    study(release, options, out=tmp_path, on_step=steps.append)
    assert {step.steps_total for step in steps} == {4 * (2 + 2 * (3 + 1))}
    assert [step.steps_done for step in steps] == sorted(step.steps_done for step in steps)
    assert steps[-1].steps_done == steps[-1].steps_total


def test_both_reports_show_the_table_and_whether_the_order_holds(
    release: Release, runs: list[Run], tmp_path: Path
) -> None:
    result = run(release, tmp_path, tuning=3)
    assert json.loads((tmp_path / "study.json").read_text())["tuning"] == result["tuning"]
    write_reports(result, tmp_path)
    for name in ("report.html", "report.md"):
        report = (tmp_path / name).read_text()
        assert "With the same tuning budget" in report
        assert f"{THIRD.lr:g}" in report


@pytest.mark.parametrize(
    ("agreement", "kept", "sentence"),
    [
        (1.0, False, "the order of the arms is the same as with one setting for all (Kendall's τ = 1.00)."),
        (0.333, False, "the order of the arms is not the same as with one setting for all (Kendall's τ = 0.33)."),
        (1.0, True, "every arm keeps the default setting, so the order of the arms is the same (Kendall's τ = 1.00)."),
        (None, False, "there is no order of the arms to compare: fewer than two were tuned, or all reach the same."),
    ],
)  # fmt: skip
def test_one_sentence_says_whether_the_order_of_the_arms_holds(
    agreement: float | None, kept: bool, sentence: str
) -> None:
    assert _sentence(agreement, kept=kept).endswith(sentence)
