from __future__ import annotations

import numpy as np
import pytest
import torch

from training.nano.data.rows import Latents, Rows
from training.nano.data.words import SLOW_SURFACES, SURFACES
from training.nano.stages.diffusion import (
    CROPS_PER_IMAGE,
    LITTLE_NOISE,
    WHOLE_SHARE,
    dropped,
    focus,
    latent_drawer,
    velocity_loss,
)
from training.nano.stages.vae import LATENT_STD


def toy_rows(count: int = 12, side: int = 16) -> tuple[Rows, Latents]:
    """Latents that hold their own row number, column by column; the left half is to be painted."""
    repaint = np.zeros((count, side, side), np.uint8)
    repaint[:, :, : side // 2] = 255
    rows = Rows(np.zeros((count, side, side, 3), np.uint8), repaint, ["grass"] * count, ["grass"] * count)
    image = np.zeros((count, 4, side // 4, side // 4), np.float16)
    image += np.arange(count)[:, None, None, None].astype(np.float16)
    return rows, Latents(image, -image)


def test_a_batch_of_whole_images_keeps_rows_masks_and_tokens_together() -> None:
    rows, latents = toy_rows()
    batch = latent_drawer(rows, latents, torch.arange(12)[:, None], batch=4)(np.random.default_rng(0))
    assert batch["image"].shape == (4, 4, 4, 4)
    assert batch["image"][:, 0, 0, 0].tolist() == batch["index"].tolist() == batch["tokens"][:, 0].tolist()
    assert torch.equal(batch["masked"], -batch["image"])
    assert batch["mask"][0, 0, 0].tolist() == [1, 1, 0, 0]
    assert batch["size_numbers"].tolist() == [[16, 16, 0, 0, 16, 16]] * 4  # what the pipelines fill in


def test_rows_are_drawn_by_their_shares() -> None:
    rows, latents = toy_rows()
    shares = np.zeros(12)
    shares[[2, 7]] = 0.5
    batch = latent_drawer(rows, latents, torch.arange(12)[:, None], batch=2, shares=shares)(
        np.random.default_rng(0)
    )
    assert batch["index"].tolist() == [2, 7]


def test_the_focus_is_on_slow_surfaces_seen_alone_and_on_rows_painted_whole() -> None:
    rows, _ = toy_rows(count=4)
    rows.repaint[3] = 255
    captions = ["grass floor", "bricks wall", "bricks floor in front of a concrete wall", "bricks floor"]
    focused = focus(Rows(rows.rgb, rows.repaint, captions, ["grass", "bricks", "bricks", "bricks"]))
    slow = SLOW_SURFACES["bricks"]
    assert focused / focused[0] == pytest.approx([1, slow, 1, slow * WHOLE_SHARE])
    assert focused.sum() == pytest.approx(1)


def test_slow_surfaces_are_surfaces() -> None:
    assert set(SLOW_SURFACES) < set(SURFACES)


def test_a_batch_of_crops_has_half_the_side_three_times_the_rows_and_says_where_it_was_cut() -> None:
    rows, latents = toy_rows(side=64)
    draw = latent_drawer(rows, latents, torch.arange(12)[:, None], batch=4, crop_share=1.0)
    batch = draw(np.random.default_rng(0))
    assert batch["image"].shape == (4 * CROPS_PER_IMAGE, 4, 8, 8)
    assert batch["mask"].shape == (4 * CROPS_PER_IMAGE, 1, 8, 8)
    height, width, top, left, crop_height, crop_width = batch["size_numbers"][0].tolist()
    assert (height, width, crop_height, crop_width) == (64, 64, 32, 32)
    assert 0 <= top <= 32
    assert 0 <= left <= 32
    painted = max(0, 8 - left / 4)  # columns of latents before the middle of the whole
    assert batch["mask"][0, 0, 0].sum().item() == painted


def test_dropped_prompts_are_zeros_in_both_embeddings() -> None:
    torch.manual_seed(0)
    words, pooled = dropped(torch.ones(200, 3, 2), torch.ones(200, 5), 0.25)
    gone = words.flatten(1).sum(1) == 0
    assert torch.equal(gone, pooled.sum(1) == 0)
    assert 30 <= int(gone.sum()) <= 70


def test_the_loss_of_a_row_is_relative_to_what_its_target_varies() -> None:
    target = torch.zeros(2, 4, 2, 2)
    predicted = torch.ones(2, 4, 2, 2)
    only_latents, half = torch.tensor([0.0, 0.0]), torch.tensor([0.5, 0.5])
    assert velocity_loss(predicted, target, only_latents).item() == pytest.approx(1 / LATENT_STD**2)
    assert velocity_loss(predicted, target, half).item() == pytest.approx(2 / (1 + LATENT_STD**2))


def test_rows_with_little_noise_count_in_proportion_to_it() -> None:
    target, predicted = torch.zeros(1, 4, 2, 2), torch.ones(1, 4, 2, 2)
    assert velocity_loss(predicted, target, torch.tensor([1.0])).item() == 0.0
    loss = velocity_loss(predicted, target, torch.tensor([1 - LITTLE_NOISE / 2])).item()
    variance = 1 + LITTLE_NOISE / 2 * (LATENT_STD**2 - 1)
    assert loss == pytest.approx(0.5 / variance, rel=1e-4)
