"""What the images of each method cost, as a release tells it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TypedDict

from pydantic import TypeAdapter, ValidationError

from pipeline.domain.methods import METHODS, Method
from pipeline.domain.release import MethodYield

_FACTS = "release.json"  # as pipeline.publish writes it
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


class EfficiencyFindings(TypedDict):
    """What the images of a release cost, over the whole library that it was published from."""

    methods: list[MethodEfficiency]


def efficiency_findings(dataset: str) -> EfficiencyFindings | None:
    """Read what the samples of each method cost; None where the data set does not tell.

    A release in a folder tells it from this version on; one on the Hub, or a folder of photos, does not.

    Args:
        dataset: a release folder, or any other data set.
    """
    try:
        content = json.loads((Path(dataset) / _FACTS).read_text(encoding="utf-8"))
        yields = _YIELDS.validate_python(content["yields"])
    except (OSError, ValueError, KeyError, TypeError, ValidationError):
        return None
    known = [method for method in yields if method.method in set(Method) and method.rendered]
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
    }
