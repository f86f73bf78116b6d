"""The comparison of two studies as one HTML file without external resources, as text, and as JSON."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape
from pathlib import Path
from string import Template

from pipeline.domain.studies import SEEDS_FOR_A_CLAIM
from training.report.comparison_plot import arm_colour, comparison_plot
from training.report.tables import html_cell, html_number, html_table, style
from training.report.wording import p_value, percent_interval, signed_points
from training.study.compare import ArmDifference, StudyComparison
from training.study.kept_study import KeptArm, KeptStudy

_PAGE = Path(__file__).with_name("comparison.html")
_HEAD = ("arm", "A", "B", "points, B over A", "B ahead in", "p", "")
_TESTED = (
    "Differences and their 95 % intervals are over the common seeds and over other test photos; p is the larger of "
    "two: over seeds (exact paired sign-flip test), and over seeds and test photos (t test); both are corrected for "
    "the number of arms (step-down max-T), the intervals are not. A claim needs six common seeds. The intervals of A "
    "and B are over their own seeds. A difference has all causes that are listed below together."
)
_UNTESTED = "Intervals are over the seeds of one study; they are no test of the difference."


def comparison_html(comparison: StudyComparison) -> str:
    """Write the comparison as a page."""
    a, b = (folder.name for folder in comparison.folders)
    return Template(_PAGE.read_text(encoding="utf-8")).substitute(
        style=style(),
        subtitle=escape(f"A: {a} · B: {b}"),
        sentence=escape(comparison.sentence),
        studies=_studies(comparison),
        plot=comparison_plot(comparison.arms) if comparison.arms else "<p>No arm is in both.</p>",
        arms=_arms(comparison),
        differences=_differences(comparison),
    )


def comparison_text(comparison: StudyComparison) -> str:
    """Write the comparison for a terminal."""
    lines = [f"{side}: {folder}" for side, folder in zip("AB", comparison.folders, strict=True)]
    lines += [comparison.sentence, "balanced accuracy in A, in B, points B over A"]
    lines += [f"  {_text_row(arm)}" for arm in comparison.arms]
    for side, arms in zip("AB", comparison.only, strict=True):
        lines += [f"  only in {side}: {arm.title} {_rate(arm)}" for arm in arms]
    lines += [f"differs: {name}: {a} | {b}" for name, a, b in comparison.differences]
    return "\n".join(lines)


def comparison_json(comparison: StudyComparison) -> dict[str, object]:
    """Write the comparison as plain values; rates are 0 to 1."""
    return {
        "a": _study_json(comparison.folders[0], comparison.studies[0]),
        "b": _study_json(comparison.folders[1], comparison.studies[1]),
        "sentence": comparison.sentence,
        "arms": [_arm_json(arm) for arm in comparison.arms],
        "only_a": [arm.model_dump() for arm in comparison.only[0]],
        "only_b": [arm.model_dump() for arm in comparison.only[1]],
        "differences": [{"name": name, "a": a, "b": b} for name, a, b in comparison.differences],
    }


def _study_json(folder: Path, study: KeptStudy) -> dict[str, object]:
    return {"folder": str(folder), "dataset": study.dataset, "seeds": study.seeds, "verdict": study.verdict}


def _arm_json(arm: ArmDifference) -> dict[str, object]:
    tested = arm.tested
    test = tested and {
        "low": tested.low,
        "high": tested.high,
        "p": tested.p,
        "better_in": tested.better_in,
        "of": tested.of,
        "significant": tested.significant,
    }
    return {
        "arm": arm.b.arm,
        "title": arm.b.title,
        "a": arm.a.balanced_accuracy.model_dump(),
        "b": arm.b.balanced_accuracy.model_dump(),
        "difference": arm.difference,
        "test": test,
    }


def _studies(comparison: StudyComparison) -> str:
    rows = [
        (
            f"<th>{side}<small>{escape(folder.name)}</small></th>",
            f"<td>{escape(study.verdict)}<small>{escape(_of(study))}</small></td>",
        )
        for side, folder, study in zip("AB", comparison.folders, comparison.studies, strict=True)
    ]
    return html_table(("", ""), rows)


def _of(study: KeptStudy) -> str:
    return f"{study.dataset}, {study.settings.get('network', '')}, {len(study.arms)} arms × {len(study.seeds)} seeds"


def _arms(comparison: StudyComparison) -> str:
    tested = any(arm.tested for arm in comparison.arms)
    head = _HEAD if tested else _HEAD[:4]
    rows = [(f"<th>{_key(arm.b)}</th>", *_cells(arm)[: len(head) - 1]) for arm in comparison.arms]
    table = html_table(head, rows) if rows else ""
    only = "".join(
        f'<p class="left-out"><b>{escape(arm.title)}</b> is only in {side}: {escape(_rate(arm))}.</p>'
        for side, arms in zip("AB", comparison.only, strict=True)
        for arm in arms
    )
    return f'{table}{only}<p class="small">{_TESTED if tested else _UNTESTED}</p>'


def _differences(comparison: StudyComparison) -> str:
    if not comparison.differences:
        return "<p>Nothing that the studies wrote down.</p>"
    rows = [(f"<th>{escape(name)}</th>", html_cell(a), html_cell(b)) for name, a, b in comparison.differences]
    return html_table(("", "A", "B"), rows)


def _key(arm: KeptArm) -> str:
    return f'<i class="key" style="background:{arm_colour(arm)}"></i>{escape(arm.title)}'


def _cells(arm: ArmDifference) -> Sequence[str]:
    tested = arm.tested
    rates = (_two_lines(_rate(arm.a), _images(arm.a)), _two_lines(_rate(arm.b), _images(arm.b)))
    cells = (*rates, _two_lines(_points(arm)))
    if tested is None:
        return (*cells, "<td></td>", "<td></td>", "<td></td>")
    ahead = html_number(f"{tested.better_in} of {tested.of}")
    return (*cells, ahead, html_number(p_value(tested.p)), html_cell(_conclusion(arm)))


def _two_lines(number: str, below: str = "") -> str:
    """Build a number with its interval and further facts below it, so that the table stays narrow."""
    mean, _, interval = number.partition(" (")
    small = "".join(f"<small>{escape(line)}</small>" for line in (interval.removesuffix(")"), below) if line)
    return f'<td class="number">{escape(mean)}{small}</td>'


def _images(arm: KeptArm) -> str:
    return " + ".join(f"{count:,} {origin}" for origin, count in arm.counts.items() if count)


def _rate(arm: KeptArm) -> str:
    rate = arm.balanced_accuracy
    return percent_interval({"mean": rate.mean, "low": rate.low, "high": rate.high})


def _points(arm: ArmDifference) -> str:
    low, high = (arm.tested.low, arm.tested.high) if arm.tested else (None, None)
    return signed_points({"mean": arm.difference, "low": low, "high": high})


def _conclusion(arm: ArmDifference) -> str:
    if arm.tested is None or arm.tested.of < SEEDS_FOR_A_CLAIM:
        return "too few seeds"
    if not arm.tested.significant:
        return "no significant difference"
    return "B is better" if arm.difference > 0 else "B is worse"


def _text_row(arm: ArmDifference) -> str:
    conclusion = f"  p {p_value(arm.tested.p)}, {_conclusion(arm)}" if arm.tested else ""
    return f"{_rate(arm.a):26}{_rate(arm.b):26}{_points(arm):24}{arm.b.title}{conclusion}"
