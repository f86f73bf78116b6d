"""The list of runs on the Generate page, with the images of the one that is picked."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from html import escape
from typing import TYPE_CHECKING

import gradio as gr
from gradio.blocks import Block

from pipeline.errors import InvalidRequest
from pipeline.services.reports import ListedRun, RunState
from ui.access import Capability, handler, may
from ui.components.addresses import file_address
from ui.components.gallery import GalleryImage, build_gallery, gallery_html
from ui.components.html import counted
from ui.components.scripts import widget_script
from ui.components.tiles import picked_id
from ui.errors import AT_ONCE, DISABLE, QUIET

if TYPE_CHECKING:
    from pipeline.store import SampleRow
    from pipeline.studio import Studio

_HEAD = ("recipe", "state", "images", "time left", "last stored")
_ON_A_PAGE = 60
_POLL_S = 5.0
_MINUTE = len("2026-01-01T00:00")


def gallery_image(studio: Studio, row: SampleRow) -> GalleryImage:
    """Return a rendered sample as an image that opens."""
    assert row.image_id is not None
    return GalleryImage(
        thumbnail=file_address(studio.photos.thumbnail_path(row.image_id)),
        full=file_address(studio.library.images.path(row.image_id)),
        caption=row.spec.label,
        description=", ".join(filter(None, (row.spec.label, row.spec.prompt))),
        flag="; ".join(map(str, row.failed_gates)),
    )


def runs_html(runs: Sequence[ListedRun], chosen: str) -> str:
    """Return the list as a table whose names can be picked; "" without runs."""
    if not runs:
        return ""
    top = "".join(f"<th>{title}</th>" for title in _HEAD)
    rows = "".join(_row_html(run, chosen=run.name == chosen) for run in runs)
    table = f'<table class="plain"><thead><tr>{top}</tr></thead><tbody>{rows}</tbody></table>'
    return f'<h2>Runs</h2><div class="scroll">{table}</div>'


def _row_html(run: ListedRun, *, chosen: bool) -> str:
    name = escape(run.name, quote=True)
    pick = f'<button type="button" data-pick="{name}" aria-pressed="{str(chosen).lower()}">{name}</button>'
    failed = f"<small>{run.failed} could not be rendered</small>" if run.failed else ""
    cells = [
        f'<span class="state {run.state}">{run.state}</span>',
        f"{run.done} of {run.total}{failed}",
        run.time_left,
        f"<time>{escape(run.updated_at[:_MINUTE].replace('T', ' '))}</time>",
    ]
    marked = ' class="chosen"' if chosen else ""
    return f"<tr{marked}><th>{pick}</th>{''.join(f'<td>{cell}</td>' for cell in cells)}</tr>"


@dataclass(frozen=True, slots=True)
class Runs:
    """The handlers of the list. The state of a page holds the name of the run that is picked; "" for the latest.

    Whoever may not start runs sees no list, and the images of the latest run of this process only.
    """

    studio: Studio

    def shown(self, chosen: str, page: int, seen: str, request: gr.Request) -> tuple[object, ...]:
        """Return the list, the run that is picked, what can be done with it, and a page of its images.

        Nothing is sent where nothing changed since `seen`, the last value.
        """
        runs = self._runs(request)
        latest = self.studio.samples.runs.progress.recipe
        if chosen not in {run.name for run in runs}:
            chosen = latest or (runs[0].name if runs else "")
        images = self.studio.library.plans.rendered_count(chosen) if chosen else 0
        pages = max(1, math.ceil(images / _ON_A_PAGE))
        page = min(max(page, 0), pages - 1)
        mark = repr((runs, chosen, page, images))
        if mark == seen:
            return (gr.skip(),) * _OUTPUTS
        run = next((run for run in runs if run.name == chosen), None)
        waits = run is not None and _waits(run)
        resumes = waits and not self.studio.samples.runs.alive
        return (
            runs_html(runs, chosen),
            chosen,
            gr.Button(visible=resumes, interactive=True),
            gr.Button(visible=waits, interactive=True),
            gr.Accordion(label=_label(chosen, images), visible=images > 0),
            self._images(chosen, page),
            _place(page, images),
            gr.Button(visible=pages > 1, interactive=page > 0),
            gr.Button(visible=pages > 1, interactive=page < pages - 1),
            page,
            mark,
        )

    def pick(self, event: gr.EventData, request: gr.Request) -> tuple[object, ...]:
        """Pick a run; its newest images are shown."""
        return self.shown(picked_id(event), 0, "", request)

    def later(self, chosen: str, page: int, seen: str, request: gr.Request) -> tuple[object, ...]:
        """Show the next page of images."""
        return self.shown(chosen, page + 1, seen, request)

    def earlier(self, chosen: str, page: int, seen: str, request: gr.Request) -> tuple[object, ...]:
        """Show the page of images before."""
        return self.shown(chosen, page - 1, seen, request)

    def resume(self, chosen: str, request: gr.Request) -> tuple[object, ...]:
        """Resume the run that is picked.

        Raises:
            StudioError: none is picked, or it cannot be resumed.
        """
        self.studio.samples.runs.resume(_picked(chosen))
        return self.shown(chosen, 0, "", request)

    def drop(self, chosen: str, request: gr.Request) -> tuple[object, ...]:
        """Drop what is not rendered of the run that is picked.

        Raises:
            StudioError: none is picked, or it is in progress.
        """
        dropped = self.studio.samples.runs.drop(_picked(chosen))
        gr.Info(f"{counted(dropped, 'image')} dropped that had not been rendered; finished images are kept.")
        return self.shown("", 0, "", request)

    def _runs(self, request: gr.Request) -> list[ListedRun]:
        return self.studio.samples.runs.listed() if may(self.studio, request, Capability.GENERATE) else []

    def _images(self, plan: str, page: int) -> str:
        rows = self.studio.library.plans.rendered(plan, limit=_ON_A_PAGE, first=page * _ON_A_PAGE)
        return gallery_html([gallery_image(self.studio, row) for row in rows])


def _waits(run: ListedRun) -> bool:
    """Whether a run can be resumed and dropped; of one that ended before it was stored nothing is counted."""
    return not run.is_working and (run.left > 0 or run.state in (RunState.PAUSED, RunState.FAILED))


def _picked(chosen: str) -> str:
    if not chosen:
        raise InvalidRequest("no run is picked; pick one in the list")
    return chosen


def _label(name: str, images: int) -> str:
    return f"All {counted(images, 'image')} of {name}" if images != 1 else f"The image of {name}"


def _place(page: int, images: int) -> str:
    first = page * _ON_A_PAGE
    return f"<p>{first + 1} to {min(first + _ON_A_PAGE, images)} of {images:,}</p>" if images else ""


_OUTPUTS = 11  # of `Runs.shown`


def build_runs(page: gr.Blocks, studio: Studio, phase: gr.State) -> None:
    """Build the list of runs; it is read again when `phase` changes, and every few seconds.

    Args:
        phase: changes when a run begins or ends.
    """
    runs, number, seen = Runs(studio), gr.State(0), gr.State("")
    chosen = gr.Textbox("", visible=False)  # the page says which run it shows: that one is resumed or dropped
    table = gr.HTML("", js_on_load=widget_script("pick.js"), elem_id="runs", elem_classes="studies")
    with gr.Row(elem_classes="tight"):
        resume = gr.Button(
            "Resume",
            size="sm",
            variant="primary",
            visible=False,
            scale=0,
            min_width=140,
            elem_id="resume-run",
        )
        drop = gr.Button(
            "Drop what is missing", size="sm", visible=False, scale=0, min_width=170, elem_id="drop-run"
        )
    with gr.Accordion("All images", open=False, visible=False, elem_id="all-images") as opened:
        gallery = build_gallery(elem_id="gallery", label="Images of the run")
        with gr.Row(elem_classes="pager"):
            earlier = gr.Button("Previous", size="sm", visible=False, scale=0, min_width=110)
            place = gr.HTML()
            later = gr.Button("Next", size="sm", visible=False, scale=0, min_width=110, elem_id="next-images")
    shown: list[Block] = [
        table, chosen, resume, drop, opened, gallery, place, earlier, later, number, seen,
    ]  # fmt: skip
    asked = [chosen, number, seen]
    look, lead = handler(studio, Capability.LOOK), handler(studio, Capability.GENERATE)
    # one listener: a tick while the first list is still on its way would undo a pick that comes before its answer
    gr.on([page.load, gr.Timer(_POLL_S).tick], look(runs.shown), asked, shown, trigger_mode="once", **AT_ONCE)
    phase.change(look(runs.shown), asked, shown, **QUIET)
    # until the picked run is shown, the buttons would act on the one before
    for button in (resume, drop):
        table.pick(None, None, button, js=DISABLE, **AT_ONCE)
    table.pick(lead(runs.pick), None, shown, **AT_ONCE)
    later.click(look(runs.later), asked, shown, **QUIET)
    earlier.click(look(runs.earlier), asked, shown, **QUIET)
    resume.click(lead(runs.resume), chosen, shown, **QUIET)
    drop.click(lead(runs.drop), chosen, shown, **QUIET)
