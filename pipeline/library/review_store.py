"""The library's methods over decisions and what follows from them."""

from __future__ import annotations

import time
from collections.abc import Iterator

from pipeline.domain.review import Decision, Policy
from pipeline.domain.spec import SampleSpec
from pipeline.library import decisions, leases, samples
from pipeline.library.base import OpenLibrary
from pipeline.library.rows import DecisionRow, SampleOrder, SampleRow, SampleState, VoteRow

_READ_AT_ONCE = 2000


class ReviewStore(OpenLibrary):
    """Append-only decisions; every sample's state is a view of them."""

    def next_pending(self, reviewer: str, *, after: str | None = None, limit: int = 30) -> list[SampleRow]:
        """The next undecided samples of a reviewer's pass through the queue, behind the sample `after`.

        What the reviewer skipped lies before `after`; a new pass begins without it. All see one queue.
        """
        wanted = samples.SampleFilter(
            review=SampleState.PENDING, order=SampleOrder.QUEUE, limit=limit, after=after
        )
        with self._reading() as connection:
            return samples.some(connection, wanted)

    def take_next(
        self, reviewer: str, *, after: str | None = None, limit: int = 30, lease_s: float = 600.0
    ) -> list[SampleRow]:
        """The same for several reviewers at once: what is given is leased, and no other gets it before the lease ends.

        Samples that the reviewer voted on are left out, and those that have as many votes and leases as the policy
        asks for.
        """
        with self._writing() as connection:
            return leases.take(
                connection,
                reviewer,
                overlap=decisions.policy(connection).overlap,
                after=after,
                limit=limit,
                now_s=time.time(),
                lease_s=lease_s,
            )

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
        """Append a decision; the sample's new state (pending, accepted or rejected). A client id counts once.

        Raises:
            NotFound: no such sample.
            InvalidRequest: the sample has no picture yet.
        """
        with self._writing() as connection:
            return str(decisions.record(connection, decision))

    def undo(self, reviewer: str, *, client_id: str = "", via: str = "key") -> str | None:
        """Take back a reviewer's last standing decision; its sample, or None when there is none."""
        with self._writing() as connection:
            return decisions.undo(connection, reviewer, client_id, via)

    def decisions(self, sample_id: str | None = None) -> list[Decision]:
        """All decisions, or those on one sample, in the order in which they came."""
        with self._reading() as connection:
            return decisions.events(connection, sample_id)

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

    def rebuild_states(self) -> int:
        """Replay all decisions into the samples' states; how many samples were different."""
        with self._writing() as connection:
            return decisions.rebuild(connection)
