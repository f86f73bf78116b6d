from __future__ import annotations

from typing import cast
from xml.etree import ElementTree

import pytest

from pipeline.domain.arms import Arm
from training.report.data_efficiency import data_efficiency_html, data_efficiency_markdown
from training.report.data_efficiency_plot import data_efficiency_plot
from training.study.result import (
    CurveArm,
    DataEfficiency,
    EquivalentPhotos,
    PhotoRange,
    RealCurve,
    StudyResult,
)


def point(arm: str, photos: int, mean: float) -> CurveArm:
    interval = {"mean": mean, "low": mean - 0.05, "high": mean + 0.05}
    return cast(CurveArm, {"arm": arm, "photos": photos, "balanced_accuracy": interval})


CURVE: RealCurve = {  # 0.9 - 2 / sqrt(photos)
    "points": [point("real%25", 25, 0.5), point("real%50", 50, 0.617), point("real", 100, 0.7)],
    "plateau": 0.9,
    "scale": 2.0,
    "exponent": 0.5,
    "misfit": 0.0123,
    "most": 200,
}
WORTH: PhotoRange = {
    "estimate": {"photos": 64.0, "beyond": ""},
    "low": {"photos": 50.0, "beyond": ""},
    "high": {"photos": 200.0, "beyond": "more"},
}
ARM: EquivalentPhotos = {
    "arm": "synthetic",
    "title": "Synthetic <b>",
    "real": 0,
    "synthetic": 1400,
    "balanced_accuracy": 0.65,
    "equivalent": WORTH,
    "additional": WORTH,
    "sentence": "A <sentence>.",
}


def result(findings: DataEfficiency | None) -> StudyResult:
    return cast(StudyResult, {} if findings is None else {"data_efficiency": findings})


def test_the_page_has_sentence_plot_and_table() -> None:
    section = data_efficiency_html(result({"curve": CURVE, "arms": [ARM], "skipped": ""}))
    assert '<p>A &lt;sentence&gt;.</p><div class="plot"><svg' in section
    assert '<td class="number">1,400</td><td class="number">65.0 %</td>' in section
    assert '<td class="number">64 (50 to &gt; 200)</td>' in section
    assert "0.900 − 2 × photos^(−0.5)" in section
    assert "misses them by 1.2 points" in section
    assert "Synthetic <b>" not in section


def test_the_markdown_has_sentence_and_table() -> None:
    heading, sentence, table, _ = data_efficiency_markdown(
        result({"curve": CURVE, "arms": [ARM], "skipped": ""})
    )
    assert heading == "## Data efficiency: worth in real photos"
    assert sentence == "**A &lt;sentence&gt;.**"
    assert table.splitlines()[2] == (
        "| Synthetic &lt;b&gt; | 0 | 1,400 | 65.0 % | 64 (50 to &gt; 200) | 64 (50 to &gt; 200) |"
    )


def test_without_a_curve_both_reports_say_why() -> None:
    found = result({"curve": None, "arms": [], "skipped": "Add <arms>."})
    assert "<p>Add &lt;arms&gt;.</p></section>" in data_efficiency_html(found)
    assert data_efficiency_markdown(found)[1:] == ["Add &lt;arms&gt;."]


def test_studies_without_arms_to_value_have_no_section() -> None:
    assert data_efficiency_html(result(None)) == ""
    assert data_efficiency_markdown(result(None)) == []


def test_the_dot_of_an_arm_lies_on_the_curve_where_its_photos_are() -> None:
    plot = ElementTree.fromstring(data_efficiency_plot(CURVE, [ARM]))
    colour = Arm.SYNTHETIC.facts.colour
    (dot,) = (node for node in plot.iter("circle") if node.attrib["fill"] == colour)
    (bar,) = (node for node in plot.iter("rect") if node.attrib["fill"] == colour)
    ticks = {node.text: float(node.attrib["x"]) for node in plot.iter("text")}
    # 64 is on a logarithmic scale log2(64 / 50) = 0.356 of the way from 50 to 100
    assert float(dot.attrib["cx"]) == pytest.approx(
        ticks["50"] + 0.356 * (ticks["100"] - ticks["50"]), abs=0.2
    )
    assert float(bar.attrib["x"]) == pytest.approx(ticks["50"], abs=0.1)
    assert float(bar.attrib["x"]) + float(bar.attrib["width"]) == pytest.approx(ticks["200"], abs=0.2)


def test_an_arm_beyond_the_curve_has_no_dot() -> None:
    beyond: PhotoRange = {"estimate": {"photos": 200.0, "beyond": "more"}, "low": None, "high": None}
    plot = data_efficiency_plot(CURVE, [{**ARM, "equivalent": beyond, "balanced_accuracy": 0.85}])
    circles = list(ElementTree.fromstring(plot).iter("circle"))
    assert len(circles) == len(CURVE["points"])
