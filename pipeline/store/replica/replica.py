"""The replica of a library whose disk may be lost: what happens in the library is written to a state folder too."""

from __future__ import annotations

import logging
import threading
from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

from pipeline.errors import DamagedPicture, NotFound, StudioError
from pipeline.store.database import Change, Database
from pipeline.store.image_files import ImageFiles
from pipeline.store.replica import journal
from pipeline.store.replica.folder import ReplicaFolder
from pipeline.store.replica.restore import Restored, restore
from pipeline.store.schema import photos, queues

COPY_EVERY_S = (
    20.0  # images are in the state folder at most so long after they were stored, plus the time of copying
)
_READERS = 8
_log = logging.getLogger(__name__)


class Replica:
    """Writes every event of a database to a state folder before the call that stored it returns.

    It listens to the database. Photos are there when `Database.settle` returns, which an import calls at its end and
    an edited mask after it was stored; images of samples follow within a minute, copied by a thread.

    Args:
        database: of the library.
        images: of the library.
        folder: the state folder; only one process may write to it.
    """

    def __init__(self, database: Database, images: ImageFiles, folder: ReplicaFolder) -> None:
        self.fault = ""  # why the last round of copying failed; "" while it works
        self._database = database
        self._images = images
        self._folder = folder
        self._appending, self._copying, self._over = threading.RLock(), threading.Lock(), threading.Event()
        self._marking = threading.Lock()
        self._marked: dict[Change, None] = {}  # rows to be written, in order
        self._photos_wait = True
        self._copied: set[str] = set()  # image ids
        self._uncopied: dict[str, None] = {}  # image ids, in order
        self._cursors: dict[str, int] = {}  # table of events → number of the newest one that is written
        self._copier: threading.Thread | None = None

    def start(self, every_s: float) -> Restored:
        """Restore what the folder holds, write there what it lacks, then listen and copy until `close`.

        Args:
            every_s: seconds between two rounds of copying images.

        Raises:
            LibraryUnusable: the folder cannot be used.
        """
        stored, damaged = self._folder.read()
        needed = dict.fromkeys(stored.image_ids())
        with ThreadPoolExecutor(_READERS) as readers:  # a bucket answers each read late
            list(readers.map(self._fetch, needed))
        with self._database.writing() as transaction:
            restored = restore(transaction.connection, stored, self._images.has)
        self._copied = self._folder.image_ids()
        self._uncopied = {
            image_id: None
            for image_id in needed
            if image_id not in self._copied and self._images.has(image_id)
        }
        with self._database.reading() as connection:
            unwritten = journal.missing_events(connection, stored)
            self._cursors = journal.heads(connection)
            changed = list(journal.changed_keys(connection, stored))
        self._database.listen(self)
        self._append([*self._rows(changed), *unwritten])
        self.copy()
        self._copier = threading.Thread(
            target=self._copy_on, args=(every_s,), name="replica copier", daemon=True
        )
        self._copier.start()
        return replace(restored, damaged=damaged)

    def _fetch(self, image_id: str) -> None:
        if not self._images.has(image_id) and (data := self._folder.image(image_id)):
            self._images.put_file(image_id, data)

    def close(self) -> None:
        """Stop the copying thread and write what is left; a failure of that is logged."""
        if self._copier is not None:
            self._over.set()
            self._copier.join()
            self._copier = None
            self._try_to_copy()

    # --- images ---------------------------------------------------------------------------------------------

    def copy(self) -> None:
        """Write all that is not in the state folder yet, rows and images.

        Raises:
            LibraryUnusable: it cannot be written; what is missing there is written the next time.
        """
        with self._copying:
            self._photos_wait = False
            try:
                self._write_rows()
                while image_id := self._next_uncopied():
                    self._copy_image(image_id)
            except BaseException:
                self._photos_wait = True
                raise

    def _copy_image(self, image_id: str) -> None:
        try:
            self._folder.put_image(image_id, self._images.read_bytes(image_id))
            self._copied.add(image_id)
        except (NotFound, DamagedPicture) as error:
            _log.error("image %s is not in the state folder: %s", image_id, error)
        with self._marking:
            self._uncopied.pop(image_id)

    def _next_uncopied(self) -> str | None:
        with self._marking:  # other threads add to it
            return next(iter(self._uncopied), None)

    def _copy_on(self, every_s: float) -> None:
        while not self._over.wait(every_s):
            self._try_to_copy()

    def _try_to_copy(self) -> None:
        """Copy what is new; a failure of any kind is logged, and the next round tries again."""
        try:
            self.copy()
        except StudioError as error:
            self.fault = str(error)
            _log.error("not copied to the state folder yet: %s", error)
        except (
            Exception
        ) as error:  # a bug must not end the copying: nobody would notice before the machine is lost
            self.fault = f"a bug: {error!r}"
            _log.exception("copying to the state folder failed; the next round tries again")
        else:
            self.fault = ""

    # --- rows, as the database tells of them ----------------------------------------------------------------

    def changed(self, table: str, key: str) -> None:
        """Mark a row that is about to change: once others see it, they may decide on it."""
        with self._marking:
            self._marked[table, key] = None

    def committed(self, changes: Sequence[Change]) -> None:
        """Write the events that are new, and before them the rows that they may refer to; queues at once.

        Raises:
            LibraryUnusable: the state folder cannot be written; the rest is written the next time.
        """
        self._mark_again(changes)  # meanwhile another thread may have written them as they were before
        tables = {table for table, _ in changes}
        if photos.name in tables:
            self._photos_wait = True
        with self._appending:
            with self._database.reading() as connection:
                if queues.name not in tables and journal.heads(connection) == self._cursors:
                    return
            self._write_rows()

    def settle(self) -> None:
        """Copy photos that are not in the state folder yet; with them everything else that waits.

        Raises:
            LibraryUnusable: the state folder cannot be written; the rest is written the next time.
        """
        if self._photos_wait:
            self.copy()

    def _write_rows(self) -> None:
        with self._appending:
            with self._marking:
                marked, self._marked = self._marked, {}
            try:
                with (
                    self._database.reading() as connection
                ):  # the events first: what they refer to was marked before
                    events = journal.events_after(connection, self._cursors)
                rows = self._rows(marked)
                self._append([*rows, *events])
            except BaseException:
                self._mark_again(marked)
                raise
            written = {journal.place_of(entry) for entry in rows}
            self._mark_again(change for change in marked if change not in written)  # not committed yet
            for entry in events:
                self._cursors[entry["table"]] = journal.number_of(entry["row"], "seq")

    def _mark_again(self, changes: Iterable[Change]) -> None:
        with self._marking:
            self._marked = dict.fromkeys(changes) | self._marked

    def _rows(self, changes: Iterable[Change]) -> list[journal.Entry]:
        by_table: dict[str, list[str]] = {table: [] for table in journal.KEYS}
        for table, key in changes:
            by_table[table].append(key)
        with self._database.reading() as connection:
            return [
                entry
                for table, keys in by_table.items()
                if keys
                for entry in journal.entries_of(connection, table, keys)
            ]

    def _append(self, entries: Sequence[journal.Entry]) -> None:
        if not entries:
            return
        self._folder.append(entries)
        for entry in entries:
            needed = [] if "gone" in entry else journal.image_ids_of(entry["table"], entry["row"])
            with self._marking:
                self._uncopied |= {image_id: None for image_id in needed if image_id not in self._copied}
