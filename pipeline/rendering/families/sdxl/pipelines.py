"""The only place that loads diffusion weights: from a folder, or from pinned commits of the Hub."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from functools import cached_property
from pathlib import Path
from typing import Any

import torch
from diffusers import (
    AutoencoderKL,
    ControlNetModel,
    StableDiffusionXLControlNetInpaintPipeline,
    StableDiffusionXLInpaintPipeline,
    StableDiffusionXLPipeline,
)

from pipeline.domain.plan import ModelFacts
from pipeline.errors import ModelUnavailable
from pipeline.rendering.checkpoints import Checkpoint, Part
from pipeline.rendering.device import Hardware, hardware, keep_freed_memory
from pipeline.rendering.downloads import fetched
from pipeline.rendering.families.sdxl.generator import SdxlGenerator
from pipeline.rendering.families.sdxl.quiet import quiet

_UNET_TEXT_CHANNELS = 4  # a UNet with more input channels draws only through the inpainting pipelines


def load_generator(one: Checkpoint, facts: ModelFacts) -> SdxlGenerator:
    """The generator of a checkpoint, its inpainting weights in memory.

    Raises:
        ModelUnavailable: files are missing, broken, or cannot be fetched.
    """
    place = hardware(half=one.half)
    if place.device == "cpu":
        keep_freed_memory()
    elif place.device == "cuda":
        torch.cuda.empty_cache()  # what the model before this one held
    return SdxlGenerator(facts, Pipelines(one, place), strength=one.strength)


class Pipelines:
    """The pipelines of one checkpoint over one set of weights; what a method needs beyond is loaded then."""

    def __init__(self, one: Checkpoint, place: Hardware) -> None:
        self._one = one
        self._place = place
        self.inpaint: Any = self._inpaint()  # StableDiffusionXLInpaintPipeline

    @cached_property
    def controlnet_inpaint(self) -> StableDiffusionXLControlNetInpaintPipeline:
        """The guided pipeline; shares every part but the ControlNet with `inpaint`."""
        if Part.CONTROLNET in self._one.hub:
            folder = fetched(self._one.name, self._one.hub[Part.CONTROLNET])
        else:
            assert self._one.folder is not None
            folder = self._one.folder / "controlnet"
            if not (folder / "config.json").is_file():
                raise ModelUnavailable(
                    f"model '{self._one.name}' has no ControlNet ({folder} is missing); use method 'inpaint'"
                )
        with _loading(self._one.name):
            controlnet = ControlNetModel.from_pretrained(folder, **self._options(folder))
            parts = {**self.inpaint.components, "controlnet": controlnet}
            return self._ready(StableDiffusionXLControlNetInpaintPipeline(**parts))

    @cached_property
    def text(self) -> StableDiffusionXLPipeline | None:
        """The text-to-image pipeline; None where the checkpoint draws only through the inpainting one."""
        with _loading(self._one.name):
            if Part.TEXT in self._one.hub:
                folder = fetched(self._one.name, self._one.hub[Part.TEXT])
                loaded = StableDiffusionXLPipeline.from_pretrained(
                    folder, vae=self.inpaint.vae, add_watermarker=False, **self._options(folder)
                )
                if self._one.lora:  # its layers are those of attention, which both UNets share
                    loaded.load_lora_weights(self._one.lora, local_files_only=True)
                return self._ready(loaded)
            if self.inpaint.unet.config.in_channels == _UNET_TEXT_CHANNELS:
                return self._ready(StableDiffusionXLPipeline(**self.inpaint.components))
        return None

    def _inpaint(self) -> Any:
        one = self._one
        if one.hub:
            folder = fetched(one.name, one.hub[Part.INPAINT])
        else:
            assert one.folder is not None
            folder = one.folder
        with _loading(one.name):
            given: dict[str, Any] = {}
            if Part.VAE in one.hub:
                vae_folder = fetched(one.name, one.hub[Part.VAE])
                given["vae"] = AutoencoderKL.from_pretrained(vae_folder, **self._options(vae_folder))
            loaded = StableDiffusionXLInpaintPipeline.from_pretrained(
                folder, add_watermarker=False, **given, **self._options(folder)
            )
            if one.lora:
                loaded.load_lora_weights(one.lora, local_files_only=True)
            if one.half:
                loaded.vae.enable_slicing()  # the peak of memory is the VAE's: one picture of a batch at a time
            return self._ready(loaded)

    def _options(self, folder: Path) -> dict[str, Any]:
        variant = "fp16" if any(folder.rglob("*.fp16*.safetensors")) else None
        return {
            "torch_dtype": self._place.dtype,
            "variant": variant,
            "use_safetensors": True,
            "local_files_only": True,
        }

    def _ready(self, pipeline: Any) -> Any:
        pipeline.set_progress_bar_config(disable=True)
        return pipeline.to(self._place.device)


@contextmanager
def _loading(name: str) -> Iterator[None]:
    """Quiet loading; what diffusers says of broken files becomes one sentence."""
    try:
        with quiet(), torch.inference_mode(False):
            yield
    except (OSError, ValueError, KeyError, TypeError, RuntimeError) as error:
        if isinstance(error, torch.OutOfMemoryError):
            raise ModelUnavailable(f"model '{name}' does not fit into the memory of this machine") from error
        reason = str(error).strip().splitlines()[0] if str(error).strip() else type(error).__name__
        raise ModelUnavailable(f"model '{name}' cannot be loaded: {reason}") from error
