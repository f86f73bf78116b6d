"""Checks that a library is consistent: files ↔ rows ↔ hashes, counters ↔ rows, states ↔ events."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from sqlalchemy import Connection, select

from pipeline.domain.recipe import learnt_of
from pipeline.domain.review import RELEASE_PLAN
from pipeline.domain.spec import SampleSpec
from pipeline.errors import StudioError
from pipeline.store import review_states
from pipeline.store.counters import actual_counters, stored_counters
from pipeline.store.database import damage
from pipeline.store.image_files import ImageFiles
from pipeline.store.rows import RENDERED_STATES
from pipeline.store.schema import metadata, photos, plans, sample_photos, samples

_STORED_AGAIN = (
    "; `python -m pipeline generate` with its recipe stores it again from the field profile; if the profile is lost, "
    "learn it again from the same photos first"
)
Progress = Callable[[int, int], None]  # images checked, images in total


def problems(connection: Connection, images: ImageFiles, on_progress: Progress | None) -> Iterator[str]:
    """Everything that is wrong, one sentence each. An image file without a row is not a fault."""
    yield from damage(connection)
    unreadable = list(_values(connection))
    yield from unreadable
    if unreadable:
        return  # the rest reads the same values
    yield from _specs(connection)
    yield from _splits(connection)
    yield from _counters(connection)
    yield from _states(connection)
    yield from _image_faults(connection, images, on_progress)


def needed_images(connection: Connection) -> dict[str, str]:
    """Image id → what needs it, for every image that a row names; a deleted photo needs none."""
    owners = {image_id: f"background of plan '{plan}'" for image_id, plan in _learnt(connection).items()}
    for row in connection.execute(select(photos).where(photos.c.deleted_at.is_(None))):
        for part, needed_id in (("photo", row.photo_id), ("cut-out", row.cutout_id), ("mask", row.mask_id)):
            if needed_id:
                owners.setdefault(needed_id, f"{part} of {row.label}/{row.name}")
    columns = (samples.c.id, samples.c.image_id, samples.c.mask_id, samples.c.spec, samples.c.plan)
    for sample_id, image_id, mask_id, text, plan in connection.execute(select(*columns)):
        for part, needed_id in (("image", image_id), ("mask", mask_id)):
            if needed_id:
                owners.setdefault(needed_id, f"{part} of sample {sample_id}")
        spec = None if plan.startswith(RELEASE_PLAN) else _parsed(text)
        for image_id in spec.ingredients if spec else ():
            owners.setdefault(image_id, f"ingredient of sample {sample_id}")
    return owners


def _parsed(text: str) -> SampleSpec | None:
    try:
        return SampleSpec.from_json(text)
    except (ValueError, KeyError, TypeError, StudioError):
        return None


def _learnt(connection: Connection) -> dict[str, str]:
    """Background that a plan took from a field profile → the plan; samples may not show it yet."""
    plan_of: dict[str, str] = {}
    for name, text in connection.execute(select(plans.c.name, plans.c.recipe_yaml).order_by(plans.c.name)):
        learnt = learnt_of(text)
        for image_id in (learnt.backgrounds if learnt else None) or ():
            plan_of.setdefault(image_id, name)
    return plan_of


def _image_faults(connection: Connection, images: ImageFiles, on_progress: Progress | None) -> Iterator[str]:
    remedies = dict.fromkeys(_learnt(connection), _STORED_AGAIN)
    for image_id, owner, fault in broken_images(connection, images, on_progress):
        yield f"the {owner} {fault}: {images.path(image_id)}{remedies.get(image_id, '')}"


def broken_images(
    connection: Connection, images: ImageFiles, on_progress: Progress | None = None
) -> Iterator[tuple[str, str, str]]:
    """(image id, what needs it, what is wrong with its file) of the images that are not sound."""
    owners = needed_images(connection)
    for done, (image_id, owner) in enumerate(owners.items(), start=1):
        if fault := images.fault(image_id):
            yield image_id, owner, fault
        if on_progress:
            on_progress(done, len(owners))


def _values(connection: Connection) -> Iterator[str]:
    """Tables with a value that is not of its column's type, such as JSON that was overwritten."""
    for table in metadata.sorted_tables:
        try:
            for _ in connection.execute(select(table)):
                pass
        except (ValueError, TypeError):
            yield f"database: a value in table {table.name} cannot be read"


def _specs(connection: Connection) -> Iterator[str]:
    columns = (samples.c.id, samples.c.spec, samples.c.state, samples.c.image_id)
    for sample_id, text, state, image_id in connection.execute(select(*columns)):
        spec = _parsed(text)
        if spec is None or spec.id != sample_id:
            yield f"the spec of sample {sample_id} was changed after it was planned"
        if (state in RENDERED_STATES) != (image_id is not None):
            yield f"sample {sample_id} is {state} but has {'an' if image_id else 'no'} image"


def _splits(connection: Connection) -> Iterator[str]:
    joined = samples.join(sample_photos, sample_photos.c.sample_id == samples.c.id).join(
        photos, photos.c.id == sample_photos.c.subject_id
    )
    columns = (samples.c.id, samples.c.split, photos.c.label, photos.c.name, photos.c.split)
    leaking = select(*columns).select_from(joined).where(samples.c.split != photos.c.split)
    for sample_id, split, label, name, other in connection.execute(leaking):
        yield f"sample {sample_id} is in split {split}, its photo {label}/{name} in {other}"


def _counters(connection: Connection) -> Iterator[str]:
    stored, counted = stored_counters(connection), actual_counters(connection)
    for scope, key in sorted(stored.keys() | counted.keys()):
        shown, actual = stored.get((scope, key), 0), counted.get((scope, key), 0)
        if shown != actual:
            yield f"the counter of {scope} '{key}' says {shown}, there are {actual}"


def _states(connection: Connection) -> Iterator[str]:
    for sample_id, (stored, _, _), state, _, _ in review_states.replayed(connection):
        if stored is not state:
            yield f"sample {sample_id} is {stored}, its decisions say {state}"
    for sample_id in review_states.wrong_votes(connection):
        yield f"the votes on sample {sample_id} are not those of its decisions"
