from __future__ import annotations

import numpy as np
import pytest
import torch

from training.nano.rows import Rows
from training.nano.surfaces import Surfaces
from training.nano.vae import anchor_loss, crop_drawer, reconstruction_loss


def flat(*rgb: float) -> torch.Tensor:
    """(1, 3, 16, 16) of one colour in -1 to 1."""
    return torch.tensor(rgb, dtype=torch.float32)[None, :, None, None].expand(1, 3, 16, 16).contiguous()


@pytest.mark.parametrize(
    ("rgb", "channels"),
    [((1.0, 1.0, 1.0), (2.1, 0.0, 0.0)), ((0.5, 0.0, -0.5), (0.0, 2.0, 0.0)), ((-0.2, 0.4, -0.2), (0.0, 0.0, 2.4))],
)  # fmt: skip
def test_the_anchors_are_brightness_red_against_blue_and_green_against_magenta(
    rgb: tuple[float, ...], channels: tuple[float, ...]
) -> None:
    latents = torch.tensor([*channels, 7.0])[None, :, None, None].expand(1, 4, 4, 4)
    assert anchor_loss(latents, flat(*rgb)).item() == pytest.approx(0.0, abs=1e-10)
    assert anchor_loss(latents + 1, flat(*rgb)).item() == pytest.approx(1.0, abs=1e-5)


def test_what_varies_within_two_by_two_latents_is_free() -> None:
    latents = torch.zeros(1, 4, 4, 4)
    latents[..., ::2, :] += 5.0
    latents[..., 1::2, :] -= 5.0
    assert anchor_loss(latents, flat(0, 0, 0)).item() == 0.0


def test_a_colour_shift_costs_more_than_a_brightness_shift_of_the_same_size() -> None:
    grey = flat(0, 0, 0)
    assert reconstruction_loss(grey, grey).item() == 0.0
    green, bright = (reconstruction_loss(flat(*rgb), grey).item() for rgb in ((0, 0.3, 0), (0.1, 0.1, 0.1)))
    assert bright == pytest.approx(0.16)
    assert green == pytest.approx(0.16 + 0.3 / 2)


def test_a_batch_is_of_small_crops_or_of_a_quarter_as_many_twice_the_side() -> None:
    rgb = np.random.default_rng(0).integers(0, 256, (4, 64, 64, 3), dtype=np.uint8)
    rows = Rows(rgb, np.zeros((4, 64, 64), np.uint8), ["grass"] * 4, ["grass"] * 4)
    draw = crop_drawer(rows, Surfaces({}, {"grass": [rgb[0]]}, []), crop_px=16, batch=8)
    shapes = {tuple(draw(np.random.default_rng(seed))["rgb"].shape) for seed in range(20)}
    assert shapes == {(8, 3, 16, 16), (2, 3, 32, 32)}
