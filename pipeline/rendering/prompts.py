"""What a model reads of a prompt, found from its tokenizer and word list without torch or weights."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pipeline.errors import ModelUnavailable
from pipeline.rendering.checkpoints import Part, checkpoint
from pipeline.rendering.downloads import cached_folder
from pipeline.rendering.facts import vocabulary_file

if TYPE_CHECKING:
    from tokenizers import Tokenizer

_FRAME_TOKENS = 2  # start and end of text
_CLIP_TOKENS = 77
_FIGURES = "figures.json"  # what was measured of a checkpoint, see `training/nano/evaluate`
_WORD = re.compile(r"[a-z]+")
_DEFAULTS = "defaults"
_NOT_SLOTS = frozenset({"words", "examples"})  # lists in a vocabulary file that are not slots
_SMALL_WORDS = frozenset(
    ["a", "an", "and", "at", "by", "from", "in", "of", "on", "the", "to", "under", "with"]
)


@dataclass(frozen=True, slots=True)
class Cut:
    """The part of a prompt that a model does not read."""

    tokens: int  # number of tokens that are cut; 0 = all is read
    words: str  # the end of the prompt that is cut, from the first word that is not read completely


def tokens_over(prompt: str, model: str) -> Cut:
    """Return what the tokenizer's limit cuts off a prompt; nothing for a model that is not on this machine.

    Raises:
        UnknownName: there is no such model.
        ModelUnavailable: its tokenizer is broken.
    """
    folder = _folder(model)
    loaded = _tokenizer(folder / "tokenizer") if folder else None
    if loaded is None:
        return Cut(0, "")
    tokenizer, limit = loaded
    encoded = tokenizer.encode(prompt, add_special_tokens=False)
    seen = limit - _FRAME_TOKENS
    over = len(encoded.ids) - seen
    if over <= 0:
        return Cut(0, "")
    start = encoded.offsets[seen][0]
    while (
        start > 0 and not prompt[start - 1].isspace()
    ):  # a word that is cut in its middle is reported as a whole
        start -= 1
    return Cut(over, prompt[start:])


def unknown_words(prompt: str, model: str) -> list[str]:
    """List the words of a prompt, in order, that a model with a word list was not trained on."""
    known = _known_words(_folder(model))
    if not known:
        return []
    return [word for word in dict.fromkeys(_WORD.findall(prompt.lower())) if word not in known]


def vocabulary(model: str) -> dict[str, list[str]] | None:
    """Return the words that a model was trained on, by slot; None for a model that takes any words.

    Surfaces that the model is known to draw well come first.
    """
    folder = _folder(model)
    lists, drawn_well = vocabulary_file(folder), _obedience(folder)
    slots = {
        slot: sorted(words, key=lambda word: -drawn_well.get(str(word), 0.0))
        for slot, words in lists.items()
        if isinstance(words, list) and slot not in _NOT_SLOTS
    }
    return slots or None


def _obedience(folder: Path | None) -> dict[str, float]:
    """Read how often the pictures of each surface were recognised, 0 to 1; empty where that was not measured."""
    path = folder / _FIGURES if folder else None
    if path is None or not path.is_file():
        return {}
    try:
        measured = json.loads(path.read_text(encoding="utf-8"))["obedience_by_word"]
        return {str(word): float(share) for word, share in measured.items()}
    except (ValueError, KeyError, TypeError, AttributeError):  # it only orders a list
        return {}


def _folder(model: str) -> Path | None:
    """Return the folder with a model's tokenizer; None where it has none, or is not on this machine."""
    named = checkpoint(model)
    encoders = named.hub.get(Part.ENCODERS)
    return cached_folder(encoders) if named.folder is None and encoders else named.folder


def _known_words(folder: Path | None) -> frozenset[str]:
    lists = {key: value for key, value in vocabulary_file(folder).items() if key != _DEFAULTS}
    words = {word for text in _texts(lists) for word in _WORD.findall(re.sub(r"\{\w+\}", "", text.lower()))}
    return frozenset(words | _SMALL_WORDS) if words else frozenset()


def _texts(value: object) -> Iterator[str]:
    match value:
        case str():
            yield value
        case dict():
            for item in value.values():
                yield from _texts(item)
        case list():
            for item in value:
                yield from _texts(item)


@lru_cache(maxsize=4)
def _tokenizer(folder: Path) -> tuple[Any, int] | None:
    """Return the tokenizer of a folder and its limit in tokens; None where there is none."""
    settings_path = folder / "tokenizer_config.json"
    if not settings_path.is_file():
        return None
    try:
        settings = json.loads(settings_path.read_text(encoding="utf-8"))
        tokenizer = _loaded_tokenizer(folder)
        return tokenizer, int(settings.get("model_max_length", _CLIP_TOKENS))
    except Exception as error:  # tokenizers raises nothing more special
        reason = " ".join(str(error).split())
        raise ModelUnavailable(
            f"the tokenizer in {folder} cannot be read ({reason}); replace it with that of the model"
        ) from error


def _loaded_tokenizer(folder: Path) -> Tokenizer:
    from tokenizers import Tokenizer

    if (folder / "tokenizer.json").is_file():
        tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
    else:  # the published checkpoints keep the older pair of files
        from transformers import AutoTokenizer

        tokenizer = AutoTokenizer.from_pretrained(folder, local_files_only=True).backend_tokenizer
    tokenizer.no_truncation()
    tokenizer.no_padding()
    return tokenizer
