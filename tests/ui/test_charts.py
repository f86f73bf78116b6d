from __future__ import annotations

import re

from ui.components.charts import Axis, curves_svg


def test_no_points_draw_nothing() -> None:
    assert curves_svg({"real": []}, title="Accuracy") == ""


def test_each_arm_has_a_line_and_its_last_value_in_the_legend_the_highest_first() -> None:
    drawn = curves_svg({"mixed": [(10, 0.5)], "real": [(0, 0.2), (10, 0.75)]}, title="Accuracy")
    assert drawn.count("<polyline") == 2
    assert re.findall(r"<li[^>]*>([^<]*)</li>", drawn) == ["real 75%", "mixed 50%"]


def test_an_axis_of_numbers_has_whole_ones_and_holds_the_largest() -> None:
    drawn = curves_svg({"paste": [(8, 5.0), (16, 9.5)]}, title="Variety", unit="images", axis=Axis.up_to(9.5))
    assert re.findall(r'text-anchor="end">([^<]*)</text>', drawn) == ["0", "3", "6", "9", "12", "16 images"]
    assert re.findall(r"<li[^>]*>([^<]*)</li>", drawn) == ["paste 9.5"]
