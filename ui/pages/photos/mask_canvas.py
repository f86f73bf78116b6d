"""One photo, large, as one `gr.HTML`: its outline is edited on a canvas and stored when a person saves it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import gradio as gr

from pipeline.domain.run_lengths import mask_of_runs, run_lengths
from pipeline.errors import InvalidRequest
from ui.access import Capability, may, server_function
from ui.components.addresses import file_address, page_address
from ui.components.scripts import widget_script
from ui.pages.photos.filters import PhotoFilter, shown_photos
from ui.session import Answer, answered
from ui.theme import STATIC

if TYPE_CHECKING:
    from pipeline.domain.images import Mask
    from pipeline.domain.photos import Photo
    from pipeline.studio import Studio

_ORIGINS = {"given": "outline imported", "ground": "outline automatic", "person": "outline by hand"}
_UNREADABLE = "the question about the photo cannot be read; reload the page and try again"


def build_mask_canvas(studio: Studio) -> gr.HTML:
    """Build the canvas, which the address `?photo=ID` opens; it fires `stored` when something of a photo changed."""
    server = MaskCanvasServer(studio)
    edits = (server.region, server.box, server.automatic, server.save, server.confirm, server.exclude)
    return gr.HTML(
        html_template=(STATIC / "mask.html").read_text(encoding="utf-8"),
        js_on_load=widget_script("mask/main.js"),
        server_functions=[
            server_function(studio, Capability.LOOK, server.photo),
            *(server_function(studio, Capability.EDIT_MASKS, edit) for edit in edits),
        ],
        elem_id="mask",
    )


@dataclass(frozen=True, slots=True)
class MaskCanvasServer:
    """What the canvas may ask; masks are run lengths, a refusal is answered with its sentence as `problem`."""

    studio: Studio

    def photo(self, question: object, request: gr.Request) -> Answer:
        """`{id, query}`: return a photo, its mask (None where it has none) and its neighbours under the filters."""

        def read() -> Answer:
            match question:
                case {"id": str(photo_id), "query": dict(query)}:
                    photo = self.studio.library.photos.get(photo_id)
                case _:
                    raise InvalidRequest(_UNREADABLE)
            return {
                "photo": self._entry(photo, editable=may(self.studio, request, Capability.EDIT_MASKS)),
                "mask": run_lengths(self.studio.photos.mask(photo_id)) if photo.cutout_id else None,
                "neighbours": _neighbours(self._order(query), photo_id),
            }

        return answered(read)

    def region(self, question: object) -> Answer:
        """`[photo id, x, y, adds]`: return the region that a click means, as `mask`."""
        match question:
            case [str(photo_id), int(x), int(y), bool(adds)]:
                return _proposed(lambda: self.studio.photos.region_at(photo_id, (x, y), add=adds))
        return {"problem": _UNREADABLE}

    def box(self, question: object) -> Answer:
        """`[photo id, x0, y0, x1, y1]`: return the object inside a box, as `mask`."""
        match question:
            case [str(photo_id), int(x0), int(y0), int(x1), int(y1)]:
                return _proposed(lambda: self.studio.photos.object_in_box(photo_id, (x0, y0, x1, y1)))
        return {"problem": _UNREADABLE}

    def automatic(self, question: object) -> Answer:
        """`photo id`: return the mask that is found without help."""
        match question:
            case str(photo_id):
                return _proposed(lambda: self.studio.photos.automatic_mask(photo_id))
        return {"problem": _UNREADABLE}

    def save(self, question: object) -> Answer:
        """`[photo id, run lengths]`: store a mask; return the photo."""

        def store() -> Photo:
            match question:
                case [str(photo_id), list(runs)]:
                    photo = self.studio.library.photos.get(photo_id)
                    return self.studio.photos.save_mask(
                        photo_id, mask_of_runs(runs, (photo.height, photo.width))
                    )
            raise InvalidRequest(_UNREADABLE)

        return self._stored(store)

    def confirm(self, question: object) -> Answer:
        """`photo id`: store that the outline is right as it is; return the photo."""

        def store() -> Photo:
            match question:
                case str(photo_id):
                    return self.studio.photos.confirm_mask(photo_id)
            raise InvalidRequest(_UNREADABLE)

        return self._stored(store)

    def exclude(self, question: object) -> Answer:
        """`[photo id, excluded]`: take a photo out of plans and releases, or back in; return the photo."""

        def store() -> Photo:
            match question:
                case [str(photo_id), bool(excluded)]:
                    self.studio.library.photos.set_excluded(photo_id, excluded)
                    return self.studio.library.photos.get(photo_id)
            raise InvalidRequest(_UNREADABLE)

        return self._stored(store)

    def _stored(self, store: Callable[[], Photo]) -> Answer:
        return answered(lambda: {"photo": self._entry(store(), editable=True)})

    def _order(self, query: dict[str, object]) -> list[str]:
        """The ids of the photos that the page shows, in its order."""
        if query.get("check") == "1":
            return [photo.id for photo in self.studio.photos.to_check()]
        return [photo.id for photo in shown_photos(self.studio, PhotoFilter.read(query))]

    def _entry(self, photo: Photo, *, editable: bool) -> Answer:
        return {
            "id": photo.id,
            "name": photo.name,
            "label": photo.label,
            "split": photo.split,
            "width": photo.width,
            "height": photo.height,
            "origin": _ORIGINS.get(str(photo.mask_origin), "") if photo.cutout_id else "no outline",
            "doubts": list(photo.mask_doubts),
            "excluded": photo.excluded,
            "usable": photo.usable,
            "editable": editable,
            "image": file_address(self.studio.library.images.path(photo.image_id)),
            "create": page_address("create", subject=photo.id),
        }


def _proposed(propose: Callable[[], Mask]) -> Answer:
    return answered(lambda: {"mask": run_lengths(propose())})


def _neighbours(order: Sequence[str], photo_id: str) -> Answer:
    """The ids before and after a photo, round the ends; empty for the only one, and for one that is not among them."""
    if photo_id not in order or len(order) < 2:
        return {}
    place = order.index(photo_id)
    return {"previous": order[place - 1], "next": order[(place + 1) % len(order)]}
