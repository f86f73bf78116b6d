from __future__ import annotations

import re
from xml.etree import ElementTree

import pytest

from training.report.similarity import similarity_html, similarity_markdown
from training.report.similarity_plot import group_colour, similarity_plot
from training.similarity.result import SimilarityFindings, SimilarityGroup


def group(name: str, title: str, *, scores: dict[int, float]) -> SimilarityGroup:
    """A group whose cosine-Vendi scores are given by n."""
    return {
        "name": name,
        "title": title,
        "methods": [],
        "images": 120,
        "points": [
            {
                "n": n,
                "bands": {
                    "vendi": {"mean": score, "low": score - 1, "high": score + 1},
                    "mean_cosine": {"mean": 0.5, "low": 0.45, "high": 0.55},
                },
            }
            for n, score in scores.items()
        ],
    }


@pytest.fixture
def findings() -> SimilarityFindings:
    return {
        "sentence": "Similarity grows <more> slowly.",
        "claims": [],
        "groups": [
            group("ours", "Backlot (inpaint)", scores={16: 8.0, 32: 12.0, 64: 16.0}),
            group("paste", "paste", scores={16: 6.0, 32: 8.0}),
        ],
        "left_out": [{"title": "text to image", "reason": "the release has no such images"}],
        "draws": 20,
        "classes": 5,
        "test_photos": 0,
        "image_size": 160,
    }


def test_the_section_gives_the_claim_the_plot_and_the_table_at_the_largest_common_n(
    findings: SimilarityFindings,
) -> None:
    section = similarity_html(findings)
    assert "<p>Similarity grows &lt;more&gt; slowly.</p>" in section
    assert "Sets of 32 images" in section
    assert '<td class="number">12.0<br><span class="small">11.0 to 13.0</span></td>' in section
    assert '<td class="number">8.0<br><span class="small">7.0 to 9.0</span></td>' in section
    assert "<b>text to image</b> was left out: the release has no such images." in section
    assert not re.search(r"(src|href)=|https?://|<script", section)


def test_the_markdown_gives_the_same(findings: SimilarityFindings) -> None:
    text = "\n\n".join(similarity_markdown(findings))
    assert "**Similarity grows &lt;more&gt; slowly.**" in text
    assert "| cosine-Vendi | 12.0 (11.0 to 13.0) | 8.0 (7.0 to 9.0) |" in text
    assert "Left out: text to image, the release has no such images." in text


def test_the_plot_has_a_panel_for_each_measure_and_a_line_and_a_band_for_each_group(
    findings: SimilarityFindings,
) -> None:
    plot = ElementTree.fromstring(similarity_plot(findings["groups"]))
    texts = [node.text for node in plot.iter("text")]
    assert {"cosine-Vendi", "mean cosine"} <= set(texts)
    assert "coverage" not in texts
    strokes = [node.attrib["stroke"] for node in plot.iter("polyline")]
    assert strokes == [group_colour("ours"), group_colour("paste")] * 2
    assert len(list(plot.iter("polygon"))) == 4


def test_doublings_of_n_are_equally_far_apart_and_values_stand_at_their_ticks(
    findings: SimilarityFindings,
) -> None:
    plot = ElementTree.fromstring(similarity_plot(findings["groups"]))
    first, second, third = list(plot.iter("circle"))[:3]
    steps = [
        float(second.attrib["cx"]) - float(first.attrib["cx"]),
        float(third.attrib["cx"]) - float(second.attrib["cx"]),
    ]
    assert steps[0] == pytest.approx(steps[1], abs=0.11)
    tick = next(node for node in plot.iter("text") if node.text == "8" or node.text == "10")
    ten = (float(second.attrib["cy"]) - float(first.attrib["cy"])) / 4 * (int(tick.text or 0) - 8)
    assert float(tick.attrib["y"]) - 4 == pytest.approx(float(first.attrib["cy"]) + ten, abs=0.2)


def test_groups_with_a_single_n_are_drawn_as_dots_with_bars(findings: SimilarityFindings) -> None:
    for small in findings["groups"]:
        small["points"] = small["points"][:1]
    plot = ElementTree.fromstring(similarity_plot(findings["groups"]))
    assert len(list(plot.iter("circle"))) == 4
    assert len(list(plot.iter("rect"))) == 4


def test_equal_values_are_drawn_too(findings: SimilarityFindings) -> None:
    for equal in findings["groups"]:
        for point in equal["points"]:
            point["bands"]["vendi"] = {"mean": 1.0, "low": 1.0, "high": 1.0}
    assert "nan" not in similarity_plot(findings["groups"])
