import numpy as np
import pytest

from pipeline.domain.arms import Arm
from training.diagnosis.counterfactual import CounterfactualSets, SetName
from training.diagnosis.reliance import RELIANCES, Reliance, counterfactual_findings, set_accuracy
from training.fit.fit import RunRecord
from training.fit.prediction import ExtraPredictions, image_hash

LABELS = np.array([0, 0, 0, 1])


def toy_sets() -> CounterfactualSets:
    """Three images of class 0 and one of class 1 in every set."""
    count = len(SetName) * len(LABELS)
    return CounterfactualSets(
        images=np.zeros((count, 2, 2, 3), np.uint8),
        labels=np.tile(LABELS, len(SetName)),
        sets=np.repeat([str(name) for name in SetName], len(LABELS)),
        objects={"a": 3, "b": 1},
        left_out=(),
    )


def predictions(sets: CounterfactualSets, wrong: dict[SetName, int], *, images: str = "") -> ExtraPredictions:
    """All right but for the first images of some sets."""
    predicted = sets.labels.copy()
    for name, count in wrong.items():
        places = np.flatnonzero(sets.sets == name)[:count]
        predicted[places] = 1 - predicted[places]
    return ExtraPredictions(
        images=images or image_hash(sets.images), probabilities=np.eye(2, dtype=np.float32)[predicted]
    )


def run(extra: ExtraPredictions | None, seed: int) -> RunRecord:
    return RunRecord(
        arm=Arm.REAL, seed=seed, accuracy=1.0, balanced_accuracy=1.0, per_class={}, confusion=[[1]], curve=[],
        seconds=1.0, probabilities=np.ones((1, 2), np.float32), extra=extra,
    )  # fmt: skip


def test_every_difference_has_a_row_in_the_table() -> None:
    assert set(RELIANCES) == set(Reliance)


def test_the_rate_on_a_set_is_the_mean_recall_of_its_classes() -> None:
    sets = toy_sets()
    of_run = predictions(sets, {SetName.HALF: 1})
    assert set_accuracy(of_run, sets, SetName.HALF) == pytest.approx((2 / 3 + 1) / 2)
    assert set_accuracy(of_run, sets, SetName.OWN) == 1.0


def test_differences_are_means_over_the_seeds_with_their_interval() -> None:
    sets = toy_sets()
    runs = [
        run(predictions(sets, {SetName.OTHER_CLASS: wrong}), seed) for seed, wrong in enumerate((1, 2, 3))
    ]
    (arm,) = counterfactual_findings(sets, runs)["arms"]
    difference = arm["differences"]["background_reliance"]  # 1/6, 2/6, 3/6
    assert difference["mean"] == pytest.approx(1 / 3, abs=1e-4)
    assert difference["high"] == pytest.approx(1 / 3 + 4.30265 / 6 / np.sqrt(3), abs=1e-4)  # t of 2 degrees
    assert arm["differences"]["centre_bias"] == {"mean": 0.0, "low": 0.0, "high": 0.0}
    assert arm["sentence"] == "Real photos: too few seeds to tell the sets apart; at least 6 are needed."


def test_a_difference_that_the_seeds_agree_on_is_told() -> None:
    sets = toy_sets()
    runs = [run(predictions(sets, {}), seed) for seed in range(6)]
    (arm,) = counterfactual_findings(sets, runs)["arms"]
    assert arm["sentence"] == "Real photos: no certain difference between the sets over the seeds."
    runs = [run(predictions(sets, {SetName.HALF: 3}), seed) for seed in range(6)]
    (arm,) = counterfactual_findings(sets, runs)["arms"]
    assert arm["sentence"] == "Real photos: balanced accuracy is 50.0 points lower at half the size."


def test_a_single_seed_has_no_intervals() -> None:
    sets = toy_sets()
    (arm,) = counterfactual_findings(sets, [run(predictions(sets, {}), 0)])["arms"]
    assert arm["accuracy"]["own_background"] == {"mean": 1.0, "low": None, "high": None}


def test_runs_without_predictions_for_these_images_are_counted_and_left_out() -> None:
    sets = toy_sets()
    runs = [run(None, 0), run(predictions(sets, {}, images="others"), 1), run(predictions(sets, {}), 2)]
    findings = counterfactual_findings(sets, runs)
    assert (findings["missing_runs"], findings["arms"][0]["seeds"]) == (2, 1)


def test_without_sets_the_reason_is_all_there_is() -> None:
    findings = counterfactual_findings("There are none.", [run(None, 0)])
    assert (findings["skipped"], findings["arms"], findings["missing_runs"]) == ("There are none.", [], 0)
