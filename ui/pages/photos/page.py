"""The Photos page: import photos, look them over, and check what was cut out."""

from __future__ import annotations

from typing import TYPE_CHECKING

import gradio as gr

from ui.access import Capability, handler
from ui.components.frame import build_head
from ui.components.html import note_html, progress_html
from ui.components.unchecked import build_unchecked
from ui.errors import QUIET
from ui.pages.photos.check import build_check
from ui.pages.photos.importing import build_import
from ui.pages.photos.mask_canvas import build_mask_canvas
from ui.pages.photos.overview import build_overview
from ui.pages.photos.starter_job import StarterJob

if TYPE_CHECKING:
    from pipeline.studio import Studio

_POLL_S = 1.5
_PURPOSE = "The object of each photo is cut out of its background. Check the doubtful masks and edit them where needed."
# what the browser does for the overview, see `static/photos/overview.js`
_PHOTOS_CHANGED = "() => { window.dispatchEvent(new Event('photos-changed')); }"


def build_photos_page(page: gr.Blocks, studio: Studio, starter: StarterJob) -> None:
    """Lay out and wire the page."""
    build_head("Photos", _PURPOSE)
    follow_changes = build_unchecked(page, studio)
    check, canvas = build_check(studio), build_mask_canvas(studio)
    with gr.Row(elem_classes=["columns", "overview"]):
        with gr.Column(scale=5, elem_classes="main"):
            progress = gr.HTML()
            photos = build_overview(studio, starter)
        with gr.Column(scale=2, min_width=300, elem_classes="side"):
            imported = build_import(page, studio)
    for change in (imported, canvas.stored, check.left):
        change(None, None, None, js=_PHOTOS_CHANGED)
    follow_changes((imported, canvas.stored, photos.changed, check.left))
    timer = gr.Timer(_POLL_S)

    @handler(studio, Capability.LOOK)
    def starting() -> tuple[str, gr.Timer]:
        return starter_progress(starter)

    polled = timer.tick(starting, None, [progress, timer], **QUIET)
    polled.then(None, None, None, js=_PHOTOS_CHANGED)


def starter_progress(starter: StarterJob) -> tuple[str, gr.Timer]:
    """Return the progress of the starter set, and whether to keep polling."""
    if starter.running:
        sentence = "Rendering the starter set: machine parts, each with its exact mask"
        if starter.total:
            sentence += f" · {starter.done} of {starter.total}"
        return progress_html(starter.done, starter.total, sentence), gr.Timer(active=True)
    return note_html([starter.problem] if starter.problem else [], kind="bad"), gr.Timer(active=False)
