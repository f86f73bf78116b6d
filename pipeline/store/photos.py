"""Photos with their cut-outs, and the files that imports refused."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from itertools import chain

from sqlalchemy import Connection, exists, func, select, update

from pipeline.domain.photos import NO_OBJECT, Photo
from pipeline.domain.placement import is_empty
from pipeline.domain.warping import Box
from pipeline.errors import InvalidRequest, NotFound
from pipeline.store.counters import EXCLUDED, PHOTOS, count
from pipeline.store.database import Database, Transaction, insert_new
from pipeline.store.image_files import ImageFiles
from pipeline.store.photo_deletion import (
    forget_embeddings,
    forget_planned,
    kept_samples,
    unneeded,
)
from pipeline.store.rows import RENDERED_STATES, NewPhoto, PhotoDeletion, Refusal
from pipeline.store.schema import now, photos, refusals, sample_photos, samples
from pipeline.store.sql import AnyRow, Values, chunks

_ALPHA = 3  # channel of a cut-out
NOT_CUT_OUT = "The object is not cut out yet"  # the doubt about a training photo that was a test photo


class PhotoRepository:
    """Photos with label, split and cut-out; and the files that imports refused."""

    def __init__(self, database: Database, images: ImageFiles) -> None:
        self._database = database
        self._images = images

    def add(self, new: NewPhoto) -> bool:
        """Add a photo whose images were stored before; False when it is there already (the same id).

        A photo that was deleted comes back with the new values at its former place in the order of import, and in its
        former split where samples were made from it.
        """
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
            stored = connection.execute(insert_new(connection, photos).values(**values)).rowcount
            if not stored and not _restored(connection, new.id, values):
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
        changing = update(photos).where(photos.c.id == photo_id, _PRESENT).values(**values)
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
        self.exclude_all([photo_id], excluded)

    def exclude_all(self, photo_ids: Sequence[str], excluded: bool) -> None:
        """Take photos out of plans and releases, or back in: all, or none where one is refused.

        Raises:
            NotFound: there is no photo with one of the ids.
        """
        with self._changing(photo_ids, excluded=excluded) as (transaction, before):
            for photo in before:
                change = int(excluded) - int(photo.excluded)
                count(transaction.connection, EXCLUDED, photo.label, change)

    def set_label(self, photo_id: str, label: str) -> None:
        """Give a photo another class; samples that were made from it keep theirs.

        Raises:
            NotFound: there is no photo with this id.
        """
        self.label_all([photo_id], label)

    def label_all(self, photo_ids: Sequence[str], label: str) -> None:
        """Give photos another class: all, or none where one is refused.

        Samples keep the class of their objects, and those of the distractors that they show: their spec has both.

        Raises:
            NotFound: there is no photo with one of the ids.
        """
        with self._changing(photo_ids, label=label) as (transaction, before):
            for photo in before:
                for old_or_new, number in ((photo.label, -1), (label, 1)):
                    count(transaction.connection, PHOTOS, old_or_new, number)
                    count(transaction.connection, EXCLUDED, old_or_new, number * int(photo.excluded))

    def move_all(self, photo_ids: Sequence[str], split: str) -> None:
        """Move photos to the split train or test: all, or none where one is refused. Their planned specs are dropped.

        A photo without a cut-out that becomes a training photo is doubtful until it has one.

        Raises:
            NotFound: there is no photo with one of the ids.
            InvalidRequest: samples were made from a photo that lies in the other split; they would be in both.
        """
        doubts = _doubts([NOT_CUT_OUT] if split == "train" else [])
        with self._changing(photo_ids, split=split) as (transaction, before):
            moved = [photo.id for photo in before if photo.split != split]
            forget_planned(transaction.connection, moved)
            if kept := kept_samples(transaction.connection, moved):
                raise InvalidRequest(_split_refusal(kept))
            for chunk in chunks(moved):
                uncut = photos.c.id.in_(chunk) & photos.c.cutout_id.is_(None)
                transaction.connection.execute(update(photos).where(uncut).values(**doubts))

    def delete(self, photo_ids: Sequence[str]) -> PhotoDeletion:
        """Delete photos with their images and their planned specs; ids without a photo are passed over.

        Samples that were made from them stay, with the cut-outs that they hold. So that these keep their origin, the
        row of a deleted photo stays in the database, and every other method of this class takes it for missing.
        """
        with self._database.writing() as transaction:
            connection = transaction.connection
            deleted = _present(connection, photo_ids)
            ids = [photo.id for photo in deleted]
            for photo_id in ids:
                transaction.changed(photos.name, photo_id)
            forget_planned(connection, ids)
            for chunk in chunks(ids):
                connection.execute(update(photos).where(photos.c.id.in_(chunk)).values(deleted_at=now()))
            for photo in deleted:
                count(connection, PHOTOS, photo.label, -1)
                count(connection, EXCLUDED, photo.label, -int(photo.excluded))
            parts = chain.from_iterable((photo.image_id, photo.cutout_id, photo.mask_id) for photo in deleted)
            image_ids = unneeded(connection, filter(None, parts))
            forget_embeddings(connection, image_ids)
            kept: set[str] = set().union(*kept_samples(connection, ids).values())
        for image_id in image_ids:
            self._images.remove(image_id)
        self._database.settle()
        return PhotoDeletion(photos=len(ids), samples=len(kept), image_ids=tuple(image_ids))

    @contextmanager
    def _changing(
        self, photo_ids: Sequence[str], **values: object
    ) -> Iterator[tuple[Transaction, list[Photo]]]:
        """Change columns of photos; yield the transaction, for what follows, and the photos as they were."""
        with self._database.writing() as transaction:
            for photo_id in photo_ids:
                transaction.changed(photos.name, photo_id)
            before = _present(transaction.connection, photo_ids)
            if missing := set(photo_ids) - {photo.id for photo in before}:
                raise NotFound("photo", min(missing))
            for chunk in chunks(photo_ids):
                changing = update(photos).where(photos.c.id.in_(chunk)).values(**values)
                transaction.connection.execute(changing)
            yield transaction, before
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
            return set(connection.scalars(select(photos.c.id).where(_PRESENT)))

    def kept_samples(self, photo_ids: Sequence[str]) -> dict[str, set[str]]:
        """Photo id → ids of its rendered or decided samples; photos without any are left out."""
        with self._database.reading() as connection:
            return kept_samples(connection, photo_ids)

    def deleted(self, sources: Collection[str]) -> int:
        """How many photos of these sources were deleted and not imported again."""
        gone = select(func.count()).where(photos.c.source.in_(sources), photos.c.deleted_at.is_not(None))
        with self._database.reading() as connection:
            return connection.scalar(gone) or 0

    def held(self, photo_ids: Sequence[str]) -> bool:
        """Whether each of these photos is in the library, or was until it was deleted."""
        with self._database.reading() as connection:
            return all(
                len(connection.scalars(select(photos.c.id).where(photos.c.id.in_(chunk))).all()) == len(chunk)
                for chunk in chunks(dict.fromkeys(photo_ids))
            )

    def used_ids(self) -> set[str]:
        """The ids of the photos that a rendered sample was made from."""
        rendered = exists().where(
            sample_photos.c.subject_id == photos.c.id,
            samples.c.id == sample_photos.c.sample_id,
            samples.c.state.in_(RENDERED_STATES),
        )
        with self._database.reading() as connection:
            return set(connection.scalars(select(photos.c.id).where(_PRESENT, rendered)))

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
        statement = select(photos).where(_PRESENT).order_by(photos.c.seq).limit(limit)
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
    row = connection.execute(select(photos).where(photos.c.id == photo_id, _PRESENT)).one_or_none()
    if row is None:
        raise NotFound("photo", photo_id)
    return _photo(row)


def _present(connection: Connection, photo_ids: Sequence[str]) -> list[Photo]:
    """Those of some photos that are there, in no order."""
    return [
        _photo(row)
        for chunk in chunks(dict.fromkeys(photo_ids))
        for row in connection.execute(select(photos).where(photos.c.id.in_(chunk), _PRESENT))
    ]


def _restored(connection: Connection, photo_id: str, values: Values) -> bool:
    """Bring a deleted photo back with new values; False where no photo of this id was deleted."""
    deleted = photos.c.id == photo_id, photos.c.deleted_at.is_not(None)
    split = connection.scalar(select(photos.c.split).where(*deleted))
    if split is None:
        return False
    if kept_samples(connection, [photo_id]):
        uncut = split == "train" and values["cutout_id"] is None
        values = values | {"split": split} | (_doubts([NOT_CUT_OUT]) if uncut else {})
    connection.execute(update(photos).where(*deleted).values(**values, deleted_at=None))
    return True


def _doubts(doubts: Sequence[str]) -> Values:
    return {"mask_doubts": list(doubts), "doubtful": bool(doubts)}


def _split_refusal(kept: Mapping[str, set[str]]) -> str:
    images = len(set().union(*kept.values()))
    return (
        f"{'1 photo has' if len(kept) == 1 else f'{len(kept)} photos have'} "
        f"{'1 synthetic image' if images == 1 else f'{images} synthetic images'}, "
        "which would leak into the other split; leave out photos that images were made from"
    )


_PRESENT = photos.c.deleted_at.is_(None)
_PLAIN_FIELDS = ("id", "label", "name", "source", "split", "height", "width")


def _cutout_values(
    cutout_id: str | None,
    mask_id: str | None,
    score: float,
    doubts: Sequence[str],
    origin: str,
    box: Box | None,
) -> Values:
    """Return the columns of a cut-out; an empty mask has no box and is to be checked."""
    if box is not None and is_empty(box):
        box, doubts = None, doubts or [NO_OBJECT]
    return {
        "cutout_id": cutout_id,
        "mask_id": mask_id,
        "mask_score": float(score),
        **_doubts(doubts),
        "mask_origin": str(origin),
        "box": None if box is None else [int(value) for value in box],
    }


def _photo(row: AnyRow) -> Photo:
    plain = {name: getattr(row, name) for name in (*_PLAIN_FIELDS, *_SAME_FIELDS)}
    box = None if row.box is None else tuple(row.box)
    return Photo(**plain, image_id=row.photo_id, mask_doubts=tuple(row.mask_doubts), box=box)


_SAME_FIELDS = ("cutout_id", "mask_id", "mask_score", "mask_origin", "excluded", "added_at")
