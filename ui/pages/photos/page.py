"""The Photos page: import photos and check what was cut out, doubtful masks first."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import gradio as gr

from ui.access import Capability, handler
from ui.components.addresses import file_address
from ui.components.frame import build_head
from ui.components.html import empty_html, note_html, progress_html
from ui.components.tiles import Tile, build_tiles, tiles_html
from ui.components.unchecked import build_unchecked
from ui.errors import AT_ONCE, QUIET
from ui.pages.photos.check import build_check
from ui.pages.photos.importing import build_import
from ui.pages.photos.mask_editor import build_closeup, shown_photos
from ui.pages.photos.starter_job import StarterJob

if TYPE_CHECKING:
    from pipeline.domain.photos import Photo
    from pipeline.studio import Studio

_PAGE = 60  # thumbnails at once
_POLL_S = 1.5
_BACKGROUNDS = [("checker", "checker"), ("green", "green"), ("dark", "dark")]
_PURPOSE = "The object of each photo is cut out of its background. Check the doubtful masks and edit them where needed."
_EMPTY = empty_html(
    "No photos yet",
    "Import a .zip or a folder with one sub-folder per class, or start with the rendered starter set.",
)


@dataclass(frozen=True, slots=True)
class PhotosView:
    """The overview: the photos that pass the filters of the page."""

    studio: Studio
    starter: StarterJob

    def overview(self, label: str, doubtful: bool, background: str, first: int) -> tuple[object, ...]:
        """Return class choices, thumbnails, the line under them, the buttons of the pager, the first index."""
        classes = self.studio.library.counts().classes
        label = label if label in classes else ""
        choices = [
            (f"all {sum(classes.values())}", ""),
            *((f"{name} {count}", name) for name, count in classes.items()),
        ]
        photos = shown_photos(self.studio, label, doubtful)
        first = max(0, min(first, (len(photos) - 1) // _PAGE * _PAGE))
        shown = photos[first : first + _PAGE]
        grid = tiles_html([self._tile(photo) for photo in shown], background=background)
        empty = _EMPTY if not classes else empty_html("No photos match", "Change the filters to see others.")
        return (
            gr.Radio(choices=choices, value=label, visible=bool(classes)),
            grid if shown else "" if self.starter.running else empty,
            f"{first + 1}–{first + len(shown)} of {len(photos)}" if shown else "",
            gr.Button(visible=first > 0),
            gr.Button(visible=first + _PAGE < len(photos)),
            first,
        )

    def from_start(self, label: str, doubtful: bool, background: str) -> tuple[object, ...]:
        """Return the overview from the first photo on."""
        return self.overview(label, doubtful, background, 0)

    def previous_page(self, label: str, doubtful: bool, background: str, first: int) -> tuple[object, ...]:
        """Return the overview one page back."""
        return self.overview(label, doubtful, background, first - _PAGE)

    def next_page(self, label: str, doubtful: bool, background: str, first: int) -> tuple[object, ...]:
        """Return the overview one page on."""
        return self.overview(label, doubtful, background, first + _PAGE)

    def starting(self) -> tuple[str, gr.Timer]:
        """Return the progress of the starter set, and whether to keep polling."""
        if self.starter.running:
            sentence = "Rendering the starter set: machine parts, each with its exact mask"
            if self.starter.total:
                sentence += f" · {self.starter.done} of {self.starter.total}"
            return progress_html(self.starter.done, self.starter.total, sentence), gr.Timer(active=True)
        return note_html([self.starter.problem] if self.starter.problem else [], kind="bad"), gr.Timer(
            active=False
        )

    def _tile(self, photo: Photo) -> Tile:
        return Tile(
            id=photo.id,
            address=file_address(self.studio.photos.thumbnail_path(photo.cutout_id or photo.image_id)),
            caption=photo.label if photo.split == "train" else f"{photo.label} · test",
            flag="; ".join(photo.mask_doubts),
            muted=photo.excluded,
        )


def build_photos_page(page: gr.Blocks, studio: Studio, starter: StarterJob) -> None:
    """Lay out and wire the page."""
    build_head("Photos", _PURPOSE)
    view, first = PhotosView(studio, starter), gr.State(0)
    follow_changes = build_unchecked(page, studio)
    check = build_check(studio)
    with gr.Row(elem_classes="columns") as overview:
        with gr.Column(scale=5, elem_classes="main"):
            progress = gr.HTML()
            with gr.Row(elem_classes="filters"):
                label = gr.Radio(
                    [("all", "")], value="", show_label=False, elem_classes="pills", container=False
                )
            tiles = build_tiles(elem_id="photos", label="Photos")
            with gr.Row(elem_classes="pager"):
                previous = gr.Button("Previous", size="sm", visible=False, scale=0)
                line = gr.Markdown()
                following = gr.Button("Next", size="sm", visible=False, scale=0)
        with gr.Column(scale=2, min_width=300, elem_classes="side"):
            with gr.Column(elem_classes="pane"):
                doubtful = gr.Checkbox(label="Doubtful masks only", container=False)
                background = gr.Radio(_BACKGROUNDS, value="checker", label="Background", elem_classes="pills")
            imported = build_import(page, studio)
    shown = [label, tiles, line, previous, following, first]
    asked = [label, doubtful, background, first]
    edited = build_closeup(
        studio, overview=overview, picks=(tiles.pick, check.edit), leave=check.left, filters=(label, doubtful)
    )
    look = handler(studio, Capability.LOOK)
    refresh = look(view.overview)
    page.load(refresh, asked, shown, **AT_ONCE)
    for change in (label.input, doubtful.input):
        change(look(view.from_start), asked[:3], shown, **QUIET)
    for change in (background.input, imported, edited, check.left):
        change(refresh, asked, shown, **QUIET)
    follow_changes((imported, edited, check.left, check.edit))
    previous.click(look(view.previous_page), asked, shown, **QUIET)
    following.click(look(view.next_page), asked, shown, **QUIET)
    timer = gr.Timer(_POLL_S)
    timer.tick(look(view.starting), None, [progress, timer], **QUIET).then(refresh, asked, shown, **QUIET)
