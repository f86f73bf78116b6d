import numpy as np
import pytest

from pipeline.errors import InvalidRequest, SizeMismatch
from pipeline.segmentation import CutoutOrigin, edited, flood_click, grabcut_box

GREY, BLUE = (180, 180, 180), (20, 40, 200)


def blue_square() -> tuple[np.ndarray, np.ndarray]:
    """(photo, mask) of a blue square on grey, 80 px."""
    photo = np.full((80, 80, 3), GREY, np.uint8)
    mask = np.zeros((80, 80), np.uint8)
    photo[20:60, 25:55], mask[20:60, 25:55] = BLUE, 255
    return photo, mask


def test_a_persons_mask_is_trusted_and_gets_a_soft_edge() -> None:
    photo, mask = blue_square()
    result = edited(photo, mask)
    assert (result.score, result.doubts, result.origin) == (1.0, (), CutoutOrigin.PERSON)
    assert np.array_equal(result.alpha > 127, mask > 127)
    assert (result.alpha[30:50, 35:45] == 255).all()


def test_an_empty_mask_is_refused() -> None:
    photo, mask = blue_square()
    with pytest.raises(InvalidRequest, match="the mask is empty"):
        edited(photo, mask * 0)


def test_a_mask_of_another_size_is_refused() -> None:
    photo, mask = blue_square()
    with pytest.raises(SizeMismatch, match=r"photo is 80x80.*mask is 40x80"):
        edited(photo, mask[:40])


def test_a_box_round_the_square_finds_the_square() -> None:
    photo, mask = blue_square()
    assert np.array_equal(grabcut_box(photo, (15, 10, 70, 70)), mask)


def test_a_box_that_sticks_out_is_cut_to_the_photo() -> None:
    photo, mask = blue_square()
    assert np.array_equal(grabcut_box(photo, (15, 10, 70, 900)), mask)


@pytest.mark.parametrize("box", [(90, 90, 99, 99), (10, 10, 12, 60), (0, 0, 80, 80)])
def test_a_box_of_no_use_is_refused(box: tuple[int, int, int, int]) -> None:
    with pytest.raises(InvalidRequest, match="the box"):
        grabcut_box(blue_square()[0], box)


def test_a_click_adds_the_region_of_like_colour() -> None:
    photo, mask = blue_square()
    assert np.array_equal(flood_click(photo, mask * 0, (40, 40), add=True), mask)


def test_a_click_takes_the_region_away_and_leaves_the_rest() -> None:
    photo, mask = blue_square()
    everything = np.full_like(mask, 255)
    assert np.array_equal(flood_click(photo, everything, (2, 2), add=False), mask)


def test_a_click_outside_the_photo_is_refused() -> None:
    photo, mask = blue_square()
    with pytest.raises(InvalidRequest, match=r"\(80, 3\) lies outside the 80x80 photo"):
        flood_click(photo, mask, (80, 3), add=True)
