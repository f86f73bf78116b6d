from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest

from training.nano.data.procedural import SURFACE_DRAWERS, noise
from training.nano.data.scenes import draw_scene
from training.nano.data.skies import sky
from training.nano.data.surfaces import Surfaces, load_surfaces
from training.nano.data.views import ground
from training.nano.data.words import PLACES, SKIES, SURFACES, SceneFacts


@pytest.fixture(scope="module")
def surfaces() -> Surfaces:
    return load_surfaces(None, None, held_out=False, held_out_share=0.1, seed=1)


def test_the_same_generator_draws_the_same_scene(surfaces: Surfaces) -> None:
    first, second = (draw_scene(surfaces, 64, np.random.default_rng(3)) for _ in range(2))
    assert np.array_equal(first.rgb, second.rgb)
    assert np.array_equal(first.repaint, second.repaint)
    assert first.caption == second.caption


def test_scenes_have_the_size_and_the_masks_are_binary(surfaces: Surfaces) -> None:
    for seed in range(12):
        scene = draw_scene(surfaces, 64, np.random.default_rng(seed))
        assert scene.rgb.shape == (64, 64, 3)
        assert scene.rgb.dtype == np.uint8
        assert set(np.unique(scene.repaint)) <= {0, 255}


def test_about_a_quarter_of_the_masks_are_full(surfaces: Surfaces) -> None:
    rng = np.random.default_rng(0)
    full = [draw_scene(surfaces, 32, rng).repaint.min() == 255 for _ in range(500)]
    assert 0.16 <= np.mean(full) <= 0.3  # 0.22 is meant, and holes over all


def test_every_place_and_sky_can_be_drawn_with_every_surface_that_it_allows(surfaces: Surfaces) -> None:
    rng = np.random.default_rng(0)
    for place in PLACES:
        for kind in SKIES if "{sky}" in place else ("",):
            facts = SceneFacts(
                place=place,
                surface="gravel",
                wall="bricks" if "of a {surface} wall" in place else "",
                sky=kind,
            )
            scene = draw_scene(surfaces, 32, rng, facts=facts)
            assert scene.facts.surface == "gravel"
            assert scene.rgb.std() > 1


@pytest.mark.parametrize("word", SURFACES)
def test_every_surface_word_has_a_tile_that_is_not_flat(word: str) -> None:
    tile = SURFACE_DRAWERS[word](np.random.default_rng(1), 64)
    assert tile.shape == (64, 64, 3)
    assert np.isfinite(tile).all()
    assert tile.std() > 1


def test_noise_is_periodic_and_normed() -> None:
    field = noise(np.random.default_rng(0), 64, slope=2.0)
    across_the_seam = np.abs(field[:, 0] - field[:, -1]).mean()
    inside = np.abs(field[:, 1:] - field[:, :-1]).mean()
    assert abs(field.std() - 1) < 1e-3
    assert across_the_seam < 2 * inside


def test_a_night_sky_is_darker_than_a_blue_one() -> None:
    rng = np.random.default_rng(0)
    assert sky(rng, 32, "night").mean() < 80 < sky(rng, 32, "blue").mean()


def test_ground_gets_finer_towards_the_horizon() -> None:
    tile = np.zeros((128, 128, 3), np.uint8)
    tile[:, ::16] = 255
    tile = cv2.dilate(tile, np.ones((1, 5), np.uint8))
    view = ground(tile, 128, horizon=0.0, zoom=1.5, turn_deg=0, rng=np.random.default_rng(0))[..., 0].astype(
        int
    )
    crossings = [(np.diff((row > 90).astype(int)) != 0).sum() for row in (view[40], view[120])]
    assert crossings[0] > crossings[1] > 0


def test_held_out_photos_are_never_in_training(tmp_path: Path) -> None:
    folder = tmp_path / "bricks"
    folder.mkdir()
    rng = np.random.default_rng(0)
    for index in range(40):
        cv2.imwrite(str(folder / f"{index}.png"), rng.integers(0, 255, (128, 128, 3), np.uint8))
    parts = [
        load_surfaces(tmp_path, None, held_out=held_out, held_out_share=0.3, seed=1).photos["bricks"]
        for held_out in (False, True)
    ]
    seen = [{image.tobytes() for image in part} for part in parts]
    assert len(seen[0]) + len(seen[1]) == 40
    assert not seen[0] & seen[1]
    assert len(seen[1]) > 0
