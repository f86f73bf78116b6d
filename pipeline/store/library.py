"""An open library folder: one repository for each kind of thing in it. The only way to its database and images."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import get_ident
from typing import Self

from pipeline.errors import LibraryBusy, LibraryUnusable
from pipeline.store import counters, review_states, schema, verify
from pipeline.store.auto_review import AutoReviewRepository
from pipeline.store.background_sets import BackgroundSets
from pipeline.store.database import (
    DATABASE_NAME,
    ChangeCounter,
    Database,
    damaged_sentence,
    first_damage,
    plain_faults,
)
from pipeline.store.embeddings import EmbeddingRepository
from pipeline.store.field_profiles import FieldProfiles
from pipeline.store.gold import GoldRepository
from pipeline.store.image_files import ImageFiles
from pipeline.store.lock import Work, note_plan, present_work, work_lock
from pipeline.store.photos import PhotoRepository
from pipeline.store.plans import PlanRepository
from pipeline.store.queue import QueueRepository
from pipeline.store.releases import ReleaseRepository
from pipeline.store.replica.folder import ReplicaFolder
from pipeline.store.replica.replica import COPY_EVERY_S, Replica
from pipeline.store.replica.restore import Restored
from pipeline.store.review import ReviewRepository
from pipeline.store.rows import Counts
from pipeline.store.samples import SampleRepository


class Library:
    """One library, safe for many threads. Many processes read and decide, one does long work (`work_lock`).

    An image is stored before the row that names it, and a row with its counters in one transaction: whatever
    moment a process dies at, the library opens, verifies and goes on.

    Args:
        path: the folder; see `open`, which also checks it and updates its tables.
        url: a database elsewhere (postgresql+psycopg://…); without it the folder's own SQLite file.
    """

    def __init__(self, path: Path, url: str | None = None) -> None:
        self.path = path
        self._database = Database(path, url)
        self._changes = None if url else ChangeCounter(path)
        self.images = ImageFiles(path)
        self.background_sets = BackgroundSets(path / "background_sets.txt")
        self.fields = FieldProfiles(path)
        self.photos = PhotoRepository(self._database, self.images)
        self.embeddings = EmbeddingRepository(self._database)
        self.plans = PlanRepository(self._database)
        self.samples = SampleRepository(self._database, self.images)
        self.review = ReviewRepository(self._database)
        self.queue = QueueRepository(self._database)
        self.gold = GoldRepository(self._database)
        self.auto_review = AutoReviewRepository(self._database)
        self.releases = ReleaseRepository(self._database)
        self.replica: Replica | None = None
        self._work: tuple[int, str] | None = (
            None  # thread and task that hold the work lock through this object
        )

    @classmethod
    def open(cls, path: Path, *, create: bool = False, url: str | None = None) -> Self:
        """Open the library in a folder.

        Args:
            path: the folder.
            create: make a new, empty library if there is none.
            url: a database elsewhere (postgresql+psycopg://…); without it the folder's own SQLite file.

        Raises:
            LibraryUnusable: missing, not a folder, read-only, damaged, or written by a newer version.
        """
        path = Path(path)
        if path.exists() and not path.is_dir():
            raise LibraryUnusable(f"{path} is a file; a library is a folder")
        if not create and not url and not (path / DATABASE_NAME).is_file():
            raise LibraryUnusable(
                f"no library at {path}; make one with `python -m pipeline import SOURCE --library {path}`"
            )
        was_there = (path / DATABASE_NAME).is_file()
        library = cls(path, url)
        try:
            with plain_faults(path):
                library.images.prepare()
            library._migrate(was_there=was_there)
        except BaseException:
            library.close()
            raise
        return library

    def _migrate(self, *, was_there: bool) -> None:
        with self._database.reading() as connection:
            damage = first_damage(connection, self.path)
            version = None if damage else schema.stored_version(connection)
        if version is None and was_there and any(self.images.ids()):
            damage = damage or "its database is empty, its pictures are there"
        if damage:
            raise LibraryUnusable(damaged_sentence(self.path, damage))
        if version is not None and version > schema.VERSION:
            raise LibraryUnusable(
                f"library {self.path} was written by a newer version (schema {version}, this one knows "
                f"{schema.VERSION}); update the studio, then open it again"
            )
        if version != schema.VERSION:
            with self._database.writing() as transaction:
                schema.migrate(transaction.connection)

    def replicate_to(self, folder: ReplicaFolder, *, every_s: float = COPY_EVERY_S) -> Restored:
        """Restore what a state folder holds, write to it what it lacks, and keep it complete until `close`.

        Every event is there before the call that stored it returns, photos before an import or an edited mask is
        reported, images of samples within a minute. Only one process may replicate a library.

        Args:
            every_s: seconds between two rounds of copying images.

        Raises:
            LibraryUnusable: the state folder cannot be used.
        """
        replica = Replica(self._database, self.images, folder)
        restored = replica.start(every_s)
        self.replica = replica
        return restored

    def close(self) -> None:
        """Write what the replica lacks, then return the database connections. The library can be opened again."""
        try:
            if self.replica is not None:
                self.replica.close()
        finally:
            if self._changes is not None:
                self._changes.close()
            self._database.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def change_number(self) -> int | None:
        """A number that changes with every commit, by any process, to tell whether a result is still up to date.

        None for a database by URL, which does not offer one.
        """
        if self._changes is None:
            return None
        with plain_faults(self.path):
            return self._changes.value()

    @contextmanager
    def work_lock(self, what: str) -> Iterator[None]:
        """Hold the library for long work, e.g. "generate"; its photos are in the replica when it ends.

        The thread that holds it may take it again for the same task, so that a task can consist of several.

        Raises:
            LibraryBusy: somebody else holds it.
            LibraryUnusable: the folder cannot be written.
        """
        work = (get_ident(), what)
        if self._work == work:
            yield
            return
        with work_lock(self.path, what):
            self._work = work
            try:
                yield
            finally:
                self._work = None
            self._database.settle()

    def note_work(self, plan: str) -> None:
        """Tell other processes which plan is rendered; the caller holds the work lock."""
        note_plan(self.path, plan)

    def present_work(self) -> Work | None:
        """What a process of this machine, this one or another, does at length in the library; None for nothing."""
        return present_work(self.path)

    def delete_if_empty(self) -> bool:
        """Delete the folder if the library holds no photos and nobody works in it; return whether it was deleted.

        Afterwards the library can only be closed.
        """
        try:
            with work_lock(self.path, "delete"):
                if self.counts().subjects:
                    return False
                shutil.rmtree(self.path)
        except (LibraryBusy, OSError):
            return False
        return True

    def counts(self) -> Counts:
        """How much there is, from the counter table."""
        with self._database.reading() as connection:
            return counters.counts(connection)

    def verify(self, on_progress: verify.Progress | None = None) -> list[str]:
        """Everything that does not hold, one sentence each; empty for a sound library."""
        with self._database.reading() as connection:
            return [*verify.problems(connection, self.images, on_progress), *self.fields.problems()]

    def recompute(self) -> None:
        """Set counters, review states and votes anew from photos, samples and decisions."""
        with self._database.writing() as transaction:
            review_states.rebuild(transaction.connection)
            counters.recount(transaction.connection)
