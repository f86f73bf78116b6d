"""The check of outlines as one `gr.HTML`: flagged photos one after the other, each confirmed, excluded or edited."""

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
    from pipeline.studio import Studio


def build_check(studio: Studio) -> gr.HTML:
    """Build the check, which the address `?check=1` opens; it fires `left`."""
    server = CheckServer(studio)
    return gr.HTML(
        html_template=(STATIC / "check.html").read_text(encoding="utf-8"),
        js_on_load=widget_script("check.js"),
        server_functions=[
            server_function(studio, Capability.LOOK, server.photos_to_check),
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

    def checked(self, question: object) -> Answer:
        """`[photo id, "confirm" or "exclude"]`: store what a person found of an outline."""

        def store() -> Answer:
            match question:
                case [str(photo_id), "confirm"]:
                    self.studio.photos.confirm_mask(photo_id)
                case [str(photo_id), "exclude"]:
                    self.studio.library.photos.set_excluded(photo_id, True)
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
