"""What depends on photos that are deleted or change their split: samples, planned specs, image files."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

from sqlalchemy import ColumnElement, Connection, delete, exists, select

from pipeline.store.plan_writer import UNRENDERED, drop_unwanted
from pipeline.store.schema import decisions, embeddings, photos, plan_specs, sample_photos, samples
from pipeline.store.sql import chunks

_NAMED = re.compile(r'"(?:cutout_id|backdrop_id|reference_id)":"(\w+)"')  # in the canonical JSON of a spec


def forget_planned(connection: Connection, photo_ids: Sequence[str]) -> None:
    """Drop the specs that place these photos, were not rendered and that nobody decided on."""
    for chunk in chunks(photo_ids):
        unrendered = _of_photos(chunk) & samples.c.state.in_(UNRENDERED)
        planned = select(samples.c.id).join(sample_photos).where(unrendered)
        connection.execute(delete(plan_specs).where(plan_specs.c.sample_id.in_(planned)))
    drop_unwanted(connection)


def kept_samples(connection: Connection, photo_ids: Sequence[str]) -> dict[str, set[str]]:
    """Photo id → ids of the samples that place it and were rendered or decided on; photos without any are left out."""
    decided = exists().where(decisions.c.sample_id == samples.c.id)
    links = select(sample_photos.c.subject_id, sample_photos.c.sample_id).join(samples)
    kept: dict[str, set[str]] = {}
    for chunk in chunks(photo_ids):
        of_chunk = links.where(_of_photos(chunk), samples.c.state.not_in(UNRENDERED) | decided)
        for photo_id, sample_id in connection.execute(of_chunk):
            kept.setdefault(photo_id, set()).add(sample_id)
    return kept


def unneeded(connection: Connection, image_ids: Iterable[str]) -> list[str]:
    """Those of some images that no photo, sample or spec needs."""
    left = set(image_ids)
    for chunk in chunks(sorted(left)):
        for column in (photos.c.photo_id, photos.c.cutout_id, photos.c.mask_id):
            present = column.in_(chunk) & photos.c.deleted_at.is_(None)
            left.difference_update(connection.scalars(select(column).where(present)))
        for column in (samples.c.image_id, samples.c.mask_id):
            left.difference_update(connection.scalars(select(column).where(column.in_(chunk))))
    if left:
        for text in connection.scalars(select(samples.c.spec)):
            left.difference_update(_NAMED.findall(text))
    return sorted(left)


def forget_embeddings(connection: Connection, image_ids: Iterable[str]) -> None:
    """Drop the embeddings of images that are no more."""
    for chunk in chunks(image_ids):
        connection.execute(delete(embeddings).where(embeddings.c.image_id.in_(chunk)))


def _of_photos(photo_ids: Sequence[str]) -> ColumnElement[bool]:
    return sample_photos.c.subject_id.in_(photo_ids)
