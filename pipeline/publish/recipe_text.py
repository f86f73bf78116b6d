"""A recipe as a card tells it: without the folders of somebody's disk."""

from __future__ import annotations

import re
from typing import Any

import yaml

from pipeline.domain.recipe_yaml import loaded_yaml
from pipeline.errors import InvalidRecipe
from pipeline.publish.credits import last_part, published_model

_PATH = re.compile(r"\s*(?:[/\\~]|\.{1,2}[/\\]|[A-Za-z]:[/\\]|file:)")
_FILES = ("folder", "reference")  # keys whose value is a file or folder, however it is written


def published_recipe(text: str) -> str:
    """The YAML of a recipe with file and folder names in place of paths, without its comments; "" where it is none."""
    try:
        return yaml.safe_dump(
            _named(loaded_yaml(text, "recipe")), sort_keys=False, allow_unicode=True, width=100
        )
    except (InvalidRecipe, yaml.YAMLError, RecursionError):
        return ""


def _named(value: Any, key: object = None) -> Any:
    if isinstance(value, dict):
        return {_named(one): _named(inner, one) for one, inner in value.items()}
    if isinstance(value, list):
        return [_named(inner, key) for inner in value]
    if not isinstance(value, str) or not value:
        return value
    if key == "model":
        return published_model(value)
    return last_part(value) if key in _FILES or _PATH.match(value) else value
