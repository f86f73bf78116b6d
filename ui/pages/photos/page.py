"""The Photos page: import photos and check what was cut out, doubtful masks first."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import gradio as gr

from ui.access import Capability, handler
from ui.components.addresses import file_address
from ui.components.frame import build_bar, build_head
from ui.components.html import empty_html, progress_html
from ui.components.tiles import Tile, build_tiles, tiles_html
from ui.errors import AT_ONCE, QUIET
from ui.pages.photos.importing import build_import
from ui.pages.photos.mask_editor import build_closeup, shown_subjects
from ui.pages.photos.starter_job import StarterJob

if TYPE_CHECKING:
    from pipeline.domain.photos import Photo
    from pipeline.studio import Studio

_PAGE = 60  # thumbnails at once
_POLL_S = 1.5
_GROUNDS = [("paper", "checker"), ("green", "green"), ("dark", "dark")]
_EMPTY = empty_html(
    "No photographs yet",
    "Import a .zip or a folder with one sub-folder per class, or start with the rendered starter set.",
)


@dataclass(frozen=True, slots=True)
class PhotosView:
    """What the overview shows for the filters of a page."""

    studio: Studio
    starter: StarterJob

    def overview(self, label: str, doubtful: bool, ground: str, first: int) -> tuple[Any, ...]:
        """Class choices, thumbnails, the line under them, whether there is a page before and after."""
        classes = self.studio.library.counts().classes
        label = label if label in classes else ""
        choices = [
            (f"all {sum(classes.values())}", ""),
            *((f"{name} {n}", name) for name, n in classes.items()),
        ]
        subjects = shown_subjects(self.studio, label, doubtful)
        first = max(0, min(first, (len(subjects) - 1) // _PAGE * _PAGE))
        shown = subjects[first : first + _PAGE]
        grid = tiles_html([self._tile(one) for one in shown], ground=ground)
        nothing = _EMPTY if not classes else empty_html("Nothing here", "No photo matches this filter.")
        return (
            gr.Radio(choices=choices, value=label, visible=bool(classes)),
            grid if shown else "" if self.starter.running else nothing,
            f"{first + 1}–{first + len(shown)} of {len(subjects)}" if shown else "",
            gr.Button(visible=first > 0),
            gr.Button(visible=first + _PAGE < len(subjects)),
            first,
        )

    def starting(self) -> tuple[str, gr.Timer]:
        """The progress of the starter set, and whether to go on asking."""
        if self.starter.running:
            said = "Rendering the starter set: machine parts, each with its exact mask"
            if self.starter.total:
                said += f" · {self.starter.done} of {self.starter.total}"
            return progress_html(self.starter.done, self.starter.total, said), gr.Timer(active=True)
        return self.starter.problem, gr.Timer(active=False)

    def _tile(self, subject: Photo) -> Tile:
        return Tile(
            id=subject.id,
            address=file_address(self.studio.photos.thumbnail_path(subject.cutout_id or subject.photo_id)),
            caption=subject.label if subject.split == "train" else f"{subject.label} · test",
            flag="; ".join(subject.mask_doubts),
            muted=subject.excluded,
        )


def build_photos_page(page: gr.Blocks, studio: Studio, starter: StarterJob) -> None:
    """Lay out and wire the page."""
    build_bar(page, studio, "")
    build_head(
        "Photos",
        "The object of each photo is cut out of its background. Check the doubtful masks and edit them where needed.",
    )
    view = PhotosView(studio, starter)
    first = gr.State(0)
    with gr.Row(elem_classes="columns") as overview:
        with gr.Column(scale=5, elem_classes="main"):
            progress = gr.HTML()
            with gr.Row(elem_classes="filters"):
                label = gr.Radio(
                    [("all", "")], value="", show_label=False, elem_classes="pills", container=False
                )
            tiles = build_tiles(elem_id="photos", label="Photographs")
            with gr.Row(elem_classes="pager"):
                before = gr.Button("Previous", size="sm", visible=False, scale=0)
                line = gr.Markdown()
                after = gr.Button("Next", size="sm", visible=False, scale=0)
        with gr.Column(scale=2, min_width=300, elem_classes="side"):
            with gr.Column(elem_classes="pane"):
                doubtful = gr.Checkbox(label="Doubtful masks only", container=False)
                ground = gr.Radio(_GROUNDS, value="checker", label="Background", elem_classes="pills")
            imported = build_import(page, studio)
    shown = [label, tiles, line, before, after, first]
    asked = [label, doubtful, ground, first]
    mended = build_closeup(studio, overview=overview, tiles=tiles, filters=(label, doubtful))
    look = handler(studio, Capability.LOOK)
    overview_of: Callable[..., tuple[Any, ...]] = view.overview
    refresh = look(overview_of)
    page.load(refresh, asked, shown, **AT_ONCE)
    for change in (label.input, doubtful.input):
        change(look(lambda *f: overview_of(*f, 0)), asked[:3], shown, **QUIET)
    for change in (ground.input, imported, mended):
        change(refresh, asked, shown, **QUIET)
    before.click(look(lambda *f: overview_of(*f[:3], f[3] - _PAGE)), asked, shown, **QUIET)
    after.click(look(lambda *f: overview_of(*f[:3], f[3] + _PAGE)), asked, shown, **QUIET)
    timer = gr.Timer(_POLL_S)
    timer.tick(look(view.starting), None, [progress, timer], **QUIET).then(refresh, asked, shown, **QUIET)
