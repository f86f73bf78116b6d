"""Edges of several kinds keep the object exact; a fake seam changes a patch of the background only."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from pipeline.domain.look import EdgeKind, EdgeSpec, FakeSeamSpec
from pipeline.domain.placement import Layer
from pipeline.rendering.composite import composite, exact
from pipeline.rendering.edges import blended, with_fake_seam
from tests.rendering.jobs import layer, noise

SEAM = FakeSeamSpec(x=0.5, y=0.5, size=0.4, from_x=0.2, from_y=0.7, brightness=1.2)


def square(tone: int, side: int = 40) -> Layer:
    alpha = np.zeros((side, side), np.uint8)
    alpha[15:25, 15:25] = 255
    return Layer(rgb=np.full((side, side, 3), tone, np.uint8) * (alpha > 0)[..., None], alpha=alpha)


def flat(tone: int, side: int = 40) -> np.ndarray:
    return np.full((side, side, 3), tone, np.uint8)


@pytest.mark.parametrize("kind", list(EdgeKind))
def test_no_kind_of_edge_changes_a_pixel_of_the_object(kind: EdgeKind) -> None:
    placed = layer()
    assert exact(blended(placed, noise(3), EdgeSpec(kind=kind, reach_px=3.0)), placed)


@pytest.mark.parametrize("edge", [None, EdgeSpec(kind=EdgeKind.SOFT)])
def test_a_soft_edge_is_that_of_the_cut_out(edge: EdgeSpec | None) -> None:
    assert np.array_equal(blended(layer(), noise(3), edge), composite(layer(), noise(3)))


def test_at_a_hard_edge_every_pixel_is_object_or_background() -> None:
    placed, background = layer(), noise(3)
    image = blended(placed, background, EdgeSpec(kind=EdgeKind.HARD))
    wanted = np.where((placed.alpha > 127)[..., None], placed.rgb, background)
    assert np.array_equal(image, wanted)


def test_a_feathered_object_fades_out_over_its_reach() -> None:
    image = blended(square(200), flat(100), EdgeSpec(kind=EdgeKind.FEATHER, reach_px=3.0))
    assert image[20, 25:30, 0].tolist() == [175, 150, 125, 100, 100]


def test_poisson_gives_the_background_the_tone_of_the_object_and_keeps_its_texture() -> None:
    texture = flat(100)
    texture[:, ::2] += 20
    image = blended(square(180), texture, EdgeSpec(kind=EdgeKind.POISSON, reach_px=5.0))
    added = image[20, 25:32, 0].astype(int) - texture[20, 25:32, 0]
    assert added[0] > 40  # near the object's 80 over the darker stripes
    assert (np.diff(added) <= 0).all()
    assert added[-1] == 0
    steps = np.diff(image[20, 26:30, 0].astype(int))
    assert (np.sign(steps) == np.sign(np.diff(texture[20, 26:30, 0].astype(int)))).all()


def test_poisson_adds_one_tone_where_object_and_background_differ_by_one_tone_on_a_line() -> None:
    strip = Layer(rgb=flat(160, 12), alpha=np.zeros((12, 12), np.uint8))
    strip.alpha[:, :4] = 255
    image = blended(strip, flat(100, 12), EdgeSpec(kind=EdgeKind.POISSON, reach_px=5.0))
    assert image[6, 4:10, 0].tolist() == [150, 140, 130, 120, 110, 100]  # harmonic on a line: a straight line


@pytest.mark.parametrize("alpha", [0, 255])
def test_without_an_outline_there_is_nothing_to_blend(alpha: int) -> None:
    whole = Layer(rgb=noise(1), alpha=np.full(noise(1).shape[:2], alpha, np.uint8))
    image = blended(whole, noise(3), EdgeSpec(kind=EdgeKind.POISSON, reach_px=4.0))
    assert np.array_equal(image, whole.rgb if alpha else noise(3))


def test_a_fake_seam_changes_a_patch_and_nothing_else() -> None:
    background = np.tile(np.arange(64, dtype=np.uint8)[:, None, None] * 2 + 40, (1, 64, 3))
    image = with_fake_seam(background, SEAM, None, seed=4)
    changed = (image != background).any(axis=2)
    assert 0.04 < changed.mean() < 0.3  # a circle of that diameter covers 0.13
    assert changed[32, 32]
    rows, columns = np.nonzero(changed)
    assert np.hypot(rows - 31.5, columns - 31.5).max() < 0.4 * 32 * 1.7
    assert np.array_equal(image, with_fake_seam(background, SEAM, None, seed=4))
    assert not np.array_equal(image, with_fake_seam(background, SEAM, None, seed=5))


def test_a_fake_seam_shows_what_lies_elsewhere_mirrored_and_brighter() -> None:
    background = flat(100, 64)
    background[:, :24] = 60
    image = with_fake_seam(background, replace(SEAM, from_x=0.1, from_y=0.5), None, seed=4)
    assert image[32, 32].tolist() == [72, 72, 72]
