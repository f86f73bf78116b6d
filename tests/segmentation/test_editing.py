import numpy as np
import pytest

from pipeline.errors import InvalidRequest, SizeMismatch
from pipeline.segmentation import CutoutOrigin, edited, grabcut_box, object_in_box, object_mask, region_at

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


def test_the_object_in_a_box_is_found_and_nothing_outside_the_box() -> None:
    photo, mask = blue_square()
    photo[5:15, 5:15] = (200, 20, 20)
    found = object_in_box(photo, (20, 16, 62, 66))
    assert _overlap(found, mask) > 0.9
    found = object_in_box(photo, (-10, -10, 18, 18))
    assert (found[6:14, 6:14] == 255).all()
    assert not found[18:].any()


def test_a_box_in_which_nothing_is_found_is_cut_by_grabcut(monkeypatch: pytest.MonkeyPatch) -> None:
    photo, mask = blue_square()
    monkeypatch.setattr(
        "pipeline.segmentation.editing.object_mask", lambda rgb, network: np.zeros(rgb.shape[:2], bool)
    )
    assert np.array_equal(object_in_box(photo, (15, 10, 70, 70)), mask)
    with pytest.raises(InvalidRequest, match="the box"):
        object_in_box(photo, (90, 90, 99, 99))


def test_a_click_on_the_object_means_the_object() -> None:
    photo, mask = blue_square()
    assert _overlap(region_at(photo, (40, 40), add=True), mask) > 0.9


def test_a_click_to_remove_means_the_region_of_similar_colour() -> None:
    photo, mask = blue_square()
    assert np.array_equal(region_at(photo, (2, 2), add=False), 255 - mask)
    assert np.array_equal(region_at(photo, (40, 40), add=False), mask)


def test_without_the_network_a_click_means_the_region_of_similar_colour(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    photo, mask = blue_square()
    monkeypatch.setattr("pipeline.segmentation.editing.object_probability", lambda rgb, network: None)
    assert np.array_equal(region_at(photo, (40, 40), add=True), mask)


@pytest.mark.parametrize("add", [True, False])
def test_a_click_outside_the_photo_is_refused(add: bool) -> None:
    with pytest.raises(InvalidRequest, match=r"\(80, 3\) lies outside the 80x80 photo"):
        region_at(blue_square()[0], (80, 3), add=add)


def test_the_mask_without_help_is_hard() -> None:
    photo, mask = blue_square()
    assert object_mask(photo).dtype == bool
    assert _overlap(object_mask(photo), mask) > 0.9


def _overlap(found: np.ndarray, mask: np.ndarray) -> float:
    """Intersection over union of two masks."""
    one, other = found > 0, mask > 0
    return float((one & other).sum() / (one | other).sum())
