"""The report of a study as one HTML file that needs nothing beside it."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape
from pathlib import Path
from string import Template
from typing import Any

from training.plots import COLOURS, curve_plot, interval_plot
from training.report_markdown import (
    percent_interval,
    picture_counts,
    points_interval,
    setting_lines,
    tests_said,
)

_PAGE = Path(__file__).with_name("report_page.html")
_HEADINGS = {
    "better": "A use of the data that pays",
    "no_difference": "No significant difference",
    "worse": "Nothing beat the real photos",
    "too_few_seeds": "Too few seeds to tell",
    "nothing_to_compare": "Nothing to compare",
}


def html_report(found: dict[str, Any]) -> str:
    """The page of what `study.json` holds: verdict, plots, tables, confusion matrices, settings, notes."""
    heading = _HEADINGS[found["finding"]]
    chance = 1 / len(found["classes"])  # the network answers among all of them, tested or not
    return Template(_PAGE.read_text(encoding="utf-8")).substitute(
        finding=found["finding"],
        heading=heading,
        verdict=_verdict(found["verdict"].removeprefix(f"{heading}: ")),
        subtitle=escape(_subtitle(found)),
        intervals=interval_plot(found["arms"], chance=chance),
        arms=_arms(found),
        comparisons=_comparisons(found),
        curves=curve_plot(found["arms"]),
        classes=_classes(found),
        confusions="".join(_confusion(arm, found["classes"]) for arm in found["arms"]),
        settings=_table(
            ("", ""), [(f"<th>{escape(name)}</th>", _cell(value)) for name, value in setting_lines(found)]
        ),
        notes="".join(f"<li>{escape(note)}</li>" for note in found["notes"]),
    )


def _verdict(sentences: str) -> str:
    """The first sentence large, the others below it."""
    first, _, rest = sentences.partition(". ")
    lead = escape(first[:1].upper() + first[1:]) + ("." if rest else "")
    return f"<p>{lead}</p>" + (f'<p class="more">{escape(rest)}</p>' if rest else "")


def _subtitle(found: dict[str, Any]) -> str:
    seeds = len(found["seeds"])
    return (
        f"{len(found['arms'])} uses of the data × {seeds} seed{'s' if seeds > 1 else ''}, "
        f"{len(found['classes'])} classes, {sum(found['test_counts'].values())} test photos"
    )


def _arms(found: dict[str, Any]) -> str:
    rows = [
        (
            f"<th>{_key(arm)}{_crown(found, arm)}<small>{escape(arm['says'])}</small></th>",
            _cell(picture_counts(arm)),
            _number(percent_interval(arm["balanced_accuracy"])),
            _number(f"{100 * arm['accuracy']['mean']:.1f} %"),
            _number(f"{arm['seconds']:.1f} s"),
        )
        for arm in found["arms"]
    ]
    head = ("use of the data", "pictures", "balanced accuracy (95 % interval)", "accuracy", "time a run")
    left_out = "".join(
        f'<p class="left-out"><b>{escape(one["title"])}</b> was left out: {escape(one["reason"])}.</p>'
        for one in found["skipped"]
    )
    return _table(head, rows) + left_out


def _key(arm: dict[str, Any]) -> str:
    return f'<i class="key" style="background:{COLOURS[arm["arm"]]}"></i>{escape(arm["title"])}'


def _crown(found: dict[str, Any], arm: dict[str, Any]) -> str:
    return f' <span class="best">{escape(found["praise"])}</span>' if arm["arm"] == found["best"] else ""


def _comparisons(found: dict[str, Any]) -> str:
    if not found["comparisons"]:
        return ""
    rows = [
        (
            f"<th>{_key(one)}</th>",
            _number(points_interval(one)),
            _number(f"{one['better_in']} of {one['of']}"),
            _number(f"{one['p']:.4f}"),
            _number(f"{one['p_adjusted']:.4f}"),
            _cell(_said(one)),
        )
        for one in found["comparisons"]
    ]
    head = ("", "points over real photos", "ahead in", "p", "p, corrected", "")
    said = f'<p class="small">{escape(tests_said(found))}</p>'
    return f"<section><h2>Against real photos, seed by seed</h2>{_table(head, rows)}{said}</section>"


def _said(one: dict[str, Any]) -> str:
    if one["significant"]:
        return "better" if one["difference"] > 0 else "worse"
    return "not told apart" if one["of"] >= 6 else "too few seeds"


def _classes(found: dict[str, Any]) -> str:
    names = [name for name in found["classes"] if name in found["arms"][0]["per_class"]]
    rows = [
        (
            f"<th>{escape(name)}</th>",
            _number(str(found["test_counts"][name])),
            *(
                _heat(arm["per_class"][name], f"{100 * arm['per_class'][name]:.0f} %")
                for arm in found["arms"]
            ),
        )
        for name in names
    ]
    return _table(("class", "test photos", *(arm["title"] for arm in found["arms"])), rows)


def _confusion(arm: dict[str, Any], classes: Sequence[str]) -> str:
    rows = []
    for name, counts in zip(classes, arm["confusion"], strict=True):
        total = max(1, sum(counts))
        rows.append(
            (
                f"<th>{escape(name)}</th>",
                *(_heat(count / total, str(count) if count else "") for count in counts),
            )
        )
    head = ("", *classes)
    return (
        f"<figure><figcaption>{escape(arm['title'])}</figcaption>{_table(head, rows, slanted=True)}</figure>"
    )


def _table(head: Sequence[str], rows: Sequence[Sequence[str]], *, slanted: bool = False) -> str:
    """Rows are cells in HTML already; the head is text."""
    kind = ' class="slanted"' if slanted else ""
    titles = "".join(f"<th><span>{escape(title)}</span></th>" for title in head) if any(head) else ""
    body = "".join(f"<tr>{''.join(row)}</tr>" for row in rows)
    inside = f"<thead><tr>{titles}</tr></thead><tbody>{body}</tbody>"
    return f'<div class="scroll"><table{kind}>{inside}</table></div>'


def _cell(text: str) -> str:
    return f"<td>{escape(text)}</td>"


def _number(text: str) -> str:
    return f'<td class="number">{escape(text)}</td>'


def _heat(share: float, text: str) -> str:
    strong = " strong" if share > 0.55 else ""
    return f'<td class="heat{strong}" style="--share:{100 * share:.0f}%">{escape(text)}</td>'
