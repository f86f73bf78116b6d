"""The checkpoints that can be named, what is known of them without loading, and the one that is loaded."""

from __future__ import annotations

import gc
import hashlib
import json
import threading
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import Any

from pipeline.domain.plan import ModelFacts
from pipeline.errors import ModelUnavailable, UnknownName
from pipeline.generation.generator import NO_MODEL, Generator, PasteGenerator
from pipeline.generation.hub import HubPart, cached_folder, fetched
from pipeline.generation.zerogpu import lent

NANO_FOLDER = Path(__file__).resolve().parents[1] / "nano"
_INDEX = "model_index.json"
_WORDS = "vocabulary.json"
LORA_FILE = "lora.json"  # beside LoRA weights: the model that they belong to
_FINGERPRINT_BYTES = 1 << 20  # read from both ends of a weight file
_DIGITS = 12


@dataclass(frozen=True, slots=True, kw_only=True)
class Checkpoint:
    """A model that can be named: a local folder, or parts of the Hub.

    A folder is what diffusers saves of SDXL (`model_index.json`, `unet` …) with a ControlNet in `controlnet`.
    """

    name: str
    title: str
    folder: Path | None = None
    hub: HubPart | None = None  # inpainting checkpoint, when there is no folder
    hub_vae: HubPart | None = None  # in place of the checkpoint's own
    hub_controlnet: HubPart | None = None
    hub_base: HubPart | None = None  # text-to-image checkpoint for method `sdxl`
    lora: Path | None = None  # folder of LoRA weights for the inpainting UNet
    strength: float = 1.0  # 1 = start from pure noise
    half: bool = True  # whether 16-bit floats are wanted where the hardware likes them
    size: int = 1024  # proposed values, where the folder does not say otherwise
    steps: int = 30
    guidance_scale: float = 7.5


MODELS: dict[str, Checkpoint] = {
    one.name: one
    for one in (
        Checkpoint(
            name="nano",
            title="nano: embedded, for CPUs, knows some surfaces",
            folder=NANO_FOLDER,
            half=False,
        ),
        Checkpoint(
            name="sdxl",
            title="SDXL: published weights, 7 GB, wants a GPU",
            hub=HubPart(
                repo="diffusers/stable-diffusion-xl-1.0-inpainting-0.1",
                revision="115134f363124c53c7d878647567d04daf26e41e",
                patterns=("*.json", "*.txt", "*.fp16.safetensors"),
            ),
            hub_vae=HubPart(
                repo="madebyollin/sdxl-vae-fp16-fix",
                revision="207b116dae70ace3637169f1ddd2434b91b3a8cd",
                patterns=("config.json", "diffusion_pytorch_model.safetensors"),
            ),
            hub_controlnet=HubPart(
                repo="diffusers/controlnet-canny-sdxl-1.0",
                revision="eb115a19a10d14909256db740ed109532ab1483c",
                patterns=("config.json", "diffusion_pytorch_model.fp16.safetensors"),
            ),
            hub_base=HubPart(
                repo="stabilityai/stable-diffusion-xl-base-1.0",
                revision="462165984030d82259a11f4367a4eed129e94a7b",
                patterns=(
                    "model_index.json",
                    "*/*.json",
                    "tokenizer*/*.txt",
                    "*/diffusion_pytorch_model.fp16.safetensors",
                    "*/model.fp16.safetensors",
                ),
            ),
            strength=0.99,  # the card asks for less than 1
        ),
    )
}


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelChoice:
    """A model as a person chooses it."""

    name: str
    title: str
    available: bool
    why_not: str  # "" when available
    size: int
    steps: int
    guidance_scale: float


def checkpoint(name: str) -> Checkpoint:
    """The checkpoint of a registered name, of a folder, or of a folder with a LoRA for one of them.

    Raises:
        UnknownName: neither a registered name nor written like a path.
        ModelUnavailable: the folder's lora.json does not say which model the LoRA is for.
    """
    if name in MODELS:
        return MODELS[name]
    folder = Path(name)
    if (folder / LORA_FILE).is_file():
        base = checkpoint(_lora_base(folder))
        return replace(base, name=name, title=f"folder {name} over {base.name}", lora=folder)
    if folder.is_dir() or len(folder.parts) > 1:
        return Checkpoint(name=name, title=f"folder {name}", folder=folder)
    raise UnknownName("model", name, MODELS)


def _lora_base(folder: Path) -> str:
    path = folder / LORA_FILE
    try:
        name = str(json.loads(path.read_text(encoding="utf-8"))["model"])
    except (ValueError, KeyError, TypeError):
        raise ModelUnavailable(f'{path} does not name its "model"; train the LoRA again') from None
    if (Path(name) / LORA_FILE).is_file():
        raise ModelUnavailable(f"{path} names {name}, which is a LoRA itself; name the model under it")
    return name


def model_facts(name: str) -> ModelFacts:
    """What a plan must know of a model; loads no weights and imports no torch.

    Raises:
        UnknownName: neither a registered name nor a folder.
        ModelUnavailable: the folder is no checkpoint.
    """
    one = checkpoint(name)
    if one.folder is None:
        assert one.hub is not None
        defaults: dict[str, Any] = {}
        revision = one.hub.revision[:_DIGITS]
    else:
        check_folder(one)
        defaults = vocabulary_file(one.folder).get("defaults", {})
        revision = fingerprint(one.folder, guidance_rescale=float(defaults.get("guidance_rescale", 0.0)))
    if one.lora:
        revision = f"{revision}-{fingerprint(one.lora)}"
    size = defaults.get("size", one.size if one.hub else _own_size(one))
    return ModelFacts(
        name=name,
        revision=revision,
        size=int(size[0] if isinstance(size, list) else size),
        steps=int(defaults.get("steps", one.steps)),
        guidance_scale=float(defaults.get("guidance_scale", one.guidance_scale)),
        guidance_rescale=float(defaults.get("guidance_rescale", 0.0)),
    )


def model_choices() -> list[ModelChoice]:
    """Every registered model, and whether it can be used on this machine now."""
    choices = []
    for one in MODELS.values():
        why_not, size, steps, guidance_scale = "", one.size, one.steps, one.guidance_scale
        try:
            facts = model_facts(one.name)
            size, steps, guidance_scale = facts.size, facts.steps, facts.guidance_scale
            if one.hub and cached_folder(one.hub) is None:
                why_not = f"{one.name} is not on this machine; it is downloaded on first use"
        except ModelUnavailable as error:
            why_not = str(error)
        choices.append(
            ModelChoice(
                name=one.name,
                title=one.title,
                available=not why_not,
                why_not=why_not,
                size=size,
                steps=steps,
                guidance_scale=guidance_scale,
            )
        )
    return choices


_loaded: dict[str, tuple[ModelFacts, Generator]] = {}  # at most one entry
_loading = threading.Lock()


def load(name: str) -> Generator:
    """The generator of a model: the one in memory, or loaded now in place of it.

    Args:
        name: a registered name, a checkpoint folder, or "none" for plain pasting.

    Raises:
        UnknownName: no such model.
        ModelUnavailable: its files are not here, cannot be fetched, or are broken.
    """
    if name == NO_MODEL:
        return PasteGenerator()
    facts = model_facts(name)
    with _loading:
        if name in _loaded and _loaded[name][0] == facts:
            return _loaded[name][1]
        one = checkpoint(name)
        if one.hub:
            fetched(name, one.hub)  # before the model in memory goes, and before torch is imported
        _loaded.clear()
        gc.collect()
        from pipeline.generation.weights import load_generator

        generator: Generator = load_generator(one, facts)
        if one.half:  # small models paint on the CPU of a ZeroGPU Space and cost nobody's quota
            generator = lent(name, generator)
        _loaded[name] = (facts, generator)
        return generator


def unload() -> None:
    """Let go of the model in memory."""
    with _loading:
        _loaded.clear()
        gc.collect()


def check_folder(one: Checkpoint) -> None:
    """Whether a folder can be a checkpoint at all.

    Raises:
        ModelUnavailable: it is missing, or has no model_index.json.
    """
    assert one.folder is not None
    if not one.folder.is_dir():
        raise ModelUnavailable(
            f"model '{one.name}' cannot be loaded: there is no folder {one.folder}; "
            f"name one of {', '.join(MODELS)} or a checkpoint folder"
        )
    if not (one.folder / _INDEX).is_file():
        raise ModelUnavailable(
            f"model '{one.name}' cannot be loaded: {one.folder} has no {_INDEX}; "
            "a folder that diffusers' save_pretrained wrote is needed"
        )


def vocabulary_file(folder: Path | None) -> dict[str, Any]:
    """What the checkpoint's vocabulary.json says; empty without one.

    Raises:
        ModelUnavailable: the file is broken.
    """
    path = folder / _WORDS if folder else None
    if path is None or not path.is_file():
        return {}
    try:
        return dict(json.loads(path.read_text(encoding="utf-8")))
    except ValueError as error:
        raise ModelUnavailable(f"{path} is no JSON object ({error}); mend or delete it") from None


def fingerprint(folder: Path, *, guidance_rescale: float = 0.0) -> str:
    """12 hex digits that change with whatever of a folder decides a picture beside the spec.

    That is its configurations, its weights (of each file the size and one MiB at either end, so that it takes
    milliseconds) and its `guidance_rescale`.
    """
    weights = [*folder.glob("*/*.safetensors"), *folder.glob("*.safetensors")]
    files = [folder / name for name in (_INDEX, LORA_FILE) if (folder / name).is_file()]
    files += [*folder.glob("*/*.json"), *weights]
    states = tuple(
        (path.relative_to(folder).as_posix(), path.stat().st_size, path.stat().st_mtime_ns)
        for path in sorted(files)
    )
    return _fingerprint(folder, states, guidance_rescale)


@cache
def _fingerprint(folder: Path, states: tuple[tuple[str, int, int], ...], guidance_rescale: float) -> str:
    digest = hashlib.sha256(f"guidance_rescale {guidance_rescale}".encode() if guidance_rescale else b"")
    for name, size, _changed in states:
        digest.update(f"{name}\0{size}\0".encode())
        with (folder / name).open("rb") as file:
            digest.update(file.read(_FINGERPRINT_BYTES))
            file.seek(max(0, size - _FINGERPRINT_BYTES))
            digest.update(file.read(_FINGERPRINT_BYTES))
    return digest.hexdigest()[:_DIGITS]


def _own_size(one: Checkpoint) -> int:
    """The picture size that a folder's UNet was made for."""
    assert one.folder is not None
    unet = _configuration(one, "unet")
    levels = len(_configuration(one, "vae")["block_out_channels"])
    return int(unet.get("sample_size") or 0) * 2 ** (levels - 1) or one.size


def _configuration(one: Checkpoint, part: str) -> dict[str, Any]:
    assert one.folder is not None
    path = one.folder / part / "config.json"
    try:
        return dict(json.loads(path.read_text(encoding="utf-8")))
    except (OSError, ValueError):
        raise ModelUnavailable(f"model '{one.name}' cannot be loaded: {path} is missing or broken") from None
