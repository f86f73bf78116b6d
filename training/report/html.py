"""The report of a study as one HTML file without external resources."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape
from pathlib import Path
from string import Template

from pipeline.domain.arms import BASELINE, Arm
from training.report.class_context import class_context_html
from training.report.context import context_html
from training.report.counterfactual import counterfactual_html
from training.report.data_efficiency import data_efficiency_html
from training.report.diagnosis import diagnosis_html
from training.report.efficiency import efficiency_html
from training.report.plots import curve_plot, interval_plot
from training.report.recognition import recognition_html
from training.report.similarity import similarity_html
from training.report.tables import html_cell as _cell
from training.report.tables import html_number as _number
from training.report.tables import html_table as _table
from training.report.tables import style
from training.report.tuning import tuning_html
from training.report.wording import (
    MEASURE_TITLES,
    accuracy_with,
    conclusion,
    explain_tests,
    image_counts,
    measure_cells,
    network_sentence,
    p_value,
    percent_interval,
    points_interval,
    setting_lines,
)
from training.study.result import ArmResult, ComparisonResult, StudyResult
from training.study.verdict import Finding

_PAGE = Path(__file__).with_name("page.html")
_HEADINGS = {
    Finding.BETTER: "A better use of the data",
    Finding.NO_DIFFERENCE: "No significant difference",
    Finding.WORSE: "Nothing is better than real photos",
    Finding.TOO_FEW_SEEDS: "Too few seeds for a conclusion",
    Finding.NOTHING_TO_COMPARE: "Nothing to compare",
}
_DARK_CELL = 0.55  # share above which a cell of the confusion matrix needs light text


def html_report(result: StudyResult, folder: Path | None = None) -> str:
    """Write verdict, plots, tables, confusion matrices, settings and notes of a study as a page.

    Args:
        folder: the study's, which holds the photos that the page shows; None shows none.
    """
    heading = _HEADINGS[Finding(result["finding"])]
    chance = 1 / len(result["classes"])  # the network chooses among all of them, tested or not
    settings = [(f"<th>{escape(name)}</th>", _cell(value)) for name, value in setting_lines(result)]
    return Template(_PAGE.read_text(encoding="utf-8")).substitute(
        style=style(),
        finding=escape(result["finding"]),
        heading=heading,
        verdict=_verdict(result["verdict"].removeprefix(f"{heading}: ")) + _other_verdicts(result),
        subtitle=escape(_subtitle(result)),
        images=_images(result),
        intervals=interval_plot(result["arms"], chance=chance),
        arms=_arms(result),
        comparisons=_comparisons(result),
        data_efficiency=data_efficiency_html(result),
        networks=tuning_html(result) + _other_networks(result),
        diagnosis=diagnosis_html(result, folder) + counterfactual_html(result),
        measures=_measures(result),
        curves=curve_plot(result["arms"]),
        classes=_recalls(result),
        confusions="".join(_confusion(arm, result["classes"]) for arm in result["arms"]),
        settings=_table(("", ""), settings),
        notes="".join(f"<li>{escape(note)}</li>" for note in result["notes"]),
    )


def _images(result: StudyResult) -> str:
    """What the images themselves show, where it was measured."""
    parts = []
    if "similarity" in result:
        parts.append(similarity_html(result["similarity"]))
    if "context" in result:
        parts.append(context_html(result["context"]))
    if "recognition" in result:
        parts.append(recognition_html(result["recognition"]))
    if "class_context" in result:
        parts.append(class_context_html(result["class_context"]))
    if "efficiency" in result:
        parts.append(efficiency_html(result["efficiency"]))
    return "".join(parts)


def _verdict(sentences: str) -> str:
    """Set the first sentence large, the others below it."""
    first, _, rest = sentences.partition(". ")
    lead = escape(first[:1].upper() + first[1:]) + ("." if rest else "")
    return f"<p>{lead}</p>" + (f'<p class="more">{escape(rest)}</p>' if rest else "")


def _other_verdicts(result: StudyResult) -> str:
    """What each further network shows, below the verdict of the first."""
    sentences = [network_sentence(other) for other in result.get("other_networks", [])]
    return "".join(f'<p class="more">{escape(sentence)}</p>' for sentence in sentences)


def _subtitle(result: StudyResult) -> str:
    seeds = len(result["seeds"])
    return (
        f"{len(result['arms'])} arms × {seeds} seed{'s' if seeds > 1 else ''}, "
        f"{len(result['classes'])} classes, {sum(result['test_counts'].values())} test photos"
    )


def _arms(result: StudyResult) -> str:
    rows = [
        (
            f"<th>{_key(arm)}{_badge(result, arm)}<small>{escape(arm['says'])}</small></th>",
            _cell(image_counts(arm)),
            _number(percent_interval(arm["balanced_accuracy"])),
            _number(f"{arm['seconds']:.1f} s"),
        )
        for arm in result["arms"]
    ]
    head = ("arm", "images", "balanced accuracy (95 % over seeds)", "time per run")
    left_out = "".join(
        f'<p class="left-out"><b>{escape(skipped["title"])}</b> was left out: {escape(skipped["reason"])}.</p>'
        for skipped in result["skipped"]
    )
    shares = "".join(f'<p class="small">{escape(note)}</p>' for note in result.get("share_notes", []))
    return _table(head, rows) + left_out + shares


def _key(arm: ArmResult | ComparisonResult) -> str:
    return f'<i class="key" style="background:{Arm(arm["arm"]).facts.colour}"></i>{escape(arm["title"])}'


def _badge(result: StudyResult, arm: ArmResult) -> str:
    return f' <span class="best">{escape(result["praise"])}</span>' if arm["arm"] == result["best"] else ""


def _comparisons(result: StudyResult) -> str:
    if not result["comparisons"]:
        return ""
    parts = [_comparison_table(result["comparisons"], "points over real photos")]
    if result["planned"]:
        parts.append("<h2>Comparisons fixed beforehand</h2>")
        parts.append(_comparison_table(result["planned"], "points over the other"))
    parts.append(f'<p class="small">{escape(explain_tests(result))}</p>')
    return f"<section><h2>Against real photos</h2>{''.join(parts)}</section>"


def _comparison_table(comparisons: Sequence[ComparisonResult], points: str) -> str:
    rows = [
        (
            f"<th>{_key(comparison)}{_other(comparison)}</th>",
            _number(points_interval(comparison)),
            _number(f"{comparison['better_in']} of {comparison['of']}"),
            _number(p_value(comparison["p_adjusted"])),
            _number(p_value(comparison["p_photos"])),
            _cell(conclusion(comparison)),
        )
        for comparison in comparisons
    ]
    return _table(("", points, "ahead in", "p over seeds", "p over seeds and photos", ""), rows)


def _other(comparison: ComparisonResult) -> str:
    if comparison["against"] == BASELINE:
        return ""
    return f"<small>against {escape(comparison['against_title'])}</small>"


def _other_networks(result: StudyResult) -> str:
    """The same study with other networks, a column for each."""
    others = result.get("other_networks", [])
    if not others:
        return ""
    rows = [
        (
            f"<th>{_key(arm)}</th>",
            _number(percent_interval(arm["balanced_accuracy"])),
            *(_number(accuracy_with(other, arm["arm"])) for other in others),
        )
        for arm in result["arms"]
    ]
    head = ("", result["settings"]["network"], *(other["network"] for other in others))
    return f"<section><h2>With other networks</h2>{_table(head, rows)}</section>"


def _measures(result: StudyResult) -> str:
    rows = [(f"<th>{_key(arm)}</th>", *map(_number, measure_cells(arm))) for arm in result["arms"]]
    return _table(("", *MEASURE_TITLES), rows)


def _recalls(result: StudyResult) -> str:
    tested = [name for name in result["classes"] if name in result["arms"][0]["per_class"]]
    rows = [
        (
            f"<th>{escape(name)}</th>",
            _number(str(result["test_counts"][name])),
            *(
                _heat(arm["per_class"][name], f"{100 * arm['per_class'][name]:.0f} %")
                for arm in result["arms"]
            ),
        )
        for name in tested
    ]
    return _table(("class", "test photos", *(arm["title"] for arm in result["arms"])), rows)


def _confusion(arm: ArmResult, classes: Sequence[str]) -> str:
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


def _heat(share: float, text: str) -> str:
    strong = " strong" if share > _DARK_CELL else ""
    return f'<td class="heat{strong}" style="--share:{100 * share:.0f}%">{escape(text)}</td>'
