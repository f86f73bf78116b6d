"""The section of a report on how many real photos the arms are worth."""

from __future__ import annotations

from html import escape

from pipeline.domain.arms import Arm
from training.report.data_efficiency_plot import data_efficiency_plot
from training.report.tables import html_number, html_table, markdown_table, markdown_text
from training.report.wording import percent_interval
from training.study.photo_worth import photo_range
from training.study.result import DataEfficiency, EquivalentPhotos, RealCurve, StudyResult

_HEADING = "Data efficiency: worth in real photos"
_HEAD = (
    "arm", "real photos", "synthetic images", "balanced accuracy", "equivalent photos", "additional photos",
)  # fmt: skip


def data_efficiency_html(result: StudyResult) -> str:
    """Write the section of the page; "" where no arm was to be valued."""
    if "data_efficiency" not in result:
        return ""
    findings = result["data_efficiency"]
    if findings["curve"] is None:
        return f"<section><h2>{_HEADING}</h2><p>{escape(findings['skipped'])}</p></section>"
    sentences = "".join(f"<p>{escape(arm['sentence'])}</p>" for arm in findings["arms"])
    rows = [(f"<th>{_key(arm)}</th>", *map(html_number, _cells(arm))) for arm in findings["arms"]]
    small = f'<p class="small">{escape(_explanation(findings["curve"]))}</p>'
    plot = data_efficiency_plot(findings["curve"], findings["arms"])
    return f"<section><h2>{_HEADING}</h2>{sentences}{plot}{html_table(_HEAD, rows)}{small}</section>"


def data_efficiency_markdown(result: StudyResult) -> list[str]:
    """Write the section as paragraphs of Markdown; none where no arm was to be valued."""
    if "data_efficiency" not in result:
        return []
    findings: DataEfficiency = result["data_efficiency"]
    if findings["curve"] is None:
        return [f"## {_HEADING}", markdown_text(findings["skipped"])]
    return [
        f"## {_HEADING}",
        *(f"**{markdown_text(arm['sentence'])}**" for arm in findings["arms"]),
        markdown_table(_HEAD, [(arm["title"], *_cells(arm)) for arm in findings["arms"]]),
        markdown_text(_explanation(findings["curve"])),
    ]


def _key(arm: EquivalentPhotos) -> str:
    return f'<i class="key" style="background:{Arm(arm["arm"]).facts.colour}"></i>{escape(arm["title"])}'


def _cells(arm: EquivalentPhotos) -> tuple[str, ...]:
    return (
        f"{arm['real']:,}",
        f"{arm['synthetic']:,}",
        f"{100 * arm['balanced_accuracy']:.1f} %",
        photo_range(arm["equivalent"]),
        photo_range(arm["additional"]),
    )


def _explanation(curve: RealCurve) -> str:
    """Tell what was fitted, how well, and what the numbers cover."""
    points = ", ".join(
        f"{point['photos']:,} photos {percent_interval(point['balanced_accuracy'])}"
        for point in curve["points"]
    )
    return (
        f"Measured with real photos alone (95 % over seeds): {points}. Fitted: balanced accuracy = "
        f"{curve['plateau']:.3f} − {curve['scale']:.3g} × photos^(−{curve['exponent']:.2g}) (least squares on the "
        f"means over the seeds), which misses them by {100 * curve['misfit']:.1f} points (root mean square). "
        "Photos of all classes together. The curve is not read below the fewest photos measured, nor beyond "
        f"twice the most ({curve['most']:,}): there it says fewer or more. 95 % intervals over seeds and other "
        "test photos, by fitting the curve again to draws of all mean accuracies; they do not cover another form "
        "of the curve. Arms without real photos still use the photos whose objects were cut out."
    )
