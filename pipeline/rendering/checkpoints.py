"""The checkpoints that a recipe can name: data only, nothing is read or loaded here."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum
from pathlib import Path

from pipeline.errors import ModelUnavailable, UnknownName

NO_MODEL = "none"  # model name in specs of methods that need no model
NANO_FOLDER = Path(__file__).resolve().parents[1] / "nano"
LORA_FILE = "lora.json"  # beside LoRA weights: the model that they belong to


class Part(StrEnum):
    """What a repository of the Hub contributes to a checkpoint."""

    ENCODERS = "encoders"  # text encoders and tokenizers, for every method
    VAE = "vae"  # for every method
    INPAINT = "inpaint"  # inpainting UNet and its scheduler
    CONTROLNET = "controlnet"
    TEXT = "text"  # text-to-image UNet and its scheduler


@dataclass(frozen=True, slots=True, kw_only=True)
class HubPart:
    """A repository of the Hub at one commit, and the files of it that are needed."""

    repo: str
    revision: str
    files: tuple[str, ...]
    gigabytes: float  # of these files together, rounded for messages; the Hub has the exact number


@dataclass(frozen=True, slots=True, kw_only=True)
class Checkpoint:
    """A model that a recipe can name: a local folder, or repositories of the Hub.

    A folder is what diffusers' `save_pretrained` wrote, with a ControlNet in `controlnet`.
    """

    name: str
    title: str
    family: str | None = None  # a row of `families.FAMILIES`; None = as the folder's files say
    folder: Path | None = None
    hub: Mapping[Part, HubPart] = field(default_factory=dict)  # where there is no folder
    lora: Path | None = None  # folder of LoRA weights for the UNet
    strength: float = 1.0  # 1 = start from pure noise
    half: bool = True  # whether 16-bit floats are wanted where the hardware supports them
    size: int = 1024  # proposed values, where the folder does not say otherwise
    steps: int = 30
    guidance_scale: float = 7.5


_INPAINT_REPO = "diffusers/stable-diffusion-xl-1.0-inpainting-0.1"
_INPAINT_REVISION = "115134f363124c53c7d878647567d04daf26e41e"
_TOKENIZERS = ("tokenizer", "tokenizer_2")
_TOKENIZER_FILES = ("merges.txt", "special_tokens_map.json", "tokenizer_config.json", "vocab.json")
_UNET_FILES = (
    "model_index.json",
    "scheduler/scheduler_config.json",
    "unet/config.json",
    "unet/diffusion_pytorch_model.fp16.safetensors",
)

CHECKPOINTS: dict[str, Checkpoint] = {
    checkpoint.name: checkpoint
    for checkpoint in (
        Checkpoint(
            name="nano",
            title="nano: embedded, for CPUs, knows some surfaces",
            folder=NANO_FOLDER,
            half=False,
        ),
        Checkpoint(
            name="sdxl",
            family="sdxl",
            title="SDXL: published weights, needs a GPU",
            hub={
                Part.ENCODERS: HubPart(
                    repo=_INPAINT_REPO,
                    revision=_INPAINT_REVISION,
                    files=(
                        "model_index.json",
                        "text_encoder/config.json",
                        "text_encoder/model.fp16.safetensors",
                        "text_encoder_2/config.json",
                        "text_encoder_2/model.fp16.safetensors",
                        *(f"{folder}/{file}" for folder in _TOKENIZERS for file in _TOKENIZER_FILES),
                    ),
                    gigabytes=1.64,
                ),
                Part.VAE: HubPart(
                    repo="madebyollin/sdxl-vae-fp16-fix",
                    revision="207b116dae70ace3637169f1ddd2434b91b3a8cd",
                    files=("config.json", "diffusion_pytorch_model.safetensors"),
                    gigabytes=0.335,
                ),
                Part.INPAINT: HubPart(
                    repo=_INPAINT_REPO, revision=_INPAINT_REVISION, files=_UNET_FILES, gigabytes=5.14
                ),
                Part.CONTROLNET: HubPart(
                    repo="diffusers/controlnet-canny-sdxl-1.0",
                    revision="eb115a19a10d14909256db740ed109532ab1483c",
                    files=("config.json", "diffusion_pytorch_model.fp16.safetensors"),
                    gigabytes=2.50,
                ),
                Part.TEXT: HubPart(
                    repo="stabilityai/stable-diffusion-xl-base-1.0",
                    revision="462165984030d82259a11f4367a4eed129e94a7b",
                    files=_UNET_FILES,
                    gigabytes=5.14,
                ),
            },
            strength=0.99,  # the card asks for less than 1
        ),
    )
}


# what specs without a model name; not among CHECKPOINTS, as nobody chooses it
WITHOUT_MODEL = Checkpoint(
    name=NO_MODEL, title="no model", family="paste", half=False, size=0, steps=0, guidance_scale=0.0
)


def checkpoint(name: str) -> Checkpoint:
    """Look up a registered name, a folder, a folder with a LoRA for one of them, or `NO_MODEL`.

    Raises:
        UnknownName: neither a registered name nor written like a path.
        ModelUnavailable: the folder's lora.json does not say which model the LoRA is for.
    """
    if name in CHECKPOINTS:
        return CHECKPOINTS[name]
    if name == NO_MODEL:
        return WITHOUT_MODEL
    folder = Path(name)
    if os.path.isfile(folder / LORA_FILE):  # False, not an error, for a path that cannot exist
        base = checkpoint(_lora_base(folder))
        return replace(base, name=name, title=f"folder {name} over {base.name}", lora=folder)
    if os.path.isdir(folder) or len(folder.parts) > 1:
        return Checkpoint(name=name, title=f"folder {name}", folder=folder)
    raise UnknownName("model", name, CHECKPOINTS)


def _lora_base(folder: Path) -> str:
    path = folder / LORA_FILE
    try:
        name = str(json.loads(path.read_text(encoding="utf-8"))["model"])
    except (ValueError, KeyError, TypeError):
        raise ModelUnavailable(f'{path} does not name its "model"; train the LoRA again') from None
    if (Path(name) / LORA_FILE).is_file():
        raise ModelUnavailable(f"{path} names {name}, which is a LoRA itself; name the model under it")
    return name
