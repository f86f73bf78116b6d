"""What is known of a checkpoint without loading its weights or torch."""

from __future__ import annotations

import hashlib
import json
import os
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from pipeline.domain.plan import ModelFacts
from pipeline.errors import ModelUnavailable
from pipeline.rendering.checkpoints import CHECKPOINTS, LORA_FILE, Checkpoint, Part, checkpoint
from pipeline.rendering.downloads import cached_folder

_INDEX = "model_index.json"
_WORDS = "vocabulary.json"
_DEFAULTS = "defaults"
_FINGERPRINT_BYTES = 1 << 20  # read from both ends of a weight file
_DIGITS = 12


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


def model_facts(name: str) -> ModelFacts:
    """Return what a plan must know of a model.

    Raises:
        UnknownName: neither a registered name nor a folder.
        ModelUnavailable: the folder is not a checkpoint.
    """
    model = checkpoint(name)
    try:
        return _facts(model)
    except (TypeError, ValueError, LookupError):  # of numbers in the folder's JSON files
        raise ModelUnavailable(
            f"model '{name}' cannot be loaded: a number is missing or wrong in the {_WORDS} "
            f"or a config.json of {model.folder}; correct it"
        ) from None


def _facts(model: Checkpoint) -> ModelFacts:
    if model.folder is None:
        defaults: dict[str, Any] = {}
        revision = model.hub[Part.INPAINT].revision[:_DIGITS]
    else:
        check_folder(model)
        defaults = vocabulary_file(model.folder).get(_DEFAULTS, {})
        revision = fingerprint(model.folder, guidance_rescale=float(defaults.get("guidance_rescale", 0.0)))
    if model.lora:
        revision = f"{revision}-{fingerprint(model.lora)}"
    size = defaults.get("size", model.size if model.hub else _own_size(model))
    return ModelFacts(
        name=model.name,
        revision=revision,
        size=int(size[0] if isinstance(size, list) else size),
        steps=int(defaults.get("steps", model.steps)),
        guidance_scale=float(defaults.get("guidance_scale", model.guidance_scale)),
        guidance_rescale=float(defaults.get("guidance_rescale", 0.0)),
    )


def model_choices() -> list[ModelChoice]:
    """List every registered model, and whether it can be used on this machine now."""
    choices = []
    for model in CHECKPOINTS.values():
        why_not, size, steps, guidance_scale = "", model.size, model.steps, model.guidance_scale
        try:
            facts = model_facts(model.name)
            size, steps, guidance_scale = facts.size, facts.steps, facts.guidance_scale
            if model.hub and cached_folder(model.hub[Part.INPAINT]) is None:
                why_not = f"{model.name} is not on this machine; it is downloaded on first use"
        except ModelUnavailable as error:
            why_not = str(error)
        choices.append(
            ModelChoice(
                name=model.name,
                title=model.title,
                available=not why_not,
                why_not=why_not,
                size=size,
                steps=steps,
                guidance_scale=guidance_scale,
            )
        )
    return choices


def check_folder(model: Checkpoint) -> None:
    """Check that a folder can be a checkpoint at all.

    Raises:
        ModelUnavailable: it is missing, or has no model_index.json.
    """
    assert model.folder is not None
    if not os.path.isdir(model.folder):  # False, not an error, for a path that cannot exist
        raise ModelUnavailable(
            f"model '{model.name}' cannot be loaded: there is no folder {model.folder}; "
            f"name one of {', '.join(CHECKPOINTS)} or a checkpoint folder"
        )
    if not (model.folder / _INDEX).is_file():
        raise ModelUnavailable(
            f"model '{model.name}' cannot be loaded: {model.folder} has no {_INDEX}; "
            "a folder that diffusers' save_pretrained wrote is needed"
        )


def vocabulary_file(folder: Path | None) -> dict[str, Any]:
    """Read the checkpoint's vocabulary.json; empty without one.

    Raises:
        ModelUnavailable: the file is broken.
    """
    path = folder / _WORDS if folder else None
    if path is None or not path.is_file():
        return {}
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except (ValueError, RecursionError) as error:
        raise ModelUnavailable(f"{path} is not a JSON object ({error}); correct or delete it") from None
    if not isinstance(content, dict) or not isinstance(content.get(_DEFAULTS, {}), dict):
        raise ModelUnavailable(
            f'{path} is not a JSON object whose "{_DEFAULTS}" are an object too; correct or delete it'
        )
    return content


def fingerprint(folder: Path, *, guidance_rescale: float = 0.0) -> str:
    """Return 12 hex digits that change with whatever of a folder decides an image beside the spec.

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


def _own_size(model: Checkpoint) -> int:
    """The image size that a folder's UNet was trained for."""
    unet = _configuration(model, "unet")
    levels = len(_configuration(model, "vae")["block_out_channels"])
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
