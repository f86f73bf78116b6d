"""The only place that loads SDXL's weights: from a folder, or from pinned commits of the Hub."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from functools import cached_property
from pathlib import Path
from typing import Any, TypeVar

import torch
from diffusers import (
    AutoencoderKL,
    ControlNetModel,
    StableDiffusionXLControlNetInpaintPipeline,
    StableDiffusionXLInpaintPipeline,
    StableDiffusionXLPipeline,
    UNet2DConditionModel,
)
from safetensors import SafetensorError
from transformers import CLIPTextModel, CLIPTextModelWithProjection, CLIPTokenizer

from pipeline.domain.plan import ModelFacts
from pipeline.errors import ModelUnavailable
from pipeline.rendering.checkpoints import Checkpoint, Part
from pipeline.rendering.device import Hardware, hardware, keep_freed_memory
from pipeline.rendering.downloads import fetched, repaired
from pipeline.rendering.families.sdxl.generator import SdxlGenerator
from pipeline.rendering.families.sdxl.quiet import quiet
from pipeline.rendering.families.sdxl.text_rows import separate_rows

_UNET_TEXT_CHANNELS = 4  # a UNet with more input channels draws only through the inpainting pipelines

Loaded = TypeVar("Loaded")


def load_generator(model: Checkpoint, facts: ModelFacts) -> SdxlGenerator:
    """Return the generator of a checkpoint, with what every method needs in memory.

    Raises:
        ModelUnavailable: files are missing, broken, or cannot be fetched.
    """
    place = hardware(half=model.half)
    if place.device == "cpu":
        keep_freed_memory()
    elif place.device == "cuda":
        torch.cuda.empty_cache()  # what the model before this one held
    return SdxlGenerator(facts, Pipelines(model, place), strength=model.strength)


class Pipelines:
    """The pipelines of one checkpoint. They share VAE, text encoders and tokenizers; a UNet is loaded when needed."""

    def __init__(self, model: Checkpoint, place: Hardware) -> None:
        self._model = model
        self._place = place
        self._shared = self._load_encoders() | {"vae": self._load_vae()}
        if model.folder:
            _ = self.inpaint  # so that a broken folder is reported at once

    @property
    def vae_scale_factor(self) -> int:
        """Pixels along a side of one latent."""
        return int(2 ** (len(self._shared["vae"].config.block_out_channels) - 1))

    @cached_property
    def inpaint(self) -> Any:
        """StableDiffusionXLInpaintPipeline."""
        return self._from(
            Part.INPAINT, lambda folder: self._pipeline(StableDiffusionXLInpaintPipeline, folder)
        )

    @cached_property
    def controlnet_inpaint(self) -> Any:
        """StableDiffusionXLControlNetInpaintPipeline; shares every part but the ControlNet with `inpaint`."""
        if self._model.folder and not (self._model.folder / "controlnet" / "config.json").is_file():
            raise ModelUnavailable(
                f"model '{self._model.name}' has no ControlNet ({self._model.folder / 'controlnet'} is missing); "
                "use method 'inpaint'"
            )
        parts = {**self.inpaint.components}
        parts["controlnet"] = self._from(
            Part.CONTROLNET,
            lambda folder: ControlNetModel.from_pretrained(folder, **self._options(folder)),
            below="controlnet",
        )
        return self._over(StableDiffusionXLControlNetInpaintPipeline, parts)

    @cached_property
    def text(self) -> Any | None:
        """StableDiffusionXLPipeline; None where the checkpoint draws only through the inpainting one."""
        if Part.TEXT in self._model.hub:
            return self._from(Part.TEXT, lambda folder: self._pipeline(StableDiffusionXLPipeline, folder))
        if self.inpaint.unet.config.in_channels == _UNET_TEXT_CHANNELS:
            return self._over(StableDiffusionXLPipeline, self.inpaint.components)
        return None

    def _load_encoders(self) -> dict[str, Any]:
        def load(folder: Path) -> dict[str, Any]:
            first, second = folder / "text_encoder", folder / "text_encoder_2"
            encoders = {
                "text_encoder": CLIPTextModel.from_pretrained(first, **self._options(first)),
                "text_encoder_2": CLIPTextModelWithProjection.from_pretrained(
                    second, **self._options(second)
                ),
            }
            for encoder in encoders.values():
                separate_rows(encoder)
            tokenizers = {
                name: CLIPTokenizer.from_pretrained(folder / name, local_files_only=True)
                for name in ("tokenizer", "tokenizer_2")
            }
            return encoders | tokenizers

        return self._from(Part.ENCODERS, load)

    def _load_vae(self) -> Any:
        def load(folder: Path) -> Any:
            vae = AutoencoderKL.from_pretrained(folder, **self._options(folder))
            if self._model.half:
                vae.enable_slicing()  # the peak of memory is the VAE's: one image of a batch at a time
            return vae

        return self._from(Part.VAE, load, below="vae")

    def _pipeline(self, kind: Any, folder: Path) -> Any:
        """Build a pipeline with its own UNet and scheduler over the shared parts."""
        unet = UNet2DConditionModel.from_pretrained(folder / "unet", **self._options(folder / "unet"))
        loaded = kind.from_pretrained(
            folder, unet=unet, **self._shared, add_watermarker=False, local_files_only=True
        )
        if self._model.lora:  # its layers are those of attention, which every UNet of SDXL has
            loaded.load_lora_weights(self._model.lora, local_files_only=True)
        return self._ready(loaded)

    def _over(self, kind: Callable[..., Loaded], parts: Mapping[str, object]) -> Loaded:
        """Build a pipeline over parts of `inpaint`, with its settings: diffusers would take its own defaults."""
        zeros = bool(self.inpaint.config.get("force_zeros_for_empty_prompt", True))
        with _loading(self._model.name):
            ready: Loaded = self._ready(
                kind(**parts, force_zeros_for_empty_prompt=zeros, add_watermarker=False)
            )
            return ready

    def _from(self, part: Part, load: Callable[[Path], Loaded], *, below: str = "") -> Loaded:
        """Load from the folder of a part; damaged files of the Hub are downloaded again, once.

        Args:
            below: where a local folder keeps the part.
        """
        name, hub = self._model.name, self._model.hub.get(part)
        if hub is None:
            assert self._model.folder is not None
            with _loading(name):
                return load(self._model.folder / below)
        folder = fetched(name, hub)
        try:
            with _loading(name):
                return load(folder)
        except ModelUnavailable as error:
            if isinstance(error.__cause__, torch.OutOfMemoryError) or not repaired(name, hub):
                raise
        with _loading(name):
            return load(folder)

    def _options(self, folder: Path) -> dict[str, Any]:
        """Return the options for loading a part from a folder; each part has its own precision."""
        return {
            "torch_dtype": self._place.dtype,
            "variant": "fp16" if any(folder.glob("*.fp16*.safetensors")) else None,
            "use_safetensors": True,
            "local_files_only": True,
        }

    def _ready(self, pipeline: Any) -> Any:
        pipeline.set_progress_bar_config(disable=True)
        pipeline.to(self._place.device)
        if self._place.device == "cpu":
            _keep_on_cpu(pipeline)
        return pipeline


def _keep_on_cpu(pipeline: object) -> None:
    """Tell a pipeline of diffusers that it stays on the CPU.

    Diffusers would look through all modules of all parts for hooks that name another device, at each call.
    """
    kind = type(pipeline)
    pipeline.__class__ = type(kind.__name__, (kind,), {"_execution_device": torch.device("cpu")})


@contextmanager
def _loading(name: str) -> Iterator[None]:
    """Load quietly, and turn errors of diffusers about broken files into one sentence."""
    try:
        with quiet(), torch.inference_mode(False):
            yield
    except (OSError, ValueError, KeyError, TypeError, RuntimeError, SafetensorError) as error:
        if isinstance(error, torch.OutOfMemoryError):
            raise ModelUnavailable(f"model '{name}' does not fit into the memory of this machine") from error
        reason = str(error).strip().splitlines()[0] if str(error).strip() else type(error).__name__
        raise ModelUnavailable(f"model '{name}' cannot be loaded: {reason}") from error
