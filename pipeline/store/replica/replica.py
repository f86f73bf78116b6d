"""A library whose database may be lost at any moment: what happens in it is kept in a state folder, too."""

from __future__ import annotations

import logging
import threading
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

from sqlalchemy import Connection

from pipeline.domain.spec import SampleSpec
from pipeline.errors import DamagedPicture, NotFound, StudioError
from pipeline.store.library import Library
from pipeline.store.replica import journal
from pipeline.store.replica.folder import ReplicaFolder
from pipeline.store.replica.restore import Restored, restore
from pipeline.store.rows import NewPhoto, Rendered

KEEP_EVERY_S = (
    20.0  # pictures are in the state folder at most so long after they were stored, and what copying takes
)
_SUBJECTS, _SAMPLES, _PLANS, _QUEUES, _CHECKS = "subjects", "samples", "plans", "queues", "helper_checks"
_READERS = 8
_Place = tuple[str, str]  # table, key
_log = logging.getLogger(__name__)


class KeptLibrary(Library):
    """A library that writes every event to a state folder before the call that stored it returns.

    Photos are there before an import or a mended mask is reported, pictures of samples within a minute.
    Only one process may keep a library.
    """

    _state: ReplicaFolder | None = None
    _keeper: threading.Thread | None = None
    keeping_fault: str = ""  # why the last round of copying failed; "" while it works

    def keep_in(self, state: ReplicaFolder, *, every_s: float = KEEP_EVERY_S) -> Restored:
        """Take over what the folder holds, write there what it lacks, and keep it so until `close`.

        Args:
            every_s: seconds between two rounds of copying pictures.
        """
        kept, damaged = state.read()
        with ThreadPoolExecutor(_READERS) as readers:  # a bucket answers each read late
            list(readers.map(lambda blob_id: self._fetch(state, blob_id), dict.fromkeys(kept.pictures())))
        with self._writing() as connection:
            restored = restore(connection, kept, self.has_picture)
        self._appending, self._copying, self._over = threading.RLock(), threading.Lock(), threading.Event()
        self._marking = threading.Lock()
        self._marked: dict[_Place, None] = {}  # rows to be written, in order
        self._photos_wait = True
        self._copied = state.pictures()
        named = dict.fromkeys(kept.pictures())
        self._uncopied = {  # pictures, in order
            blob_id: None for blob_id in named if blob_id not in self._copied and self.has_picture(blob_id)
        }
        with self._reading() as connection:
            unkept = journal.unkept_events(connection, kept)
            self._cursors = journal.heads(connection)
            changed = list(journal.changed_keys(connection, kept))
        self._state = state
        self._append([*self._rows(changed), *unkept])
        self.keep()
        self._keeper = threading.Thread(target=self._keep_on, args=(every_s,), name="keeper", daemon=True)
        self._keeper.start()
        return replace(restored, damaged=damaged)

    def _fetch(self, state: ReplicaFolder, blob_id: str) -> None:
        if not self.has_picture(blob_id) and (data := state.picture(blob_id)):
            self.take_picture(blob_id, data)

    def close(self) -> None:
        """Write what is left, then close."""
        if self._keeper is not None:
            self._over.set()
            self._keeper.join()
            self._keeper = None
            self._try_to_keep()
        super().close()

    def keep(self) -> None:
        """Write all that is not in the state folder yet.

        Raises:
            LibraryUnusable: it cannot be written; what is missing there is written the next time.
        """
        assert self._state is not None
        with self._copying:
            self._photos_wait = False
            try:
                self._keep_rows()
                while blob_id := self._next_uncopied():
                    self._copy(self._state, blob_id)
            except BaseException:
                self._photos_wait = True
                raise

    def _copy(self, state: ReplicaFolder, blob_id: str) -> None:
        try:
            state.put_picture(blob_id, self.picture_bytes(blob_id))
            self._copied.add(blob_id)
        except (NotFound, DamagedPicture) as error:
            _log.error("picture %s is not in the state folder: %s", blob_id, error)
        with self._marking:
            self._uncopied.pop(blob_id)

    def _next_uncopied(self) -> str | None:
        with self._marking:  # other threads add to it
            return next(iter(self._uncopied), None)

    def _keep_on(self, every_s: float) -> None:
        while not self._over.wait(every_s):
            self._try_to_keep()

    def _try_to_keep(self) -> None:
        """Copy what is new; a failure of any kind is logged, and the next round tries again."""
        try:
            if self._state is not None:
                self.keep()
        except StudioError as error:
            self.keeping_fault = str(error)
            _log.error("not copied to the state folder yet: %s", error)
        except (
            Exception
        ) as error:  # a bug must not end the copying: nobody would notice before the machine is lost
            self.keeping_fault = f"a bug: {error!r}"
            _log.exception("copying to the state folder failed; the next round tries again")
        else:
            self.keeping_fault = ""

    # --- rows -----------------------------------------------------------------------------------------------

    @contextmanager
    def _writing(self) -> Iterator[Connection]:
        with super()._writing() as connection:
            yield connection
        if self._state is not None:
            self._keep_events()

    def _keep_events(self) -> None:
        """Write the events that are new; before them the rows that they may speak of."""
        with self._appending:
            with self._reading() as connection:
                if journal.heads(connection) == self._cursors:
                    return
            self._keep_rows()

    def _keep_rows(self) -> None:
        with self._appending:
            with self._marking:
                marked, self._marked = self._marked, {}
            try:
                with self._reading() as connection:  # the events first: what they speak of was marked before
                    events = journal.events_after(connection, self._cursors)
                rows = self._rows(marked)
                self._append([*rows, *events])
            except BaseException:
                self._mark_again(marked)
                raise
            written = {journal.place_of(entry) for entry in rows}
            self._mark_again(place for place in marked if place not in written)  # not committed yet
            for entry in events:
                self._cursors[entry["table"]] = entry["row"]["seq"]

    def _mark_again(self, places: Iterable[_Place]) -> None:
        with self._marking:
            self._marked = dict.fromkeys(places) | self._marked

    def _rows(self, places: Iterable[_Place]) -> list[journal.Entry]:
        by_table: dict[str, list[str]] = {name: [] for name in journal.KEYS}
        for name, key in places:
            by_table[name].append(key)
        with self._reading() as connection:
            return [
                entry
                for name, wanted in by_table.items()
                if wanted
                for entry in journal.entries_of(connection, name, wanted)
            ]

    def _append(self, entries: Sequence[journal.Entry]) -> None:
        assert self._state is not None
        if not entries:
            return
        self._state.append(entries)
        for entry in entries:
            needed = journal.pictures_of(entry["table"], entry.get("row", {}))
            with self._marking:
                self._uncopied |= {blob_id: None for blob_id in needed if blob_id not in self._copied}

    def _mark(self, name: str, key: str) -> None:
        if self._state is not None:
            with self._marking:
                self._marked[name, key] = None

    # --- what changes rows ----------------------------------------------------------------------------------

    def _mark_photo(self, subject_id: str) -> None:
        if self._state is not None:
            self._mark(_SUBJECTS, subject_id)
            self._photos_wait = True

    def _keep_photos(self) -> None:
        if self._state is not None and self._photos_wait:
            self.keep()

    @contextmanager
    def work_lock(self, what: str) -> Iterator[None]:
        """Hold the library for long work; photos are kept when it ends."""
        with super().work_lock(what):
            yield
            self._keep_photos()

    def add_subject(self, new: NewPhoto) -> bool:
        """Add a photo; it is kept when the import ends, within a minute at the latest."""
        added = super().add_subject(new)
        self._mark_photo(new.id)
        return added

    def record_cutout(self, subject_id: str, **values: Any) -> None:
        """Give a subject another cut-out, and keep it."""
        super().record_cutout(subject_id, **values)
        self._mark_photo(subject_id)
        self._keep_photos()

    def set_subject_excluded(self, subject_id: str, excluded: bool) -> None:
        """Take a photo out of plans and releases, or back in."""
        super().set_subject_excluded(subject_id, excluded)
        self._mark_photo(subject_id)
        self._keep_photos()

    def add_plan(self, name: str, recipe_yaml: str, specs: Sequence[SampleSpec]) -> int:
        """Store a plan. Its specs are kept when they are rendered."""
        count = super().add_plan(name, recipe_yaml, specs)
        self._mark(_PLANS, name)
        return count

    def record_sample(self, rendered: Rendered) -> bool:
        """Store a rendered sample; the photos that it shows are kept before."""
        self._keep_photos()
        self._mark(_SAMPLES, rendered.spec_id)  # before others see it and decide on it
        return super().record_sample(rendered)

    def leave_to_people(self, sample_id: str, verdict: str, promise: float) -> None:
        """Note a sample that people decide as a check."""
        super().leave_to_people(sample_id, verdict, promise)
        self._mark(_CHECKS, sample_id)

    def save_queue(self, name: str, query: Any, *, made_by: str) -> None:
        """Store a filter under a name."""
        super().save_queue(name, query, made_by=made_by)
        self._mark(_QUEUES, name)
        self._keep_rows_if_kept()

    def remove_queue(self, name: str) -> None:
        """Forget a queue."""
        super().remove_queue(name)
        self._mark(_QUEUES, name)
        self._keep_rows_if_kept()

    def _keep_rows_if_kept(self) -> None:
        if self._state is not None:
            self._keep_rows()
