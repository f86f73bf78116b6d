"""Recipes and the preview of their plans."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from pathlib import Path

from pipeline.domain.acceptance import Advice, changed
from pipeline.domain.recipe import to_yaml
from pipeline.rendering import ModelChoice, model_choices, vocabulary
from pipeline.services.file_access import FileAccess
from pipeline.services.plans.fields import FieldChange, FieldPart, like_field
from pipeline.services.plans.planning import Overrides, preview_plan, recipe_of, recipe_texts
from pipeline.services.plans.prompts import prompt_notes
from pipeline.services.reports import PlanPreview
from pipeline.store import Library

_RECIPES = Path(__file__).resolve().parents[3] / "recipes"
_AS_WRITTEN = Overrides()


@dataclass(frozen=True, slots=True)
class PlanService:
    """Recipes, the models that they can name, and the plan of a recipe over a library."""

    library: Library
    access: FileAccess
    batch_size: int

    def recipes(self) -> dict[str, str]:
        """Return the example recipes as YAML text by name, the default first."""
        return recipe_texts(_RECIPES)

    def preview(self, recipe: str | None, overrides: Overrides = _AS_WRITTEN) -> PlanPreview:
        """Preview the plan of a recipe (YAML text; None for the default); nothing is stored.

        Raises:
            StudioError: the recipe, or something that it names, cannot be used.
        """
        return preview_plan(
            self.library, recipe_of(recipe), overrides, self.access, batch_size=self.batch_size
        )

    def changed_recipe(self, recipe: str | None, changes: Sequence[Advice]) -> str:
        """Return a recipe's YAML text with the changes that a person confirmed."""
        return to_yaml(changed(recipe_of(recipe), changes))

    def recipe_like(self, recipe: str | None, name: str, parts: Collection[FieldPart]) -> FieldChange:
        """Return a recipe that takes parts of a field profile.

        Raises:
            UnknownName: there is no such profile.
            InvalidRecipe: the profile cannot be read, or the recipe cannot.
        """
        profile = self.library.fields.read(name)
        return like_field(recipe_of(recipe), name, parts, profile.light)

    def models(self) -> list[ModelChoice]:
        """Return the checkpoints that can be chosen on this machine."""
        return [choice for choice in model_choices() if choice.available]

    def vocabulary(self, model: str) -> dict[str, list[str]] | None:
        """Return the words that a model was trained on, by slot; None for a model with an open vocabulary."""
        return vocabulary(self.access.model(model))

    def prompt_notes(self, prompt: str, model: str) -> list[str]:
        """Return sentences on what a model would cut from a prompt, and which words it does not know."""
        return prompt_notes(prompt, self.access.model(model))
