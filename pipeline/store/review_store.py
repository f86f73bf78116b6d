"""The library's methods over decisions and what follows from them."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping, Sequence

from pipeline.domain.review import Decision, Policy
from pipeline.domain.spec import SampleSpec
from pipeline.store import auto_review as helping
from pipeline.store import decisions, gold, leases, queues, samples
from pipeline.store import search as finding
from pipeline.store.base import OpenLibrary
from pipeline.store.rows import (
    AutoReviewCheck,
    AutoReviewLimits,
    DecisionRow,
    GoldItem,
    SampleFilter,
    SampleOrder,
    SampleRow,
    SampleState,
    VoteRow,
)

_READ_AT_ONCE = 2000
_WRITTEN_AT_ONCE = 200  # others wait for the write lock meanwhile
_QUEUE = SampleFilter(review=SampleState.PENDING, order=SampleOrder.QUEUE)


class ReviewStore(OpenLibrary):
    """Append-only decisions; every sample's state is a view of them."""

    def next_pending(self, *, after: str | None = None, limit: int = 30) -> list[SampleRow]:
        """The next undecided samples of a pass through the queue, behind the sample `after`.

        What was skipped lies before `after`; a new pass begins without it. All see one queue.
        """
        with self._reading() as connection:
            return finding.some(connection, _QUEUE, limit, after)

    def take_next(
        self,
        reviewer: str,
        *,
        wanted: SampleFilter | None = None,
        after: str | None = None,
        limit: int = 30,
        lease_s: float = 600.0,
    ) -> list[SampleRow]:
        """The same for several reviewers at once: what is given is leased, and no other gets it before the lease ends.

        A filter narrows it down and orders it; its state does not matter.

        Samples that the reviewer voted on are left out, and those that have as many votes and leases as the policy
        asks for.
        """
        with self._writing() as connection:
            return leases.take(
                connection,
                reviewer,
                wanted or _QUEUE,
                overlap=decisions.policy(connection).overlap,
                after=after,
                limit=limit,
                now_s=time.time(),
                lease_s=lease_s,
            )

    def hold(self, sample_id: str, reviewer: str, *, lease_s: float = 600.0) -> None:
        """Lease one sample to a reviewer."""
        with self._writing() as connection:
            leases.hold(connection, [sample_id], reviewer, time.time() + lease_s)

    def release(self, reviewer: str) -> None:
        """End all leases of a reviewer, who goes away."""
        with self._writing() as connection:
            leases.give_all_back(connection, reviewer)

    def review_policy(self) -> Policy:
        """How many people look at a sample, and what their votes add up to."""
        with self._reading() as connection:
            return decisions.policy(connection)

    def set_review_policy(self, policy: Policy) -> int:
        """Change the policy and all states that follow from it; how many states changed."""
        with self._writing() as connection:
            return decisions.set_policy(connection, policy)

    def review_state(self, sample_id: str) -> str:
        """What review says of a sample. NotFound when there is none."""
        with self._reading() as connection:
            return str(samples.state_of(connection, sample_id))

    def left_for(self, reviewer: str) -> int:
        """How many pending samples a reviewer has not voted on."""
        with self._reading() as connection:
            return decisions.left_for(connection, reviewer)

    def votes(self, sample_id: str | None = None) -> list[VoteRow]:
        """The standing votes of people on a sample, or on all, by sample and person."""
        with self._reading() as connection:
            return decisions.vote_rows(connection, sample_id)

    def record_decision(self, decision: Decision) -> str:
        """Append a decision; the sample's new state. A client id counts once.

        Raises:
            NotFound: no such sample.
            InvalidRequest: the sample has no picture yet.
            NotAllowed: the sample is disputed, and the decision is not a lead's (`via` "settle").
        """
        with self._writing() as connection:
            return str(decisions.record(connection, decision))

    def record_decisions(self, many: Sequence[Decision]) -> int:
        """Append decisions in one transaction; how many were new.

        Those on disputed samples are left out: a lead settles those one by one.

        Raises:
            NotFound, InvalidRequest: see `record_decision`; then none of them is stored.
        """
        with self._writing() as connection:
            return decisions.record_many(connection, many)

    def undo_batch(self, reviewer: str, batch: str) -> int:
        """Take back a reviewer's standing decisions whose client ids begin with "batch:"; how many."""
        undone = 0
        while True:
            with self._writing() as connection:
                some = decisions.undo_batch(connection, reviewer, batch, _WRITTEN_AT_ONCE)
            if not some:
                return undone
            undone += some

    def undo(self, reviewer: str, *, client_id: str = "", via: str = "key") -> str | None:
        """Take back a reviewer's last standing decision; its sample, or None when there is none."""
        with self._writing() as connection:
            return decisions.undo(connection, reviewer, client_id, via)

    def decisions(self, sample_id: str | None = None) -> list[Decision]:
        """All decisions, or those on one sample, in the order in which they came."""
        with self._reading() as connection:
            return decisions.events(connection, sample_id)

    def last_event(self) -> int:
        """Number of the newest event; 0 before the first."""
        with self._reading() as connection:
            return decisions.last_event(connection)

    def decision_rows(self) -> Iterator[DecisionRow]:
        """All decisions with what they were about, oldest first; read in parts, so that none waits for the end."""
        last = 0
        while True:
            with self._reading() as connection:
                some = decisions.rows(connection, last, _READ_AT_ONCE)
            if not some:
                return
            yield from some
            last = some[-1].seq

    def decided_by_people(self, limit: int = 20_000) -> list[tuple[SampleSpec, bool]]:
        """(spec, accepted) of the newest samples that people decided, at most `limit` accepted and as many rejected."""
        with self._reading() as connection:
            return samples.decided_by_people(connection, limit)

    # --- gold items -----------------------------------------------------------------------------------------

    def add_gold(self, sample_ids: Sequence[str], *, made_by: str) -> None:
        """Make decided samples gold items, all or none. InvalidRequest where one is not decided."""
        with self._writing() as connection:
            for sample_id in sample_ids:
                gold.add_sample(connection, sample_id, made_by)

    def add_gold_photos(self, number: int, *, made_by: str) -> int:
        """Make photographs gold items that must be accepted; how many are new."""
        with self._writing() as connection:
            return gold.add_photos(connection, number, made_by)

    def gold_count(self) -> int:
        """How many gold items there are."""
        with self._reading() as connection:
            return gold.count(connection)

    def gold_for(self, reviewer: str, number: int) -> list[GoldItem]:
        """Gold items that a reviewer has not answered."""
        with self._reading() as connection:
            return gold.next_for(connection, reviewer, number)

    def gold_cover(self, subject_id: str) -> SampleRow:
        """The rendered sample whose fields a photograph borrows as a gold item. NotFound when there is none of it."""
        with self._reading() as connection:
            return gold.cover(connection, subject_id)

    def gold_item(self, gold_id: str) -> GoldItem | None:
        """A gold item by its id; None where it is no gold item's."""
        with self._reading() as connection:
            return gold.item(connection, gold_id)

    def answer_gold(
        self, gold_id: str, *, reviewer: str, verdict: str, reason: str | None, via: str, client_id: str
    ) -> None:
        """Append an answer to a gold item, or an undo of it. No sample's state follows from it."""
        with self._writing() as connection:
            gold.answer(connection, gold_id, reviewer, verdict, reason, via, client_id)

    def gold_hits(self) -> dict[str, tuple[int, int]]:
        """Reviewer → (right answers, answers)."""
        with self._reading() as connection:
            return gold.hits(connection)

    # --- queues ---------------------------------------------------------------------------------------------

    def save_queue(self, name: str, query: Mapping[str, str], *, made_by: str) -> None:
        """Store a filter under a name, in place of the one of that name."""
        with self._writing() as connection:
            queues.save(connection, name, query, made_by)

    def remove_queue(self, name: str) -> None:
        """Forget a queue. NotFound when there is none of this name."""
        with self._writing() as connection:
            queues.remove(connection, name)

    def queues(self) -> dict[str, dict[str, str]]:
        """Name → filter of every queue."""
        with self._reading() as connection:
            return queues.all_queues(connection)

    # --- the helper that learns -----------------------------------------------------------------------------

    def examples(self, limit: int) -> list[tuple[SampleRow, bool]]:
        """(sample, accepted) of the newest samples that people decided, at most `limit` of either kind."""
        with self._reading() as connection:
            return helping.examples(connection, limit)

    def set_promises(self, promises: Mapping[str, float]) -> None:
        """Store the helper's probabilities of acceptance."""
        with self._writing() as connection:
            helping.set_promises(connection, promises)

    def helper_limits(self) -> AutoReviewLimits:
        """What the helper may decide by itself."""
        with self._reading() as connection:
            return helping.limits(connection)

    def set_helper_limits(self, limits: AutoReviewLimits, *, set_by: str) -> None:
        """Change what the helper may decide by itself."""
        with self._writing() as connection:
            helping.set_limits(connection, limits, set_by)

    def leave_to_people(self, sample_id: str, verdict: str, promise: float) -> None:
        """Note a sample that the helper would have decided, and that people decide as a check."""
        with self._writing() as connection:
            helping.leave_to_people(connection, sample_id, verdict, promise)

    def helper_checks(self) -> AutoReviewCheck:
        """How people decided what was left to them as a check."""
        with self._reading() as connection:
            return helping.checks(connection)

    def rebuild_states(self) -> int:
        """Replay all decisions into the samples' states; how many samples were different."""
        with self._writing() as connection:
            return decisions.rebuild(connection)
