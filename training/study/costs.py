"""What a point of balanced accuracy over the real photos costs: generating the images of an arm, and reviewing them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from pipeline.domain.arms import BASELINE
from pipeline.domain.release import Origin
from training.data.arm_data import ArmData
from training.similarity.efficiency import EfficiencyFindings, PointCost, cost_of_images
from training.study.result import ComparisonResult


def with_costs(
    findings: EfficiencyFindings, arms: Sequence[ArmData], comparisons: Sequence[ComparisonResult]
) -> EfficiencyFindings:
    """Add the cost of every arm with synthetic images that was compared with the real photos."""
    by_arm = {row["arm"]: row for row in comparisons if row["against"] == BASELINE}
    costs = [_cost(findings, data, by_arm[data.arm]) for data in arms if data.arm in by_arm]
    known = [cost for cost in costs if cost["images"]]
    return {**findings, "costs": known} if known else findings


def _cost(findings: EfficiencyFindings, data: ArmData, comparison: ComparisonResult) -> PointCost:
    methods = Counter(data.images.methods[data.images.origins == str(Origin.SYNTHETIC)].tolist())
    machine, people = cost_of_images(findings, methods)
    low, high = comparison["low"], comparison["high"]
    return {
        "arm": str(data.arm),
        "title": data.arm.facts.title,
        "images": methods.total(),
        "machine_minutes": machine,
        "review_minutes": people,
        "points": 100 * comparison["difference"],
        "low": None if low is None else 100 * low,
        "high": None if high is None else 100 * high,
        "certain": comparison["significant"] and comparison["difference"] > 0,
    }
