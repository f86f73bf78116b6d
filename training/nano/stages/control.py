"""Third stage: the ControlNet on Canny edges, with everything else frozen."""

from __future__ import annotations

from collections.abc import Callable

import cv2
import numpy as np
import torch
import torch.nn.functional as F
from diffusers import ControlNetModel
from torch import nn

from training.nano.config import StageOptions
from training.nano.data.rows import Rows, edges
from training.nano.networks.build import encode_text
from training.nano.stages.diffusion import DiffusionStage, added_conditions, dropped, noised, velocity_loss
from training.nano.stages.fitting import Average, Batch, Stage, decayed

FRESH_RATE = 4.0  # learning rate of the hint stack and the zero convolutions relative to the copied layers
SMOOTHED_PX = (
    1.8  # largest sigma of the blur before the detector: it leaves the lines of the layout, not the grain
)
LEAST_BLUR_PX = 0.3  # below that none is seen
OBJECT_ONLY = 0.15  # share of the rows whose edges are those of the kept object alone


class ControlStage(Stage):
    """The same loss as the UNet's, with gradients to the ControlNet only."""

    def __init__(self, control: ControlNetModel, base: DiffusionStage, options: StageOptions) -> None:
        super().__init__(options)
        self.control = control
        self.base = base.requires_grad_(False)
        self.average = Average([control], options.ema_decay)

    def groups(self) -> list[dict[str, object]]:
        """Return parameter groups: new layers learn faster than those copied from the UNet."""
        fresh = [p for name, p in self.control.named_parameters() if name.startswith("controlnet_")]
        copied = [p for name, p in self.control.named_parameters() if not name.startswith("controlnet_")]
        own = self.options.learning_rate
        return decayed(copied, own / FRESH_RATE) + decayed(fresh, own)

    def training_step(self, batch: Batch, _: int) -> torch.Tensor:
        """Return the loss of one batch, see `hint_drawer`."""
        base = self.base
        noisy, target, steps = noised(batch["image"], base.signal)
        with torch.no_grad():
            words, pooled = encode_text(base.text, batch["tokens"])
        words, pooled = dropped(words, pooled, base.drop_prompt)
        shared = {
            "encoder_hidden_states": words,
            "added_cond_kwargs": added_conditions(pooled, batch["size_numbers"]),
        }
        down, mid = self.control(noisy, steps, controlnet_cond=batch["hint"], return_dict=False, **shared)
        predicted = base.unet(
            torch.cat([noisy, batch["mask"], batch["masked"]], 1),
            steps,
            down_block_additional_residuals=down,
            mid_block_additional_residual=mid,
            **shared,
        ).sample
        loss = velocity_loss(predicted, target, base.signal[steps])
        self.log("loss", loss)
        return loss


def hint_drawer(
    rows: Rows, draw: Callable[[np.random.Generator], Batch]
) -> Callable[[np.random.Generator], Batch]:
    """Add "hint", (B, 3, S, S) edges in 0 to 1, to the batches of `latent_drawer`."""

    def with_hints(rng: np.random.Generator) -> Batch:
        batch = draw(rng)
        hints = []
        for index in batch["index"].tolist():
            low = float(rng.uniform(60, 130))
            hint = edges(_smoothed(rows.rgb[index], float(rng.uniform(0, SMOOTHED_PX))), low, 2 * low)
            if rng.random() < OBJECT_ONLY and (rows.repaint[index] == 0).any():
                hint = np.where(rows.repaint[index] == 0, hint, 0)
            hints.append(hint)
        images = torch.from_numpy(np.stack(hints)).float() / 255
        batch["hint"] = images[:, None].repeat(1, 3, 1, 1)
        return batch

    return with_hints


def _smoothed(rgb: np.ndarray, sigma_px: float) -> np.ndarray:
    if sigma_px < LEAST_BLUR_PX:
        return rgb
    return cv2.GaussianBlur(np.ascontiguousarray(rgb), (0, 0), sigma_px)


@torch.no_grad()
def scale_hint_stack(control: ControlNetModel, hints: torch.Tensor) -> None:
    """Give every layer of the hint stack unit output variance on real edges.

    Sparse edges die out in the default initialisation, and the ControlNet then learns nothing for a long time.

    Args:
        control: changed in place.
        hints: (B, 3, S, S) edges in 0 to 1.
    """
    stack = control.controlnet_cond_embedding
    layers = [stack.conv_in, *stack.blocks, stack.conv_out]
    values = hints
    for number, layer in enumerate(layers):
        nn.init.orthogonal_(layer.weight)
        nn.init.zeros_(layer.bias)
        layer.weight /= layer(values).std() + 1e-6
        values = layer(values)
        if number < len(layers) - 1:
            values = F.silu(values)
