"""The report of a study as Markdown, for a card or a pull request."""

from __future__ import annotations

from collections.abc import Sequence

from training.report.class_context import class_context_markdown
from training.report.context import context_markdown
from training.report.counterfactual import counterfactual_markdown
from training.report.data_efficiency import data_efficiency_markdown
from training.report.diagnosis import diagnosis_markdown
from training.report.efficiency import efficiency_markdown
from training.report.recognition import recognition_markdown
from training.report.similarity import similarity_markdown
from training.report.tables import markdown_table as _table
from training.report.tables import markdown_text as _text
from training.report.tuning import tuning_markdown
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
from training.study.result import ComparisonResult, StudyResult


def markdown_report(result: StudyResult) -> str:
    """Write verdict, table, comparisons, confusion matrices, settings and notes of a study."""
    parts = [
        "# Which use of the data is best?",
        f"**{_text(result['verdict'])}**",
        *(_text(network_sentence(other)) for other in result.get("other_networks", [])),
        *_images(result),
        *_arms(result),
        *_comparisons(result),
        *data_efficiency_markdown(result),
        *tuning_markdown(result),
        *_other_networks(result),
        *diagnosis_markdown(result),
        *counterfactual_markdown(result),
        *_measures(result),
        *_recalls(result),
        *_confusions(result),
        "## Settings",
        _table(("", ""), setting_lines(result)),
        "## Limitations",
        "\n".join(f"- {_text(note)}" for note in result["notes"]),
    ]
    return "\n\n".join(parts) + "\n"


def _images(result: StudyResult) -> list[str]:
    parts: list[str] = []
    if "similarity" in result:
        parts += similarity_markdown(result["similarity"])
    if "context" in result:
        parts += context_markdown(result["context"])
    if "recognition" in result:
        parts += recognition_markdown(result["recognition"])
    if "class_context" in result:
        parts += class_context_markdown(result["class_context"])
    if "efficiency" in result:
        parts += efficiency_markdown(result["efficiency"])
    return [*parts, "## Balanced accuracy on the test photos"] if parts else []


def _arms(result: StudyResult) -> list[str]:
    rows = [
        (arm["title"], arm["says"], image_counts(arm), percent_interval(arm["balanced_accuracy"]))
        for arm in result["arms"]
    ]
    skipped = [f"Left out: {_text(arm['title'])}, {_text(arm['reason'])}." for arm in result["skipped"]]
    table = _table(("arm", "trains on", "images", "balanced accuracy (95 % over seeds)"), rows)
    return [table, *skipped, *map(_text, result.get("share_notes", []))]


def _comparisons(result: StudyResult) -> list[str]:
    if not result["comparisons"]:
        return []
    parts = ["## Against real photos", _comparison_table(result["comparisons"])]
    if result["planned"]:
        parts += ["### Comparisons fixed beforehand", _comparison_table(result["planned"])]
    return [*parts, explain_tests(result)]


def _comparison_table(comparisons: Sequence[ComparisonResult]) -> str:
    rows = [
        (
            comparison["title"],
            comparison["against_title"],
            points_interval(comparison),
            f"{comparison['better_in']} of {comparison['of']}",
            p_value(comparison["p_adjusted"]),
            p_value(comparison["p_photos"]),
            conclusion(comparison),
        )
        for comparison in comparisons
    ]
    head = (
        "arm",
        "against",
        "points (95 % interval)",
        "ahead in",
        "p over seeds",
        "p over seeds and photos",
        "",
    )
    return _table(head, rows)


def _other_networks(result: StudyResult) -> list[str]:
    others = result.get("other_networks", [])
    if not others:
        return []
    rows = [
        (
            arm["title"],
            percent_interval(arm["balanced_accuracy"]),
            *(accuracy_with(other, arm["arm"]) for other in others),
        )
        for arm in result["arms"]
    ]
    head = ("arm", result["settings"]["network"], *(other["network"] for other in others))
    return ["## With other networks", _table(head, rows)]


def _measures(result: StudyResult) -> list[str]:
    rows = [(arm["title"], *measure_cells(arm)) for arm in result["arms"]]
    return ["## Measures", _table(("arm", *MEASURE_TITLES), rows)]


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
