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
from ui.components.marks import mark_of
from ui.components.scripts import own_event, widget_script
from ui.errors import AT_ONCE, LIVE, QUIET

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
    """The handlers of the list.

    A page holds two names: `picked`, which the browser notes with the click, "" until then, and `chosen`, the run that
    the page shows, which comes with each answer. Buttons act on `chosen`, and only where it is the one picked.

    Whoever may not start runs sees no list, and the images of the latest run of this process only.
    """

    studio: Studio

    def shown(
        self, picked: str, chosen: str, page: int, seen: str, request: gr.Request
    ) -> tuple[object, ...]:
        """Return the list, the run to show, what can be done with it, and a page of its images.

        Nothing is sent where nothing changed since `seen`, the last value. Only the answer to a pick enables the
        buttons, which the browser disables with the click.
        """
        runs = self._runs(request)
        name = self._name(runs, picked, chosen)
        images = self.studio.library.plans.rendered_count(name) if name else 0
        pages = max(1, math.ceil(images / _ON_A_PAGE))
        number = min(max(page, 0), pages - 1)
        is_pick = picked not in ("", chosen)
        corrected = (_unless(name, picked in ("", name)), _unless(number, number == page))
        mark = mark_of(runs, name, number, images)
        if mark == seen and not is_pick:
            return *corrected, *(gr.skip(),) * (_OUTPUTS - len(corrected))
        run = next((run for run in runs if run.name == name), None)
        waits = run is not None and _waits(run)
        return (
            *corrected,
            runs_html(runs, name),
            name,
            _button(visible=waits and not self.studio.samples.runs.alive, enable=is_pick),
            _button(visible=waits, enable=is_pick),
            gr.Accordion(label=_label(name, images), visible=images > 0),
            self._images(name, number),
            _place(number, images),
            gr.Button(visible=pages > 1, interactive=number > 0),
            gr.Button(visible=pages > 1, interactive=number < pages - 1),
            mark,
        )

    def resume(self, picked: str, chosen: str, page: int, request: gr.Request) -> tuple[object, ...]:
        """Resume the run that is shown.

        Raises:
            StudioError: there is none, another one was picked, or it cannot be resumed.
        """
        self.studio.samples.runs.resume(self._acted_on(picked, chosen, request))
        return self.shown(picked, chosen, page, "", request)

    def drop(self, picked: str, chosen: str, page: int, request: gr.Request) -> tuple[object, ...]:
        """Drop what is not rendered of the run that is shown.

        Raises:
            StudioError: there is none, another one was picked, or it is in progress.
        """
        dropped = self.studio.samples.runs.drop(self._acted_on(picked, chosen, request))
        gr.Info(f"{counted(dropped, 'image')} dropped that had not been rendered; finished images are kept.")
        return self.shown(picked, chosen, page, "", request)

    def _name(self, runs: Sequence[ListedRun], picked: str, chosen: str) -> str:
        """Return the run to show: the one picked, else the one shown, else the latest; "" for none."""
        latest = self.studio.samples.runs.progress.recipe or (runs[0].name if runs else "")
        names = {run.name for run in runs}
        return next((name for name in (picked, chosen) if name in names), latest)

    def _acted_on(self, picked: str, chosen: str, request: gr.Request) -> str:
        """Return the run that is shown.

        Raises:
            InvalidRequest: there is none, or another one was picked, which is not shown yet.
        """
        if not chosen:
            raise InvalidRequest("no run is picked; pick one in the list")
        if picked != chosen and picked in {run.name for run in self._runs(request)}:
            raise InvalidRequest(f"the page does not show the run '{picked}' yet; try again when it does")
        return chosen

    def _runs(self, request: gr.Request) -> list[ListedRun]:
        return self.studio.samples.runs.listed() if may(self.studio, request, Capability.GENERATE) else []

    def _images(self, plan: str, page: int) -> str:
        rows = self.studio.library.plans.rendered(plan, limit=_ON_A_PAGE, first=page * _ON_A_PAGE)
        return gallery_html([gallery_image(self.studio, row) for row in rows])


def _waits(run: ListedRun) -> bool:
    """Whether a run can be resumed and dropped; of one that ended before it was stored nothing is counted."""
    return not run.is_working and (run.left > 0 or run.state in (RunState.PAUSED, RunState.FAILED))


def _unless(value: object, is_known: bool) -> object:
    """Return a value of a page that the browser keeps, or nothing where it holds it."""
    return gr.skip() if is_known else value


def _button(*, visible: bool, enable: bool) -> gr.Button:
    return gr.Button(visible=visible, interactive=True) if enable else gr.Button(visible=visible)


def _label(name: str, images: int) -> str:
    return f"All {counted(images, 'image')} of {name}" if images != 1 else f"The image of {name}"


def _place(page: int, images: int) -> str:
    first = page * _ON_A_PAGE
    return f"<p>{first + 1} to {min(first + _ON_A_PAGE, images)} of {images:,}</p>" if images else ""


_OUTPUTS = 12  # of `Runs.shown`
# until the picked run is shown, the buttons would act on the one before
_NOTE_PICK = """(chosen, number) => {
    const picked = document.querySelector('#runs [data-picked]').dataset.picked;
    const button = { __type__: 'update', interactive: picked === chosen };
    return [picked, picked === chosen ? number : 0, button, button];
}"""


def build_runs(page: gr.Blocks, studio: Studio, phase: gr.State) -> None:
    """Build the list of runs; it is read again when `phase` changes, and every few seconds.

    Args:
        phase: changes when a run begins or ends.
    """
    runs, timer = Runs(studio), gr.Timer(_POLL_S)
    # the browser keeps them: a click sends what the page shows, and an answer what it shows then
    picked, chosen, seen = (gr.Textbox("", visible=False) for _ in range(3))
    number = gr.Number(0, precision=0, visible=False)
    table = gr.HTML("", js_on_load=widget_script("pick.js"), elem_id="runs", elem_classes="studies")
    resume, drop = _build_buttons()
    with gr.Accordion("All images", open=False, visible=False, elem_id="all-images") as opened:
        gallery = build_gallery(elem_id="gallery", label="Images of the run")
        with gr.Row(elem_classes="pager"):
            earlier = gr.Button("Previous", size="sm", visible=False, scale=0, min_width=110)
            place = gr.HTML()
            later = gr.Button("Next", size="sm", visible=False, scale=0, min_width=110, elem_id="next-images")
    shown: list[Block] = [
        picked, number, table, chosen, resume, drop, opened, gallery, place, earlier, later, seen,
    ]  # fmt: skip
    look, lead = handler(studio, Capability.LOOK), handler(studio, Capability.GENERATE)
    table.pick(None, [chosen, number], [picked, number, resume, drop], js=_NOTE_PICK, **AT_ONCE)
    # one listener, so one answer at a time: that of a tick cannot come after that of a pick, which it would undo
    asked, follow = [picked, chosen, number, seen], look(runs.shown)
    gr.on([page.load, timer.tick, phase.change, own_event(table, "pick")], follow, asked, shown, **LIVE)
    # not in it: what comes while it waits, it answers by its first event once more, which would turn two pages
    for button, js in ((later, "(number) => number + 1"), (earlier, "(number) => number - 1")):
        button.click(None, number, number, js=js, **AT_ONCE)
        button.click(follow, asked, shown, **QUIET)
    acted_on = [picked, chosen, number]
    resume.click(lead(runs.resume), acted_on, shown, **QUIET)
    drop.click(lead(runs.drop), acted_on, shown, **QUIET)


def _build_buttons() -> tuple[gr.Button, gr.Button]:
    """Build what can be done with a run: resume it, drop what is missing of it."""
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
    return resume, drop
