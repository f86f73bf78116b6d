"""Photos with their cut-outs, and the files that imports refused."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from sqlalchemy import Connection, exists, select, update

from pipeline.domain.photos import Photo
from pipeline.domain.warping import Box
from pipeline.errors import NotFound
from pipeline.store.counters import EXCLUDED, PHOTOS, count
from pipeline.store.database import Database, insert_new
from pipeline.store.image_files import ImageFiles
from pipeline.store.rows import RENDERED_STATES, NewPhoto, Refusal
from pipeline.store.schema import now, photos, refusals, sample_photos, samples
from pipeline.store.sql import AnyRow, Values

_ALPHA = 3  # channel of a cut-out


class PhotoRepository:
    """Photos with label, split and cut-out; and the files that imports refused."""

    def __init__(self, database: Database, images: ImageFiles) -> None:
        self._database = database
        self._images = images

    def add(self, new: NewPhoto) -> bool:
        """Add a photo whose images were stored before; False when it is there already (the same id)."""
        mask_id = None if new.cutout_id is None else self._put_mask(new.cutout_id)
        values = {
            **{name: getattr(new, name) for name in _PLAIN_FIELDS},
            "photo_id": new.image_id,
            **_cutout_values(
                new.cutout_id, mask_id, new.mask_score, new.mask_doubts, new.mask_origin, new.box
            ),
            "excluded": False,
            "added_at": now(),
        }
        with self._database.writing() as transaction:
            connection = transaction.connection
            transaction.changed(photos.name, new.id)
            if not connection.execute(insert_new(connection, photos).values(**values)).rowcount:
                return False
            count(connection, PHOTOS, new.label, 1)
            return True

    def record_cutout(
        self,
        photo_id: str,
        *,
        cutout_id: str,
        score: float,
        doubts: Sequence[str],
        origin: str,
        box: Box | None,
    ) -> None:
        """Give a photo another cut-out; samples of the old one stay what they are.

        Raises:
            NotFound: there is no photo with this id.
        """
        values = _cutout_values(cutout_id, self._put_mask(cutout_id), score, doubts, origin, box)
        changing = update(photos).where(photos.c.id == photo_id).values(**values)
        with self._database.writing() as transaction:
            transaction.changed(photos.name, photo_id)
            if not transaction.connection.execute(changing).rowcount:
                raise NotFound("photo", photo_id)
        self._database.settle()

    def _put_mask(self, cutout_id: str) -> str:
        """Store a cut-out's alpha as an image of its own: a release copies it as it is."""
        return self._images.put(self._images.read(cutout_id)[..., _ALPHA])

    def set_excluded(self, photo_id: str, excluded: bool) -> None:
        """Take a photo out of plans and releases, or back in.

        Raises:
            NotFound: there is no photo with this id.
        """
        with self._changing(photo_id, excluded=excluded) as (connection, before):
            count(connection, EXCLUDED, before.label, int(excluded) - int(before.excluded))

    def set_label(self, photo_id: str, label: str) -> None:
        """Give a photo another class; samples that were made from it keep theirs.

        Raises:
            NotFound: there is no photo with this id.
        """
        with self._changing(photo_id, label=label) as (connection, before):
            for old_or_new, number in ((before.label, -1), (label, 1)):
                count(connection, PHOTOS, old_or_new, number)
                count(connection, EXCLUDED, old_or_new, number * int(before.excluded))

    @contextmanager
    def _changing(self, photo_id: str, **values: object) -> Iterator[tuple[Connection, Photo]]:
        """Change columns of a photo; yield the connection, for the counters, and the photo as it was."""
        with self._database.writing() as transaction:
            transaction.changed(photos.name, photo_id)
            before = _photo_of(transaction.connection, photo_id)
            transaction.connection.execute(update(photos).where(photos.c.id == photo_id).values(**values))
            yield transaction.connection, before
        self._database.settle()

    def get(self, photo_id: str) -> Photo:
        """A photo.

        Raises:
            NotFound: there is none with this id.
        """
        with self._database.reading() as connection:
            return _photo_of(connection, photo_id)

    def ids(self) -> set[str]:
        """The ids of all photos, excluded ones too."""
        with self._database.reading() as connection:
            return set(connection.scalars(select(photos.c.id)))

    def used_ids(self) -> set[str]:
        """The ids of the photos that a rendered sample was made from."""
        rendered = exists().where(
            sample_photos.c.subject_id == photos.c.id,
            samples.c.id == sample_photos.c.sample_id,
            samples.c.state.in_(RENDERED_STATES),
        )
        with self._database.reading() as connection:
            return set(connection.scalars(select(photos.c.id).where(rendered)))

    def record_refusal(self, source: str, name: str, reason: str) -> None:
        """Note a file of a source that did not become a photo; the first reason for a file stays."""
        values = {"source": source, "name": name, "reason": reason, "at": now()}
        with self._database.writing() as transaction:
            connection = transaction.connection
            connection.execute(insert_new(connection, refusals).values(**values))

    def refusals(self) -> list[Refusal]:
        """All refused files, in the order in which they were met."""
        columns = (refusals.c.source, refusals.c.name, refusals.c.reason)
        with self._database.reading() as connection:
            rows = connection.execute(select(*columns).order_by(refusals.c.seq))
            return [Refusal(source=source, name=name, reason=reason) for source, name, reason in rows]

    def list(
        self,
        *,
        label: str | None = None,
        split: str | None = None,
        doubtful: bool | None = None,
        usable: bool | None = None,
        limit: int | None = None,
    ) -> list[Photo]:
        """Photos in order of import; None = no matter.

        Args:
            doubtful: True for those with doubts about their mask that are not excluded.
            usable: True for those that are cut out, without doubts and not excluded.
        """
        statement = select(photos).order_by(photos.c.seq).limit(limit)
        if label is not None:
            statement = statement.where(photos.c.label == label)
        if split is not None:
            statement = statement.where(photos.c.split == split)
        if doubtful is not None:
            statement = statement.where((photos.c.doubtful & ~photos.c.excluded) == doubtful)
        if usable is not None:
            fit = photos.c.cutout_id.is_not(None) & ~photos.c.doubtful & ~photos.c.excluded
            statement = statement.where(fit if usable else ~fit)
        with self._database.reading() as connection:
            return [_photo(row) for row in connection.execute(statement)]


def _photo_of(connection: Connection, photo_id: str) -> Photo:
    row = connection.execute(select(photos).where(photos.c.id == photo_id)).one_or_none()
    if row is None:
        raise NotFound("photo", photo_id)
    return _photo(row)


_PLAIN_FIELDS = ("id", "label", "name", "source", "split", "height", "width")


def _cutout_values(
    cutout_id: str | None,
    mask_id: str | None,
    score: float,
    doubts: Sequence[str],
    origin: str,
    box: Box | None,
) -> Values:
    return {
        "cutout_id": cutout_id,
        "mask_id": mask_id,
        "mask_score": float(score),
        "mask_doubts": list(doubts),
        "doubtful": bool(doubts),
        "mask_origin": str(origin),
        "box": None if box is None else [int(value) for value in box],
    }


def _photo(row: AnyRow) -> Photo:
    plain = {name: getattr(row, name) for name in (*_PLAIN_FIELDS, *_SAME_FIELDS)}
    box = None if row.box is None else tuple(row.box)
    return Photo(**plain, image_id=row.photo_id, mask_doubts=tuple(row.mask_doubts), box=box)


_SAME_FIELDS = ("cutout_id", "mask_id", "mask_score", "mask_origin", "excluded", "added_at")
