from __future__ import annotations

from training.report.recognition import recognition_html, recognition_markdown
from training.similarity.recognition import RecognitionFindings

FINDINGS: RecognitionFindings = {
    "sentence": "By the photos <some> are recognised.",
    "photos": 0.9,
    "methods": [
        {
            "method": "inpaint",
            "title": "inpainted",
            "images": 1200,
            "recognised": {"mean": 0.71, "low": 0.652, "high": 0.768},
            "per_class": {"bolt": 0.9, "<nut>": 0.4},
        }
    ],
}


def test_the_page_shows_shares_with_intervals_and_the_weakest_class() -> None:
    section = recognition_html(FINDINGS)
    assert "&lt;some&gt; are recognised." in section
    assert all(text in section for text in ("71 % (65 to 77)", "1,200", "&lt;nut&gt;, 40 %"))


def test_the_card_shows_the_same() -> None:
    text = "\n\n".join(recognition_markdown(FINDINGS))
    assert "| inpainted | 71 % (65 to 77) | 1,200 | &lt;nut&gt;, 40 % |" in text
