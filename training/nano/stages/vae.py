"""First stage: the autoencoder, trained on crops of scenes, surfaces and shelf photos."""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise

import cv2
import numpy as np
import torch
import torch.nn.functional as F
from diffusers import AutoencoderKL
from torch import nn

from training.nano.config import StageOptions
from training.nano.data.rows import Rows, signed
from training.nano.data.surfaces import Surfaces
from training.nano.stages.fitting import Average, Batch, Stage, decayed

KL_WEIGHT = 1e-4
COLOUR_WEIGHT = 1.0
# Of the latents as a whole, after folding. A larger std shifts the noise schedule towards less noise (input scaling,
# Chen 2023, arXiv 2301.10972). 1.5 is a guess between 1 and 2.5; no comparison shows that it is the best.
LATENT_STD = 1.5
OPPONENTS = ((1.0, 0.0, -1.0), (-0.5, 1.0, -0.5))  # red against blue, green against magenta
# weights on RGB in -1..1 of what the first three latent channels are held to
ANCHORS = ((0.7, 0.7, 0.7), (2.0, 0.0, -2.0), (-2.0, 4.0, -2.0))
ANCHOR_WEIGHT = 0.3
DECODER_NOISE = 0.05  # std, of latents of std LATENT_STD
CRITIC_WEIGHT = 0.5  # pull of the critic relative to that of the distance, as gradients on the image
CRITIC_WARM_UP = 300  # steps in which that weight rises from zero: an untrained critic guides badly
SWAPPED_COLOURS = 0.4  # share of the crops whose channels change places, so that every colour occurs


class VaeStage(Stage):
    """L1 on pixels, on their gradients, on 4x averages and on colour differences, with a small KL term.

    The means over 2x2 latents of the first three channels are held to brightness, red against blue, and green against
    magenta: without it the last of them was not learned within 1,300 steps, probably because the best linear code of
    a patch in four numbers leaves it out. What varies within 2x2 latents is free, and holds the structure.
    """

    def __init__(self, vae: AutoencoderKL, options: StageOptions) -> None:
        super().__init__(options)
        self.vae = vae
        self.average = Average([vae], options.ema_decay)

    def training_step(self, batch: Batch, _: int) -> torch.Tensor:
        """Return the loss of one batch; batch["rgb"] is (B, 3, C, C) in -1 to 1."""
        images = batch["rgb"]
        posterior = self.vae.encode(images).latent_dist
        latents = posterior.mean + posterior.std * torch.randn_like(posterior.mean)
        rebuilt = self.vae.decode(latents).sample.float()
        kl = posterior.kl().float().mean() / latents[0].numel()
        anchor = anchor_loss(posterior.mean.float(), images)
        loss: torch.Tensor = reconstruction_loss(rebuilt, images) + KL_WEIGHT * kl + ANCHOR_WEIGHT * anchor
        self.log_dict({"loss": loss, "kl": kl, "anchor": anchor, "l1": F.l1_loss(rebuilt, images)})
        return loss


class Critic(nn.Module):
    """Tells photos from reconstructions, a score for each latent (PatchGAN, Isola et al. 2017, arXiv 1611.07004).

    It is given the latents, so that a texture must also suit its place. No norms: they would hide how strong a faint
    texture is.
    """

    def __init__(self, *, halvings: int) -> None:
        super().__init__()
        widths = (3, 32, 64, 96, 128)[: halvings + 1]
        layers: list[nn.Module] = []
        for before, after in pairwise(widths):
            layers += [nn.Conv2d(before, after, 4, stride=2, padding=1), nn.LeakyReLU(0.2)]
        self.body = nn.Sequential(*layers)
        self.head = nn.Sequential(
            nn.Conv2d(widths[-1] + 4, widths[-1], 3, padding=1),
            nn.LeakyReLU(0.2),
            nn.Conv2d(widths[-1], 1, 1),
        )

    def forward(self, images: torch.Tensor, latents: torch.Tensor) -> torch.Tensor:
        """Score (B, 3, H, W) in -1 to 1 with their (B, 4, h, w) latents: (B, 1, h, w), high for photos."""
        logits: torch.Tensor = self.head(torch.cat([self.body(images), latents], 1)).float()
        return logits


class DecoderStage(Stage):
    """The decoder alone, with the encoder as it is: latents that were cached stay valid, and so does the UNet.

    Four numbers for 8 x 8 px do not hold the grain of asphalt: a decoder that only minimises distances paints the mean
    of all grains, which is smooth. A `Critic` beside it wants grain, as in the autoencoder of latent diffusion (Rombach
    et al. 2022, arXiv 2112.10752, section 3.1), with hinge losses. The latents get a little noise, as those that a
    UNet draws are never quite those of an image.
    """

    def __init__(self, vae: AutoencoderKL, options: StageOptions) -> None:
        super().__init__(options)
        self.vae = vae.requires_grad_(False).to(memory_format=torch.channels_last)
        trained = [vae.decoder.requires_grad_(True), vae.post_quant_conv.requires_grad_(True)]
        self.critic = Critic(halvings=len(vae.config.block_out_channels) - 1)
        self.average = Average(trained, options.ema_decay)

    def groups(self) -> list[dict[str, object]]:
        """Return parameter groups: the critic has less momentum than the decoder."""
        own = self.options.learning_rate
        decoder = [p for p in self.vae.parameters() if p.requires_grad]
        critic = [group | {"betas": (0.5, 0.99)} for group in decayed(list(self.critic.parameters()), own)]
        return decayed(decoder, own) + critic

    def training_step(self, batch: Batch, _: int) -> torch.Tensor:
        """Return the loss of one batch; batch["rgb"] is (B, 3, C, C) in -1 to 1."""
        images = batch["rgb"].contiguous(memory_format=torch.channels_last)
        with torch.no_grad():
            latents = self.vae.encode(images).latent_dist.sample()
        rebuilt = self.vae.decode(latents + DECODER_NOISE * torch.randn_like(latents)).sample.float()
        critic_loss = (
            F.relu(1 - self.critic(images, latents)).mean()
            + F.relu(1 + self.critic(rebuilt.detach(), latents)).mean()
        )
        fixed = {name: value.detach() for name, value in self.critic.named_parameters()}
        score = torch.func.functional_call(self.critic, fixed, (rebuilt, latents)).mean()
        distance = reconstruction_loss(rebuilt, images)
        (towards,) = torch.autograd.grad(distance, rebuilt)
        (grain,) = torch.autograd.grad(-score, rebuilt)
        share = CRITIC_WEIGHT * min(1.0, self.global_step / CRITIC_WARM_UP)
        pull = (rebuilt * balanced(towards, grain, share)).sum()  # its gradient is the balanced one
        self.log_dict({"loss": distance, "critic": critic_loss, "l1": F.l1_loss(rebuilt, images)})
        total: torch.Tensor = pull - pull.detach() + distance.detach() + critic_loss
        return total


def balanced(towards: torch.Tensor, grain: torch.Tensor, share: float) -> torch.Tensor:
    """Add the critic's gradient, scaled to `share` of the length of the distance's gradient.

    The adaptive weight of Esser et al. 2021 (arXiv 2012.09841, equation 7), on the image instead of the last layer.

    Args:
        towards: (B, 3, H, W) gradient of the distance with respect to the reconstruction.
        grain: (B, 3, H, W) gradient of the critic's dislike; where it is zero nothing is added.
    """
    gradient: torch.Tensor = towards + share * towards.norm() / grain.norm().clamp(min=1e-12) * grain
    return gradient


def anchor_loss(latents: torch.Tensor, images: torch.Tensor) -> torch.Tensor:
    """Return the squared distance from `ANCHORS` of the 2x2 means of the first three of (B, 4, h, w) latents."""
    axes = images.new_tensor(ANCHORS)[:, :, None, None]
    target = F.conv2d(F.adaptive_avg_pool2d(images, (latents.shape[2] // 2, latents.shape[3] // 2)), axes)
    return F.mse_loss(F.avg_pool2d(latents[:, :3], 2), target)


def reconstruction_loss(rebuilt: torch.Tensor, images: torch.Tensor) -> torch.Tensor:
    """Return the mean distance of two (B, 3, H, W) batches, with weight on edges and on the average colour.

    Most of the energy of photos is brightness: so colour differences (`OPPONENTS`) have a term of their own.
    """
    small, target = F.avg_pool2d(rebuilt, 4), F.avg_pool2d(images, 4)
    axes = images.new_tensor(OPPONENTS)[:, :, None, None]
    loss = F.l1_loss(rebuilt, images) + 0.6 * F.l1_loss(small, target)
    loss = loss + COLOUR_WEIGHT * F.l1_loss(F.conv2d(small, axes), F.conv2d(target, axes))
    for axis in (2, 3):
        loss = loss + 0.25 * F.l1_loss(rebuilt.diff(dim=axis), images.diff(dim=axis))
    return loss


def crop_drawer(
    rows: Rows, surfaces: Surfaces, *, crop_px: int, batch: int
) -> Callable[[np.random.Generator], Batch]:
    """Build a function that draws a batch of crops: two thirds from scenes, one third from textures and shelves.

    One batch in four holds a quarter as many crops of twice the side: the group norms see other statistics there.
    """
    textures = [image for images in surfaces.photos.values() for image in images] + surfaces.extras
    textures = textures or [tile for tiles in surfaces.drawn.values() for tile in tiles]

    def draw(rng: np.random.Generator) -> Batch:
        crops = []
        large = rng.random() < 0.25
        side = crop_px * (2 if large else 1)
        for _ in range(max(1, batch // 4) if large else batch):
            if rng.random() < 2 / 3:
                image = rows.rgb[rng.integers(len(rows.rgb))]
            else:
                image = textures[rng.integers(len(textures))]
            crops.append(_crop(image, side, rng))
        return {"rgb": signed(np.stack(crops))}

    return draw


def _crop(image: np.ndarray, side: int, rng: np.random.Generator) -> np.ndarray:
    taken = int(min(min(image.shape[:2]), side / rng.uniform(0.8, 1.25)))
    top, left = (int(rng.integers(0, length - taken + 1)) for length in image.shape[:2])
    crop = image[top : top + taken, left : left + taken]
    crop = cv2.resize(crop, (side, side), interpolation=cv2.INTER_AREA if taken > side else cv2.INTER_LINEAR)
    crop = crop[:, ::-1] if rng.random() < 0.5 else crop
    gains = rng.uniform(0.7, 1.25) * rng.uniform(0.9, 1.1, 3)
    if rng.random() < SWAPPED_COLOURS:
        crop, gains = crop[..., rng.permutation(3)], gains * rng.uniform(0.5, 1.2, 3)
    return np.clip(crop * gains, 0, 255).astype(np.uint8)


@torch.no_grad()
def latent_scale(vae: AutoencoderKL, rows: Rows, *, images: int = 256) -> tuple[torch.Tensor, torch.Tensor]:
    """Return mean and std / `LATENT_STD`, (4,) each, of the latents of the first images."""
    parts = [
        vae.encode(signed(rows.rgb[i : i + 16])).latent_dist.sample()
        for i in range(0, min(images, len(rows.rgb)), 16)
    ]
    latents = torch.cat(parts)
    return latents.mean((0, 2, 3)), latents.std((0, 2, 3)) / LATENT_STD
