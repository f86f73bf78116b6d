"""The charts of variety on the Generate page."""

from __future__ import annotations

import re

from pipeline.domain.variety import SetVariety, VarietyCurve, VarietyPoint
from ui.pages.generate.variety import variety_html


def variety(recipe: str, method: str, *scores: float, exponent: float = 0.5) -> SetVariety:
    points = tuple(VarietyPoint(8 * 2**place, score, 0.25) for place, score in enumerate(scores))
    curve = VarietyCurve(total=100, points=points, exponent=exponent)
    return SetVariety(
        recipe=recipe, method=method, images=100, compared=64, wanted=64, curves={"bolt": curve}
    )


def test_without_a_curve_there_is_no_chart() -> None:
    nothing = SetVariety(recipe="heaps", method="paste", images=3, compared=0, wanted=3, curves={})
    assert variety_html([]) == ""
    assert variety_html([nothing]) == ""


def test_each_recipe_and_method_has_a_line_in_two_charts_and_a_sentence() -> None:
    shown = variety_html([variety("heaps", "inpaint", 4, 6.5), variety("plain", "text_to_image", 3, 5)])
    assert shown.count("<polyline") == 4
    assert re.findall(r"<li[^>]*>([^<]*)</li>", shown) == [
        "heaps, inpaint 6.5", "plain, text to image 5", "heaps, inpaint 25%", "plain, text to image 25%",
    ]  # fmt: skip
    assert "heaps, inpaint: 16 images of a class count as 6.5 different ones" in shown
    assert '<details class="variety"><summary>Variety of the images</summary>' in shown


def test_it_opens_where_more_images_add_nothing() -> None:
    shown = variety_html([variety("<b>", "paste", 4, 4, exponent=0.0)])
    assert (
        '<details class="variety" open><summary>Variety: more images of some classes add almost nothing'
        in shown
    )
    assert "&lt;b&gt;, paste" in shown
    assert "<b>" not in shown
    assert "another 100 images of &#x27;bolt&#x27; add less than 1%: stop, or widen the recipe" in shown
