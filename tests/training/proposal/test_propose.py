"""After the verdict a recipe for the weakest classes is proposed."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, cast

import pytest

from pipeline.domain.methods import Method
from pipeline.domain.recipe import parse_recipe
from pipeline.domain.recipe_placement import Position
from tests.training.proposal.test_missing import STREETS, add_to_card, loaded, study, tell
from training.cli import main
from training.proposal.propose import proposal
from training.proposal.recipe_files import ReasonedRecipe
from training.proposal.release_plans import release_plans
from training.proposal.weak_classes import class_recalls, shares, weak_ones
from training.study.result import StudyResult

TESTED = {"red": 40, "green": 40, "blue": 40}
STABLE = [{"red": 0.5, "green": 0.95, "blue": 1.0}] * 6


def result(best: str | None, means: dict[str, float], **more: object) -> StudyResult:
    arms = [
        {"arm": arm, "title": arm.capitalize(), "balanced_accuracy": {"mean": mean}}
        for arm, mean in means.items()
    ]
    whole = {"best": best, "arms": arms, "test_counts": TESTED, "seeds": list(range(6)), **more}
    return cast(StudyResult, {**whole, "settings": {"network": "probe"}})


def proposed(release: Path, of_study: StudyResult, recalls: Any = STABLE) -> ReasonedRecipe:
    read = loaded(release)
    recalls_of = {arm["arm"]: recalls for arm in of_study["arms"]}
    recipe = proposal(of_study, recalls_of, read, release_plans(read))
    assert isinstance(recipe, ReasonedRecipe)
    assert parse_recipe(recipe.text) == recipe.recipe
    return recipe


def test_the_interval_of_a_recall_covers_seeds_and_test_photos() -> None:
    few, many = (
        class_recalls(STABLE, dict.fromkeys(TESTED, photos), resampled=True)[0] for photos in (5, 500)
    )
    assert (few.name, few.recall) == ("red", 0.5)
    assert few.high - few.low > 3 * (many.high - many.low)
    varied = class_recalls([{"red": 0.2}, {"red": 0.8}], {"red": 500}, resampled=True)[0]
    assert varied.error > 0.4
    assert class_recalls([{"red": 0.2}, {"red": 0.8}], {"red": 500}, resampled=False)[0].error < varied.error


def test_a_class_is_weak_only_where_its_interval_lies_below_the_mean() -> None:
    assert [each.name for each in weak_ones(class_recalls(STABLE, TESTED, resampled=True))] == ["red"]
    assert weak_ones(class_recalls(STABLE, dict.fromkeys(TESTED, 5), resampled=True)) == []


def test_shares_follow_the_missed_photos_as_far_as_they_are_certain() -> None:
    certain = shares(class_recalls(STABLE, dict.fromkeys(TESTED, 4000), resampled=True))
    assert certain["red"] == pytest.approx(0.5 / 0.55, abs=0.01)
    unsure = shares(class_recalls(STABLE, dict.fromkeys(TESTED, 8), resampled=True))
    assert 1 / 3 < unsure["red"] < certain["red"]
    alike = [{"red": 0.8, "green": 0.8, "blue": 0.8}]
    assert shares(class_recalls(alike, TESTED, resampled=True)) == pytest.approx(dict.fromkeys(TESTED, 1 / 3))


def test_the_weak_class_gets_most_of_the_samples_by_the_method_of_the_best_arm(full_release: Path) -> None:
    add_to_card(full_release, STREETS)
    tell(full_release, method="paste", accepted=9, rejected=1)
    reasoned = proposed(full_release, result("real_paste", {"real": 0.7, "real_paste": 0.8, "mixed": 0.85}))
    recipe, streets = reasoned.recipe, parse_recipe(STREETS)
    assert recipe.methods == {Method.PASTE: 9.0}
    assert recipe.total == 120
    assert recipe.classes is not None
    assert recipe.classes["red"] > 2 * max(recipe.classes["green"], recipe.classes.get("blue", 0))
    assert recipe.placement == streets.placement
    assert reasoned.reasons[0].endswith("with 6 seeds: make these 120.")
    assert reasoned.reasons[1] == "Real_paste came out best (80.0 % balanced accuracy)."
    assert reasoned.reasons[2].startswith(
        "Recognised of the test photos with Real + pasted: red 50 % (95 % int"
    )
    assert "9 of 10 decided samples of this method were accepted (90%)." in reasoned.text.replace("\n#  ", "")


def test_where_nothing_is_certain_the_most_promising_arm_is_followed_and_the_file_says_so(
    full_release: Path,
) -> None:
    reasoned = proposed(full_release, result(None, {"real": 0.7, "mixed": 0.75, "paste": 0.5}))
    assert reasoned.recipe.methods == {Method.INPAINT: 12.0}
    assert reasoned.reasons[1] == (
        "No arm is certainly the best: Mixed is the most promising, with the highest mean (75.0 % balanced accuracy)."
    )
    unsure = [{"red": 0.6, "green": 0.7, "blue": 0.8}, {"red": 0.8, "green": 0.7, "blue": 0.6}] * 3
    reasons = proposed(full_release, result(None, {"real": 0.7, "mixed": 0.75}), unsure).reasons
    assert reasons[2].startswith("No class is weaker than the others with certainty.")


def test_where_real_photos_come_out_best_the_method_of_the_next_best_arm_is_taken(full_release: Path) -> None:
    reasoned = proposed(full_release, result("real", {"real": 0.9, "mixed": 0.75, "paste": 0.8}))
    assert reasoned.recipe.methods == {Method.PASTE: 9.0}
    assert reasoned.reasons[1].endswith(
        "It uses no generated images; of the arms that do, Pasted has the highest mean (80.0 %) and gives the method."
    )


def test_a_certain_diagnosis_widens_the_placement(full_release: Path) -> None:
    small = {"factor": "object_size", "direction": "low", "p": 0.001, "sentence": "Small ones are missed."}
    off = {"factor": "off_centre", "direction": "high", "p": 0.001, "sentence": ""}
    add_to_card(full_release, STREETS)
    reasoned = proposed(full_release, result("mixed", {"real": 0.7, "mixed": 0.8}, diagnosis=[small, off]))
    assert reasoned.recipe.placement.scale == (0.06, 0.2)
    assert reasoned.recipe.placement.position is Position.UNIFORM
    assert "Small ones are missed. So the scale begins at 0.06." in reasoned.reasons


def test_where_every_test_photo_is_recognised_nothing_is_proposed(full_release: Path) -> None:
    read = loaded(full_release)
    perfect = {"real": [{"red": 1.0, "green": 1.0, "blue": 1.0}]}
    assert proposal(result(None, {"real": 1.0}), perfect, read, release_plans(read)) == (
        "No recipe is proposed: Real photos recognises every test photo with every seed."
    )


def test_the_command_writes_the_proposal_and_a_copy_beside_the_study(
    full_release: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "next.yaml"
    untrained = [*study(full_release, tmp_path, "real", "mixed"), "--lr", "0.000001"]
    arguments = [*untrained, "--propose", str(file)]
    assert main([*arguments, "--json"]) == 0
    answer = json.loads(capsys.readouterr().out)["proposal"]
    assert answer["recipe"] == str(file)
    assert parse_recipe(file.read_text()).methods == {Method.INPAINT: 12.0}
    assert (tmp_path / "study" / "proposal.yaml").read_text() == file.read_text()
    assert main(arguments) == 0
    assert capsys.readouterr().out.splitlines()[-len(answer["reasons"]) - 1] == f"proposed recipe: {file}"
