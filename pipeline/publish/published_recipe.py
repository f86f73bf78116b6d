"""A recipe as a card shows it: without the paths of somebody's disk."""

from __future__ import annotations

import re

import yaml

from pipeline.domain.recipe_yaml import loaded_yaml
from pipeline.errors import InvalidRecipe
from pipeline.publish.credits import last_part, published_model

_PATH = re.compile(r"\s*(?:[/\\~]|\.{1,2}[/\\]|[A-Za-z]:[/\\]|file:)")
_OWN_IDS = ("backgrounds", "background_photos")  # of what was learnt; they mean nothing outside the library
_FILES = ("folder", "reference")  # keys whose value is a file or folder, however it is written


def published_recipe(text: str) -> str:
    """Return a recipe's YAML without comments and with names instead of paths; "" where it is not valid YAML."""
    try:
        return yaml.safe_dump(
            _without_paths(loaded_yaml(text, "recipe")), sort_keys=False, allow_unicode=True, width=100
        )
    except (InvalidRecipe, yaml.YAMLError, RecursionError):
        return ""


def _without_paths(value: object, key: object = None) -> object:
    if isinstance(value, dict):
        if key == "learnt":
            value = {name: inner for name, inner in value.items() if name not in _OWN_IDS}
        return {_without_paths(name): _without_paths(inner, name) for name, inner in value.items()}
    if isinstance(value, list):
        return [_without_paths(inner, key) for inner in value]
    if not isinstance(value, str) or not value:
        return value
    if key == "model":
        return published_model(value)
    return last_part(value) if key in _FILES or _PATH.match(value) else value
