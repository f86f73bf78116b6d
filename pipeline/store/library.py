"""The library: one folder with a database and the pictures that it names. The only door to both."""

from __future__ import annotations

from collections.abc import Iterator

from pipeline.domain.release import ReleaseRow, ReviewFacts, Subset
from pipeline.store import counts, decisions, releases, verify
from pipeline.store.photo_store import PhotoStore
from pipeline.store.review_store import ReviewStore
from pipeline.store.rows import Counts
from pipeline.store.sample_store import SampleStore


class Library(PhotoStore, SampleStore, ReviewStore):
    """One library, safe for many threads. Many processes read and decide, one does long work (`work_lock`).

    A picture is stored before the row that names it, and a row with its counters in one transaction: whatever
    moment a process dies at, the library opens, verifies and goes on.
    """

    def counts(self) -> Counts:
        """How much there is, from the counter table."""
        with self._reading() as connection:
            return counts.counts(connection)

    def review_facts(self) -> ReviewFacts:
        """How the samples were decided."""
        with self._reading() as connection:
            return decisions.facts(connection)

    def release_rows(self, part: Subset, *, split: str | None = None) -> Iterator[ReleaseRow]:
        """Photos in order of import, or samples in that of their first verdict; none of an excluded photo."""
        with self._reading() as connection:
            yield from releases.rows(connection, part, split)

    def verify(self, on_progress: verify.Progress | None = None) -> list[str]:
        """Everything that does not hold, one sentence each; empty for a sound library."""
        with self._reading() as connection:
            return list(verify.problems(connection, self._blobs, on_progress))

    def derive_again(self) -> None:
        """Set counters, review states and votes anew from photos, samples and decisions."""
        with self._writing() as connection:
            decisions.rebuild(connection)
            counts.recount(connection)
