"""Second stage: UNet and both text encoders together, on cached latents."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import torch
import torch.nn.functional as F
from diffusers import UNet2DConditionModel

from training.nano.config import StageOptions
from training.nano.fitting import Average, Batch, Stage, decayed
from training.nano.networks import TRAIN_TIMESTEPS, TextParts, alphas_cumprod, encode_text
from training.nano.rows import Latents, Rows

STRONG_NOISE = (
    0.6  # exponent on evenly spread shares of the schedule; 1 would be even, below 1 prefers strong noise
)
TEXT_RATE = 1.0  # learning rate of the text encoders relative to the UNet's


class DiffusionStage(Stage):
    """Plain MSE on v over a zero-terminal-SNR schedule; prompts are dropped to zeros at times, as SDXL does."""

    def __init__(
        self,
        unet: UNet2DConditionModel,
        text: TextParts,
        options: StageOptions,
        *,
        drop_prompt: float,
        picture_px: int,
    ) -> None:
        super().__init__(options)
        self.unet, self.first, self.second = unet, text.first, text.second
        self.text = text
        self.drop_prompt, self.picture_px = drop_prompt, picture_px
        self.register_buffer("signal", alphas_cumprod(), persistent=False)
        self.average = Average([unet, text.first, text.second], options.ema_decay)

    def groups(self) -> list[dict[str, object]]:
        """The text encoders may learn at their own rate."""
        text = [*self.first.parameters(), *self.second.parameters()]
        own = self.options.learning_rate
        return decayed(list(self.unet.parameters()), own) + decayed(text, TEXT_RATE * own)

    def training_step(self, batch: Batch, _: int) -> torch.Tensor:
        """Loss of one batch, see `latent_drawer`."""
        noisy, target, steps = noised(batch["picture"], self.signal)
        words, pooled = encode_text(self.text, batch["tokens"])
        words, pooled = dropped(words, pooled, self.drop_prompt)
        predicted = self.unet(
            torch.cat([noisy, batch["mask"], batch["masked"]], 1),
            steps,
            encoder_hidden_states=words,
            added_cond_kwargs=added_conditions(pooled, self.picture_px),
        ).sample
        loss = F.mse_loss(predicted.float(), target)
        self.log("loss", loss)
        return loss


def noised(latents: torch.Tensor, signal: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """Noisy latents, the velocity that is to be predicted, and the (B,) timesteps.

    The timesteps of a batch are spread over the whole range, denser towards strong noise, where what the picture
    shows is decided, and in random order: the rows of a batch come sorted.
    """
    rows = len(latents)
    share = (torch.randperm(rows, device=latents.device) + torch.rand(rows, device=latents.device)) / rows
    steps = (share**STRONG_NOISE * TRAIN_TIMESTEPS).long().clamp(max=TRAIN_TIMESTEPS - 1)
    power = signal[steps][:, None, None, None]
    noise = torch.randn_like(latents)
    noisy = power.sqrt() * latents + (1 - power).sqrt() * noise
    return noisy, power.sqrt() * noise - (1 - power).sqrt() * latents, steps


def dropped(words: torch.Tensor, pooled: torch.Tensor, share: float) -> tuple[torch.Tensor, torch.Tensor]:
    """Prompt embeddings with some rows set to zero."""
    kept = (torch.rand(len(words), 1, device=words.device) >= share).to(words.dtype)
    return words * kept[..., None], pooled * kept


def added_conditions(pooled: torch.Tensor, picture_px: int) -> dict[str, torch.Tensor]:
    """SDXL's size numbers (height, width, crop 0, 0, height, width), which the pipelines fill in pixels."""
    numbers = torch.tensor([picture_px, picture_px, 0.0, 0.0, picture_px, picture_px], device=pooled.device)
    return {"text_embeds": pooled, "time_ids": numbers.repeat(len(pooled), 1)}


CROPS_A_PICTURE = 3  # rows of a batch of half-size crops for each row of a batch of whole pictures


def latent_drawer(
    rows: Rows, latents: Latents, tokens: torch.Tensor, *, batch: int, crop_share: float = 0.0
) -> Callable[[np.random.Generator], Batch]:
    """A function that draws a batch.

    Args:
        crop_share: share of the batches that hold crops of half the side, `CROPS_A_PICTURE` times as many. Surfaces,
            colours and light look the same in a crop, which costs a quarter of a whole picture.

    Returns:
        picture (B, 4, h, w), masked (B, 4, h, w), mask (B, 1, h, w) with 1 = to be painted, tokens (B, T),
        index (B,).
    """
    factor = rows.rgb.shape[1] // latents.picture.shape[-1]

    def draw(rng: np.random.Generator) -> Batch:
        cropped = rng.random() < crop_share
        chosen = np.sort(
            rng.choice(len(rows.rgb), batch * (CROPS_A_PICTURE if cropped else 1), replace=False)
        )
        mask = rows.repaint[chosen, ::factor, ::factor] >= 128
        side = mask.shape[-1] // 2 if cropped else mask.shape[-1]
        top, left = (int(v) for v in rng.integers(0, mask.shape[-1] - side + 1, 2))
        part = np.s_[..., top : top + side, left : left + side]
        return {
            "picture": torch.from_numpy(latents.picture[chosen][part].astype(np.float32)),
            "masked": torch.from_numpy(latents.masked[chosen][part].astype(np.float32)),
            "mask": torch.from_numpy(mask[:, None][part].astype(np.float32)),
            "tokens": tokens[chosen],
            "index": torch.from_numpy(chosen),
        }

    return draw


def tokenized(text: TextParts, captions: list[str]) -> torch.Tensor:
    """(N, T) token ids of all captions, padded to the longest prompt."""
    padded = text.tokenizer(captions, padding="max_length", truncation=True, return_tensors="pt")
    return padded.input_ids
