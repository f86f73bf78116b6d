import numpy as np
import pytest

from pipeline.starter.grid import Grid, seen_relief
from pipeline.starter.shapes import box, disc, polygon, rounded, toothed


def at(x: float, y: float) -> tuple[np.ndarray, np.ndarray]:
    return np.float32([x]), np.float32([y])


def test_distances_are_negative_inside_zero_on_the_edge_positive_outside() -> None:
    assert disc(*at(3, 4), 5)[0] == 0
    assert disc(*at(0, 0), 2)[0] == -2
    assert box(*at(3, 0), 1, 1)[0] == 2
    assert box(*at(0, 0), 2, 1)[0] == -1
    assert polygon(*at(0, 0), 1, 6)[0] == -1
    assert polygon(*at(2, 0), 1, 6)[0] == pytest.approx(1)


def test_a_toothed_disc_reaches_its_tip_on_a_tooth_and_its_root_between() -> None:
    shape = {"root": 0.7, "tip": 1.0, "teeth": 4, "thickness": 0.5}
    assert toothed(*at(0.9, 0), **shape)[0] < 0
    between = 0.9 * np.cos(np.pi / 4)
    assert toothed(*at(between, between), **shape)[0] > 0


def test_a_plate_is_flat_inside_its_rounded_edge_and_absent_outside() -> None:
    distance = np.float32([-1.0, -0.1, 0.1])
    height = rounded(distance, 0.5, 0.1)
    assert height[0] == pytest.approx(0.5)
    assert height[1] == pytest.approx(0.5)
    assert height[2] == 0


def test_a_camera_straight_above_sees_the_outline_itself() -> None:
    grid = Grid(side_px=40, unit_px=10, turn=0, centre=(20, 20), tilt=0)
    height = rounded(disc(*grid.part(), 1), 0.5, 0.05)
    assert np.array_equal(seen_relief(height, grid).inside, height > 0)


def test_a_tilted_camera_sees_the_top_moved_up_by_its_height() -> None:
    grid = Grid(side_px=80, unit_px=20, turn=0, centre=(40, 40), tilt=np.pi / 6)
    x, y = grid.part()
    height = np.where(box(x, y, 0.5, 0.5) < 0, 1.0, 0.0).astype(np.float32)
    rows = np.flatnonzero(seen_relief(height, grid).inside.any(1))
    flat_rows = np.flatnonzero((height > 0).any(1))
    assert rows[0] == flat_rows[0] - 10  # one unit high, 20 px a unit, sin 30°
    assert rows[-1] == flat_rows[-1]
