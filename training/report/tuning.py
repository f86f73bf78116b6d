"""The section of a report on the same tuning budget for every arm."""

from __future__ import annotations

from collections.abc import Iterator
from html import escape

from pipeline.domain.arms import BASELINE, Arm
from training.report.tables import html_number, html_table, markdown_table, markdown_text
from training.report.wording import percent_interval, points_interval
from training.study.result import StudyResult, TunedArm, TuningFindings

_HEADING = "With the same tuning budget"
_HEAD = (
    "arm",
    "learning rate",
    "weight decay",
    "balanced accuracy (95 % over seeds)",
    "points over real photos",
)
_DEFAULT = "the setting of the other tables"


def tuning_html(result: StudyResult) -> str:
    """Write the section of the page; "" where nothing was tuned."""
    if "tuning" not in result:
        return ""
    findings = result["tuning"]
    rows = [
        (f"<th>{_key(arm)}</th>", *(html_number(cell) for cell in _cells(findings, arm)))
        for arm in findings["arms"]
    ]
    table = html_table(_HEAD, rows) if rows else ""
    remarks = "".join(f'<p class="left-out">{escape(sentence)}</p>' for sentence in _remarks(findings))
    small = f'<p class="small">{escape(_explanation(findings))}</p>' if rows else ""
    return (
        f"<section><h2>{_HEADING}</h2><p>{escape(findings['sentence'])}</p>{table}{remarks}{small}</section>"
    )


def tuning_markdown(result: StudyResult) -> list[str]:
    """Write the section as paragraphs of Markdown; none where nothing was tuned."""
    if "tuning" not in result:
        return []
    findings = result["tuning"]
    rows = [
        (f"{arm['title']} ({_DEFAULT})" if arm["is_default"] else arm["title"], *_cells(findings, arm))
        for arm in findings["arms"]
    ]
    return [
        f"## {_HEADING}",
        f"**{markdown_text(findings['sentence'])}**",
        *([markdown_table(_HEAD, rows)] if rows else []),
        *(markdown_text(sentence) for sentence in _remarks(findings)),
        *([markdown_text(_explanation(findings))] if rows else []),
    ]


def _key(arm: TunedArm) -> str:
    default = f"<small>{_DEFAULT}</small>" if arm["is_default"] else ""
    colour = Arm(arm["arm"]).facts.colour
    return f'<i class="key" style="background:{colour}"></i>{escape(arm["title"])}{default}'


def _cells(findings: TuningFindings, arm: TunedArm) -> tuple[str, str, str, str]:
    """Write all but the name of an arm in the order of the head; a dash where there is no difference."""
    differences = [
        points_interval(comparison)
        for comparison in findings["comparisons"]
        if comparison["arm"] == arm["arm"] and comparison["against"] == BASELINE
    ]
    return (
        f"{arm['lr']:g}",
        f"{arm['weight_decay']:g}",
        percent_interval(arm["balanced_accuracy"]),
        differences[0] if differences else "–",
    )


def _remarks(findings: TuningFindings) -> Iterator[str]:
    """Name the arms that were not tuned, and those whose default was kept because no setting stood out."""
    alike = [arm["title"] for arm in findings["arms"] if len(set(arm["validation_accuracy"])) == 1]
    if alike and len(findings["settings"]) > 1:
        yield f"All settings reach the same on the validation photos, so that the default is kept: {'; '.join(alike)}."
    for skipped in findings["skipped"]:
        yield f"{skipped['title']} was not tuned: {skipped['reason']}."


def _explanation(findings: TuningFindings) -> str:
    """Say how the settings were chosen, and what the intervals leave out."""
    tried, photos = findings["settings"], sum(findings["validation_counts"].values())
    rates, decays = ([setting[key] for setting in tried] for key in ("lr", "weight_decay"))
    what = (
        f"the same {len(tried)} settings, the default and {len(tried) - 1} drawn at random (learning rate "
        f"{min(rates):g} to {max(rates):g}, weight decay {min(decays):g} to {max(decays):g})"
        if len(tried) > 1
        else "the default setting alone"
    )
    return (
        f"Every arm tried {what}, one run each, trained without {photos} validation photos and without the synthetic "
        "images that show their objects. These are real training photos, about a quarter of each class, "
        "near-duplicates kept together. The setting with the best balanced accuracy on them, the default where several "
        "are equal, was trained on all images of the arm with every seed. The test photos have no part in the choice. "
        "Intervals are computed as in the tables above; they do not cover that other validation photos may choose "
        "another setting."
    )
