"""What the Create page does, without its widgets."""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import gradio as gr
from gradio.context import LocalContext

from pipeline.errors import InvalidRequest, NotFound
from pipeline.services.samples.create import CreateRequest
from ui.components.addresses import file_address, inline_picture
from ui.components.stage import stage_value
from ui.components.tiles import Tile, tiles_html
from ui.pages.create.controls import Controls, Values
from ui.visitors import MODEL, Visitors

if TYPE_CHECKING:
    from pipeline.domain.photos import Photo
    from pipeline.services.reports import Created
    from pipeline.studio import Studio

_PREVIEW_PX = 384
_OFFERED = 36  # photographs in the strip
_KEPT_VARIANTS = 32
_VARIANTS = 4


@dataclass(frozen=True, slots=True)
class Creating:
    """What the page does. Variants stay here, by sample id, until newer ones push them out."""

    studio: Studio
    controls: Controls
    chosen: gr.State
    visitors: Visitors
    variants: OrderedDict[str, Created] = field(default_factory=OrderedDict)

    def model(self, given: str) -> str:
        """The model that who asks may use."""
        return MODEL if self.visitors.limited(LocalContext.request.get(None)) else given

    def preview(self, values: Values) -> str:
        """The value of the stage for the sliders as they are."""
        if not values[self.chosen]:
            return ""
        placement = self.controls.placement(values)
        return stage_value(self.studio.samples.placed_preview(values[self.chosen], placement, _PREVIEW_PX))

    def create(self, values: Values, progress: gr.Progress, asking: object) -> list[str]:
        """Render four variants, or as many as who asks may have; their ids."""
        if not values[self.chosen]:
            raise InvalidRequest("choose an object first; there is none in this library yet")
        request = self.controls.request(values)
        with self.visitors.drawing(asking, model=request["model"], count=_VARIANTS) as count:
            made = self.studio.samples.create(
                CreateRequest(
                    subject_id=values[self.chosen],
                    placement=self.controls.placement(values),
                    count=count,
                    **request,
                ),
                on_step=lambda step, steps: progress((step, steps), desc="painting", unit="steps"),
            )
        for one in made:
            self.variants[one.spec.id] = one
        while len(self.variants) > _KEPT_VARIANTS:
            self.variants.popitem(last=False)
        return [one.spec.id for one in made]

    def variant(self, sample_id: str) -> Created:
        """One variant by its id."""
        if sample_id not in self.variants:
            raise NotFound("variant", sample_id)
        return self.variants[sample_id]

    def strip(self, ids: list[str], shown: str) -> str:
        """The variants as thumbnails."""
        there = [self.variants[one] for one in ids if one in self.variants]
        return tiles_html(
            [
                Tile(
                    id=one.spec.id,
                    address=inline_picture(one.image),
                    caption=f"seed {one.spec.seed}",
                    flag="; ".join(map(str, one.failed_gates)),
                    chosen=one.spec.id == shown,
                )
                for one in there
            ]
        )

    def first_object(self, asked: str) -> str:
        """The id to begin with: the one asked for where it is there, else that with the best mask; "" for none."""
        there = sorted(self._placeable(""), key=lambda one: (bool(one.mask_doubts), -one.mask_score))
        return asked if asked in {one.id for one in there} else there[0].id if there else ""

    def objects(self, label: str, chosen: str) -> str:
        """The photographs that can be placed, as a strip."""
        fit = sorted(
            self._placeable(label), key=lambda one: (one.id != chosen, bool(one.mask_doubts), one.name)
        )
        return tiles_html([_tile(self.studio, one, chosen) for one in fit[:_OFFERED]])

    def _placeable(self, label: str) -> list[Photo]:
        subjects = self.studio.library.photos.list(label=label or None)
        return [one for one in subjects if one.cutout_id and not one.excluded]


def _tile(studio: Studio, subject: Photo, chosen: str) -> Tile:
    address = file_address(studio.photos.thumbnail_path(subject.cutout_id or subject.photo_id))
    return Tile(id=subject.id, address=address, caption=subject.label, chosen=subject.id == chosen)
