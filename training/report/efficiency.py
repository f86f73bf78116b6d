"""The section of a report on what the images of each method cost."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

from pipeline.domain.arms import Arm
from pipeline.domain.methods import METHODS, Method
from training.report.tables import html_cell, html_number, html_table, markdown_table
from training.report.wording import signed_points
from training.similarity.efficiency import EfficiencyFindings, MethodEfficiency, PointCost
from training.study.result import IntervalFields

_HEADING = "What an accepted image costs"
_HEAD = (
    "method", "rendered", "accepted", "acceptance", "seconds per image", "seconds per accepted image",
    "reviewer minutes per accepted image",
)  # fmt: skip
_EXPLANATION = (
    "Over all samples of the library that the release was published from. Acceptance: the share of the decided "
    "samples. Seconds: the median of the newest images on the machine that rendered them. Reviewer minutes: the time "
    "between two decisions of one person on these samples, breaks of over 5 minutes left out; where gates alone "
    "decided, or an earlier version published the release, none is recorded."
)
_COST_HEADING = "What a point over real photos costs"
_COST_HEAD = (
    "arm", "synthetic images", "machine minutes", "reviewer minutes", "points over real photos",
    "machine minutes per point", "reviewer minutes per point",
)  # fmt: skip
_COST_EXPLANATION = (
    "To generate and review the synthetic images that an arm trains on, rejected ones included. Per point of balanced "
    "accuracy, where the gain may be claimed; in brackets for the ends of the gain's 95 % interval. Photos, masks and "
    "backgrounds are not counted."
)


def efficiency_html(findings: EfficiencyFindings) -> str:
    """Write the section of the page."""
    rows = [
        (f"<th>{_key(method)}</th>", *(html_number(cell) for cell in _cells(method)))
        for method in findings["methods"]
    ]
    table = html_table(_HEAD, rows)
    return (
        f'<section><h2>{_HEADING}</h2>{table}<p class="small">{_EXPLANATION}</p>'
        f"{_costs_html(findings.get('costs', []))}</section>"
    )


def _costs_html(costs: Sequence[PointCost]) -> str:
    if not costs:
        return ""
    rows = [(f"<th>{_arm_key(cost)}</th>", *map(html_cell, _cost_cells(cost))) for cost in costs]
    table = html_table(_COST_HEAD, rows)
    return f'<h3>{_COST_HEADING}</h3>{table}<p class="small">{_COST_EXPLANATION}</p>'


def efficiency_markdown(findings: EfficiencyFindings) -> list[str]:
    """Write the section as paragraphs of Markdown."""
    rows = [(_name(method), *_cells(method)) for method in findings["methods"]]
    parts = [f"## {_HEADING}", markdown_table(_HEAD, rows), _EXPLANATION]
    if costs := findings.get("costs", []):
        cost_rows = [(cost["title"], *_cost_cells(cost)) for cost in costs]
        parts += [f"### {_COST_HEADING}", markdown_table(_COST_HEAD, cost_rows), _COST_EXPLANATION]
    return parts


def _arm_key(cost: PointCost) -> str:
    return f'<i class="key" style="background:{Arm(cost["arm"]).facts.colour}"></i>{escape(cost["title"])}'


def _cost_cells(cost: PointCost) -> list[str]:
    machine, people, low, high = (cost[key] for key in ("machine_minutes", "review_minutes", "low", "high"))
    points: IntervalFields = {
        "mean": cost["points"] / 100,
        "low": None if low is None else low / 100,
        "high": None if high is None else high / 100,
    }
    return [
        f"{cost['images']:,}",
        _time(machine, "not known"),
        _time(people, "not recorded"),
        signed_points(points),
        _per_point(cost, machine, "not known"),
        _per_point(cost, people, "not recorded"),
    ]


def _time(time: float | None, unknown: str) -> str:
    return unknown if time is None else f"{time:.3g}"


def _per_point(cost: PointCost, minutes: float | None, unknown: str) -> str:
    """Write the cost of a point as '0.52 (0.31 to 1.6)'."""
    if not cost["certain"]:
        return "gain not certain"
    if minutes is None:
        return unknown
    mean, low, high = f"{minutes / cost['points']:.3g}", cost["low"], cost["high"]
    if low is None or high is None or low <= 0:
        return mean
    return f"{mean} ({minutes / high:.3g} to {minutes / low:.3g})"


def _key(method: MethodEfficiency) -> str:
    colour = METHODS[Method(method["method"])].colour
    return f'<i class="key" style="background:{colour}"></i>{escape(_name(method))}'


def _name(method: MethodEfficiency) -> str:
    """Name a method with its model, where it has one."""
    generated = METHODS[Method(method["method"])].needs_prompt
    return f"{method['title']}, {method['model']}" if generated else method["title"]


def _cells(method: MethodEfficiency) -> list[str]:
    acceptance = method["acceptance"]
    return [
        f"{method['rendered']:,}",
        f"{method['accepted']:,}",
        "none decided" if acceptance is None else f"{100 * acceptance:.1f} %",
        *(_time(method[key], "not known") for key in ("seconds", "seconds_per_accepted")),
        _time(method["review_minutes_per_accepted"], "not recorded"),
    ]
