"""Scores on pictures whose answer is known."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from pipeline.domain.descriptors import descriptor
from pipeline.domain.outline_scores import band, fringe, halo, rim, seam
from pipeline.domain.quality import (
    DEFAULT_GATES,
    MEASURED_LATER,
    SCORE_NAMES,
    STRICT_GATES,
    Direction,
    Gate,
    GateFailure,
    clipped,
    contrast,
    gates_failed,
    least_margin,
    object_share,
    scores,
    sharpness,
    sharpness_gap,
)
from pipeline.errors import SizeMismatch

SIDE = 48


def flat(tone: int) -> np.ndarray:
    return np.full((SIDE, SIDE, 3), tone, np.uint8)


def square() -> np.ndarray:
    alpha = np.zeros((SIDE, SIDE), np.uint8)
    alpha[18:30, 18:30] = 255
    return alpha


def with_object(ground: np.ndarray, tone: int = 30) -> np.ndarray:
    picture = ground.copy()
    picture[square() == 255] = tone
    return picture


def blurred(picture: np.ndarray, sigma: float) -> np.ndarray:
    return cv2.GaussianBlur(picture, (0, 0), sigma)


def test_a_flat_picture_is_neither_sharp_nor_rich_in_contrast() -> None:
    assert sharpness(flat(90)) == 0
    assert contrast(flat(90)) == 0
    assert clipped(flat(90)) == 0


def test_a_chequer_is_sharp_clipped_and_full_of_contrast() -> None:
    ys, xs = np.indices((SIDE, SIDE))
    chequer = np.repeat((((ys + xs) % 2) * 255).astype(np.uint8)[..., None], 3, axis=2)
    assert sharpness(chequer) > 0.95
    assert clipped(chequer) == 1
    assert contrast(chequer) == 1


def test_the_share_of_the_canvas_is_the_objects_area() -> None:
    assert object_share(square()) == pytest.approx(144 / SIDE**2)


def test_an_object_that_does_not_show_has_no_seam_halo_or_fringe() -> None:
    ramp = np.repeat(np.tile(np.arange(SIDE, dtype=np.uint8) * 5, (SIDE, 1))[..., None], 3, axis=2)
    for picture in (flat(90), ramp):
        assert seam(picture, square()) == pytest.approx(0, abs=0.02)
        assert halo(picture, square()) < 0.03
        assert rim(picture, square()) == 0
        assert fringe(picture, square()) == pytest.approx(0, abs=0.02)


def test_a_hard_cut_is_a_seam_a_soft_edge_less_and_a_wide_blend_none() -> None:
    cut = with_object(flat(200))
    seams = [seam(cut, square()), *(seam(blurred(cut, sigma), square()) for sigma in (0.7, 1.5, 5.0))]
    assert seams[0] == pytest.approx(170 / 174, abs=1e-3)
    assert seams == sorted(seams, reverse=True)
    assert seams[-1] < 0.1


def test_how_far_object_and_ground_differ_changes_a_seam_little() -> None:
    faint, strong = (seam(blurred(with_object(flat(tone)), 0.7), square()) for tone in (110, 250))
    assert faint == pytest.approx(strong, abs=0.12)


def test_a_busy_ground_right_up_to_the_object_is_less_of_a_seam_than_an_even_one() -> None:
    ground = np.random.default_rng(0).integers(60, 200, (SIDE, SIDE, 3), np.uint8)
    assert seam(ground, square()) < 0.05
    assert seam(with_object(ground), square()) < seam(with_object(flat(130)), square())


@pytest.mark.parametrize("tone", [250, 0])
def test_a_rim_lighter_or_darker_than_object_and_ground_is_a_halo(tone: int) -> None:
    picture = with_object(flat(170), tone=80)
    picture[17:31, 17:31][square()[17:31, 17:31] == 0] = tone  # one pixel wide, just outside
    assert halo(picture, square()) > 0.4
    assert halo(with_object(flat(170), tone=80), square()) == 0


def large_square() -> np.ndarray:
    alpha = np.zeros((SIDE, SIDE), np.uint8)
    alpha[12:36, 12:36] = 255
    return alpha


def with_rim(
    tone: int, *, width: int, share: float = 1.0, ground: int = 90, object_tone: int = 60
) -> np.ndarray:
    """An object whose mask took in a rim of its old background, along a share of its height."""
    picture = flat(ground)
    picture[12:36, 12:36] = object_tone
    inner = np.zeros((SIDE, SIDE), bool)
    inner[12 + width : 36 - width, 12 + width : 36 - width] = True
    inner[12 + round(24 * share) :] = True
    picture[(large_square() == 255) & ~inner] = tone
    return picture


@pytest.mark.parametrize("width", [1, 2, 3])
def test_old_white_board_within_the_mask_is_a_rim(width: int) -> None:
    assert rim(with_rim(240, width=width), large_square()) > 0.95
    assert rim(with_rim(240, width=width, share=0.5), large_square()) == pytest.approx(0.5, abs=0.12)


def test_a_rim_that_does_not_show_is_none() -> None:
    on_white = with_rim(240, width=2, ground=235)
    of_white = with_rim(240, width=2, object_tone=230)
    dark = with_rim(20, width=2)
    assert [rim(picture, large_square()) for picture in (on_white, of_white, dark)] == [0, 0, 0]


def test_an_object_on_a_softer_background_is_sharper_by_the_difference() -> None:
    texture = blurred(np.random.default_rng(2).integers(0, 256, (SIDE, SIDE, 3), np.uint8), 0.7)
    faint = (100 + texture * 0.3).astype(np.uint8)
    soft = blurred(texture, 2.0)
    inside = (large_square() == 255)[..., None]

    def gap(within: np.ndarray, around: np.ndarray) -> float:
        found = sharpness_gap(np.where(inside, within, around), large_square())
        assert found is not None
        return found

    assert gap(texture, texture) < 0.1
    assert gap(texture, faint) < 0.15  # a weaker texture is no softer one
    assert gap(soft, soft) < 0.1
    assert gap(soft, texture) == 0
    assert gap(texture, soft) > 0.3


def test_an_object_too_small_to_judge_has_no_difference_in_sharpness() -> None:
    assert sharpness_gap(flat(9), square()) is None
    assert "sharpness_gap" not in scores(flat(9), square())


def test_light_and_dark_are_told_apart() -> None:
    half = flat(255)
    half[: SIDE // 4] = 0
    values = scores(half, np.zeros((SIDE, SIDE), np.uint8))
    assert (values["over_exposed"], values["under_exposed"], values["clipped"]) == (0.75, 0.25, 1.0)


def test_the_exposure_of_the_object_is_that_of_its_photo_and_does_not_count() -> None:
    values = scores(with_object(flat(120), tone=255), square())
    assert (values["over_exposed"], values["clipped"]) == (0, 0.0625)


def test_left_over_paper_round_the_object_is_a_fringe() -> None:
    ground = flat(80)
    ground[16:32, 16:32] = 240
    assert fringe(with_object(ground), square()) > 0.8
    assert fringe(with_object(flat(80)), square()) == 0


def test_an_object_over_the_whole_canvas_has_no_outline_to_judge() -> None:
    everywhere = np.full((SIDE, SIDE), 255, np.uint8)
    found = scores(with_object(flat(200)), everywhere)
    assert (found["seam"], found["halo"], found["fringe"], found["object_share"]) == (0, 0, 0, 1)


def disc(radius_px: float) -> np.ndarray:
    """How far each pixel of 128 x 128 lies outside a disc."""
    ys, xs = np.indices((128, 128)) - 63.5
    return np.asarray(np.hypot(ys, xs) - radius_px)


def grained(tone: np.ndarray | float, spread: float) -> np.ndarray:
    noise = np.random.default_rng(3).normal(0, spread, (128, 128))
    return np.repeat(np.clip(tone + noise, 0, 255).astype(np.uint8)[..., None], 3, axis=2)


DISC = np.where(disc(24) <= 0, 255, 0).astype(np.uint8)


@pytest.mark.parametrize("width_px", [4, 8, 12])
@pytest.mark.parametrize("tone", [30, -30])
@pytest.mark.parametrize("spread", [0, 12])
def test_a_band_around_the_object_is_told_by_its_end(width_px: int, tone: int, spread: float) -> None:
    assert band(grained(120 + tone * (disc(24) <= width_px), spread), DISC) > 0.45


def test_ground_texture_a_soft_shadow_and_a_line_beside_the_object_are_no_band() -> None:
    away = np.maximum(disc(24), 0)
    beside = np.where(np.indices((128, 128))[1] > 95, 60.0, 0.0)
    for picture in (
        grained(120.0, 0),
        grained(120.0, 30),
        grained(120 - 60 * np.exp(-away / 5), 3),
        grained(120 + beside, 3),
    ):
        assert band(picture, DISC) < 0.25
    assert (
        band(grained(120.0, 0), np.zeros_like(DISC)) == band(grained(120.0, 0), np.full_like(DISC, 255)) == 0
    )


def test_ground_far_off_changes_no_score_of_the_outline() -> None:
    alpha = np.zeros((120, 120), np.uint8)
    alpha[50:70, 50:70] = 255
    picture = np.random.default_rng(1).integers(0, 256, (120, 120, 3), np.uint8)
    found = scores(picture, alpha)
    for score in (seam, halo, rim, fringe, band):
        assert found[score.__name__] == pytest.approx(score(picture, alpha), abs=1e-5)


def test_picture_and_mask_must_share_one_size() -> None:
    with pytest.raises(SizeMismatch, match=r"image is 48x48.*mask is 2x2"):
        scores(flat(9), np.zeros((2, 2), np.uint8))


def test_without_an_object_its_scores_are_left_out() -> None:
    names = {"sharpness", "clipped", "over_exposed", "under_exposed", "contrast"}
    assert set(scores(flat(90), np.zeros((SIDE, SIDE), np.uint8))) == names


def test_a_failed_gate_says_value_and_limit() -> None:
    gates = (Gate("seam", 0.3, Direction.AT_MOST), Gate("contrast", 0.1, Direction.AT_LEAST))
    failures = gates_failed({"seam": 0.41, "contrast": 0.2, "other": 9.0}, gates)
    assert failures == (GateFailure("seam", 0.41, 0.3),)
    assert str(failures[0]) == "Outline looks cut: 41 %, limit 30 %"
    assert str(GateFailure("over_exposed", 0.69, 0.6)) == "Over-exposed: 69 %, limit 60 %"
    assert str(GateFailure("exact", 0.9991, 1.0)) == "Unchanged pixels of the object: 99.91 %, limit 100 %"


def test_every_gate_has_a_sentence_and_a_score() -> None:
    assert {gate.name for gate in (*DEFAULT_GATES, *STRICT_GATES)} <= set(SCORE_NAMES)
    assert not {gate.name for gate in DEFAULT_GATES} & {gate.name for gate in STRICT_GATES}
    assert set(MEASURED_LATER) <= set(SCORE_NAMES)
    assert all("_" not in str(GateFailure(name, 0.1, 0.2)) for name in SCORE_NAMES)


def test_a_score_that_a_sample_does_not_have_fails_no_gate() -> None:
    """Samples of earlier versions have fewer scores."""
    assert gates_failed({"seam": 0.1, "halo": 0.0, "fringe": 0.0, "clipped": 0.0, "contrast": 0.9}) == ()


def test_a_gate_that_is_met_or_not_does_not_order_the_queue() -> None:
    gates = (Gate("exact", 1.0, Direction.AT_LEAST, is_graded=False), Gate("seam", 0.5))
    assert least_margin({"exact": 1.0, "seam": 0.25}, gates) == 0.5


def test_a_failed_gate_is_read_from_its_earlier_sentence() -> None:
    assert GateFailure.parse("object_share 0.00, limit 0.01") == GateFailure("object_share", 0.0, 0.01)
    with pytest.raises(ValueError, match="'too dark' is not a gate failure"):
        GateFailure.parse("too dark")


def test_the_default_gates_hold_back_an_object_that_is_hardly_in_the_picture() -> None:
    alpha = np.zeros((SIDE, SIDE), np.uint8)
    alpha[:2, :3] = 255
    picture = with_object(flat(200))
    assert "object_share" in [failure.gate for failure in gates_failed(scores(picture, alpha))]


def test_a_descriptor_has_length_one_and_tells_pictures_apart() -> None:
    first, second = descriptor(flat(30)), descriptor(with_object(flat(220)))
    assert first.shape == (96,)
    assert np.linalg.norm(first) == pytest.approx(1, abs=1e-5)
    assert float(first @ second) < 0.9
