import numpy as np
import pymatting
import pytest

from pipeline.errors import SizeMismatch
from pipeline.segmentation import USABLE_SCORE, CutoutOrigin, CutoutResult, cut_out
from pipeline.starter import StarterPart, subjects

BOARD, RED = (214, 210, 202), (190, 40, 30)
BOX = (slice(40, 90), slice(30, 100))


def board(side: int = 128) -> np.ndarray:
    """A light board, a little brighter at the left, with faint noise."""
    rng = np.random.default_rng(0)
    slope = np.linspace(1.04, 0.94, side)[None, :, None]
    noisy = np.array(BOARD) * slope + rng.normal(0, 1, (side, side, 3))
    return np.clip(noisy, 0, 255).astype(np.uint8)


def box_on_board() -> tuple[np.ndarray, np.ndarray]:
    """(photo, mask) of a red box on the board."""
    photo, mask = board(), np.zeros((128, 128), bool)
    photo[BOX], mask[BOX] = RED, True
    return photo, mask


def overlap(alpha: np.ndarray, mask: np.ndarray) -> float:
    found = alpha > 127
    return float((found & mask).sum() / (found | mask).sum())


def test_a_box_on_a_board_is_found_and_trusted() -> None:
    photo, mask = box_on_board()
    result = cut_out(photo)
    assert overlap(result.alpha, mask) > 0.98
    assert result.score > 0.9
    assert result.doubts == ()
    assert result.origin is CutoutOrigin.BACKGROUND


def test_colours_equal_the_photo_where_alpha_is_full() -> None:
    photo, _ = box_on_board()
    result = cut_out(photo)
    opaque = result.alpha == 255
    assert opaque.sum() > 2500
    assert np.array_equal(result.rgb[opaque], photo[opaque])


def test_a_soft_shadow_of_the_boards_colour_stays_on_the_board() -> None:
    photo, mask = box_on_board()
    y, x = np.mgrid[:128, :128]
    away = np.hypot(np.maximum(np.abs(x - 72) - 32, 0), np.maximum(np.abs(y - 72) - 22, 0))
    shade = 1 - 0.4 * np.exp(-((away / 8.0) ** 2))
    shaded = np.where(mask[..., None], photo, photo * shade[..., None]).astype(np.uint8)
    result = cut_out(shaded)
    assert overlap(result.alpha, mask) > 0.95


def test_a_round_hole_that_shows_the_board_is_kept_open() -> None:
    photo, mask = box_on_board()
    y, x = np.mgrid[:128, :128]
    hole = np.hypot(x - 65, y - 65) < 11
    photo[hole] = board()[hole]
    result = cut_out(photo)
    assert overlap(result.alpha, mask & ~hole) > 0.96
    assert result.alpha[65, 65] == 0


def test_the_same_photo_gives_the_same_cutout_twice() -> None:
    photo, _ = box_on_board()
    first, second = cut_out(photo), cut_out(photo)
    assert np.array_equal(first.alpha, second.alpha)
    assert np.array_equal(first.rgb, second.rgb)
    assert first.score == second.score


def test_an_empty_board_has_no_object_and_says_so() -> None:
    result = cut_out(board())
    assert (result.alpha.any(), result.score) == (False, 0.0)
    assert result.doubts == ("No object was found",)


def test_one_flat_colour_has_no_object() -> None:
    assert not cut_out(np.full((40, 60, 3), 200, np.uint8)).alpha.any()


def test_an_object_that_runs_out_of_the_picture_is_doubtful() -> None:
    photo = board()
    photo[:, :70] = RED
    result = cut_out(photo)
    assert result.score < USABLE_SCORE


def test_a_busy_ground_is_doubtful() -> None:
    rng = np.random.default_rng(0)
    assert cut_out(rng.integers(0, 255, (96, 96, 3)).astype(np.uint8)).score < USABLE_SCORE


def test_a_large_photo_keeps_its_size() -> None:
    photo, mask = box_on_board()
    result = cut_out(np.kron(photo, np.ones((6, 6, 1), np.uint8)))
    assert result.alpha.shape == (768, 768)
    assert overlap(result.alpha, np.kron(mask, np.ones((6, 6), bool))) > 0.97


def test_a_given_soft_mask_is_kept_as_it_is() -> None:
    photo, mask = box_on_board()
    alpha = np.where(mask, 255, 0).astype(np.uint8)
    alpha[40:90, 29] = 90
    result = cut_out(photo, alpha=alpha)
    assert np.array_equal(result.alpha, alpha)
    assert (result.score, result.doubts, result.origin) == (1.0, (), CutoutOrigin.GIVEN)


def test_a_given_empty_mask_is_doubtful() -> None:
    photo, _ = box_on_board()
    result = cut_out(photo, alpha=np.zeros((128, 128), np.uint8))
    assert (result.score, result.doubts) == (0.0, ("The given mask is empty",))


def test_a_given_mask_of_another_size_is_refused() -> None:
    with pytest.raises(SizeMismatch, match=r"photo is 128x128.*mask is 2x6"):
        cut_out(board(), alpha=np.zeros((2, 6), np.uint8))


@pytest.fixture(scope="module")
def starter_results() -> list[tuple[StarterPart, CutoutResult]]:
    """The first four of each kind of the starter set, cut out without their masks."""
    return [(part, cut_out(part.rgb)) for part in subjects(per_kind=4)]


def test_starter_masks_are_exact_enough(starter_results: list[tuple[StarterPart, CutoutResult]]) -> None:
    # 20 of the 120; benchmarks/cutout.py measures them all against the figures (median 0.97, 10th percentile 0.93)
    overlaps = [overlap(result.alpha, part.mask > 127) for part, result in starter_results]
    assert np.median(overlaps) >= 0.97
    assert np.percentile(overlaps, 10) >= 0.90


def test_starter_masks_that_the_score_lets_pass_are_good(
    starter_results: list[tuple[StarterPart, CutoutResult]],
) -> None:
    passing = [
        overlap(result.alpha, part.mask > 127)
        for part, result in starter_results
        if result.score >= USABLE_SCORE
    ]
    assert len(passing) >= 10
    assert min(passing) > 0.85


def test_the_edge_of_a_cutout_keeps_no_colour_of_the_old_ground() -> None:
    photo, _ = box_on_board()
    blurred = (0.5 * photo + 0.25 * np.roll(photo, 1, 1) + 0.25 * np.roll(photo, -1, 1)).astype(np.uint8)
    result = cut_out(blurred)
    edge = (result.alpha > 25) & (result.alpha < 230)
    assert edge.any()
    towards_red = np.abs(result.rgb[edge].astype(int) - np.array(RED)).mean()
    before = np.abs(blurred[edge].astype(int) - np.array(RED)).mean()
    assert towards_red < 0.5 * before


def test_the_advice_of_the_matting_library_is_not_printed(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    solve = pymatting.estimate_alpha_cf

    def advising(*arguments: object) -> np.ndarray:
        print("PERFORMANCE WARNING:")  # as its preconditioner does
        return solve(*arguments)

    monkeypatch.setattr(pymatting, "estimate_alpha_cf", advising)
    cut_out(box_on_board()[0])
    assert capsys.readouterr().out == ""
