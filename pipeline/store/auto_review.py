"""What the auto-reviewer reads from the database, and what it leaves there."""

from __future__ import annotations

from collections.abc import Mapping

from sqlalchemy import bindparam, func, insert, select, update

from pipeline.store.database import Database, insert_new
from pipeline.store.rows import PEOPLE, AutoReviewCheck, AutoReviewLimits, SampleRow, SampleState
from pipeline.store.sample_rows import sample_row
from pipeline.store.schema import auto_review_checks, auto_review_limits, now, samples, votes

_DECIDED = (SampleState.ACCEPTED, SampleState.REJECTED)


class AutoReviewRepository:
    """Examples for the auto-reviewer, its predictions, its limits and the checks of it by people."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def examples(self, limit: int) -> list[tuple[SampleRow, bool]]:
        """(sample, accepted) of the newest samples that people decided, oldest vote first.

        Args:
            limit: accepted samples at most, and rejected ones at most.
        """
        last = select(func.max(votes.c.decision)).where(votes.c.sample_id == samples.c.id).scalar_subquery()
        by_people = select(samples, last.label("last")).where(samples.c.decided_by == PEOPLE)
        newest = by_people.order_by(samples.c.seq.desc()).limit(limit)
        with self._database.reading() as connection:
            voted = [
                (row.last, sample_row(row), state is SampleState.ACCEPTED)
                for state in _DECIDED
                for row in connection.execute(newest.where(samples.c.state == state))
            ]
        return [(row, accepted) for _, row, accepted in sorted(voted, key=lambda example: example[0])]

    def set_predictions(self, predicted: Mapping[str, float]) -> None:
        """Store the predicted probability of acceptance of samples, by id."""
        if not predicted:
            return
        rows = [
            {"of": sample_id, "promise": acceptance, "certainty": abs(acceptance - 0.5)}
            for sample_id, acceptance in predicted.items()
        ]
        statement = update(samples).where(samples.c.id == bindparam("of"))
        statement = statement.values(promise=bindparam("promise"), certainty=bindparam("certainty"))
        with self._database.writing() as transaction:
            transaction.connection.execute(statement, rows)

    def limits(self) -> AutoReviewLimits:
        """What the auto-reviewer may decide by itself."""
        newest = select(auto_review_limits).order_by(auto_review_limits.c.seq.desc()).limit(1)
        with self._database.reading() as connection:
            row = connection.execute(newest).one_or_none()
        if row is None:
            return AutoReviewLimits()
        return AutoReviewLimits(accept_from=row.accept_from, reject_below=row.reject_below)

    def set_limits(self, limits: AutoReviewLimits, *, set_by: str) -> None:
        """Change what the auto-reviewer may decide by itself."""
        values = {"accept_from": limits.accept_from, "reject_below": limits.reject_below}
        with self._database.writing() as transaction:
            transaction.connection.execute(
                insert(auto_review_limits).values(**values, set_by=set_by, at=now())
            )

    def leave_to_people(self, sample_id: str, verdict: str, predicted_acceptance: float) -> None:
        """Note a sample that the auto-reviewer would have decided and that people decide as a check; once only."""
        values = {"sample_id": sample_id, "verdict": verdict, "promise": predicted_acceptance, "at": now()}
        with self._database.writing() as transaction:
            connection = transaction.connection
            transaction.changed(auto_review_checks.name, sample_id)
            connection.execute(insert_new(connection, auto_review_checks).values(**values))

    def checks(self) -> AutoReviewCheck:
        """How people decided what was left to them as a check."""
        joined = auto_review_checks.join(samples, samples.c.id == auto_review_checks.c.sample_id)
        columns = (auto_review_checks.c.verdict, samples.c.state, samples.c.decided_by)
        with self._database.reading() as connection:
            rows = connection.execute(select(*columns).select_from(joined)).all()
        decided = [(verdict, state) for verdict, state, by in rows if state in _DECIDED and by == PEOPLE]
        agreed = sum((verdict == "accept") == (state == SampleState.ACCEPTED) for verdict, state in decided)
        return AutoReviewCheck(left=len(rows) - len(decided), decided=len(decided), agreed=agreed)
