from __future__ import annotations

import numpy as np
import pytest
import torch

from training.nano.config import short
from training.nano.data.rows import Rows
from training.nano.data.surfaces import Surfaces
from training.nano.networks.build import build_vae
from training.nano.stages.vae import (
    Critic,
    DecoderStage,
    anchor_loss,
    balanced,
    crop_drawer,
    reconstruction_loss,
)


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


def test_the_critic_gives_a_score_for_each_latent() -> None:
    assert Critic(halvings=3)(torch.zeros(2, 3, 64, 32), torch.zeros(2, 4, 8, 4)).shape == (2, 1, 8, 4)


def test_the_critics_pull_is_a_share_of_that_of_the_distance_whatever_its_own_length() -> None:
    towards, grain = torch.randn(2, 2, 3, 8, 8, generator=torch.Generator().manual_seed(0))
    for length in (1e-3, 1.0, 1e3):
        added = balanced(towards, length * grain, 0.5) - towards
        assert added.norm().item() == pytest.approx(0.5 * towards.norm().item(), rel=1e-4)
        assert torch.cosine_similarity(added.flatten(), grain.flatten(), dim=0).item() == pytest.approx(
            1.0, abs=1e-4
        )
    assert torch.equal(balanced(towards, torch.zeros_like(grain), 0.5), towards)


def test_the_decoder_first_follows_the_distance_alone_and_the_critic_learns_to_tell() -> None:
    torch.manual_seed(0)
    config = short()
    stage = DecoderStage(build_vae(config.sizes), config.decoder)
    images = torch.rand(4, 3, 32, 32) * 2 - 1
    torch.manual_seed(1)
    loss = stage.training_step({"rgb": images}, 0)
    loss.backward()
    got = stage.vae.decoder.conv_out.weight.grad.clone()
    stage.zero_grad()
    torch.manual_seed(1)
    latents = stage.vae.encode(images).latent_dist.sample()
    rebuilt = stage.vae.decode(latents + 0.05 * torch.randn_like(latents)).sample
    reconstruction_loss(rebuilt, images).backward()
    assert torch.allclose(got, stage.vae.decoder.conv_out.weight.grad, atol=1e-6)

    optimizer = torch.optim.AdamW(stage.critic.parameters(), lr=2e-3)
    rebuilt = rebuilt.detach()
    for _ in range(30):
        photos, drawn = stage.critic(images, latents.detach()), stage.critic(rebuilt, latents.detach())
        optimizer.zero_grad()
        (torch.relu(1 - photos).mean() + torch.relu(1 + drawn).mean()).backward()
        optimizer.step()
    assert photos.mean() > 0.5 > -0.5 > drawn.mean()
