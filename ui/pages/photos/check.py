"""The check of outlines as one `gr.HTML`: flagged photos one after the other, each confirmed, excluded or edited.

Of a photo that shows several objects a person may also choose one, or have a photo made of each.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import gradio as gr

from pipeline.errors import InvalidRequest
from ui.access import Capability, server_function
from ui.components.addresses import file_address
from ui.components.scripts import widget_script
from ui.session import Answer, answered
from ui.theme import STATIC

if TYPE_CHECKING:
    from pipeline.domain.photos import Photo
    from pipeline.services.photos.several import PhotoObject
    from pipeline.studio import Studio


def build_check(studio: Studio) -> gr.HTML:
    """Build the check, which the address `?check=1` opens; it fires `left`."""
    server = CheckServer(studio)
    return gr.HTML(
        html_template=(STATIC / "check.html").read_text(encoding="utf-8"),
        js_on_load=widget_script("check.js"),
        server_functions=[
            server_function(studio, Capability.LOOK, server.photos_to_check),
            server_function(studio, Capability.LOOK, server.objects_in),
            server_function(studio, Capability.EDIT_MASKS, server.checked),
        ],
        elem_id="check",
    )


@dataclass(frozen=True, slots=True)
class CheckServer:
    """What the check may ask; a refusal is answered with its sentence as `problem`."""

    studio: Studio

    def photos_to_check(self, _question: object) -> Answer:
        """Return the photos whose outline is to be checked, in the order of the check."""
        return answered(lambda: {"photos": [self._entry(photo) for photo in self.studio.photos.to_check()]})

    def objects_in(self, question: object) -> Answer:
        """`photo id`: return the size of a photo and its objects, if it shows several; each with its outlines."""

        def find() -> Answer:
            if not isinstance(question, str):
                raise InvalidRequest("the photo cannot be read; reload the page and try again")
            photo = self.studio.library.photos.get(question)
            objects = self.studio.photos.objects_in(question)
            shown = [_drawn(each) for each in objects] if len(objects) > 1 else []
            return {"width": photo.width, "height": photo.height, "objects": shown}

        return answered(find)

    def checked(self, question: object) -> Answer:
        """Store what a person found of an outline.

        `[photo id, "confirm" or "exclude"]`; of several objects also `[photo id, "object", its number]` or
        `[photo id, "all"]`.
        """

        def store() -> Answer:
            match question:
                case [str(photo_id), "confirm"]:
                    self.studio.photos.confirm_mask(photo_id)
                case [str(photo_id), "exclude"]:
                    self.studio.library.photos.set_excluded(photo_id, True)
                case [str(photo_id), "object", int(number)]:
                    self.studio.photos.choose_object(photo_id, number)
                case [str(photo_id), "all"]:
                    self.studio.photos.use_all_objects(photo_id)
                case _:
                    raise InvalidRequest(
                        "the answer to a check cannot be read; reload the page and try again"
                    )
            return {}

        return answered(store)

    def _entry(self, photo: Photo) -> Answer:
        images = self.studio.library.images
        return {
            "id": photo.id,
            "name": photo.name,
            "label": photo.label,
            "doubts": list(photo.mask_doubts),
            "photo": file_address(images.path(photo.image_id)),
            "cutout": file_address(images.path(photo.cutout_id)) if photo.cutout_id else "",
        }


def _drawn(photo_object: PhotoObject) -> Answer:
    """Return what the page draws of an object: an SVG path, and where its number stands."""
    x0, y0, x1, y1 = photo_object.box
    path = "".join("M" + "L".join(f"{x} {y}" for x, y in outline) + "Z" for outline in photo_object.outlines)
    return {"number": photo_object.number, "path": path, "x": (x0 + x1) / 2, "y": (y0 + y1) / 2}
