"""What the Create page does, without its widgets."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

import gradio as gr
from gradio.context import LocalContext

from pipeline.errors import InvalidRequest, NotFound, StudioError
from ui.components.addresses import file_address, inline_picture
from ui.components.html import note_html
from ui.components.session_store import SessionStore, session_of
from ui.components.tiles import Tile, tiles_html
from ui.pages.create.controls import Controls, Values
from ui.visitors import MODEL, Visitors

if TYPE_CHECKING:
    from pipeline.domain.photos import Photo
    from pipeline.services.reports import Variant
    from pipeline.studio import Studio

_PREVIEW_PX = 384
_PHOTOS_OFFERED = 36
_VARIANTS = 4  # at once
_VARIANTS_KEPT = 12  # of a session: three rounds
_BYTES_KEPT = 512_000_000  # of all sessions together


def _size(variant: Variant) -> int:
    return int(variant.image.nbytes + variant.before.nbytes)


def _variant_store() -> SessionStore[Variant]:
    return SessionStore(per_session=_VARIANTS_KEPT, most_bytes=_BYTES_KEPT, size_of=_size)


@dataclass(frozen=True, slots=True)
class Creating:
    """What the page does. Variants stay in memory, each with the browser session that had it made."""

    studio: Studio
    controls: Controls
    chosen: gr.Textbox  # the id of the photo whose object is placed
    visitors: Visitors
    variants: SessionStore[Variant] = field(default_factory=_variant_store)

    def model(self, given: str) -> str:
        """Return the model that the person may use."""
        return MODEL if self.visitors.limited(LocalContext.request.get(None)) else given

    def notes(self, prompt: str, model: str) -> str:
        """Return the notes on a prompt, or what is wrong with the model, which is no message at every key."""
        try:
            return note_html(self.studio.plans.prompt_notes(prompt, self.model(model))) if prompt else ""
        except StudioError as error:
            return note_html([str(error)], kind="bad")

    def preview(self, values: Values) -> str:
        """Return the value of the stage for the present position of the sliders."""
        if not values[self.chosen]:
            return ""
        placement = self.controls.placement(values)
        return inline_picture(
            self.studio.samples.placed_preview(str(values[self.chosen]), placement, _PREVIEW_PX)
        )

    def create(self, values: Values, progress: gr.Progress, request: gr.Request | None) -> list[str]:
        """Render four variants, or as many as the person may have; return their ids."""
        if not values[self.chosen]:
            raise InvalidRequest("choose an object first; there is none in this library yet")
        session = session_of(request)
        asked = self.controls.request(values, str(values[self.chosen]), _VARIANTS)
        with self.visitors.drawing(request, model=asked.model, count=asked.count) as count:
            variants = self.studio.samples.create(
                replace(asked, count=count),
                on_step=lambda step, steps: progress((step, steps), desc="Rendering", unit="steps"),
            )
        for variant in variants:
            self.variants.put(session, variant.spec.id, variant)
        return [variant.spec.id for variant in variants]

    def variant(self, sample_id: str, request: gr.Request | None) -> Variant:
        """Return a variant of the session by its id.

        Raises:
            NotFound: it is another session's, or newer ones have replaced it.
        """
        variant = self.variants.get(session_of(request), sample_id)
        if variant is None:
            raise NotFound("variant", sample_id)
        return variant

    def strip(self, ids: list[str], shown: str, request: gr.Request | None) -> str:
        """Return the variants of the session as thumbnails."""
        session = session_of(request)
        variants = [self.variants.get(session, sample_id) for sample_id in ids]
        return tiles_html(
            [
                Tile(
                    id=variant.spec.id,
                    address=inline_picture(variant.image),
                    caption=f"seed {variant.spec.seed}",
                    flag="; ".join(map(str, variant.failed_gates)),
                    chosen=variant.spec.id == shown,
                )
                for variant in variants
                if variant is not None
            ]
        )

    def first_photo(self, asked: str) -> str:
        """Return the id to begin with: the one asked for if it exists, else the best mask's; "" for none."""
        photos = sorted(self._placeable(""), key=lambda photo: (bool(photo.mask_doubts), -photo.mask_score))
        if asked in {photo.id for photo in photos}:
            return asked
        return photos[0].id if photos else ""

    def photos(self, label: str, chosen: str) -> str:
        """Return the photos whose objects can be placed, as a strip; the chosen one comes first."""
        photos = sorted(
            self._placeable(label),
            key=lambda photo: (photo.id != chosen, bool(photo.mask_doubts), photo.name),
        )
        return tiles_html([_tile(self.studio, photo, chosen) for photo in photos[:_PHOTOS_OFFERED]])

    def _placeable(self, label: str) -> list[Photo]:
        photos = self.studio.library.photos.list(label=label or None)
        return [photo for photo in photos if photo.cutout_id and not photo.excluded]


def _tile(studio: Studio, photo: Photo, chosen: str) -> Tile:
    address = file_address(studio.photos.thumbnail_path(photo.cutout_id or photo.image_id))
    return Tile(id=photo.id, address=address, caption=photo.label, chosen=photo.id == chosen)
