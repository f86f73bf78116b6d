from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from pipeline.domain.arms import Arm
from training.data.arm_data import available_arms
from training.data.release import load_release
from training.similarity.efficiency import EfficiencyFindings
from training.study.costs import with_costs


def method(name: str, seconds: float, minutes: float | None) -> Any:
    return {
        "method": name,
        "accepted": 12,
        "seconds_per_accepted": seconds,
        "review_minutes_per_accepted": minutes,
    }


def compared(arm: str, difference: float, *, significant: bool = True) -> Any:
    interval = {"low": difference - 0.02, "high": difference + 0.02}
    return {"arm": arm, "against": "real", "difference": difference, "significant": significant, **interval}


def test_an_arm_costs_what_its_own_synthetic_images_cost(full_release: Path) -> None:
    release = load_release(str(full_release), None, side_px=16)
    arms, _ = available_arms(release, [Arm.REAL, Arm.REAL_AUGMENTED, Arm.MIXED, Arm.PASTE])
    findings: EfficiencyFindings = {"methods": [method("inpaint", 5.0, 0.5), method("paste", 1.0, None)]}
    comparisons = [compared("mixed", 0.1), compared("paste", 0.04, significant=False)]
    costs = with_costs(findings, arms, [*comparisons, compared("real_augmented", 0.1)])["costs"]
    mixed, paste = costs  # arms without synthetic images cost nothing
    assert (mixed["arm"], mixed["images"], mixed["certain"]) == (
        "mixed",
        12,
        True,
    )  # 4 inpainted images a class
    assert (mixed["machine_minutes"], mixed["review_minutes"]) == (pytest.approx(1.0), pytest.approx(6.0))
    assert (mixed["points"], mixed["low"]) == (pytest.approx(10.0), pytest.approx(8.0))
    assert (paste["arm"], paste["images"], paste["review_minutes"]) == ("paste", 9, None)
    assert not paste["certain"]


def test_nothing_is_added_where_no_arm_has_synthetic_images(full_release: Path) -> None:
    arms, _ = available_arms(load_release(str(full_release), None, side_px=16), [Arm.REAL])
    findings: EfficiencyFindings = {"methods": [method("inpaint", 5.0, 0.5)]}
    assert with_costs(findings, arms, []) == findings
