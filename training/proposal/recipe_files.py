"""Recipes with the reasons for them, as YAML files that `python -m pipeline generate --recipe` reads."""

from __future__ import annotations

import os
import textwrap
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from pipeline.domain.recipe import Recipe, parse_recipe, to_yaml
from pipeline.errors import InvalidRequest

_WIDTH = 110  # characters of a line of the comment
PLAN_MISSING, PROPOSE = "--plan-missing", "--propose"  # options of `python -m training study`


@dataclass(frozen=True, slots=True, kw_only=True)
class ReasonedRecipe:
    """A recipe, and the sentences that say why it is as it is."""

    recipe: Recipe
    reasons: tuple[str, ...]

    @property
    def text(self) -> str:
        """Return the YAML: the reasons as a comment, then the recipe; `parse_recipe` reads it back."""
        lines = [
            line
            for reason in self.reasons
            for line in textwrap.wrap(" ".join(reason.split()), _WIDTH - 4, subsequent_indent="  ")
        ]
        text = "".join(f"# {line}\n" for line in lines) + to_yaml(self.recipe)
        assert parse_recipe(text) == self.recipe
        return text


def refuse_unwritable(path: Path, option: str) -> None:
    """Check, before hours of training, that a recipe can be written to a file.

    Raises:
        InvalidRequest: it is a folder, or lies where nothing can be written.
    """
    if path.is_dir():
        raise InvalidRequest(f"{path} is a folder; name a file with {option}, such as {path / 'recipe.yaml'}")
    nearest = next(parent for parent in path.absolute().parents if parent.exists())
    if not nearest.is_dir() or not os.access(nearest, os.W_OK):
        raise InvalidRequest(f"{path} cannot be written; name a file in another folder with {option}")


def write_recipes(path: Path, recipes: Sequence[ReasonedRecipe], *, option: str) -> list[Path]:
    """Write one recipe to a file, several to FILE-1.yaml, FILE-2.yaml …: `generate` reads one recipe a file.

    Returns:
        The files, none of them half written: all are written beside their names first.

    Raises:
        InvalidRequest: one of them cannot be written.
    """
    numbered = [path.with_name(f"{path.stem}-{number}{path.suffix}") for number in range(1, len(recipes) + 1)]
    paths = [path] if len(recipes) == 1 else numbered
    unfinished = [each.with_name(f".{each.name}.{os.getpid()}") for each in paths]
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        for temporary, recipe in zip(unfinished, recipes, strict=True):
            temporary.write_text(recipe.text, encoding="utf-8")
        for temporary, final in zip(unfinished, paths, strict=True):
            temporary.replace(final)
    except OSError as error:
        for temporary in unfinished:
            temporary.unlink(missing_ok=True)
        raise InvalidRequest(
            f"{path} cannot be written: {error.strerror}; name another file with {option}"
        ) from error
    return paths
