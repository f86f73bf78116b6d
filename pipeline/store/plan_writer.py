"""Storing a plan part by part, while its later specs are still being decided."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from sqlalchemy import ColumnElement, Connection, Table, delete, exists, insert, select

from pipeline.domain.spec import SampleSpec
from pipeline.errors import InvalidRequest, NotFound
from pipeline.store.counters import SAMPLES, count
from pipeline.store.database import Database, Transaction, insert_new
from pipeline.store.rows import SampleState
from pipeline.store.schema import decisions, now, photos, plan_specs, plans, sample_photos, samples
from pipeline.store.sql import Values, chunks

UNRENDERED = (SampleState.PLANNED, SampleState.FAILED)


class PlanWriter:
    """Stores the specs of a plan in order, each once, a part in one transaction.

    A plan of the same name that has the same specs at these places stays as it is, gaps where specs were dropped among
    them: its later specs are kept until others come in their place. So an interrupted plan loses nothing that was
    stored before. From the first place with another spec on, the stored plan is another one and gives way.

    Args:
        values: of the plan's row, without its name.
    """

    def __init__(self, database: Database, name: str, values: Values) -> None:
        self._database, self._name, self._values = database, name, values
        self._splits: dict[str, str] = {}  # photo id → split, of the photos so far
        self._begun = False
        self.length = 0  # specs so far
        self.replaces = False  # whether the stored plan turned out to be another one

    def add(self, specs: Sequence[SampleSpec]) -> None:
        """Store the next specs of the plan.

        Raises:
            NotFound: a spec names a photo that is not there; none of these specs is stored.
            InvalidRequest: the photos of one spec lie in different splits; none of these specs is stored.
        """
        with self._database.writing() as transaction:
            self.write(transaction, specs)

    def close(self) -> None:
        """Drop what the stored plan has behind its new end, and specs without an image that no plan contains now."""
        with self._database.writing() as transaction:
            self.end(transaction)

    def write(self, transaction: Transaction, specs: Sequence[SampleSpec]) -> int:
        """Do what `add` does, in a transaction; how many specs are new to the library."""
        connection = transaction.connection
        if not self._begun:
            self._begun = True
            transaction.changed(plans.name, self._name)
            values = self._values | {"updated_at": now()}
            connection.execute(insert_new(connection, plans).values(name=self._name, **values))
            connection.execute(plans.update().where(plans.c.name == self._name).values(**values))
        specs = list({spec.id: spec for spec in specs}.values())
        same = self._common(connection, specs)
        self.length += same
        return self._replace(connection, specs[same:]) if same < len(specs) else 0

    def end(self, transaction: Transaction) -> None:
        """Do what `close` does, in a transaction."""
        connection = transaction.connection
        transaction.changed(plans.name, self._name)
        self._cut(connection)
        values = {"specs": self.length, "updated_at": now()}
        connection.execute(plans.update().where(plans.c.name == self._name).values(**values))
        drop_unwanted(connection)

    def _common(self, connection: Connection, specs: Sequence[SampleSpec]) -> int:
        """How many of the next specs the stored plan has at the same places."""
        ids = self._stored(connection, len(specs))
        for place, spec in enumerate(specs):
            if ids.get(place) != spec.id:
                return place
        return len(specs)

    def _stored(self, connection: Connection, number: int) -> dict[int, str]:
        """Return the ids that the stored plan has at the next places, counted from here; gaps are left out."""
        at = plan_specs.c.position
        stored = select(at, plan_specs.c.sample_id).where(
            plan_specs.c.plan == self._name, at >= self.length, at < self.length + number
        )
        return {row.position - self.length: row.sample_id for row in connection.execute(stored)}

    def _replace(self, connection: Connection, specs: Sequence[SampleSpec]) -> int:
        """Store specs in place of those that the stored plan has from here on; how many are new to the library."""
        twice = self._before(connection, [spec.id for spec in specs])
        specs = [spec for spec in specs if spec.id not in twice]
        self._make_room(connection, [spec.id for spec in specs])
        there = set(known(connection, [spec.id for spec in specs]))
        new = [spec for spec in specs if spec.id not in there]
        _look_up_splits(connection, specs, self._splits)
        _insert_all(connection, samples, (_sample_values(self._name, spec, self._splits) for spec in new))
        _insert_all(connection, sample_photos, (link for spec in new for link in _links(spec)))
        members = (
            {"plan": self._name, "position": position, "sample_id": spec.id}
            for position, spec in enumerate(specs, start=self.length)
        )
        _insert_all(connection, plan_specs, members)
        count(connection, SAMPLES, SampleState.PLANNED, len(new))
        self.length += len(specs)
        return len(new)

    def _make_room(self, connection: Connection, ids: Sequence[str]) -> None:
        """Drop what the stored plan has at the next places, and from there on all that it has if it is another one."""
        stored = self._stored(connection, len(ids))
        if any(ids[place] != stored_id for place, stored_id in stored.items()):
            self.replaces |= self._cut(connection)
            return
        for chunk in chunks(ids):
            of_plan = (plan_specs.c.plan == self._name) & plan_specs.c.sample_id.in_(chunk)
            connection.execute(delete(plan_specs).where(of_plan, plan_specs.c.position >= self.length))

    def _cut(self, connection: Connection) -> bool:
        """Drop what the stored plan has from here on; whether there was something."""
        behind = (plan_specs.c.plan == self._name) & (plan_specs.c.position >= self.length)
        return connection.execute(delete(plan_specs).where(behind)).rowcount > 0

    def _before(self, connection: Connection, ids: Iterable[str]) -> set[str]:
        """Those of some specs that the plan has before this place."""
        members: set[str] = set()
        for chunk in chunks(ids):
            of_plan = (plan_specs.c.plan == self._name) & (plan_specs.c.position < self.length)
            named = plan_specs.c.sample_id.in_(chunk)
            members.update(connection.scalars(select(plan_specs.c.sample_id).where(of_plan, named)))
        return members


def known(connection: Connection, ids: Iterable[str], *conditions: ColumnElement[bool]) -> Iterator[str]:
    """Yield those of some ids that belong to samples of the library that meet conditions."""
    for chunk in chunks(ids):
        yield from connection.scalars(select(samples.c.id).where(samples.c.id.in_(chunk), *conditions))


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


def _look_up_splits(connection: Connection, specs: Iterable[SampleSpec], splits: dict[str, str]) -> None:
    """Add the split of every photo that specs name."""
    named = (photo_id for spec in specs for photo_id in spec.photo_ids)
    photo_ids = list(dict.fromkeys(photo_id for photo_id in named if photo_id not in splits))
    for chunk in chunks(photo_ids):
        present = photos.c.id.in_(chunk) & photos.c.deleted_at.is_(None)
        rows = connection.execute(select(photos.c.id, photos.c.split).where(present))
        splits |= {row.id: row.split for row in rows}
    for photo_id in photo_ids:
        if photo_id not in splits:
            raise NotFound("photo", photo_id)


def _sample_values(plan: str, spec: SampleSpec, splits: dict[str, str]) -> Values:
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
        "spec": spec.to_json(),
        "state": str(SampleState.PLANNED),
        "score": 0.0,
        "created_at": now(),
    }


def _links(spec: SampleSpec) -> Iterator[Values]:
    for position, photo_id in enumerate(spec.photo_ids):
        yield {"sample_id": spec.id, "position": position, "subject_id": photo_id}


def _insert_all(connection: Connection, table: Table, rows: Iterable[Values]) -> None:
    for chunk in chunks(rows):
        connection.execute(insert(table), chunk)
