"""The library's methods over decisions and what follows from them."""

from __future__ import annotations

from collections.abc import Iterator

from pipeline.domain.review import Decision
from pipeline.domain.spec import SampleSpec
from pipeline.library import decisions, samples
from pipeline.library.base import OpenLibrary
from pipeline.library.rows import DecisionRow, SampleOrder, SampleRow, SampleState

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
