"""The overview of the photos as one `gr.HTML`: filters, thumbnails, and changes of many photos at once."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any, Literal

import gradio as gr
from pydantic import BaseModel, Field

from pipeline.services.photos.starter import is_starter
from pipeline.store import PhotoDeletion
from ui.access import Capability, may, server_function
from ui.components.addresses import file_address
from ui.components.html import counted
from ui.components.scripts import widget_script
from ui.pages.photos.filters import FilteredPhotos, PhotoFilter, filtered_photos, needs_check
from ui.requests import Id, read
from ui.session import Answer, answered
from ui.theme import STATIC

if TYPE_CHECKING:
    from pipeline.domain.photos import Photo
    from pipeline.studio import Studio
    from ui.pages.photos.starter_job import StarterJob

_ON_A_PAGE = 60
_CUT_OUT_AT_ONCE = 4  # about a second each
_MOST_PHOTOS = 100_000  # in one request


def build_overview(studio: Studio, starter: StarterJob) -> gr.HTML:
    """Build the overview, which follows the address of the page (see `static/photos/address.js`).

    It fires `changed` when photos were changed, and reads the photos anew when the window gets the event
    `photos-changed`.
    """
    return gr.HTML(
        html_template=(STATIC / "photos" / "overview.html").read_text(encoding="utf-8"),
        js_on_load=widget_script("photos/overview.js"),
        server_functions=list(OverviewServer(studio, starter).functions()),
        elem_id="photos",
    )


Ids = Annotated[list[Id], Field(min_length=1, max_length=_MOST_PHOTOS)]


class PageRequest(BaseModel):
    """One page of the photos that match a filter, see `PhotoFilter.read`."""

    filter: Annotated[dict[str, Any], Field(max_length=10)] = {}
    page: Annotated[int, Field(ge=1, le=1_000_000)] = 1


class PhotosRequest(BaseModel):
    """Some photos."""

    ids: Ids


class ExclusionRequest(PhotosRequest):
    """Photos to take out of plans and releases, or back in."""

    excluded: bool


class ClassRequest(PhotosRequest):
    """Photos that get another class."""

    label: Annotated[str, Field(max_length=400)]


class SplitRequest(PhotosRequest):
    """Photos that move to another split."""

    split: Literal["train", "test"]


@dataclass(frozen=True, slots=True)
class OverviewServer:
    """What the overview may ask; a refusal is answered with its sentence as `problem`."""

    studio: Studio
    starter: StarterJob

    def functions(self) -> tuple[Callable[..., Answer], ...]:
        """The server functions, each with one value as its question."""
        studio = self.studio
        return (
            server_function(studio, Capability.LOOK, self.photo_page),
            server_function(studio, Capability.LOOK, self.photo_ids),
            server_function(studio, Capability.LOOK, self.samples_of_photos),
            server_function(studio, Capability.EDIT_MASKS, self.exclude_photos),
            server_function(studio, Capability.IMPORT, self.label_photos),
            server_function(studio, Capability.IMPORT, self.move_photos),
            server_function(studio, Capability.IMPORT, self.cut_out_photos),
            server_function(studio, Capability.IMPORT, self.delete_photos),
            server_function(studio, Capability.IMPORT, self.remove_demo),
        )

    def photo_page(self, question: object, request: gr.Request | None = None) -> Answer:
        """`{filter, page}` → the entries of that page, or of the last one, and the count of each filter's values."""

        def page() -> Answer:
            asked = read(PageRequest, question)
            wanted, photos = PhotoFilter.read(asked.filter), filtered_photos(self.studio)
            matching = photos.matching(wanted)
            pages = max(1, math.ceil(len(matching) / _ON_A_PAGE))
            number = min(asked.page, pages)
            first = (number - 1) * _ON_A_PAGE
            return {
                "entries": [self._entry(photo) for photo in matching[first : first + _ON_A_PAGE]],
                "count": len(matching),
                "first": first,
                "page": number,
                "pages": pages,
                "choices": _choices(photos, wanted),
                "total": len(photos.photos),
                "demo": sum(map(is_starter, photos.photos)),
                "filling": self.starter.running,
                "may_change": may(self.studio, request, Capability.IMPORT),
            }

        return answered(page)

    def photo_ids(self, question: object) -> Answer:
        """A filter → the `ids` of all photos that match it, in the order of the pages."""
        return answered(
            lambda: {
                "ids": [
                    photo.id
                    for photo in filtered_photos(self.studio).matching(PhotoFilter.read(question or {}))
                ]
            }
        )

    def samples_of_photos(self, question: object) -> Answer:
        """`{ids}` → `samples`, how many synthetic images were made from these photos."""

        def count() -> Answer:
            kept = self.studio.library.photos.kept_samples(read(PhotosRequest, question).ids)
            return {"samples": len(set().union(*kept.values()))}

        return answered(count)

    def exclude_photos(self, question: object) -> Answer:
        """`{ids, excluded}`: take photos out of plans and releases, or back in."""

        def exclude() -> Answer:
            asked = read(ExclusionRequest, question)
            self.studio.library.photos.exclude_all(asked.ids, asked.excluded)
            did = "excluded from plans and releases" if asked.excluded else "included again"
            return {"said": f"{counted(len(asked.ids), 'photo')} {did}."}

        return answered(exclude)

    def label_photos(self, question: object) -> Answer:
        """`{ids, label}`: give photos another class, which may be new."""

        def label() -> Answer:
            asked = read(ClassRequest, question)
            stored = self.studio.photos.bulk.change_class(asked.ids, asked.label)
            return {"said": f"{counted(len(asked.ids), 'photo')} moved to class {stored}."}

        return answered(label)

    def move_photos(self, question: object) -> Answer:
        """`{ids, split}`: move photos to train or test; `cut_out_photos` follows for those that are now in train."""

        def move() -> Answer:
            asked = read(SplitRequest, question)
            self.studio.photos.bulk.change_split(asked.ids, asked.split)
            return {"said": f"{counted(len(asked.ids), 'photo')} moved to {asked.split}."}

        return answered(move)

    def cut_out_photos(self, question: object) -> Answer:
        """`{ids}` → `left`, how many of these training photos still lack a cut-out; some got one. Ask until it is 0."""
        return answered(
            lambda: {
                "left": self.studio.photos.bulk.cut_out_missing(
                    read(PhotosRequest, question).ids, most=_CUT_OUT_AT_ONCE
                )
            }
        )

    def delete_photos(self, question: object) -> Answer:
        """`{ids}`: delete photos; the synthetic images that were made from them stay."""
        return answered(
            lambda: {
                "said": deletion_sentence(self.studio.photos.bulk.delete(read(PhotosRequest, question).ids))
            }
        )

    def remove_demo(self, _question: object) -> Answer:
        """Delete the starter set; no later start brings it back."""
        return answered(lambda: {"said": deletion_sentence(self.studio.photos.bulk.delete_starter())})

    def _entry(self, photo: Photo) -> Answer:
        shown = photo.image_id if photo.cutout_id is None or photo.box is None else photo.cutout_id
        return {
            "id": photo.id,
            "thumbnail": file_address(self.studio.photos.thumbnail_path(shown)),
            "name": photo.name,
            "label": photo.label,
            "split": photo.split,
            "doubts": "; ".join(photo.mask_doubts) if needs_check(photo) else "",
            "excluded": photo.excluded,
        }


def deletion_sentence(deletion: PhotoDeletion) -> str:
    """Return what was deleted, and what stays of it."""
    sentence = f"{counted(deletion.photos, 'photo')} deleted."
    if deletion.samples:
        stay = "stays" if deletion.samples == 1 else "stay"
        sentence += f" {counted(deletion.samples, 'synthetic image')} that came of them {stay}."
    return sentence


def _choices(photos: FilteredPhotos, wanted: PhotoFilter) -> Answer:
    """The values of each filter with the number of photos that each would show."""
    labels = photos.label_counts(wanted)
    return {
        "label": {label: labels[label] for label in sorted({photo.label for photo in photos.photos})},
        "split": photos.split_counts(wanted),
        "state": photos.state_counts(wanted),
    }
