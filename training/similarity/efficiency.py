"""What the images of each method cost, as a release tells it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Literal, NotRequired, TypedDict

from pydantic import TypeAdapter

from pipeline.domain.methods import METHODS, Method
from pipeline.domain.release import MethodYield
from training.similarity.release_facts import release_fact

_YIELDS = TypeAdapter(list[MethodYield])


class MethodEfficiency(TypedDict):
    """What the images of one method and model cost."""

    method: str
    title: str
    model: str
    rendered: int
    accepted: int
    rejected: int
    acceptance: float | None  # share accepted of the decided, 0 to 1; None: none was decided
    seconds: float | None  # of the machine for each rendered image, median; None: none was timed
    seconds_per_accepted: float | None  # rejected ones included
    review_minutes_per_accepted: float | None  # of people, rejected ones included; None: not recorded


class PointCost(TypedDict):
    """What the images of an arm cost, and what a point of balanced accuracy over the real photos costs with them."""

    arm: str
    title: str
    images: int  # synthetic ones that the arm trains on
    machine_minutes: float | None  # to generate them, rejected ones included; None: not timed
    review_minutes: float | None  # of people; None: not recorded
    points: float  # of balanced accuracy over real photos
    low: float | None  # 95 % interval of the points
    high: float | None
    certain: bool  # the gain may be claimed; else a cost of a point would mean nothing


class EfficiencyFindings(TypedDict):
    """What the images of a release cost, over the whole library that it was published from."""

    methods: list[MethodEfficiency]
    costs: NotRequired[list[PointCost]]  # of the arms whose gain over real photos is known


def efficiency_findings(dataset: str) -> EfficiencyFindings | None:
    """Read what the samples of each method cost; None where the data set does not tell.

    A release in a folder tells it from this version on; one on the Hub, or a folder of photos, does not.

    Args:
        dataset: a release folder, or any other data set.
    """
    yields = release_fact(dataset, "yields", _YIELDS)
    known = [method for method in yields or () if method.method in set(Method) and method.rendered]
    return {"methods": [_efficiency(method) for method in known]} if known else None


def _efficiency(method: MethodYield) -> MethodEfficiency:
    decided = method.accepted + method.rejected
    acceptance = method.accepted / decided if decided else None
    return {
        "method": method.method,
        "title": METHODS[Method(method.method)].title,
        "model": method.model,
        "rendered": method.rendered,
        "accepted": method.accepted,
        "rejected": method.rejected,
        "acceptance": acceptance,
        "seconds": method.seconds,
        "seconds_per_accepted": method.seconds / acceptance if method.seconds and acceptance else None,
        "review_minutes_per_accepted": (
            method.review_seconds / 60 / method.accepted
            if method.review_seconds is not None and method.accepted
            else None
        ),
    }


def cost_of_images(
    findings: EfficiencyFindings, counts: Mapping[str, int]
) -> tuple[float | None, float | None]:
    """Add up what accepted images cost.

    Args:
        counts: images of each method.

    Returns:
        Minutes of the machine and of people; None where one of the methods does not tell.
    """
    machine = [_cost(findings, method, "seconds_per_accepted") for method in counts]
    people = [_cost(findings, method, "review_minutes_per_accepted") for method in counts]
    seconds = _sum(machine, counts)
    return None if seconds is None else seconds / 60, _sum(people, counts)


def _cost(
    findings: EfficiencyFindings,
    method: str,
    key: Literal["seconds_per_accepted", "review_minutes_per_accepted"],
) -> float | None:
    """The mean cost of an accepted image of a method over its models; None where one of them does not tell."""
    models = [row for row in findings["methods"] if row["method"] == method and row["accepted"]]
    known = [cost for row in models if (cost := row[key]) is not None]
    if not models or len(known) < len(models):
        return None
    accepted = [row["accepted"] for row in models]
    return sum(cost * number for cost, number in zip(known, accepted, strict=True)) / sum(accepted)


def _sum(costs: Sequence[float | None], counts: Mapping[str, int]) -> float | None:
    known = [cost for cost in costs if cost is not None]
    if len(known) < len(costs):
        return None
    return sum(cost * number for cost, number in zip(known, counts.values(), strict=True))
