"""Writes the trained networks as a complete diffusers folder."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import torch
from diffusers import AutoencoderKL, ControlNetModel, StableDiffusionXLInpaintPipeline, UNet2DConditionModel

from pipeline.errors import InvalidRequest
from pipeline.rendering.checkpoints import LORA_FILE
from training.nano.data import words
from training.nano.networks.build import TextParts, build_scheduler

WORDS_FILE = "vocabulary.json"  # no other checkpoint has one: by it we know our own
SHARD = "9MB"  # a plain push to a Space refuses files over 10 MB
DEFAULTS = {"steps": 16, "guidance_scale": 3.0, "guidance_rescale": 0.7}
# The loss wants what is likely, not what was asked for: at conditioning scale 1 edges are followed timidly. On held-out
# scenes beside those of `evaluate`, F-scores of own edges minus those of other scenes: 0.01 at 0, 0.03 at 1, 0.09 at 3,
# 0.11 at 4, where spots appear. The shipped ControlNet has the factor inside, so that 1 means "follow".
CONTROL_GAIN = 3.0
DOCUMENTS = (
    "README.md",
    "sheet.webp",
    "examples.webp",
    "inpainting.webp",
    "control.webp",
)  # written by hand or by the sheets


@contextmanager
def whole_checkpoint(folder: Path) -> Iterator[None]:
    """Guard the loading of a folder that `training.nano` wrote.

    Raises:
        InvalidRequest: it is none, or lacks weights.
    """
    if not (folder / WORDS_FILE).is_file() or not (folder / "controlnet" / "config.json").is_file():
        raise InvalidRequest(f"{folder} is not a checkpoint of nano; name a folder that training.nano wrote")
    try:
        yield
    except OSError:
        raise InvalidRequest(f"{folder} lacks some of its weights; copy or export it again") from None


def check_out(out: Path) -> None:
    """Refuse to replace a folder that `training.nano` did not write.

    Raises:
        InvalidRequest: it holds something else.
    """
    ours = any((out / name).is_file() for name in (WORDS_FILE, LORA_FILE))
    if out.exists() and not ours and (not out.is_dir() or any(out.iterdir())):
        raise InvalidRequest(f"{out} holds other files, which would be lost; choose a new folder for --out")


def write_folder(
    out: Path,
    *,
    vae: AutoencoderKL,
    unet: UNet2DConditionModel,
    control: ControlNetModel,
    text: TextParts,
) -> None:
    """Write the folder that `from_pretrained` of the SDXL inpaint pipelines loads, fp16, in shards.

    The folder appears under its name in one rename; model card and sheets of a former one are kept.
    """
    partial = out.with_name(out.name + ".partial")
    shutil.rmtree(partial, ignore_errors=True)
    pipeline = StableDiffusionXLInpaintPipeline(
        vae=vae.half(),
        text_encoder=text.first.half(),
        text_encoder_2=text.second.half(),
        tokenizer=text.tokenizer,
        tokenizer_2=text.tokenizer,
        unet=unet.half(),
        scheduler=build_scheduler(),
        force_zeros_for_empty_prompt=True,
        add_watermarker=False,
    )
    pipeline.save_pretrained(partial, max_shard_size=SHARD)
    control.half().save_pretrained(partial / "controlnet", max_shard_size=SHARD)
    size = unet.config.sample_size * 2 ** (len(vae.config.block_out_channels) - 1)
    (partial / WORDS_FILE).write_text(json.dumps(vocabulary(size), indent=1) + "\n")
    for name in DOCUMENTS:
        if (out / name).exists():
            shutil.copy2(out / name, partial / name)
    _swap(partial, out)
    for network in (vae, unet, control, text.first, text.second):
        network.float()


def _swap(partial: Path, out: Path) -> None:
    old = out.with_name(out.name + ".old")
    shutil.rmtree(old, ignore_errors=True)
    out.parent.mkdir(parents=True, exist_ok=True)
    if out.exists():
        os.rename(out, old)
    os.rename(partial, out)
    shutil.rmtree(old, ignore_errors=True)


def vocabulary(size: int) -> dict[str, object]:
    """List what the shipped model understands, for the pages: slots, synonyms, every word, examples, defaults.

    Args:
        size: side of its images in pixels.
    """
    return {
        "surface": list(words.SURFACES),
        "place": list(words.PLACES),
        "sky": list(words.SKIES),
        "colour": list(words.COLOURS),
        "light": list(words.LIGHTS),
        "camera": list(words.CAMERAS),
        "condition": list(words.CONDITIONS),
        "synonyms": {word: list(synonyms) for word, synonyms in words.SYNONYMS.items()},
        "words": words.drawn_words(),
        "examples": list(words.EXAMPLES),
        "defaults": {**DEFAULTS, "size": size},
    }


@torch.no_grad()
def scale_residuals(control: ControlNetModel, gain: float) -> None:
    """Multiply what a ControlNet adds to the UNet, inside its last convolutions; `CONTROL_GAIN` tells why.

    Args:
        control: changed in place.
    """
    for last in (*control.controlnet_down_blocks, control.controlnet_mid_block):
        last.weight *= gain
        last.bias *= gain


@torch.no_grad()
def fold_latent_scale(vae: AutoencoderKL, mean: torch.Tensor, std: torch.Tensor) -> None:
    """Make the latents zero-mean and unit-variance per channel, with the scale inside the 1x1 convolutions.

    Args:
        vae: changed in place; its reconstructions stay the same.
        mean: (4,) of the latents before.
        std: (4,) of the latents before.
    """
    vae.quant_conv.weight[:4] /= std[:, None, None, None]
    vae.quant_conv.bias[:4] = (vae.quant_conv.bias[:4] - mean) / std
    vae.quant_conv.bias[4:] -= 2 * std.log()  # the posterior's log variance shrinks by the same factor
    vae.post_quant_conv.bias += vae.post_quant_conv.weight[:, :, 0, 0] @ mean
    vae.post_quant_conv.weight *= std[None, :, None, None]
