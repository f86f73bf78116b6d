from __future__ import annotations

import numpy as np
import pytest

from ui.components.enlarged import enlarged, view_factor


@pytest.mark.parametrize(
    ("size", "factor"), [((192, 192), 4), ((768, 100), 1), ((2000, 1000), 1), ((10, 300), 2)]
)
def test_small_images_are_shown_enlarged_by_a_whole_factor(size: tuple[int, int], factor: int) -> None:
    assert view_factor(size) == factor
    assert enlarged(np.zeros((*size, 3), np.uint8)).shape == (size[0] * factor, size[1] * factor, 3)
