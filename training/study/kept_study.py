"""A finished study as it lies in its folder, as far as another one is compared with it."""

from __future__ import annotations

from pathlib import Path

from pydantic import BaseModel, ValidationError

from pipeline.domain.arms import ARMS, Arm, use_of
from pipeline.errors import InvalidRequest
from training.data.shares import SHARE_RULES, depends_on_share_rule
from training.fit.run_folder import read_json, run_file
from training.study.tested import RESULT_FILE, RUNS

_SHOWN_HEX = 8  # digits of a fingerprint
_SHARE_RULE = "share_rule"  # of a run's file; left out by earlier versions, which had the first rule


class _Rate(BaseModel):
    """A rate with its 95 % interval over the seeds."""

    mean: float
    low: float | None = None
    high: float | None = None


class KeptArm(BaseModel):
    """One arm of a finished study."""

    arm: str
    title: str
    counts: dict[str, int] = {}  # training images by origin
    balanced_accuracy: _Rate


class _Selection(BaseModel):
    index: str = ""
    pictures: int = 0


class KeptStudy(BaseModel):
    """A finished study, as far as another is compared with it; what earlier versions did not write has a default."""

    verdict: str
    dataset: str
    test: str
    classes: list[str]
    seeds: list[int]
    settings: dict[str, object]
    arms: list[KeptArm]
    test_counts: dict[str, int] = {}
    selection: _Selection = _Selection()
    machine: dict[str, str] = {}
    share_rules: list[
        int
    ] = []  # by which images belong to a share, see `SHARE_RULES`; [] without arms of a share


def read_kept_study(folder: Path) -> KeptStudy:
    """Read the finished study in a folder.

    Raises:
        InvalidRequest: there is none.
    """
    try:
        study = KeptStudy.model_validate(read_json(folder / RESULT_FILE))
    except (ValidationError, OSError):
        raise InvalidRequest(
            f"{folder} holds no finished study; name the --out folder of `python -m training study`"
        ) from None
    return study.model_copy(update={"share_rules": _share_rules(folder, study)})


def _share_rules(folder: Path, study: KeptStudy) -> list[int]:
    """Return the rules by which the runs of a study chose the images of a share."""
    arms = [arm.arm for arm in study.arms if use_of(arm.arm) in ARMS and depends_on_share_rule(Arm(arm.arm))]
    runs = (read_json(run_file(folder / RUNS, arm, seed)) for arm in arms for seed in study.seeds)
    return sorted({run.get(_SHARE_RULE, 1) for run in runs if isinstance(run, dict)})


def configuration_differences(a: KeptStudy, b: KeptStudy) -> list[tuple[str, str, str]]:
    """List what differs between two configurations: name, value in A, value in B."""
    first, second = _configuration(a), _configuration(b)
    names = dict.fromkeys((*first, *second))
    rows = [(name, first.get(name, "–"), second.get(name, "–")) for name in names]
    if a.share_rules and b.share_rules:
        rows.append(("images of a share by", _rules(a), _rules(b)))
    return [row for row in rows if row[1] != row[2]]


def _rules(study: KeptStudy) -> str:
    return " or ".join(SHARE_RULES.get(rule, f"rule {rule}") for rule in study.share_rules)


def _configuration(study: KeptStudy) -> dict[str, str]:
    """Name what the results of a study depend on, as text."""
    settings = {name.replace("_", " "): str(value) for name, value in study.settings.items()}
    selection, seeds = study.selection, ", ".join(map(str, study.seeds))
    index = f"{selection.pictures:,} images, index {selection.index[:_SHOWN_HEX]}" if selection.index else "–"
    return {
        "data set": study.dataset,
        "contents of the data set": index,
        "test photos": f"{sum(study.test_counts.values()):,} from {study.test}",
        "classes": ", ".join(study.classes),
        "seeds": f"{len(study.seeds)} ({seeds})",
        **settings,
        "torch": study.machine.get("torch", "–"),
    }
