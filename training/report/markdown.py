"""The report of a study as Markdown, for a card or a pull request."""

from __future__ import annotations

from training.report.tables import markdown_table as _table
from training.report.tables import markdown_text as _text
from training.report.wording import (
    explain_tests,
    image_counts,
    percent_interval,
    points_interval,
    setting_lines,
)
from training.study.result import StudyResult


def markdown_report(result: StudyResult) -> str:
    """Write verdict, table, comparisons, confusion matrices, settings and notes of a study."""
    parts = [
        "# Which use of the data is best?",
        f"**{_text(result['verdict'])}**",
        *_arms(result),
        *_comparisons(result),
        *_recalls(result),
        *_confusions(result),
        "## Settings",
        _table(("", ""), setting_lines(result)),
        "## Limitations",
        "\n".join(f"- {_text(note)}" for note in result["notes"]),
    ]
    return "\n\n".join(parts) + "\n"


def _arms(result: StudyResult) -> list[str]:
    rows = [
        (arm["title"], arm["says"], image_counts(arm), percent_interval(arm["balanced_accuracy"]))
        for arm in result["arms"]
    ]
    skipped = [f"Left out: {_text(arm['title'])}, {_text(arm['reason'])}." for arm in result["skipped"]]
    return [_table(("arm", "trains on", "images", "balanced accuracy (95 % interval)"), rows), *skipped]


def _comparisons(result: StudyResult) -> list[str]:
    if not result["comparisons"]:
        return []
    rows = [
        (
            comparison["title"],
            points_interval(comparison),
            f"{comparison['better_in']} of {comparison['of']}",
            f"{comparison['p']:.4f}",
            f"{comparison['p_adjusted']:.4f}",
        )
        for comparison in result["comparisons"]
    ]
    head = ("arm", "points over real photos (95 % interval)", "ahead in", "p", "p, corrected")
    return ["## Against real photos, seed by seed", _table(head, rows), explain_tests(result)]


def _recalls(result: StudyResult) -> list[str]:
    tested = [name for name in result["classes"] if name in result["arms"][0]["per_class"]]
    rows = [(name, *(f"{100 * arm['per_class'][name]:.0f} %" for arm in result["arms"])) for name in tested]
    return ["## Recall of each class", _table(("class", *(arm["title"] for arm in result["arms"])), rows)]


def _confusions(result: StudyResult) -> list[str]:
    parts = ["## Confusion (rows: true class, columns: predicted class; summed over seeds)"]
    for arm in result["arms"]:
        counts = zip(result["classes"], arm["confusion"], strict=True)
        rows = [(name, *map(str, row)) for name, row in counts]
        parts += [f"### {_text(arm['title'])}", _table(("", *result["classes"]), rows)]
    return parts
