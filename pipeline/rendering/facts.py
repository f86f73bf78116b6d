"""Facts about a checkpoint, read without loading weights or torch."""

from __future__ import annotations

import hashlib
import json
import math
import os
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from pipeline.domain.methods import Method
from pipeline.domain.plan import ModelFacts
from pipeline.errors import ModelUnavailable
from pipeline.rendering.checkpoints import CHECKPOINTS, LORA_FILE, Checkpoint, Part, checkpoint
from pipeline.rendering.downloads import cached_folder
from pipeline.rendering.families import FAMILIES, Family

_INDEX = "model_index.json"
_WORDS = "vocabulary.json"
_DEFAULTS = "defaults"
_FINGERPRINT_BYTES = 1 << 20  # read from both ends of a weight file
_DIGITS = 12


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelChoice:
    """A model as it is offered for selection."""

    name: str
    title: str
    available: bool
    why_not: str  # "" when available
    size: int
    steps: int
    guidance_scale: float


def model_facts(name: str) -> ModelFacts:
    """Return the facts about a model that a plan needs.

    Raises:
        UnknownName: neither a registered name nor a folder.
        ModelUnavailable: the folder is not a checkpoint of a supported family.
    """
    model = checkpoint(name)
    try:
        return _facts(model, family_of(model))
    except (TypeError, ValueError, LookupError, OverflowError):  # of numbers in the folder's JSON files
        raise ModelUnavailable(
            f"model '{name}' cannot be loaded: a number is missing or wrong in the {_WORDS} "
            f"or a config.json of {model.folder}; correct it"
        ) from None


def _facts(model: Checkpoint, family: Family) -> ModelFacts:
    if model.folder is None:
        defaults: dict[str, Any] = {}
        revisions = {method: _hub_revision(model, method, family) for method in family.parts}
        size = model.size
    else:
        defaults = vocabulary_file(model.folder).get(_DEFAULTS, {})
        rescale = float(defaults.get("guidance_rescale", 0.0))
        revisions = dict.fromkeys(family.parts, fingerprint(model.folder, guidance_rescale=rescale))
        assert family.folders is not None, "only folders of such families are recognised"
        size = defaults.get("size") or family.folders.native_size(model)
    if model.lora:
        lora = fingerprint(model.lora)
        revisions = {method: f"{revision}-{lora}" for method, revision in revisions.items()}
    facts = ModelFacts(
        name=model.name,
        revision=next(iter(revisions.values())),  # of the main method
        revisions=revisions,
        size=int(size[0] if isinstance(size, list) else size),
        steps=int(defaults.get("steps", model.steps)),
        guidance_scale=float(defaults.get("guidance_scale", model.guidance_scale)),
        guidance_rescale=float(defaults.get("guidance_rescale", 0.0)),
    )
    if model.folder is not None:
        _refuse_unusable(facts)
    return facts


def _refuse_unusable(facts: ModelFacts) -> None:
    """Check the numbers that a folder proposes.

    Raises:
        ValueError: no image can be drawn with one of them.
    """
    if min(facts.size, facts.steps) < 1:
        raise ValueError("size and steps must be at least 1")
    if not (math.isfinite(facts.guidance_scale) and 0 <= facts.guidance_rescale <= 1):
        raise ValueError("guidance_scale must be finite, guidance_rescale lie in 0 to 1")


def family_of(model: Checkpoint) -> Family:
    """Return the family of a checkpoint: the registered one, or the one that a folder's model_index.json describes.

    Raises:
        ModelUnavailable: the folder is missing, has no model_index.json, or is of a family that is not supported.
    """
    if model.folder is None or model.family is not None:
        return FAMILIES[str(model.family)]
    index = _index(model)
    described, served = None, []
    for family in FAMILIES.values():
        if family.folders is None:
            continue
        described = family.folders.unlike(index)
        if described is None:
            return family
        served.append(family.title)
    raise ModelUnavailable(
        f"model '{model.name}' cannot be loaded: it is {described}; supported are checkpoints of "
        f"{' and '.join(served)}"
    )


def download_gigabytes(model: Checkpoint, *methods: Method) -> float:
    """Return the size of everything that methods need from the Hub, including what is on this machine."""
    family = family_of(model)
    parts = {part for method in methods for part in family.parts[method] if part in model.hub}
    return math.fsum(model.hub[part].gigabytes for part in parts)


def missing_parts(model: Checkpoint, method: Method) -> list[Part]:
    """List what a method needs from the Hub and is not on this machine."""
    parts = family_of(model).parts[method] if model.hub else ()
    return [part for part in parts if cached_folder(model.hub[part]) is None]


def model_choices() -> list[ModelChoice]:
    """List every registered model, and whether it can be used on this machine now."""
    choices = []
    for model in CHECKPOINTS.values():
        why_not, size, steps, guidance_scale = "", model.size, model.steps, model.guidance_scale
        try:
            facts = model_facts(model.name)
            size, steps, guidance_scale = facts.size, facts.steps, facts.guidance_scale
            if missing_parts(model, next(iter(family_of(model).parts))):
                why_not = _download_sentence(model)
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


def _download_sentence(model: Checkpoint) -> str:
    """Say what the first use downloads, by method."""
    sizes = ", ".join(
        f"{download_gigabytes(model, method):.1f} GB for {method}" for method in family_of(model).parts
    )
    total = download_gigabytes(model, *family_of(model).parts)
    return f"{model.name} is not on this machine; a first use downloads it: {sizes}, {total:.1f} GB for all"


def _hub_revision(model: Checkpoint, method: Method, family: Family) -> str:
    """Return the commits of all repositories that a method uses, the UNet's first."""
    parts = [part for part in family.parts[method] if part in model.hub]
    return "+".join(dict.fromkeys(model.hub[part].revision[:_DIGITS] for part in parts))


def _index(model: Checkpoint) -> dict[str, Any]:
    assert model.folder is not None
    if not os.path.isdir(model.folder):  # False, not an error, for a path that cannot exist
        raise ModelUnavailable(
            f"model '{model.name}' cannot be loaded: there is no folder {model.folder}; "
            f"name one of {', '.join(CHECKPOINTS)} or a checkpoint folder"
        )
    path = model.folder / _INDEX
    if not path.is_file():
        raise ModelUnavailable(
            f"model '{model.name}' cannot be loaded: {model.folder} has no {_INDEX}; "
            "a folder that diffusers' save_pretrained wrote is needed"
        )
    try:
        return dict(json.loads(path.read_text(encoding="utf-8")))
    except (ValueError, TypeError) as error:
        raise ModelUnavailable(
            f"model '{model.name}' cannot be loaded: {path} is not a JSON object ({error})"
        ) from None


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
    """Return 12 hex digits that change with everything in a folder that, beside the spec, determines an image.

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
