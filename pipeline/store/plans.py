"""Plans: frozen specs that wait to be rendered."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from sqlalchemy import ColumnElement, Connection, Table, delete, exists, func, insert, select

from pipeline.domain.spec import SampleSpec
from pipeline.errors import InvalidRequest, NotFound
from pipeline.store.counters import SAMPLES, count
from pipeline.store.database import Database, insert_new
from pipeline.store.rows import PlanRow, SampleState, StoredPlan
from pipeline.store.schema import decisions, now, photos, plan_specs, plans, sample_photos, samples
from pipeline.store.sql import Values, chunks

UNRENDERED = (SampleState.PLANNED, SampleState.FAILED)


class PlanRepository:
    """Plans: frozen specs that wait to be rendered."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def add(self, name: str, recipe_yaml: str, specs: Sequence[SampleSpec]) -> int:
        """Store a plan; how many of its specs are new to the library.

        A plan of the same name is replaced; specs of the old plan that no other contains and that were not rendered
        are dropped.

        Raises:
            NotFound: a spec names a photo that is not there.
            InvalidRequest: the photos of one spec lie in different splits.
        """
        specs = list({spec.id: spec for spec in specs}.values())
        values = {"recipe_yaml": recipe_yaml, "specs": len(specs), "updated_at": now()}
        with self._database.writing() as transaction:
            connection = transaction.connection
            transaction.changed(plans.name, name)
            known = set(_known(connection, [spec.id for spec in specs]))
            splits = _splits(connection, specs)
            new = [spec for spec in specs if spec.id not in known]
            connection.execute(delete(plan_specs).where(plan_specs.c.plan == name))
            connection.execute(insert_new(connection, plans).values(name=name, **values))
            connection.execute(plans.update().where(plans.c.name == name).values(**values))
            _insert_all(connection, samples, (_sample_values(name, spec, splits) for spec in new))
            _insert_all(connection, sample_photos, (link for spec in new for link in _links(spec)))
            members = ({"plan": name, "position": at, "sample_id": spec.id} for at, spec in enumerate(specs))
            _insert_all(connection, plan_specs, members)
            count(connection, SAMPLES, SampleState.PLANNED, len(new))
            drop_unwanted(connection)
        return len(new)

    def missing(self, spec_ids: Sequence[str]) -> list[str]:
        """The specs that have no image yet, in the given order; unknown ones are among them."""
        with self._database.reading() as connection:
            rendered = set(_known(connection, spec_ids, samples.c.state.not_in(UNRENDERED)))
        return [spec_id for spec_id in spec_ids if spec_id not in rendered]

    def pending(
        self, *, plan: str | None = None, limit: int | None = None, after: str | None = None
    ) -> list[SampleSpec]:
        """Specs without an image in plan order, of one plan or of all, failed ones too, behind the spec `after`."""
        statement = select(samples.c.spec)
        if plan is None:
            position = samples.c.seq
            place = select(position).where(samples.c.id == after)
        else:
            position = plan_specs.c.position
            in_plan = plan_specs.c.plan == plan
            place = select(position).where(in_plan, plan_specs.c.sample_id == after)
            joined = samples.join(plan_specs, plan_specs.c.sample_id == samples.c.id)
            statement = statement.select_from(joined).where(in_plan)
        if after is not None:
            statement = statement.where(position > place.scalar_subquery())
        statement = statement.where(samples.c.state.in_(UNRENDERED)).order_by(position).limit(limit)
        with self._database.reading() as connection:
            return [SampleSpec.from_json(text) for text in connection.scalars(statement)]

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
            select(samples.c.spec)
            .select_from(joined)
            .where(plan_specs.c.plan == name, plan_specs.c.position < head)
            .order_by(plan_specs.c.position)
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
                head=tuple(SampleSpec.from_json(spec) for spec in connection.scalars(specs)),
                rendered=connection.scalar(rendered) or 0,
            )

    def list(self) -> list[PlanRow]:
        """The stored plans by name."""
        with self._database.reading() as connection:
            rows = connection.execute(select(plans).order_by(plans.c.name))
            return [PlanRow(**row._mapping) for row in rows]


def _known(connection: Connection, ids: Sequence[str], *conditions: ColumnElement[bool]) -> Iterator[str]:
    for chunk in chunks(ids):
        yield from connection.scalars(select(samples.c.id).where(samples.c.id.in_(chunk), *conditions))


def _splits(connection: Connection, specs: Iterable[SampleSpec]) -> dict[str, str]:
    """The split of every photo that specs name."""
    photo_ids = list(dict.fromkeys(placed.photo_id for spec in specs for placed in spec.objects))
    splits: dict[str, str] = {}
    for chunk in chunks(photo_ids):
        present = photos.c.id.in_(chunk) & photos.c.deleted_at.is_(None)
        rows = connection.execute(select(photos.c.id, photos.c.split).where(present))
        splits |= {row.id: row.split for row in rows}
    for photo_id in photo_ids:
        if photo_id not in splits:
            raise NotFound("photo", photo_id)
    return splits


def _sample_values(plan: str, spec: SampleSpec, splits: dict[str, str]) -> Values:
    of_photos = {splits[placed.photo_id] for placed in spec.objects}
    if len(of_photos) > 1:
        raise InvalidRequest(
            f"sample {spec.id} mixes photos of the splits {' and '.join(sorted(of_photos))}; "
            "all photos of a sample must lie in one split"
        )
    return {
        "id": spec.id,
        "plan": plan,
        "label": spec.label,
        "method": str(spec.method),
        "split": of_photos.pop(),
        "spec": spec.to_json(),
        "state": str(SampleState.PLANNED),
        "score": 0.0,
        "created_at": now(),
    }


def _links(spec: SampleSpec) -> Iterator[Values]:
    for position, placed in enumerate(spec.objects):
        yield {"sample_id": spec.id, "position": position, "subject_id": placed.photo_id}


def drop_unwanted(connection: Connection) -> None:
    """Forget specs without an image that no plan contains any more and that nobody decided on."""
    planned = exists().where(plan_specs.c.sample_id == samples.c.id)
    decided = exists().where(decisions.c.sample_id == samples.c.id)
    for state in UNRENDERED:
        unwanted = select(samples.c.id).where(samples.c.state == state, ~planned, ~decided)
        ids = list(connection.scalars(unwanted))
        for chunk in chunks(ids):
            connection.execute(delete(sample_photos).where(sample_photos.c.sample_id.in_(chunk)))
            connection.execute(delete(samples).where(samples.c.id.in_(chunk)))
        count(connection, SAMPLES, state, -len(ids))


def _insert_all(connection: Connection, table: Table, rows: Iterable[Values]) -> None:
    for chunk in chunks(rows):
        connection.execute(insert(table), chunk)
