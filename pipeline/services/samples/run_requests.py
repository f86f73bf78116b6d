"""What a person asked a run for, as it is stored with the plan."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass

from pipeline.domain.recipe import Recipe, parse_recipe, to_yaml
from pipeline.errors import InvalidRequest
from pipeline.services.plans.planning import Overrides
from pipeline.services.plans.refill import refill_name
from pipeline.store import Library, PlanRow


@dataclass(frozen=True, slots=True, kw_only=True)
class RunRequest:
    """A recipe, the changes to it, and lines of a comment that are stored with it."""

    recipe: Recipe
    overrides: Overrides
    note: str = ""

    def plan_in(self, library: Library) -> str:
        """Return the name of the plan that is rendered."""
        name = self.recipe.name
        return refill_name(library, name) if self.overrides.refill else name

    @property
    def model(self) -> str:
        """Return the name of the model that renders it."""
        return self.overrides.model or self.recipe.model

    def plain(self) -> Mapping[str, object]:
        """Return it as JSON takes it."""
        return {
            "recipe": to_yaml(self.recipe),
            "overrides": asdict(self.overrides),
            "note": self.note,
        }

    @classmethod
    def of(cls, plan: PlanRow) -> RunRequest:
        """Return what a stored plan was asked for.

        Raises:
            InvalidRequest: an earlier version stored the plan without it, or it cannot be read.
        """
        request = plan.request or {}
        match request:
            case {"recipe": str(recipe), "overrides": dict(changes), "note": str(note)}:
                pass
            case _:
                raise InvalidRequest(
                    f"the run '{plan.name}' was begun by an earlier version, which did not store count, seed and "
                    "method; start its recipe again with the same ones"
                )
        known = {name: changes[name] for name in Overrides.__dataclass_fields__ if name in changes}
        return cls(recipe=parse_recipe(recipe, plan.name), overrides=Overrides(**known), note=note)
