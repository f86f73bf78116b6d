from __future__ import annotations

import re

from ui.components.charts import curves_svg


def test_no_points_draw_nothing() -> None:
    assert curves_svg({"real": []}, title="Accuracy") == ""


def test_each_arm_has_a_line_and_its_last_value_in_the_legend_the_highest_first() -> None:
    drawn = curves_svg({"mixed": [(10, 0.5)], "real": [(0, 0.2), (10, 0.75)]}, title="Accuracy")
    assert drawn.count("<polyline") == 2
    assert re.findall(r"<li[^>]*>([^<]*)</li>", drawn) == ["real 75%", "mixed 50%"]
