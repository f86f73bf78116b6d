"""The library's methods over photos and their cut-outs."""

from __future__ import annotations

from collections.abc import Sequence

from pipeline.store import photos
from pipeline.store.base import OpenLibrary
from pipeline.store.rows import Box, NewPhoto, Photo, Refusal

_ALPHA = 3  # channel of a cut-out


class PhotoStore(OpenLibrary):
    """Photos with label, split and cut-out; and the files that were refused."""

    def add_subject(self, new: NewPhoto) -> bool:
        """Add a photo; False when it is there already (the same id). Its pictures were put before."""
        mask_id = self._put_mask(new.cutout_id)
        with self._writing() as connection:
            return photos.add(connection, new, mask_id)

    def record_cutout(
        self,
        subject_id: str,
        *,
        cutout_id: str,
        score: float,
        doubts: Sequence[str],
        origin: str,
        box: Box | None,
    ) -> None:
        """Give a subject another cut-out; samples of the old one stay what they are."""
        mask_id = self._put_mask(cutout_id)
        assert mask_id is not None
        with self._writing() as connection:
            photos.change_cutout(
                connection, subject_id, cutout_id, mask_id, score=score, doubts=doubts, origin=origin, box=box
            )

    def _put_mask(self, cutout_id: str | None) -> str | None:
        """Store a cut-out's alpha as a picture of its own: a release copies it as it is."""
        return None if cutout_id is None else self.put_picture(self.picture(cutout_id)[..., _ALPHA])

    def set_subject_excluded(self, subject_id: str, excluded: bool) -> None:
        """Take a photo out of plans and releases, or back in."""
        with self._writing() as connection:
            photos.exclude(connection, subject_id, excluded)

    def subject(self, subject_id: str) -> Photo:
        """A photo. NotFound when there is none with this id."""
        with self._reading() as connection:
            return photos.one(connection, subject_id)

    def subject_ids(self) -> set[str]:
        """The ids of all photos, excluded ones too."""
        with self._reading() as connection:
            return photos.ids(connection)

    def subjects(
        self,
        *,
        label: str | None = None,
        split: str | None = None,
        doubtful: bool | None = None,
        usable: bool | None = None,
        limit: int | None = None,
    ) -> list[Photo]:
        """Photos in order of import. Usable: cut out, no doubts; doubtful: with doubts; both not excluded."""
        wanted = photos.PhotoFilter(label=label, split=split, doubtful=doubtful, usable=usable, limit=limit)
        with self._reading() as connection:
            return photos.some(connection, wanted)

    def record_refusal(self, source: str, name: str, reason: str) -> None:
        """Note a file of a source that did not become a subject."""
        with self._writing() as connection:
            photos.record_refusal(connection, Refusal(source=source, name=name, reason=reason))

    def refusals(self) -> list[Refusal]:
        """All refused files."""
        with self._reading() as connection:
            return photos.all_refusals(connection)
