"""What a reviewer may request for a sample: the photo in its place, and another try with a new seed."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from pipeline.domain.images import RGB
from pipeline.domain.placement import box_centre, object_box
from pipeline.domain.recipe import AGAIN_PLAN
from pipeline.domain.spec import Method, SampleSpec
from pipeline.domain.warping import warp
from pipeline.errors import InvalidRequest, NotFound, StudioError
from pipeline.rendering import model_facts
from pipeline.rendering.runner import RenderedSample
from pipeline.services.file_access import FileAccess
from pipeline.services.samples.recording import record_single
from pipeline.services.samples.runs import cutout_of, render
from pipeline.store import Library, SampleRow

_BACKGROUND_GREY = 127  # where the photo does not reach
_OPAQUE = 255


def photo_in_place(library: Library, sample_id: str) -> RGB:
    """Return the photo of a sample's front object, moved as the object was; (H, W, 3) uint8 of the sample's size.

    Pixels that the photo does not reach are mid grey.

    Raises:
        InvalidRequest: the sample has no image yet.
    """
    row = library.samples.get(sample_id)
    if not row.homographies:
        raise InvalidRequest(f"sample {sample_id} has no image yet; generate it first")
    photo = library.images.read(library.photos.get(row.spec.front.photo_id).image_id)[..., :3]
    matrix = np.asarray(row.homographies[-1], np.float64)
    at = box_centre(object_box(cutout_of(library, row.spec.front.cutout_id).alpha))
    cover = warp(np.full(photo.shape[:2], _OPAQUE, np.uint8), matrix, row.spec.size, at=at)
    share = cover[..., None].astype(np.float32) / _OPAQUE
    moved = warp(photo, matrix, row.spec.size, at=at).astype(np.float32)  # black where the cover is 0
    return np.rint(moved + _BACKGROUND_GREY * (1 - share)).astype(np.uint8)


def another_try(library: Library, sample_id: str, access: FileAccess, *, batch_size: int) -> SampleRow:
    """Render the same objects, placement and prompt with the next unused seed; return the new, pending sample.

    The model is the present one of that name, whatever its revision was when the sample was rendered.

    Raises:
        InvalidRequest: the sample was rendered without a model.
        StudioError: it could not be rendered.
    """
    spec = library.samples.get(sample_id).spec
    if spec.method is Method.PASTE:
        raise InvalidRequest(
            "a pasted background has no seed, so there is no other try; choose a sample that a model has rendered"
        )
    revision = model_facts(access.model(spec.model)).revision_for(spec.method)
    spec = _untried(library, replace(spec, revision=revision))

    def record(rendered: SampleSpec, sample: RenderedSample) -> None:
        record_single(library, AGAIN_PLAN, rendered, sample)

    def refuse(_spec: SampleSpec, sentence: str) -> None:
        raise StudioError(sentence)

    render(library, [spec], access, batch_size, record, refuse)
    return library.samples.get(spec.id)


def _untried(library: Library, spec: SampleSpec) -> SampleSpec:
    while True:
        spec = replace(spec, seed=spec.seed + 1)
        try:
            library.plans.spec(spec.id)
        except NotFound:
            return spec
