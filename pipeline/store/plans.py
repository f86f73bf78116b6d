"""Plans: frozen specs that wait to be rendered."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from statistics import fmean

from sqlalchemy import delete, exists, func, select

from pipeline.domain.review import NOVELTY_REVIEWER, Verdict
from pipeline.domain.spec import SampleSpec
from pipeline.errors import NotFound
from pipeline.store.database import Database
from pipeline.store.plan_writer import UNRENDERED, PlanWriter, drop_unwanted, known
from pipeline.store.rows import PlanMember, PlanProgress, PlanRow, SampleRow, SampleState, StoredPlan
from pipeline.store.sample_rows import sample_row
from pipeline.store.schema import decisions, now, plan_specs, plans, samples, votes


class PlanRepository:
    """Plans: frozen specs that wait to be rendered."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def add(
        self,
        name: str,
        recipe_yaml: str,
        specs: Iterable[SampleSpec],
        *,
        request: Mapping[str, object] | None = None,
    ) -> int:
        """Store a plan at once; how many of its specs are new to the library.

        A plan of the same name is replaced; specs of the old plan that no other contains and that were not rendered
        are dropped.

        Args:
            request: see `writer`.

        Raises:
            NotFound: a spec names a photo that is not there.
            InvalidRequest: the photos of one spec lie in different splits.
        """
        specs = list(specs)
        writer = self.writer(name, recipe_yaml, total=len(specs), request=request)
        with self._database.writing() as transaction:
            new = writer.write(transaction, specs)
            writer.end(transaction)
        return new

    def writer(
        self, name: str, recipe_yaml: str, *, total: int, request: Mapping[str, object] | None = None
    ) -> PlanWriter:
        """Begin to store a plan part by part; nothing is written yet.

        Args:
            total: specs that the plan will have.
            request: what a person asked for, so that an interrupted run can be resumed from the list of runs.
        """
        values = {"recipe_yaml": recipe_yaml, "specs": total, "request": dict(request) if request else None}
        return PlanWriter(self._database, name, values)

    def drop(self, name: str) -> int:
        """Forget the specs of a plan that have no image, those not stored yet too; how many there were.

        Rendered samples stay.

        Raises:
            NotFound: there is no such plan.
        """
        of_plan = plan_specs.c.plan == name
        unrendered = select(samples.c.id).where(samples.c.state.in_(UNRENDERED))
        with self._database.writing() as transaction:
            connection = transaction.connection
            transaction.changed(plans.name, name)
            specs: int | None = connection.scalar(select(plans.c.specs).where(plans.c.name == name))
            if specs is None:
                raise NotFound("plan", name)
            connection.execute(delete(plan_specs).where(of_plan, plan_specs.c.sample_id.in_(unrendered)))
            left = connection.scalar(select(func.count()).where(of_plan)) or 0
            connection.execute(
                plans.update().where(plans.c.name == name).values(specs=left, updated_at=now())
            )
            drop_unwanted(connection)
        return max(0, specs - left)

    def members(self, name: str) -> Iterator[tuple[SampleSpec, SampleState]]:
        """Yield the specs of a plan in order, each with the state of its sample; none for an unknown name."""
        for member in self.outcomes(name):
            yield member.spec, member.state

    def outcomes(self, name: str) -> Iterator[PlanMember]:
        """Yield the specs of a plan in order, and what became of each; none for an unknown name."""
        joined = samples.join(plan_specs, plan_specs.c.sample_id == samples.c.id)
        columns = ("spec", "state", "image_id", "cluster", "failed_gates")
        undo_event = decisions.alias("undo_event")
        by_novelty = exists().where(
            decisions.c.sample_id == samples.c.id,
            decisions.c.reviewer == NOVELTY_REVIEWER,
            decisions.c.verdict == Verdict.REJECT,
            ~exists().where(undo_event.c.undoes == decisions.c.seq),
        )
        has_votes = exists().where(votes.c.sample_id == samples.c.id)
        statement = (
            select(
                *(samples.c[column] for column in columns),
                by_novelty.label("by_novelty"),
                has_votes.label("has_votes"),
            )
            .select_from(joined)
            .where(plan_specs.c.plan == name)
            .order_by(plan_specs.c.position)
        )
        with self._database.reading() as connection:
            for row in connection.execute(statement):
                yield PlanMember(
                    spec=SampleSpec.from_json(row.spec),
                    state=SampleState(row.state),
                    image_id=row.image_id,
                    group=row.cluster,
                    passes=not row.failed_gates,
                    replaced=bool(row.by_novelty) and row.state == SampleState.REJECTED,
                    has_votes=bool(row.has_votes),
                )

    def missing(self, spec_ids: Sequence[str]) -> list[str]:
        """The specs that have no image yet, in the given order; unknown ones are among them."""
        with self._database.reading() as connection:
            rendered = set(known(connection, spec_ids, samples.c.state.not_in(UNRENDERED)))
        return [spec_id for spec_id in spec_ids if spec_id not in rendered]

    def spec(self, spec_id: str) -> SampleSpec:
        """A spec.

        Raises:
            NotFound: there is none with this id.
        """
        with self._database.reading() as connection:
            text = connection.scalar(select(samples.c.spec).where(samples.c.id == spec_id))
        if text is None:
            raise NotFound("sample", spec_id)
        return SampleSpec.from_json(text)

    def stored(self, name: str, *, head: int, count: int) -> StoredPlan | None:
        """The first specs of a plan and how many of its first samples are rendered; None for an unknown name.

        Args:
            head: specs that are wanted.
            count: samples, from the first, among which the rendered are counted.
        """
        joined = samples.join(plan_specs, plan_specs.c.sample_id == samples.c.id)
        specs = (
            select(plan_specs.c.position, samples.c.spec)
            .select_from(joined)
            .where(plan_specs.c.plan == name)
            .order_by(plan_specs.c.position)
            .limit(head)
        )
        rendered = (
            select(func.count())
            .select_from(joined)
            .where(
                plan_specs.c.plan == name,
                plan_specs.c.position < count,
                samples.c.state.not_in(UNRENDERED),
            )
        )
        with self._database.reading() as connection:
            text = connection.scalar(select(plans.c.recipe_yaml).where(plans.c.name == name))
            if text is None:
                return None
            return StoredPlan(
                recipe_yaml=text,
                head={position: SampleSpec.from_json(spec) for position, spec in connection.execute(specs)},
                rendered=connection.scalar(rendered) or 0,
            )

    def progress(self, *, most: int) -> list[PlanProgress]:
        """How far the plans are that were stored from a recipe and have specs, the latest first.

        A plan whose specs were lost with the disk is among them if it can be resumed.

        Args:
            most: plans that are looked at.
        """
        latest = (
            select(plans)
            .where(plans.c.recipe_yaml != "", plans.c.specs > 0)
            .order_by(plans.c.updated_at.desc(), plans.c.name)
            .limit(most)
        )
        counted = (
            select(plan_specs.c.plan, samples.c.state, func.count())
            .join(samples, samples.c.id == plan_specs.c.sample_id)
            .group_by(plan_specs.c.plan, samples.c.state)
        )
        with self._database.reading() as connection:
            rows = [PlanRow(**row._mapping) for row in connection.execute(latest)]
            states: dict[str, dict[str, int]] = {row.name: {} for row in rows}
            for plan, state, number in connection.execute(counted.where(plan_specs.c.plan.in_(states))):
                states[plan][state] = number
        return [_progress(row, states[row.name]) for row in rows if states[row.name] or row.request]

    def mean_seconds(self, name: str, *, of: int) -> float | None:
        """The mean time that the first rendered samples of a plan took, in seconds; None where that is not known."""
        timings = (
            select(samples.c.timings)
            .join(plan_specs, plan_specs.c.sample_id == samples.c.id)
            .where(plan_specs.c.plan == name, samples.c.state.not_in(UNRENDERED))
            .order_by(plan_specs.c.position)
            .limit(of)
        )
        with self._database.reading() as connection:
            seconds = [each["total"] for each in connection.scalars(timings) if each and "total" in each]
        return fmean(seconds) if seconds else None

    def rendered(self, name: str, *, limit: int, first: int = 0) -> list[SampleRow]:
        """Rendered samples of a plan, those at the end of the plan first.

        Args:
            first: how many of them to pass over.
        """
        statement = (
            select(samples)
            .join(plan_specs, plan_specs.c.sample_id == samples.c.id)
            .where(plan_specs.c.plan == name, samples.c.state.not_in(UNRENDERED))
            .order_by(plan_specs.c.position.desc())
            .limit(limit)
            .offset(first)
        )
        with self._database.reading() as connection:
            return [sample_row(row) for row in connection.execute(statement)]

    def rendered_count(self, name: str) -> int:
        """How many samples of a plan have an image."""
        statement = (
            select(func.count())
            .select_from(plan_specs.join(samples, samples.c.id == plan_specs.c.sample_id))
            .where(plan_specs.c.plan == name, samples.c.state.not_in(UNRENDERED))
        )
        with self._database.reading() as connection:
            return connection.scalar(statement) or 0

    def first_rendered(self, name: str) -> str | None:
        """The id of the first sample of a plan that has an image; None where none has one."""
        statement = (
            select(samples.c.id)
            .join(plan_specs, plan_specs.c.sample_id == samples.c.id)
            .where(plan_specs.c.plan == name, samples.c.state.not_in(UNRENDERED))
            .order_by(plan_specs.c.position)
            .limit(1)
        )
        with self._database.reading() as connection:
            return connection.scalar(statement)

    def contains(self, name: str, spec_id: str) -> bool:
        """Whether a plan has a spec."""
        statement = select(plan_specs.c.position).where(
            plan_specs.c.plan == name, plan_specs.c.sample_id == spec_id
        )
        with self._database.reading() as connection:
            return connection.scalar(statement) is not None

    def names(self) -> Sequence[str]:
        """The names of the stored plans, sorted."""
        with self._database.reading() as connection:
            return connection.scalars(select(plans.c.name).order_by(plans.c.name)).all()

    def get(self, name: str) -> PlanRow:
        """A stored plan.

        Raises:
            NotFound: there is no such plan.
        """
        with self._database.reading() as connection:
            row = connection.execute(select(plans).where(plans.c.name == name)).one_or_none()
        if row is None:
            raise NotFound("plan", name)
        return PlanRow(**row._mapping)

    def list(self) -> list[PlanRow]:
        """The stored plans by name."""
        with self._database.reading() as connection:
            rows = connection.execute(select(plans).order_by(plans.c.name))
            return [PlanRow(**row._mapping) for row in rows]


def _progress(row: PlanRow, states: Mapping[str, int]) -> PlanProgress:
    return PlanProgress(
        plan=row,
        rendered=sum(number for state, number in states.items() if state not in UNRENDERED),
        failed=states.get(SampleState.FAILED, 0),
        stored=sum(states.values()),
    )
