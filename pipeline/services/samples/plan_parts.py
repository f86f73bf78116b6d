"""A plan on its way to the renderer: a part of it is decided and stored, and rendered before the next is decided."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import islice

from pipeline.domain.recipe import to_yaml
from pipeline.domain.spec import SampleSpec
from pipeline.services.plans.planning import PlannedRecipe
from pipeline.services.samples.run_requests import RunRequest
from pipeline.store import Library, PlanWriter

_PART = 2_000  # specs: so many are in memory at a time, however large the plan is


@dataclass(slots=True)
class PlanParts:
    """The parts of one plan.

    Args:
        request: what a person asked for.
    """

    library: Library
    wanted: PlannedRecipe
    request: RunRequest
    planned: int = 0  # specs so far
    missing: int = 0  # of them, those without an image when they were planned
    _rendered_ahead: int = field(init=False)  # of the stored plan's specs that are to come

    def __post_init__(self) -> None:
        self._rendered_ahead = self.library.plans.rendered_count(self.wanted.recipe.name)

    @property
    def missing_in_all(self) -> int:
        """Return how many specs of the whole plan have no image; an estimate until all are planned."""
        ahead = self.wanted.total - self.planned
        return self.missing + max(0, ahead - self._rendered_ahead)

    def stored(self, specs: Iterator[SampleSpec]) -> Iterator[list[SampleSpec]]:
        """Read specs part by part and store them; yield those without an image, or whose file is missing or damaged.

        The next specs are read only after the caller has done with those before.
        """
        writer = self._writer()
        while part := list({spec.id: spec for spec in islice(specs, _PART)}.values()):
            if writer:
                writer.add(part)
            ids = [spec.id for spec in part]
            self.library.samples.plan_broken_again(ids)
            missing = set(self.library.plans.missing(ids))
            self.planned += len(ids)
            self.missing += len(missing)
            self._pass(len(ids) - len(missing), replaced=writer is not None and writer.replaces)
            yield [spec for spec in part if spec.id in missing]
        if writer:
            writer.close()
            self.planned = writer.length

    def _pass(self, rendered: int, *, replaced: bool) -> None:
        self._rendered_ahead = 0 if replaced else max(0, self._rendered_ahead - rendered)

    def _writer(self) -> PlanWriter | None:
        """Begin to store the plan; None for a refill that only goes on, whose recipe stays that of its samples."""
        refill, note = self.wanted.refill, self.request.note
        if refill and not refill.missing:
            return None
        if refill and refill.earlier:
            latest, before = sum(refill.missing.values()), len(refill.earlier)
            note = f"# draws the last {latest} samples, after {before} of earlier refills\n"
        note += refill.note if refill else ""
        recipe = self.wanted.recipe
        return self.library.plans.writer(
            recipe.name, note + to_yaml(recipe), total=self.wanted.total, request=self.request.plain()
        )
