"""What `python -m training study` writes and says of the recipes that it was asked for."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from pipeline.domain.arms import Arm
from training.data.arm_data import ArmData, arm_data
from training.data.release import Release
from training.proposal.missing import missing_plan
from training.proposal.propose import proposal
from training.proposal.recipe_files import PLAN_MISSING, PROPOSE, write_recipes
from training.proposal.release_plans import release_plans
from training.study.result import StudyResult
from training.study.run_files import RunFiles

PROPOSAL_FILE = "proposal.yaml"  # in the folder of a study; the Generate page reads it
_RUNS = "runs"  # as training.study.study writes it
_FILLED = "Nothing is missing: the release fills all arms of this study; no recipe was written."


@dataclass(frozen=True, slots=True, kw_only=True)
class MissingAnswer:
    """The recipes that were written for arms that lack images."""

    answer: Mapping[str, object]  # for --json
    text: str  # for people
    all_are_missing: bool  # no arm can be trained yet


def plan_missing(release: Release, arms: Sequence[Arm], path: Path) -> MissingAnswer:
    """Write the recipes that would fill the arms of a study, or say that nothing is missing.

    Raises:
        InvalidRequest: a file cannot be written.
        InvalidRecipe: more samples are needed than one recipe may plan.
    """
    plan = missing_plan(release, release_plans(release), arms)
    files = write_recipes(path, plan.recipes, option=PLAN_MISSING) if plan.recipes else []
    lines = [
        f"recipe: {file} ({recipe.recipe.total} samples)\n  {recipe.reasons[0]} {recipe.reasons[1]}"
        for file, recipe in zip(files, plan.recipes, strict=True)
    ]
    lines += [arm.sentence for arm in plan.unfillable]
    missing = not any(isinstance(arm_data(release, arm), ArmData) for arm in arms)
    if missing and files:
        lines.append(
            "No arm can be trained yet: generate, review and publish first, then run the study again."
        )
    return MissingAnswer(
        answer={
            "missing": {
                "recipes": [str(file) for file in files],
                "unfillable": [arm.sentence for arm in plan.unfillable],
            }
        },
        text="\n".join(lines) or _FILLED,
        all_are_missing=missing and bool(files),
    )


def propose(result: StudyResult, release: Release, out: Path, path: Path) -> tuple[Mapping[str, object], str]:
    """Write the recipe that a finished study asks for next, or say why there is none.

    Args:
        out: the study's folder, which gets a copy.
        path: the file.

    Returns:
        What --json tells, and what people read.

    Raises:
        InvalidRequest: a file cannot be written.
    """
    files = RunFiles(out / _RUNS)
    recalls = {}
    for arm in result["arms"]:
        runs = [files.read(Arm(arm["arm"]), seed) for seed in result["seeds"]]
        recalls[arm["arm"]] = [run.per_class for run in runs if run is not None] or [arm["per_class"]]
    proposed = proposal(result, recalls, release, release_plans(release))
    copy = out / PROPOSAL_FILE
    if isinstance(proposed, str):
        copy.unlink(missing_ok=True)  # of an earlier start
        return {"proposal": {"recipe": None, "reasons": [proposed]}}, proposed
    for file in dict.fromkeys((path, copy)):
        write_recipes(file, [proposed], option=PROPOSE)
    lines = [f"proposed recipe: {path}", *(f"  {reason}" for reason in proposed.reasons)]
    return {"proposal": {"recipe": str(path), "reasons": list(proposed.reasons)}}, "\n".join(lines)
