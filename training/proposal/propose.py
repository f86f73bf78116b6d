"""After the verdict: the recipe that a study asks for next."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import cast

from pipeline.domain.arms import Arm
from pipeline.domain.methods import Method
from pipeline.domain.plan import shares_of
from pipeline.domain.recipe import Recipe
from pipeline.domain.studies import Network
from training.data.arm_data import synthetic_images
from training.data.release import Release
from training.proposal.missing import changed_recipe, seed_of
from training.proposal.recipe_files import ReasonedRecipe
from training.proposal.release_plans import ReleasePlans
from training.proposal.weak_classes import ClassRecall, class_recalls, shares, weak_ones
from training.proposal.widening import Diagnosis, widened
from training.study.result import ArmResult, StudyResult

SAMPLES = 120  # of a proposal
_NAMED = 3  # classes in a sentence
_PROPORTION = (
    "Classes get new samples in proportion to the test photos that are missed; a difference between classes counts for "
    "half to the whole, the more certain the more."
)
ClassRecalls = Sequence[Mapping[str, float]]  # class → recall, of each seed


@dataclass(frozen=True, slots=True)
class _Chosen:
    """The arm whose errors and whose method a proposal follows."""

    arm: ArmResult
    reason: str  # one sentence


def proposal(
    result: StudyResult, recalls_of: Mapping[str, ClassRecalls], release: Release, plans: ReleasePlans
) -> ReasonedRecipe | str:
    """Propose a recipe for the weakest classes of a study's best arm.

    Args:
        result: the finished study.
        recalls_of: arm → recalls of its runs.
        plans: those of the release.

    Returns:
        The recipe with its reasons, or a sentence that says why there is none.
    """
    chosen = _chosen(result)
    arm = Arm(chosen.arm["arm"])
    recalls = class_recalls(
        recalls_of[arm], result["test_counts"], resampled=result["settings"]["network"] == Network.PROBE
    )
    if all(of_class.recall == 1 for of_class in recalls):
        return f"No recipe is proposed: {arm.facts.title} recognises every test photo with every seed."
    photographed = {release.classes[label] for label in release.real_train.labels.tolist()}
    counts = _counts([each for each in recalls if each.name in photographed])
    if not counts:
        return (
            "No recipe is proposed: the release has no training photos of the tested classes; import photos."
        )
    source = arm if arm.facts.methods else _promising(result)
    diagnosis = cast(Mapping[str, object], result).get("diagnosis")
    recipe, followed = _recipe(release, plans, source, counts, Diagnosis(diagnosis, arm=str(arm)))
    first = (
        f"Proposed by the study of {plans.name} with {len(result['seeds'])} seeds: make these {recipe.total}."
    )
    reasons = (first, chosen.reason, *_weakness(recalls, arm), *followed)
    return ReasonedRecipe(recipe=recipe, reasons=reasons)


def _recipe(
    release: Release, plans: ReleasePlans, source: Arm, counts: Mapping[str, int], diagnosis: Diagnosis
) -> tuple[Recipe, list[str]]:
    """Build the recipe of a proposal; return it with sentences on its method, backgrounds and placement.

    Args:
        source: the arm whose methods and recipe it follows.
        counts: class → samples.
    """
    methods, recipe_name = _methods(release, source)
    method = max(methods, key=lambda each: methods[each])
    base = plans.base(method, recipe=recipe_name)
    placement, changes = widened(base.recipe.placement, diagnosis)
    recipe = changed_recipe(
        base,
        plans.free_name("weak classes"),
        {str(each): weight for each, weight in methods.items()},
        counts,
        placement=placement,
    )
    sentences = [
        f"Method: {' and '.join(methods)}. {plans.acceptance(method).sentence}",
        f"Backgrounds and placement are {base.source}{', the latter widened' if changes else ''}.",
        *changes,
        *base.notes,
    ]
    return recipe.model_copy(update={"seed": seed_of(release, recipe)}), sentences


def _chosen(result: StudyResult) -> _Chosen:
    """Choose the best arm; where none is certain, the one with the highest mean."""
    arms = {arm["arm"]: arm for arm in result["arms"]}
    whole = [each for each in arms.values() if Arm(each["arm"]).facts.share == 1]  # not a share of the photos
    arm = arms[result["best"]] if result["best"] in arms else max(whole or arms.values(), key=_mean)
    rate = f"{100 * _mean(arm):.1f} % balanced accuracy"
    reason = (
        f"{arm['title']} came out best ({rate})."
        if result["best"] == arm["arm"]
        else f"No arm is certainly the best: {arm['title']} is the most promising, with the highest mean ({rate})."
    )
    if not Arm(arm["arm"]).facts.methods:
        promising = _promising(result)
        there = promising in arms
        reason += " It uses no generated images; " + (
            f"of the arms that do, {promising.facts.title} has the highest mean "
            f"({100 * _mean(arms[promising]):.1f} %) and gives the method."
            if there
            else "no arm that does was trained."
        )
    return _Chosen(arm, reason)


def _promising(result: StudyResult) -> Arm:
    """Return the arm with synthetic images that has the highest mean; `synthetic` where none was trained."""
    arms = [arm for arm in result["arms"] if Arm(arm["arm"]).facts.methods]
    return Arm(max(arms, key=_mean)["arm"]) if arms else Arm.SYNTHETIC


def _mean(arm: ArmResult) -> float:
    return arm["balanced_accuracy"]["mean"]


def _methods(release: Release, arm: Arm) -> tuple[dict[Method, float], str]:
    """Return the methods of an arm's images with their numbers as weights, and the recipe that made most of them."""
    facts = arm.facts
    images = synthetic_images(release.synthetic_train, facts)
    made_by = images.methods.tolist()
    weights = {method: float(made_by.count(method)) for method in facts.methods if method in made_by}
    recipes = [name for name in images.recipes.tolist() if name]
    most = max(sorted(set(recipes)), key=recipes.count) if recipes else ""
    return weights or {facts.methods[0]: 1.0}, facts.recipe or most


def _counts(recalls: Sequence[ClassRecall]) -> dict[str, int]:
    """Divide the samples of a proposal by the shares of the classes; classes without any are left out."""
    counts = shares_of(shares(recalls), max(SAMPLES, 4 * len(recalls)))
    return {name: count for name, count in counts.items() if count}


def _weakness(recalls: Sequence[ClassRecall], arm: Arm) -> list[str]:
    """Say which classes are weak, how certain that is, and what their numbers follow from."""
    mean = sum(of_class.recall for of_class in recalls) / len(recalls)
    weak = weak_ones(recalls)
    listed = "; ".join(
        f"{each.name} {100 * each.recall:.0f} % (95 % interval {100 * each.low:.0f} to {100 * each.high:.0f})"
        for each in (weak or recalls)[:_NAMED]
    )
    every = f"of all classes together {100 * mean:.0f} %"
    if weak:
        return [
            f"Recognised of the test photos with {arm.facts.title}: {listed}; {every}.",
            _PROPORTION,
        ]
    return [
        f"No class is weaker than the others with certainty. Recognised least often: {listed}; {every}.",
        _PROPORTION,
    ]
