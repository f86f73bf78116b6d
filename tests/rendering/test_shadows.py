"""A shadow lies where light, camera and object put it."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from pipeline.domain.look import ShadowSpec
from pipeline.rendering.shadows import with_shadow

SIDE = 64
SQUARE = np.zeros((SIDE, SIDE), np.uint8)
SQUARE[24:40, 24:40] = 255
WHITE = np.full((SIDE, SIDE, 3), 200, np.uint8)
FROM_RIGHT = ShadowSpec(azimuth=0, elevation=30, pitch=90, height=0.3, darkness=0.6)


def darkening(shadow: ShadowSpec, *masks: np.ndarray) -> np.ndarray:
    """(H, W): grey levels that the shadow takes."""
    return 200 - with_shadow(WHITE, masks or (SQUARE,), shadow)[..., 0].astype(int)


@pytest.mark.parametrize(
    ("azimuth", "shaded", "lit"),
    [
        (0, (32, 20), (32, 43)),
        (180, (32, 43), (32, 20)),
        (90, (43, 32), (20, 32)),
        (270, (20, 32), (43, 32)),
    ],
)
def test_a_shadow_falls_away_from_the_light(
    azimuth: float, shaded: tuple[int, int], lit: tuple[int, int]
) -> None:
    taken = darkening(replace(FROM_RIGHT, azimuth=azimuth))
    assert taken[shaded] > taken[lit] + 15


def test_it_is_darkest_beside_the_object_and_gone_far_away() -> None:
    row = darkening(FROM_RIGHT)[32, :24]
    assert (np.diff(row) >= 0).all()
    assert row[0] == 0
    assert row[23] > 40


def test_a_low_light_throws_it_further() -> None:
    low, high = (darkening(replace(FROM_RIGHT, elevation=elevation))[32, :24].sum() for elevation in (25, 70))
    assert low > high


def test_a_low_camera_foreshortens_it() -> None:
    behind = replace(FROM_RIGHT, azimuth=90)
    above, low = (darkening(replace(behind, pitch=pitch))[40:, 32].sum() for pitch in (90, 20))
    assert above > low


def test_nothing_falls_above_the_far_edge_of_the_ground() -> None:
    assert darkening(replace(FROM_RIGHT, edge=0.5))[:30].max() == 0
    assert darkening(replace(FROM_RIGHT, edge=0.5))[38, 22] > 15


def test_without_darkness_or_objects_the_picture_stays() -> None:
    assert darkening(replace(FROM_RIGHT, darkness=0.0)).max() == 0
    assert darkening(FROM_RIGHT, np.zeros_like(SQUARE)).max() == 0


def test_two_objects_throw_two_shadows_and_neither_is_darker_where_they_meet_than_the_deepest() -> None:
    other = np.roll(SQUARE, -20, axis=1)
    both, first, second = (
        darkening(FROM_RIGHT, SQUARE, other),
        darkening(FROM_RIGHT),
        darkening(FROM_RIGHT, other),
    )
    assert np.array_equal(both, np.maximum(first, second))
