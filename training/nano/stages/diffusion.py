"""Second stage: UNet and both text encoders together, on cached latents."""

from __future__ import annotations

from collections.abc import Callable
from types import EllipsisType

import numpy as np
import torch
from diffusers import UNet2DConditionModel

from training.nano.config import StageOptions
from training.nano.data.rows import Latents, Rows, single_surface
from training.nano.data.words import SLOW_SURFACES
from training.nano.networks.build import TRAIN_TIMESTEPS, TextParts, alphas_cumprod, encode_text
from training.nano.stages.fitting import Average, Batch, Stage, decayed
from training.nano.stages.vae import LATENT_STD

# Timesteps by share of the rows: two thirds where the structure of an image is decided from the words, few where it is
# plain to see already, few where only its colour is.
SHARES, TIMES = (0.0, 0.1, 0.2, 0.85, 1.0), (0.0, 300.0, 480.0, 900.0, 1000.0)
LITTLE_NOISE = 0.2  # noise power below which a row counts less: its noise is lost in the latents' own grain
WHOLE_SHARE = 2.0  # times as often as the others in `focus`: rows that are painted whole
TEXT_RATE = 1.0  # learning rate of the text encoders relative to the UNet's


class DiffusionStage(Stage):
    """MSE on v over a zero-terminal-SNR schedule; some prompts are replaced by zeros, as in SDXL."""

    def __init__(
        self,
        unet: UNet2DConditionModel,
        text: TextParts,
        options: StageOptions,
        *,
        drop_prompt: float,
    ) -> None:
        super().__init__(options)
        self.unet, self.first, self.second = unet, text.first, text.second
        self.text = text
        self.drop_prompt = drop_prompt
        self.signal: torch.Tensor
        self.register_buffer("signal", alphas_cumprod(), persistent=False)
        self.average = Average([unet, text.first, text.second], options.ema_decay)

    def groups(self) -> list[dict[str, object]]:
        """Return parameter groups: the text encoders have a learning rate of their own."""
        text = [*self.first.parameters(), *self.second.parameters()]
        own = self.options.learning_rate
        return decayed(list(self.unet.parameters()), own) + decayed(text, TEXT_RATE * own)

    def training_step(self, batch: Batch, _: int) -> torch.Tensor:
        """Return the loss of one batch, see `latent_drawer`."""
        noisy, target, steps = noised(batch["image"], self.signal)
        words, pooled = encode_text(self.text, batch["tokens"])
        words, pooled = dropped(words, pooled, self.drop_prompt)
        predicted = self.unet(
            torch.cat([noisy, batch["mask"], batch["masked"]], 1),
            steps,
            encoder_hidden_states=words,
            added_cond_kwargs=added_conditions(pooled, batch["size_numbers"]),
        ).sample
        loss = velocity_loss(predicted, target, self.signal[steps])
        self.log("loss", loss)
        return loss


def noised(latents: torch.Tensor, signal: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """Add noise; return noisy latents, the velocity to be predicted, and the (B,) timesteps.

    The timesteps of a batch are spread over the whole range by `SHARES`, in random order: the rows come sorted.
    """
    rows = len(latents)
    share = (torch.randperm(rows, device=latents.device) + torch.rand(rows, device=latents.device)) / rows
    steps = torch.from_numpy(np.interp(share.cpu().numpy(), SHARES, TIMES)).to(latents.device)
    steps = steps.long().clamp(max=TRAIN_TIMESTEPS - 1)
    power = signal[steps][:, None, None, None]
    noise = torch.randn_like(latents)
    noisy = power.sqrt() * latents + (1 - power).sqrt() * noise
    return noisy, power.sqrt() * noise - (1 - power).sqrt() * latents, steps


def velocity_loss(predicted: torch.Tensor, target: torch.Tensor, power: torch.Tensor) -> torch.Tensor:
    """Return the squared distance of two (B, 4, h, w) velocities, each row relative to the variance of its target.

    Rows with less noise than `LITTLE_NOISE` count in proportion to it: what they teach cannot be seen.

    Args:
        power: (B,) signal power; the target is noise where it is 1 and the latents, of std `LATENT_STD`, where it is 0.
    """
    variance = power + (1 - power) * LATENT_STD**2
    weight = ((1 - power) / LITTLE_NOISE).clamp(max=1)
    return (weight * ((predicted.float() - target) ** 2).mean((1, 2, 3)) / variance).mean()


def dropped(words: torch.Tensor, pooled: torch.Tensor, share: float) -> tuple[torch.Tensor, torch.Tensor]:
    """Set some rows of prompt embeddings to zero."""
    unchanged = (torch.rand(len(words), 1, device=words.device) >= share).to(words.dtype)
    return words * unchanged[..., None], pooled * unchanged


def added_conditions(pooled: torch.Tensor, size_numbers: torch.Tensor) -> dict[str, torch.Tensor]:
    """Build the added conditions of SDXL's UNet.

    Args:
        pooled: (B, D) pooled prompt embeddings.
        size_numbers: (B, 6) pixels: height and width of the whole, top and left of the crop, height and width of the
            crop ("micro-conditioning", SDXL, arXiv 2307.01952, section 2.2). The pipelines fill in (h, w, 0, 0, h, w).
    """
    return {"text_embeds": pooled, "time_ids": size_numbers.to(pooled.device)}


# Surfaces, colours and light look the same in a crop, which costs a quarter of a whole image.
CROPS_PER_IMAGE = 3  # rows of a batch of crops for each row of a batch of whole images
CROP_SIDE = 1 / 2  # of the side of the whole


def latent_drawer(
    rows: Rows,
    latents: Latents,
    tokens: torch.Tensor,
    *,
    batch: int,
    crop_share: float = 0.0,
    shares: np.ndarray | None = None,
) -> Callable[[np.random.Generator], Batch]:
    """Build a function that draws a batch.

    Args:
        crop_share: share of the batches that hold crops of `CROP_SIDE`, `CROPS_PER_IMAGE` times as many.
        shares: (N,) probability with which a row is drawn first, see `focus`; all alike by default.

    Returns:
        image, masked (B, 4, h, w), mask (B, 1, h, w; 1 = paint), tokens (B, T), size_numbers (B, 6), index (B,).
    """
    whole_px = rows.rgb.shape[1]
    factor = whole_px // latents.image.shape[-1]

    def draw(rng: np.random.Generator) -> Batch:
        cropped = rng.random() < crop_share
        count = min(len(rows.rgb), batch * (CROPS_PER_IMAGE if cropped else 1))
        chosen = np.sort(rng.choice(len(rows.rgb), count, replace=False, p=shares))
        mask = rows.repaint[chosen, ::factor, ::factor] >= 128
        window, numbers = _window(rng, whole_px, factor, cropped=cropped)
        image, masked, hole = (
            torch.from_numpy(array[window].astype(np.float32))
            for array in (latents.image[chosen], latents.masked[chosen], mask[:, None])
        )
        latent_parts = {"image": image, "masked": masked, "mask": hole}
        return latent_parts | {
            "tokens": tokens[chosen],
            "size_numbers": torch.tensor([numbers] * len(chosen), dtype=torch.float32),
            "index": torch.from_numpy(chosen),
        }

    return draw


def _window(
    rng: np.random.Generator, whole_px: int, factor: int, *, cropped: bool
) -> tuple[tuple[EllipsisType, slice, slice], list[int]]:
    """Choose the part of the latents that a batch shows; return its index and SDXL's six size numbers."""
    whole = -(-whole_px // factor)
    side = _crop_side(whole) if cropped else whole
    top, left = (int(offset) for offset in rng.integers(0, whole - side + 1, 2))
    numbers = [whole_px, whole_px, top * factor, left * factor, side * factor, side * factor]
    return (..., slice(top, top + side), slice(left, left + side)), numbers


def focus(rows: Rows) -> np.ndarray:
    """Return the (N,) shares of the rows, 1 in total, while the UNet is focused on structure.

    Surfaces of `SLOW_SURFACES` are drawn more often, and so are rows that are painted whole: all others show some of
    the structure that the words ask for.
    """
    shares = np.ones(len(rows.rgb))
    single = single_surface(rows)
    shares[single] = [SLOW_SURFACES.get(rows.surfaces[index], 1.0) for index in single]
    shares[[bool((mask >= 128).all()) for mask in rows.repaint]] *= WHOLE_SHARE
    return np.asarray(shares / shares.sum())


def _crop_side(whole: int) -> int:
    return max(8, round(whole * CROP_SIDE / 8) * 8)  # the UNet halves two or three times


def tokenized(text: TextParts, captions: list[str]) -> torch.Tensor:
    """Tokenize all captions: (N, T) ids, padded to the longest prompt."""
    padded = text.tokenizer(captions, padding="max_length", truncation=True, return_tensors="pt")
    tokens: torch.Tensor = padded.input_ids
    return tokens
