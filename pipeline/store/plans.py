"""Plans: frozen specs that wait to be rendered."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from sqlalchemy import ColumnElement, Connection, Table, delete, exists, func, insert, select

from pipeline.domain.review import GATE, RejectReason
from pipeline.domain.spec import SampleSpec
from pipeline.errors import InvalidRequest, NotFound
from pipeline.store.counters import SAMPLES, count
from pipeline.store.database import Database, insert_new
from pipeline.store.rows import PlanMember, PlanRow, SampleState, StoredPlan
from pipeline.store.schema import decisions, now, photos, plan_specs, plans, sample_photos, samples
from pipeline.store.spec_spool import SpooledSpec, spooled
from pipeline.store.sql import Values, chunks

UNRENDERED = (SampleState.PLANNED, SampleState.FAILED)


class PlanRepository:
    """Plans: frozen specs that wait to be rendered."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def add(self, name: str, recipe_yaml: str, specs: Iterable[SampleSpec]) -> int:
        """Store a plan; how many of its specs are new to the library.

        A plan of the same name is replaced; specs of the old plan that no other contains and that were not rendered
        are dropped. The specs are read before anything is written, and are not kept in memory.

        Raises:
            NotFound: a spec names a photo that is not there.
            InvalidRequest: the photos of one spec lie in different splits.
        """
        with spooled(specs) as planned, self._database.writing() as transaction:
            connection = transaction.connection
            values = {"recipe_yaml": recipe_yaml, "specs": len(planned), "updated_at": now()}
            transaction.changed(plans.name, name)
            connection.execute(delete(plan_specs).where(plan_specs.c.plan == name))
            connection.execute(insert_new(connection, plans).values(name=name, **values))
            connection.execute(plans.update().where(plans.c.name == name).values(**values))
            new, position, splits = 0, 0, dict[str, str]()
            for chunk in chunks(planned):
                new += _add_samples(connection, name, chunk, splits)
                members = [
                    {"plan": name, "position": position + at, "sample_id": spec.id}
                    for at, spec in enumerate(chunk)
                ]
                connection.execute(insert(plan_specs), members)
                position += len(chunk)
            count(connection, SAMPLES, SampleState.PLANNED, new)
            drop_unwanted(connection)
        return new

    def members(self, name: str) -> Iterator[PlanMember]:
        """Yield the specs of a plan in order, and what became of each; none for an unknown name."""
        joined = samples.join(plan_specs, plan_specs.c.sample_id == samples.c.id)
        columns = ("spec", "state", "image_id", "cluster", "failed_gates", "decided_by", "reason")
        statement = (
            select(*(samples.c[column] for column in columns))
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
                    replaced=row.state == SampleState.REJECTED
                    and (row.decided_by, row.reason) == (GATE, RejectReason.DUPLICATE),
                )

    def ids(self, name: str) -> list[str]:
        """The ids of a plan's specs, in order."""
        statement = select(plan_specs.c.sample_id).where(plan_specs.c.plan == name)
        with self._database.reading() as connection:
            return list(connection.scalars(statement.order_by(plan_specs.c.position)))

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


def _add_samples(
    connection: Connection, plan: str, specs: Sequence[SpooledSpec], splits: dict[str, str]
) -> int:
    """Insert the specs that are new to the library, and return their number.

    Args:
        splits: photo id → split, of the photos that were looked up before; those of the specs are added.
    """
    known = set(_known(connection, [spec.id for spec in specs]))
    _look_up_splits(connection, specs, splits)
    new = [spec for spec in specs if spec.id not in known]
    _insert_all(connection, samples, (_sample_values(plan, spec, splits) for spec in new))
    _insert_all(connection, sample_photos, (link for spec in new for link in _links(spec)))
    return len(new)


def _look_up_splits(connection: Connection, specs: Iterable[SpooledSpec], splits: dict[str, str]) -> None:
    """Add the split of every photo that specs name."""
    photo_ids = list(dict.fromkeys(each for spec in specs for each in spec.photo_ids if each not in splits))
    for chunk in chunks(photo_ids):
        present = photos.c.id.in_(chunk) & photos.c.deleted_at.is_(None)
        rows = connection.execute(select(photos.c.id, photos.c.split).where(present))
        splits |= {row.id: row.split for row in rows}
    for photo_id in photo_ids:
        if photo_id not in splits:
            raise NotFound("photo", photo_id)


def _sample_values(plan: str, spec: SpooledSpec, splits: dict[str, str]) -> Values:
    of_photos = {splits[photo_id] for photo_id in spec.photo_ids}
    if len(of_photos) > 1:
        raise InvalidRequest(
            f"sample {spec.id} mixes photos of the splits {' and '.join(sorted(of_photos))}; "
            "all photos of a sample must lie in one split"
        )
    return {
        "id": spec.id,
        "plan": plan,
        "label": spec.label,
        "method": spec.method,
        "split": of_photos.pop(),
        "spec": spec.text,
        "state": str(SampleState.PLANNED),
        "score": 0.0,
        "created_at": now(),
    }


def _links(spec: SpooledSpec) -> Iterator[Values]:
    for position, photo_id in enumerate(spec.photo_ids):
        yield {"sample_id": spec.id, "position": position, "subject_id": photo_id}


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
