from __future__ import annotations

from pathlib import Path

import numpy as np

from tests.rendering.tiny import SIDE, save_tiny_sdxl
from training.nano.evaluate.object_sheet import PROMPTS, object_rows


def test_the_sheet_has_a_row_of_objects_and_one_for_each_prompt_with_the_same_objects(tmp_path: Path) -> None:
    rows = object_rows(save_tiny_sdxl(tmp_path / "tiny"), None, each=2)
    assert [title for title, _ in rows[1:]] == list(PROMPTS)
    alone = rows[0][1]
    assert alone.shape == (2, SIDE, SIDE, 3)
    object_pixels = (alone != alone[:, :1, :1]).any(-1)  # differs from the plain ground of the corner
    painted = np.stack([images for _, images in rows[1:]])
    same = (painted == alone).all((0, -1))  # in every row
    assert same[object_pixels].mean() > 0.5  # all but the soft edges
    assert same[~object_pixels].mean() < 0.05
