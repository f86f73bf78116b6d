"""Stable Diffusion XL, drawn by the pipelines of diffusers."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from pipeline.domain.methods import Method
from pipeline.domain.plan import ModelFacts
from pipeline.errors import ModelUnavailable
from pipeline.rendering.checkpoints import Checkpoint, Part
from pipeline.rendering.families.family import Family
from pipeline.rendering.generator import Generator

_PARTS = {
    Method.INPAINT: (Part.INPAINT, Part.ENCODERS, Part.VAE),
    Method.CONTROLNET: (Part.INPAINT, Part.ENCODERS, Part.VAE, Part.CONTROLNET),
    Method.TEXT_TO_IMAGE: (Part.TEXT, Part.ENCODERS, Part.VAE),
}


def _unlike(index: Mapping[str, Any]) -> str | None:
    pipeline = str(index.get("_class_name") or "an unnamed pipeline")
    if not pipeline.startswith("StableDiffusionXL"):
        return pipeline
    if not all(_is_given(index, part) for part in ("text_encoder", "text_encoder_2", "unet", "vae")):
        return f"{pipeline} without one of its text encoders (an SDXL refiner)"
    return None


def _is_given(index: Mapping[str, Any], part: str) -> bool:
    entry = index.get(part)
    return isinstance(entry, list) and len(entry) == 2 and entry[1] is not None


def _native_size(model: Checkpoint) -> int:
    unet = _configuration(model, "unet")
    levels = len(_configuration(model, "vae").get("block_out_channels") or (0,) * 4)
    return int(unet.get("sample_size") or 0) * 2 ** (levels - 1) or model.size


def _configuration(model: Checkpoint, part: str) -> dict[str, Any]:
    assert model.folder is not None
    path = model.folder / part / "config.json"
    try:
        return dict(json.loads(path.read_text(encoding="utf-8")))
    except (OSError, ValueError):
        raise ModelUnavailable(
            f"model '{model.name}' cannot be loaded: {path} is missing or broken"
        ) from None


def _load(model: Checkpoint, facts: ModelFacts) -> Generator:
    from pipeline.rendering.families.sdxl.pipelines import load_generator

    return load_generator(model, facts)


SDXL = Family(
    name="sdxl",
    title="Stable Diffusion XL (base or inpainting)",
    parts=_PARTS,
    unlike=_unlike,
    native_size=_native_size,
    load=_load,
)
