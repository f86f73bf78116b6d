"""Renders with a shipped folder through the unchanged diffusers pipelines, for figures and contact sheets."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from diffusers import (
    AutoencoderKL,
    ControlNetModel,
    StableDiffusionXLControlNetInpaintPipeline,
    StableDiffusionXLInpaintPipeline,
)
from PIL import Image

from training.nano.networks.export import WORDS_FILE, whole_checkpoint

ROWS_AT_ONCE = 12


@dataclass
class Painter:
    """Both pipelines over one set of weights, with the default steps and guidance of the folder."""

    plain: StableDiffusionXLInpaintPipeline
    guided: StableDiffusionXLControlNetInpaintPipeline
    steps: int
    guidance_scale: float
    guidance_rescale: float
    size: int

    @property
    def vae(self) -> AutoencoderKL:
        """Return the autoencoder of both."""
        return self.plain.vae

    def paint(
        self,
        prompts: Sequence[str],
        seeds: Sequence[int],
        *,
        images: np.ndarray | None = None,
        repaint: np.ndarray | None = None,
        hints: np.ndarray | None = None,
        **settings: float,
    ) -> np.ndarray:
        """Render one image per prompt and seed: (N, S, S, 3) uint8.

        Args:
            images: (N, S, S, 3) uint8 of which `repaint` (N, S, S), 255 = paint, is repainted; without them
                the whole image is painted.
            hints: (N, S, S) uint8 edges for the ControlNet.
            settings: go to the pipeline, e.g. num_inference_steps or controlnet_conditioning_scale.
        """
        count, size = len(prompts), self.size
        images = np.full((count, size, size, 3), 127, np.uint8) if images is None else images
        repaint = np.full((count, size, size), 255, np.uint8) if repaint is None else repaint
        pipeline = self.plain if hints is None else self.guided
        painted = []
        for start in range(0, count, ROWS_AT_ONCE):
            rows = slice(start, start + ROWS_AT_ONCE)
            call = self._defaults() | {
                "prompt": list(prompts[rows]),
                "image": [Image.fromarray(image) for image in images[rows]],
                "mask_image": [Image.fromarray(mask) for mask in repaint[rows]],
                "generator": [torch.Generator().manual_seed(int(seed)) for seed in seeds[rows]],
            }
            if hints is not None:
                call["control_image"] = [Image.fromarray(hint).convert("RGB") for hint in hints[rows]]
            painted.append(pipeline(**(call | settings)).images)
        return (np.concatenate(painted) * 255).round().astype(np.uint8)

    def _defaults(self) -> dict[str, object]:
        return {
            "num_inference_steps": self.steps,
            "guidance_scale": self.guidance_scale,
            "guidance_rescale": self.guidance_rescale,
            "strength": 1.0,
            "height": self.size,
            "width": self.size,
            "output_type": "np",
        }


def load_painter(folder: Path, *, dtype: torch.dtype = torch.float32) -> Painter:
    """Load both pipelines from a folder that `export` wrote.

    Raises:
        InvalidRequest: see `whole_checkpoint`.
    """
    with whole_checkpoint(folder):
        plain = StableDiffusionXLInpaintPipeline.from_pretrained(
            folder, torch_dtype=dtype, add_watermarker=False
        )
        control = ControlNetModel.from_pretrained(folder / "controlnet", torch_dtype=dtype)
    guided = StableDiffusionXLControlNetInpaintPipeline(
        **plain.components, controlnet=control, add_watermarker=False
    )
    for pipeline in (plain, guided):
        pipeline.set_progress_bar_config(disable=True)
    defaults = json.loads((folder / WORDS_FILE).read_text())["defaults"]
    return Painter(
        plain,
        guided,
        steps=defaults["steps"],
        guidance_scale=defaults["guidance_scale"],
        guidance_rescale=defaults.get("guidance_rescale", 0.0),
        size=defaults["size"],
    )
