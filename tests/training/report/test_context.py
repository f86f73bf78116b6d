from __future__ import annotations

from training.report.context import context_html, context_markdown
from training.similarity.context import ContextFindings

FINDINGS: ContextFindings = {
    "sentence": "The object is <kept>.",
    "methods": [
        {
            "method": "inpaint",
            "title": "inpaint",
            "object_kept": {"mean": 0.812, "low": 0.79, "high": 0.83},
            "objects": 120,
            "same_prompt": None,
            "prompts": 3,
        }
    ],
    "other_photo": None,
}


def test_the_page_gives_sentence_and_similarities() -> None:
    section = context_html(FINDINGS)
    assert "<p>The object is &lt;kept&gt;.</p>" in section
    assert '<td class="number">0.81 (0.79 to 0.83), 120 samples</td>' in section
    assert '<td class="number">too few: 3 prompts</td>' in section


def test_the_markdown_gives_the_same() -> None:
    text = "\n\n".join(context_markdown(FINDINGS))
    assert "**The object is &lt;kept&gt;.**" in text
    assert "| inpaint | 0.81 (0.79 to 0.83), 120 samples | too few: 3 prompts |" in text
