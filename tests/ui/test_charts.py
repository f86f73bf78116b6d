from __future__ import annotations

import re
from itertools import pairwise

from ui.components.charts import curves_svg


def test_no_points_draw_nothing() -> None:
    assert curves_svg({"real": []}, title="Accuracy") == ""


def test_each_arm_has_a_line_and_its_last_value_beside_it() -> None:
    drawn = curves_svg({"real": [(0, 0.2), (10, 0.75)], "mixed": [(10, 0.5)]}, title="Accuracy")
    assert drawn.count("<polyline") == 2
    assert ">real 75%</text>" in drawn
    assert ">mixed 50%</text>" in drawn


def test_names_of_arms_that_end_together_do_not_overlap() -> None:
    drawn = curves_svg({name: [(10, 0.5)] for name in ("a", "b", "c")}, title="Accuracy")
    heights = sorted(float(y) for y in re.findall(r'class="name[^>]* y="([\d.]+)"', drawn))
    assert len(heights) == 3
    assert all(below - above >= 17 for above, below in pairwise(heights))
