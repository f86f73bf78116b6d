import numpy as np
import pytest

from pipeline.segmentation import USABLE_SCORE, cut_out
from pipeline.segmentation.several import count_of_certain_objects, divided_mask, separate_objects

SIZE = (100, 200)
LARGE, SMALL = (slice(20, 80), slice(10, 70)), (slice(30, 70), slice(130, 170))


def two_squares() -> np.ndarray:
    """(100, 200) bool: a square of 60 px, and one of 40 px far to the right of it."""
    mask = np.zeros(SIZE, bool)
    mask[LARGE] = mask[SMALL] = True
    return mask


def balls_on_paper(*centres: tuple[int, int]) -> tuple[np.ndarray, np.ndarray]:
    """(photo, mask): orange balls of 40 px radius on paper of 288 x 384 px, at (x, y)."""
    y, x = np.mgrid[:288, :384].astype(np.float32)
    rng = np.random.default_rng(0)
    photo = np.full((288, 384, 3), (205, 203, 198), np.float32) + rng.normal(0, 1.5, (288, 384, 3))
    mask = np.zeros((288, 384), bool)
    for left, top in centres:
        ball = np.hypot(x - left, y - top) < 40
        shade = (1.1 - 0.5 * np.hypot(x - left + 12, y - top + 16) / 70)[..., None]
        photo = np.where(ball[..., None], np.array((225, 120, 30)) * shade, photo)
        mask |= ball
    return np.clip(photo, 0, 255).astype(np.uint8), mask


def test_two_pieces_far_from_each_other_are_two_objects_the_larger_first() -> None:
    first, second = separate_objects(two_squares())
    assert (first[LARGE].all(), first.sum()) == (True, 3600)
    assert (second[SMALL].all(), second.sum()) == (True, 1600)


def test_pieces_that_a_narrow_gap_parts_are_one_object() -> None:
    mask = np.zeros(SIZE, bool)
    mask[20:80, 10:60] = mask[20:80, 63:120] = True
    assert len(separate_objects(mask)) == 1


def test_a_piece_under_a_fifth_of_the_largest_is_no_object() -> None:
    mask = two_squares()
    mask[30:50, 185:195] = True
    assert len(separate_objects(mask)) == 2


def test_an_empty_mask_holds_no_object_and_a_heap_of_pieces_is_one() -> None:
    assert separate_objects(np.zeros(SIZE, bool)) == []
    heap = np.zeros(SIZE, bool)
    heap[5::20, 5::20] = True
    (single,) = separate_objects(heap)
    assert np.array_equal(single, heap)


def test_a_divided_mask_adds_up_to_the_whole_with_its_soft_edges_and_its_dust() -> None:
    alpha = np.where(two_squares(), 255, 0).astype(np.uint8)
    alpha[20:80, 70] = 90  # soft edge of the large square
    alpha[50, 175] = 255  # dust beside the small one
    large, small = divided_mask(alpha)
    assert np.array_equal(large + small, alpha)
    assert (large[50, 70], small[50, 70]) == (90, 0)
    assert (large[50, 175], small[50, 175]) == (0, 255)


def test_where_the_network_is_unsure_of_an_object_they_are_not_counted_apart() -> None:
    probability = np.where(two_squares(), 0.9, 0.0).astype(np.float32)
    assert count_of_certain_objects(two_squares(), probability) == 2
    probability[SMALL] = 0.5
    assert count_of_certain_objects(two_squares(), probability) == 1


@pytest.mark.parametrize("count", [2, 3])
def test_a_photo_with_several_objects_keeps_them_all_and_asks_which_to_use(count: int) -> None:
    photo, mask = balls_on_paper(*[(70, 90), (300, 100), (190, 220)][:count])
    result = cut_out(photo)
    found = result.alpha > 127
    assert (found & mask).sum() / (found | mask).sum() > 0.9
    assert result.score < USABLE_SCORE
    assert result.doubts[0] == f"There are {count} objects in this photo; choose one or use all"


def test_a_photo_with_one_object_asks_nothing() -> None:
    assert cut_out(balls_on_paper((190, 140))[0]).doubts == ()
