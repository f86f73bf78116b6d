"""The library's methods over plans and rendered samples."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from pipeline.domain.spec import SampleSpec
from pipeline.store import decisions, plans, samples
from pipeline.store import search as finding
from pipeline.store.base import OpenLibrary
from pipeline.store.rows import PlanRow, Rendered, SampleFilter, SampleRow, StoredPlan


class SampleStore(OpenLibrary):
    """Frozen specs, and the pictures that were rendered from them."""

    def add_plan(self, name: str, recipe_yaml: str, specs: Sequence[SampleSpec]) -> int:
        """Store a plan in place of the one of the same name; how many of its specs are new to the library."""
        with self._writing() as connection:
            return plans.add(connection, name, recipe_yaml, specs)

    def plans(self) -> list[PlanRow]:
        """The stored plans by name."""
        with self._reading() as connection:
            return plans.all_plans(connection)

    def stored_plan(self, name: str, *, head: int, count: int) -> StoredPlan | None:
        """Return the first specs of a plan, and how many of its first `count` samples are rendered."""
        with self._reading() as connection:
            return plans.stored_plan(connection, name, head=head, count=count)

    def missing(self, spec_ids: Sequence[str]) -> list[str]:
        """Those of the specs that have no picture yet, known or not, in the given order."""
        with self._reading() as connection:
            return plans.missing(connection, spec_ids)

    def pending_specs(
        self, *, plan: str | None = None, limit: int | None = None, after: str | None = None
    ) -> list[SampleSpec]:
        """Specs without a picture in plan order, of one plan or of all, behind the spec `after`."""
        with self._reading() as connection:
            return plans.pending(connection, plan, limit, after)

    def spec(self, spec_id: str) -> SampleSpec:
        """A spec. NotFound when there is none with this id."""
        with self._reading() as connection:
            return plans.spec(connection, spec_id)

    def record_sample(self, rendered: Rendered) -> bool:
        """Store a rendered sample; False when it was stored before.

        What was decided on it before its picture was lost holds again.
        """
        with self._writing() as connection:
            stored = samples.record(connection, rendered)
            if stored:
                decisions.follow(connection, rendered.spec_id)
            return stored

    def plan_broken_samples_again(self, spec_ids: Sequence[str] | None = None) -> list[str]:
        """Take rendered samples whose image or mask file is missing or damaged for planned ones; their ids.

        Their decisions stay, and hold again once they are rendered.

        Args:
            spec_ids: which samples to look at; None for all.
        """
        with self._reading() as connection:
            rendered = samples.pictures(connection, spec_ids)
        broken = [
            sample_id for sample_id, blob_ids in rendered if not all(map(self._blobs.is_sound, blob_ids))
        ]
        if broken:
            with self._writing() as connection:
                for sample_id in broken:
                    samples.plan_again(connection, sample_id)
        return broken

    def record_failure(self, spec_id: str, sentence: str) -> None:
        """Note why a spec could not be rendered."""
        with self._writing() as connection:
            samples.record_failure(connection, spec_id, sentence)

    def failures(self) -> list[tuple[str, str]]:
        """(id, sentence) of the specs whose last try failed."""
        with self._reading() as connection:
            return samples.failures(connection)

    def sample(self, sample_id: str) -> SampleRow:
        """A sample, rendered or not. NotFound when there is none with this id."""
        with self._reading() as connection:
            return samples.one(connection, sample_id)

    def samples(
        self, wanted: SampleFilter | None = None, *, limit: int = 100, after: str | None = None, **fields: Any
    ) -> list[SampleRow]:
        """A page of rendered samples behind the sample `after`; `fields` are those of a `SampleFilter`.

        Raises:
            NotFound: the sample `after` is not there.
        """
        with self._reading() as connection:
            return finding.some(connection, wanted or SampleFilter(**fields), limit, after)

    def sample_ids(self, wanted: SampleFilter, *, limit: int) -> list[str]:
        """The ids of the first samples that fit."""
        with self._reading() as connection:
            return finding.ids(connection, wanted, limit)

    def count_samples(self, wanted: SampleFilter, *, most: int) -> int:
        """How many samples fit; `most` + 1 where there are more."""
        with self._reading() as connection:
            return finding.count(connection, wanted, most)

    def filter_choices(self) -> dict[str, list[str]]:
        """The models, scores, slots and reviewers that samples can be found by."""
        with self._reading() as connection:
            return finding.choices(connection)

    def words(self, slot: str) -> list[str]:
        """The values of a prompt slot that rendered samples have."""
        with self._reading() as connection:
            return finding.words(connection, slot)

    def looks(self, label: str) -> list[tuple[str, bytes]]:
        """(cluster, descriptor) of the rendered samples of a class."""
        with self._reading() as connection:
            return samples.looks(connection, label)
