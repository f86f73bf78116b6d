"""The review queue of each reviewer, and named queues."""

from __future__ import annotations

from dataclasses import dataclass

from pipeline.domain.people import Role
from pipeline.domain.review import DISPUTED
from pipeline.errors import InvalidRequest
from pipeline.services.review import bulk
from pipeline.services.review.auto_reviewer import AutoReviewer
from pipeline.services.review.gold import GoldService
from pipeline.services.review.queries import Query, filter_of, reviewable
from pipeline.services.review.roles import Roles
from pipeline.store import Library, SampleOrder, SampleRow

LEASE_S = 300.0  # a sample is reserved for a reviewer who does nothing
_NAME_LENGTH = 80  # characters


@dataclass(frozen=True, slots=True)
class QueueService:
    """The samples that wait for a reviewer, and named queues."""

    library: Library
    roles: Roles
    gold: GoldService
    auto_reviewer: AutoReviewer

    def next(
        self, reviewer: str, *, query: Query | None = None, after: str | None = None, limit: int = 30
    ) -> list[SampleRow]:
        """Return pending samples that follow the sample `after`, leased to the reviewer (not to a reader).

        Args:
            query: a filter and an order; None: the whole queue, closest to failing a gate first. A lead who asks for
                the state "disputed" gets disputed samples instead.

        Raises:
            InvalidRequest, UnknownName: a field of the query is not valid.
        """
        wanted = reviewable(query or {})
        if after is None:
            self.gold.forget(reviewer)
        role = self.roles.role(reviewer)
        by_prediction = wanted.order in (SampleOrder.PREDICTED_ACCEPTANCE, SampleOrder.UNCERTAINTY)
        if by_prediction and after is None and role is not Role.READER:  # training writes predictions
            self.auto_reviewer.refresh()
        if role is Role.READER or (role is Role.LEAD and wanted.review == DISPUTED):
            return self.library.samples.list(wanted, limit=limit, after=after)
        return self.library.queue.take_next(
            reviewer, wanted=wanted, after=after, limit=limit, lease_s=LEASE_S
        )

    def leave(self, reviewer: str) -> None:
        """Release the samples leased to a reviewer."""
        self.gold.forget(reviewer)
        self.library.queue.release(reviewer)

    def left_for(self, reviewer: str) -> int:
        """Count the pending samples that a reviewer has not voted on, and the gold items in their queue.

        Gold items count until they are answered: a count that did not fall by 1 would reveal them.
        """
        return self.library.queue.left_for(reviewer) + self.gold.unanswered(reviewer)

    def page(self, query: Query, *, limit: int = 100, after: str | None = None) -> list[SampleRow]:
        """Return a page of the samples that match a query, newest first if it names no order."""
        return self.library.samples.list(filter_of(query), limit=limit, after=after)

    def count(self, query: Query) -> int:
        """Count the samples that match a query, up to the number that can be decided at once plus 1."""
        return self.library.samples.count(filter_of(query), most=bulk.MOST)

    def filter_choices(self) -> dict[str, list[str]]:
        """Return the values that a query can name: labels, models, scores, words ("slot=value") and reviewers."""
        choices = self.library.samples.filter_choices()
        slot_values = [
            f"{slot}={value}"
            for slot in choices.pop("slots")
            for value in self.library.samples.slot_values(slot)
        ]
        return {"labels": list(self.library.counts().classes), "words": slot_values, **choices}

    def save(self, name: str, query: Query, reviewer: str) -> None:
        """Save a query under a name for everybody.

        Raises:
            NotAllowed: the reviewer may only look.
            InvalidRequest: the name is empty or too long.
        """
        self.roles.must_review(reviewer, "name queues here")
        name = name.strip()
        if not 0 < len(name) <= _NAME_LENGTH:
            raise InvalidRequest(
                f"a queue's name has 1 to {_NAME_LENGTH} characters; this one has {len(name)}"
            )
        filter_of(query)
        self.library.queue.save(name, {key: value for key, value in query.items() if value}, made_by=reviewer)

    def remove(self, name: str, reviewer: str) -> None:
        """Remove a named query; no sample changes.

        Raises:
            NotAllowed: the reviewer may only look.
        """
        self.roles.must_review(reviewer, "remove queues here")
        self.library.queue.remove(name)
