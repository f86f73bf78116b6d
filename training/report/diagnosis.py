"""The section of a report on what the wrongly classified test photos have in common."""

from __future__ import annotations

import base64
from collections.abc import Iterator
from html import escape
from pathlib import Path

from pipeline.domain.arms import Arm
from training.diagnosis.factors import FACTORS, Factor
from training.diagnosis.result import ConfidentError, ErrorAnalysis, ExamplePair, ExamplePhoto, FactorFinding
from training.report.tables import html_cell, html_number, html_table, markdown_table, markdown_text
from training.report.wording import p_value
from training.study.result import StudyResult
from training.study.statistics import ALPHA

_HEADING = "Why test photos are classified wrongly"
_HEAD = (
    "arm", "factor", "photos", "recognised at low values", "recognised at high values",
    "rank correlation with errors", "p", "conclusion",
)  # fmt: skip
_EXPLANATION = (
    "Rank correlation of each factor with the share of the seeds that classify a photo wrongly, within classes: "
    "above 0, photos with high values are recognised less often. Two-sided permutation test within classes, corrected "
    "for the number of factors (Holm); near-duplicates count as one photo. A factor that goes with errors need not "
    "cause them."
)


def diagnosis_html(result: StudyResult, folder: Path | None) -> str:
    """Write the section of the page; "" where there was no diagnosis.

    Args:
        folder: the study's, which holds the thumbnails; None leaves them out.
    """
    if "error_analysis" not in result:
        return ""
    analysis = result["error_analysis"]
    sentences = "".join(f"<p>{escape(sentence)}</p>" for sentence in analysis["sentences"])
    rows = [
        (f"<th>{_key(finding)}</th>", html_cell(title), *map(html_number, cells))
        for finding in result.get("diagnosis", [])
        for title, *cells in [_cells(finding)]
    ]
    table = html_table(_HEAD, rows) if rows else ""
    small = "".join(f'<p class="small">{escape(text)}</p>' for text in _small_print(result, analysis))
    images = "" if folder is None else _examples(analysis, folder)
    return f"<section><h2>{_HEADING}</h2>{sentences}{table}{small}{images}</section>"


def diagnosis_markdown(result: StudyResult) -> list[str]:
    """Write the section as paragraphs of Markdown; none where there was no diagnosis."""
    if "error_analysis" not in result:
        return []
    analysis = result["error_analysis"]
    rows = [(finding["arm_title"], *_cells(finding)) for finding in result.get("diagnosis", [])]
    return [
        f"## {_HEADING}",
        *(f"**{markdown_text(sentence)}**" for sentence in analysis["sentences"]),
        *([markdown_table(_HEAD, rows)] if rows else []),
        *(markdown_text(text) for text in _small_print(result, analysis)),
    ]


def _cells(finding: FactorFinding) -> tuple[str, ...]:
    return (
        finding["title"],
        f"{finding['photos']:,}",
        f"{100 * finding['low_recognised']:.0f} %",
        f"{100 * finding['high_recognised']:.0f} %",
        f"{finding['effect']:+.2f}",
        p_value(finding["p"]),
        _conclusion(finding),
    )


def _small_print(result: StudyResult, analysis: ErrorAnalysis) -> Iterator[str]:
    """What the numbers mean, and what could not be measured."""
    if result.get("diagnosis"):
        yield _EXPLANATION
        tested = dict.fromkeys(finding["factor"] for finding in result["diagnosis"])
        yield (
            "; ".join(
                f"{FACTORS[Factor(name)].title}: {FACTORS[Factor(name)].description}" for name in tested
            )
            + "."
        )
    yield analysis["note"]
    if analysis["left_out"]:
        yield f"Left out: {'; '.join(_left_out(analysis))}."


def _left_out(analysis: ErrorAnalysis) -> Iterator[str]:
    """Name the factors that could not be tested, those of one reason together."""
    titles: dict[str, list[str]] = {}
    for missing in analysis["left_out"]:
        titles.setdefault(missing["reason"], []).append(missing["title"])
    for reason, of_reason in titles.items():
        yield f"{', '.join(of_reason)} ({reason})"


def _key(finding: FactorFinding) -> str:
    colour = Arm(finding["arm"]).facts.colour
    return f'<i class="key" style="background:{colour}"></i>{escape(finding["arm_title"])}'


def _examples(analysis: ErrorAnalysis, folder: Path) -> str:
    """Show pairs and errors, where there are any."""
    title = escape(analysis["best_title"])
    pairs = "".join(_pair(pair, folder) for pair in analysis["pairs"])
    errors = "".join(_error(error, folder) for error in analysis["errors"])
    shown = (
        f"<h3>Photos of one class that differ in {escape(analysis['pairs'][0]['title'])}, otherwise as alike as "
        f"there are ({title})</h3>"
        f'<div class="photos">{pairs}</div>'
        if pairs
        else ""
    )
    return shown + (
        f'<h3>The most confident errors ({title})</h3><div class="photos">{errors}</div>' if errors else ""
    )


def _pair(pair: ExamplePair, folder: Path) -> str:
    photos = "".join(
        _figure(photo["image"], f"{words}: wrong in {100 * photo['error_share']:.0f} % of the seeds", folder)
        for words, photo in ((f"{pair['label']}, {_value(pair['wrong'])}", pair["wrong"]),
                             (f"{pair['label']}, {_value(pair['right'])}", pair["right"]))
    )  # fmt: skip
    return f'<div class="pair">{photos}</div>'


def _value(photo: ExamplePhoto) -> str:
    return f"{photo['value']:.2g}"


def _error(error: ConfidentError, folder: Path) -> str:
    caption = f"{error['label']}, taken for {error['predicted']} ({100 * error['probability']:.0f} %)"
    return _figure(error["image"], caption, folder)


def _figure(image: str, caption: str, folder: Path) -> str:
    """Embed a thumbnail as a data URI; only the caption where its file is gone."""
    path = folder / image
    data = base64.b64encode(path.read_bytes()).decode() if path.is_file() else ""
    shown = f'<img alt="" src="data:image/jpeg;base64,{data}">' if data else ""
    return f"<figure>{shown}<figcaption>{escape(caption)}</figcaption></figure>"


def _conclusion(finding: FactorFinding) -> str:
    if finding["certain"]:
        return "certain"
    return "certain, but the ends hardly differ" if finding["p"] < ALPHA else "not certain"
