"""The section of a report on whether the images are recognised as their class."""

from __future__ import annotations

from html import escape

from pipeline.domain.methods import Method
from training.report.tables import html_number, html_table, markdown_table, markdown_text
from training.similarity.recognition import RecognisedMethod, RecognitionFindings

_HEADING = "Are the images recognised as their class?"
_HEAD = ("method", "recognised", "images", "class recognised least")
_EXPLANATION = (
    "Each image is given the class whose real training photos are most like it, by the mean of their features of "
    "EfficientNet-Lite0 (GAN-test, arXiv 1807.09499), without the photos of its own objects and their near-duplicates; "
    "95 % bootstrap intervals over images. A low share means images that do not show their class, or show it as no "
    "photo does; the latter can be useful."
)


def recognition_html(findings: RecognitionFindings) -> str:
    """Write the section of the page."""
    rows = [
        (
            f'<th><i class="key" style="background:{Method(of["method"]).facts.colour}"></i>{escape(of["title"])}</th>',
            *(html_number(cell) for cell in _cells(of)),
        )
        for of in findings["methods"]
    ]
    return (
        f"<section><h2>{_HEADING}</h2><p>{escape(findings['sentence'])}</p>{html_table(_HEAD, rows)}"
        f'<p class="small">{_EXPLANATION}</p></section>'
    )


def recognition_markdown(findings: RecognitionFindings) -> list[str]:
    """Write the section as paragraphs of Markdown."""
    rows = [(of["title"], *_cells(of)) for of in findings["methods"]]
    return [
        f"## {_HEADING}",
        f"**{markdown_text(findings['sentence'])}**",
        markdown_table(_HEAD, rows),
        _EXPLANATION,
    ]


def _cells(of: RecognisedMethod) -> tuple[str, str, str]:
    share = of["recognised"]
    weakest = min(of["per_class"].items(), key=lambda each: each[1], default=None)
    return (
        f"{100 * share['mean']:.0f} % ({100 * share['low']:.0f} to {100 * share['high']:.0f})",
        f"{of['images']:,}",
        f"{weakest[0]}, {100 * weakest[1]:.0f} %" if weakest else "too few images of each",
    )
