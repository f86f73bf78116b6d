"""One homography for all layers; exact where opaque; boxes and shares as they are seen."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.domain.placement import (
    Box,
    Cutout,
    Placement,
    box_centre,
    homography,
    object_box,
    place,
    warp,
    warped_cutout,
)
from pipeline.errors import InvalidRequest, SizeMismatch

SIDE = 64
CANVAS = (150, 200)  # more than one tile of a warp


def photo(side: int = SIDE) -> np.ndarray:
    """A smooth colour picture."""
    ys, xs = np.indices((side, side))
    waves = 128 + 60 * np.sin(xs / 17) * np.cos(ys / 13)
    return np.dstack([xs * 255 // side, ys * 255 // side, waves]).astype(np.uint8)


def disc(side: int = SIDE, radius: float = 24) -> np.ndarray:
    """A disc's mask, soft by one pixel."""
    ys, xs = np.indices((side, side)) - (side - 1) / 2
    return (np.clip(radius - np.hypot(xs, ys) + 0.5, 0, 1) * 255).astype(np.uint8)


poses = st.builds(
    Placement,
    x=st.floats(0.1, 0.9), y=st.floats(0.1, 0.9), scale=st.floats(0.2, 1.2), rotation=st.floats(-180, 180),
    yaw=st.floats(-50, 50), pitch=st.floats(-50, 50), flip=st.booleans(),
)  # fmt: skip


def test_the_identity_placement_changes_no_pixel() -> None:
    placed = place(
        [Cutout(photo(), np.full((SIDE, SIDE), 255, np.uint8))], [Placement(scale=1.0)], (SIDE, SIDE)
    )
    assert np.allclose(placed.homographies[0], np.eye(3))
    assert np.array_equal(placed.layer.rgb, photo())
    assert (placed.layer.alpha == 255).all()
    assert placed.boxes == ((0, 0, SIDE, SIDE),)
    assert placed.visible == (1.0,)


@settings(max_examples=60, deadline=None)
@given(poses)
def test_where_the_mask_is_1_the_layer_equals_the_warped_photo(placement: Placement) -> None:
    placed = place([Cutout(photo(), disc())], [placement], CANVAS)
    opaque = placed.layer.alpha == 255
    warped = warp(photo(), placed.homographies[0], CANVAS, at=box_centre(object_box(disc())))
    assert np.array_equal(placed.layer.rgb[opaque], warped[opaque])


@pytest.mark.parametrize("yaw", [-35.0, 35.0])
def test_an_object_is_as_sharp_wherever_it_stood_in_its_photograph(yaw: float) -> None:
    rng = np.random.default_rng(0)
    close = cv2.resize(rng.integers(0, 256, (60, 60, 3), np.uint8), (200, 200), interpolation=cv2.INTER_CUBIC)
    wide, alpha = np.zeros((768, 1024, 3), np.uint8), np.zeros((768, 1024), np.uint8)
    wide[500:700, 780:980], alpha[500:700, 780:980] = close, 255
    placement = Placement(scale=0.5, yaw=yaw)
    there, here = (
        place([one], [placement], (128, 128)).layer.rgb.astype(float)
        for one in (Cutout(wide, alpha), Cutout(close, np.full((200, 200), 255, np.uint8)))
    )
    middle = np.s_[50:78, 50:78]
    sharpness = [cv2.Laplacian(one.mean(axis=2), cv2.CV_64F)[middle].std() for one in (there, here)]
    assert sharpness[0] / sharpness[1] == pytest.approx(1.0, abs=0.15)


@settings(max_examples=60, deadline=None)
@given(poses, st.integers(8, 30))
def test_nothing_of_an_object_is_lost_where_only_its_surroundings_are_warped(
    placement: Placement, radius: int
) -> None:
    cutout = Cutout(photo(), disc(radius=radius))
    matrix = homography(placement, object_box(cutout.alpha), CANVAS)
    at = box_centre(object_box(cutout.alpha))
    whole = warp(cutout.alpha.astype(np.float32) / 255, matrix, CANVAS, at=at)
    alpha = warped_cutout(cutout, matrix, CANVAS).alpha
    assert np.abs(whole * 255 - alpha).max() < 1.51  # 254.5 is shown as 254 and 254.999 as 255
    assert ((whole * 255 > 0.51) <= (alpha > 0)).all()


@settings(max_examples=60, deadline=None)
@given(poses, st.tuples(st.integers(0, 90), st.integers(0, 70), st.integers(100, 200), st.integers(80, 150)))
def test_a_part_of_a_warp_equals_the_whole(placement: Placement, box: Box) -> None:
    matrix = homography(placement, (8, 8, 56, 56), CANVAS)
    x0, y0, x1, y1 = box
    part, whole = warp(photo(), matrix, CANVAS, within=box), warp(photo(), matrix, CANVAS)
    assert np.array_equal(part[y0:y1, x0:x1], whole[y0:y1, x0:x1])


def test_the_alpha_of_a_heap_is_that_of_its_objects_together() -> None:
    cutouts = [Cutout(photo(), disc(radius=radius)) for radius in (12, 24, 30)]
    placements = [
        Placement(x=0.3 + 0.2 * index, y=0.4, rotation=20.0 * index, scale=0.5) for index in range(3)
    ]
    placed = place(cutouts, placements, CANVAS)
    alone = [place([one], [pose], CANVAS).layer.alpha for one, pose in zip(cutouts, placements, strict=True)]
    clear = np.prod([1 - alpha / 255 for alpha in alone], axis=0)
    assert np.abs(placed.layer.alpha - 255 * (1 - clear)).max() <= 1.01
    assert np.array_equal(placed.masks[2], alone[2])
    assert np.abs(sum(mask.astype(float) for mask in placed.masks) - placed.layer.alpha).max() <= 2.01


@settings(max_examples=60, deadline=None)
@given(poses)
def test_the_box_is_the_extent_of_the_mask(placement: Placement) -> None:
    placed = place([Cutout(photo(), disc())], [placement], CANVAS)
    assert placed.boxes[0] == object_box(placed.masks[0])
    x0, y0, x1, y1 = placed.boxes[0]
    outside = placed.masks[0].copy()
    outside[y0:y1, x0:x1] = 0
    assert outside.max() <= 127


@settings(max_examples=60, deadline=None)
@given(poses)
def test_the_centre_of_the_box_lands_where_the_placement_says(placement: Placement) -> None:
    box = (10, 20, 50, 44)
    matrix = homography(placement, box, CANVAS)
    centre = matrix @ ((box[0] + box[2] - 1) / 2, (box[1] + box[3] - 1) / 2, 1)
    assert centre[:2] / centre[2] == pytest.approx(
        (placement.x * CANVAS[1] - 0.5, placement.y * CANVAS[0] - 0.5), abs=1e-6
    )


@settings(max_examples=30, deadline=None)
@given(rotation=st.floats(-180, 180), yaw=st.floats(-25, 25), pitch=st.floats(-25, 25))
def test_warping_there_and_back_stays_within_one_grey_level(
    rotation: float, yaw: float, pitch: float
) -> None:
    placement = Placement(scale=0.95, rotation=rotation, yaw=yaw, pitch=pitch)
    matrix = homography(placement, (0, 0, SIDE, SIDE), (128, 128))
    there = warp(photo().astype(np.float32), matrix, (128, 128))
    back = warp(there, np.linalg.inv(matrix), (SIDE, SIDE))
    inside = disc(radius=20) == 255
    assert np.sqrt(np.mean((back - photo())[inside] ** 2)) < 1.0


def test_a_positive_rotation_turns_counter_clockwise() -> None:
    matrix = homography(Placement(rotation=90), (0, 0, 10, 10), (100, 100))
    right = matrix @ (9.5, 4.5, 1)
    assert right[1] / right[2] < 49.5 - 20  # what was right is now up
    assert right[0] / right[2] == pytest.approx(49.5)


def test_a_flip_mirrors_left_and_right() -> None:
    cutout = Cutout(photo(), np.full((SIDE, SIDE), 255, np.uint8))
    placed = place([cutout], [Placement(scale=1.0, flip=True)], (SIDE, SIDE))
    assert np.array_equal(placed.layer.rgb, photo()[:, ::-1])


def test_a_tilt_makes_the_far_side_smaller() -> None:
    matrix = homography(Placement(yaw=40), (0, 0, 20, 20), (100, 100))
    corners = [matrix @ (x, y, 1) for x in (0, 19) for y in (0, 19)]
    (left_top, left_low, right_top, right_low) = (corner[1] / corner[2] for corner in corners)
    assert left_low - left_top > right_low - right_top


def test_half_an_object_at_the_edge_is_half_visible() -> None:
    placed = place([Cutout(photo(), disc())], [Placement(x=0.0, scale=0.5)], (128, 128))
    assert placed.visible[0] == pytest.approx(0.5, abs=0.02)


def test_a_covered_object_loses_what_is_covered() -> None:
    cutouts = [
        Cutout(np.full((32, 32, 3), tone, np.uint8), np.full((32, 32), 255, np.uint8)) for tone in (50, 200)
    ]
    placements = [Placement(x=0.4, scale=0.5), Placement(x=0.6, scale=0.5)]
    placed = place(cutouts, placements, (100, 100))
    assert placed.visible[1] == pytest.approx(1.0, abs=0.02)
    assert placed.visible[0] == pytest.approx(0.4, abs=0.03)
    assert set(placed.layer.rgb[50, 55].tolist()) == {200}
    assert set(placed.layer.rgb[50, 25].tolist()) == {50}
    assert placed.boxes[0][2] <= placed.boxes[1][0] + 1


def test_no_colour_of_the_old_ground_bleeds_in() -> None:
    rgb = np.full((40, 40, 3), 255, np.uint8)
    alpha = np.zeros((40, 40), np.uint8)
    rgb[10:30, 10:30], alpha[10:30, 10:30] = 20, 255
    layer = place([Cutout(rgb, alpha)], [Placement(rotation=33, scale=0.4)], (90, 90)).layer
    assert layer.rgb[layer.alpha > 8].max() <= 21


@pytest.mark.parametrize(
    ("values", "sentence"),
    [
        ({"scale": 0.0}, "the placement's scale is 0.0; it must lie in 0.02 to 4"),
        ({"yaw": 61.0}, "the placement's yaw is 61.0; it must lie in -60 to 60"),
    ],
)
def test_a_value_out_of_range_is_named(values: dict[str, float], sentence: str) -> None:
    with pytest.raises(InvalidRequest) as refused:
        Placement(**values)
    assert str(refused.value) == sentence


def test_an_empty_mask_cannot_be_placed() -> None:
    with pytest.raises(InvalidRequest, match="mask is empty"):
        place([Cutout(photo(), np.zeros((SIDE, SIDE), np.uint8))], [Placement()], CANVAS)


def test_colours_and_alpha_must_share_one_size() -> None:
    with pytest.raises(SizeMismatch, match=r"colours is 64x64.*alpha is 2x2"):
        Cutout(photo(), np.zeros((2, 2), np.uint8))
