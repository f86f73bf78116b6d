"""Generate: a recipe, its plan, and a run in the background."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from html import escape
from typing import TYPE_CHECKING

import gradio as gr
from gradio.blocks import Block

from pipeline.domain.methods import METHODS
from pipeline.domain.recipe import ARRANGEMENT
from pipeline.domain.slots import shown_value
from pipeline.domain.texts import duration
from pipeline.errors import NotFound, StudioError
from pipeline.services.plans.planning import Overrides
from pipeline.services.reports import PlanPreview, RunProgress, RunState
from ui.access import Capability, handler
from ui.components.addresses import page_address
from ui.components.charts import bar_chart_html
from ui.components.frame import build_head
from ui.components.gallery import build_gallery, gallery_html
from ui.components.html import (
    empty_html,
    link_html,
    note_html,
    progress_html,
    whole_number,
)
from ui.components.marks import mark_of
from ui.components.unchecked import build_unchecked
from ui.errors import AT_ONCE, QUIET
from ui.pages.create.controls import Values
from ui.pages.generate.acceptance import build_advice
from ui.pages.generate.field import build_field
from ui.pages.generate.proposals import build_proposals
from ui.pages.generate.runs import build_runs, gallery_image
from ui.pages.generate.variety import build_variety

if TYPE_CHECKING:
    from pipeline.store import SampleRow
    from pipeline.studio import Studio
    from ui.pages.photos.starter_job import StarterJob

_POLL_S = 1.0
_AS_IN_RECIPE = "as in the recipe"
_METHODS = [(_AS_IN_RECIPE, ""), *((facts.title, str(method)) for method, facts in METHODS.items())]
_FIRST_COUNT = 20
_LATEST = 6  # thumbnails: one row
_SHARES = "The counts below are estimates: of a plan this large only the first samples are drawn in advance."
_OUTDATED = "The plan is being updated; start it when the new one is shown."
_IMPORTING = "Importing the starter set; the plan is shown when it is complete"
_EMPTY = empty_html(
    "No photos yet",
    "A recipe needs objects to place.",
    link=page_address(""),
    action="Import photos",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Controls:
    """The widgets of a recipe."""

    name: gr.Dropdown
    text: gr.Code
    count: gr.Textbox
    method: gr.Dropdown
    model: gr.Dropdown
    seed: gr.Textbox
    refill: gr.Checkbox

    @property
    def all(self) -> set[Block]:
        """The controls that decide the plan."""
        return {self.text, self.count, self.method, self.model, self.seed, self.refill}

    def asked(self, values: Values) -> tuple[str, Overrides]:
        """Return the recipe's text and the person's changes to it.

        Raises:
            InvalidRequest: the count or the seed is not a number, or out of range.
        """
        overrides = Overrides(
            count=whole_number(values[self.count], "the number of images"),
            seed=whole_number(values[self.seed], "the seed"),
            method=values[self.method] or None,
            model=values[self.model] or None,
            refill=bool(values[self.refill]),
        )
        return values[self.text], overrides


def plan_html(preview: PlanPreview) -> str:
    """Return the plan of a recipe as HTML: totals, time, counts, example prompts, warnings."""
    time = f", about {duration(preview.seconds)}" if preview.seconds and preview.new else ""
    cost = "; ".join(filter(None, (f"Images of {preview.size_sentence}", preview.memory_sentence)))
    charts = bar_chart_html(preview.classes, title="Classes") + bar_chart_html(
        preview.methods, title="Methods"
    )
    if arrangements := preview.slots.get(ARRANGEMENT):
        charts += bar_chart_html(arrangements, title="Arrangements")
    slots = "".join(
        bar_chart_html({shown_value(value): count for value, count in counts.items()}, title=slot)
        for slot, counts in preview.slots.items()
        if slot != ARRANGEMENT
    )
    prompts = "".join(f"<li>{escape(prompt)}</li>" for prompt in preview.prompts)
    return (
        f'<p class="figure"><b>{preview.new}</b> images to generate{_further(preview)}{time}</p>'
        + note_html([] if preview.exact else [_SHARES])
        + note_html([*filter(None, (cost, _sentence(preview.distractors_note))), *_existing(preview)])
        + note_html(preview.warnings, kind="bad")
        + f'<div class="charts">{charts}</div>'
        + (
            f'<section class="prompts"><h3>Example prompts</h3><ul>{prompts}</ul></section>'
            if prompts
            else ""
        )
        + (
            f'<details><summary>Values of the prompt slots</summary><div class="charts">{slots}</div></details>'
            if slots
            else ""
        )
    )


def _sentence(text: str) -> str:
    return text[:1].upper() + text[1:]


def _further(preview: PlanPreview) -> str:
    return f", and up to {preview.further} in the place of those that differ least" if preview.further else ""


def _existing(preview: PlanPreview) -> list[str]:
    """Say how many images of a plan are there already, and what to change where nothing is left to generate."""
    if preview.new == preview.total:
        return []
    if preview.new:
        return [f"{preview.total - preview.new} of {preview.total} are already in the library"]
    if preview.further:  # so there is something left to start
        return []
    return [
        f"All {preview.total} images of this plan are in the library. To generate more, enter a number above "
        f"{preview.total}, enter another seed, or choose another recipe."
    ]


def run_html(progress: RunProgress) -> str:
    """Return the state of the run: a bar and a sentence."""
    if progress.state is RunState.IDLE:
        return ""
    left = f" · about {duration(progress.seconds_left)} left" if progress.seconds_left else ""
    step = (
        f" · step {progress.step} of {progress.steps}"
        if progress.steps and progress.state is RunState.RUNNING
        else ""
    )
    count = f"{progress.done} of {progress.total}"
    download = progress.download
    fetching = f" · {download}" if download else ""
    sentence = {
        RunState.LOADING: str(download or "loading the model"),
        RunState.RUNNING: f"{count}{left}{step}{fetching}",
        RunState.PAUSED: f"paused at {count}; finished images are kept",
        RunState.DONE: f"done: {count} images",
        RunState.FAILED: f"stopped at {count}" if progress.total else "not started",
    }[progress.state]
    ended = (
        link_html("Review them", page_address("review"))
        if progress.state is RunState.DONE and progress.done
        else ""
    )
    done, total = progress.done, progress.total
    if download and not total:  # the bar is that of the download
        done, total = download.done_bytes, download.total_bytes
    refused = progress.state is RunState.FAILED and not total  # before the plan: there is no bar
    return (
        f'<section class="run {progress.state}"><h2>{escape(progress.recipe)}</h2>'
        f"{f'<p>{sentence}</p>' if refused else progress_html(done, total, sentence)}"
        f"{note_html([progress.sentence] if progress.sentence else [], kind='bad')}{ended}</section>"
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Generating:
    """What the page does, without its widgets.

    Args:
        shown: holds the id of the plan that the page shows; "" while it shows none. The browser keeps it, so that it
            and the plan arrive together.
    """

    studio: Studio
    starter: StarterJob
    controls: Controls
    shown: gr.Textbox

    def preview(self, values: Values) -> tuple[str, str, gr.Button]:
        """Return the plan of the present recipe, its id and whether it can be started.

        Where there is no plan it says why, so that no outdated plan stays.
        """
        if self.starter.running:
            return "", "", gr.Button(interactive=False)
        if not self.studio.library.counts().classes:
            problem = note_html([self.starter.problem] if self.starter.problem else [], kind="bad")
            return problem + _EMPTY, "", gr.Button(interactive=False)
        try:
            text, overrides = self.controls.asked(values)
            preview = self.studio.plans.preview(text, overrides)
        except StudioError as error:
            return note_html([str(error)], kind="bad"), "", gr.Button(interactive=False)
        return plan_html(preview), preview.id, gr.Button(interactive=preview.new + preview.further > 0)

    def start(self, values: Values) -> tuple[object, ...]:
        """Start the plan that the page shows; where it is not that of the present recipe, show that one instead.

        Returns:
            The plan, its id, why it was not started, and the updates of `poll`.
        """
        text, overrides = self.controls.asked(values)
        preview = self.studio.plans.preview(text, overrides)
        if preview.id != values[self.shown]:
            refused = note_html([_OUTDATED], kind="bad")
            return plan_html(preview), preview.id, refused, *_unchanged()
        self.studio.samples.runs.start(text, overrides)
        return plan_html(preview), preview.id, "", *self.poll("")

    def pause(self) -> tuple[object, ...]:
        """Pause the run."""
        self.studio.samples.runs.pause()
        return self.poll("")

    def poll(self, seen: str) -> tuple[object, ...]:
        """Return the import's bar, the run's, thumbnails, buttons, a mark of what is shown, and the phase.

        Nothing is sent if nothing changed. Another phase means that the plan must be read anew: photos have come, or
        finished images are no longer to be generated.
        """
        progress = self.studio.samples.runs.progress
        importing, phase = self._importing(), f"{progress.state} {self._photos()}"
        mark = mark_of(progress, importing, phase)
        if mark == seen:
            return _unchanged()
        working = progress.is_working
        images = [gallery_image(self.studio, row) for row in self._rows(progress.latest[:_LATEST])]
        return (
            importing,
            run_html(progress),
            gallery_html(images),
            gr.Button(visible=not working),
            gr.Button(visible=working),
            mark,
            phase,
        )

    def _rows(self, sample_ids: Sequence[str]) -> list[SampleRow]:
        """Return those of some samples that have an image still: another process may have dropped one since."""
        rows = []
        for sample_id in sample_ids:
            with suppress(NotFound):
                rows.append(self.studio.library.samples.get(sample_id))
        return [row for row in rows if row.image_id is not None]

    def _importing(self) -> str:
        starter = self.starter
        if not starter.running:
            return ""
        count = f" · {starter.done} of {starter.total} photos" if starter.total else ""
        return progress_html(starter.done, starter.total, _IMPORTING + count)

    def _photos(self) -> str:
        """Tell which photos a plan can use, as one word."""
        if self.starter.running:
            return "importing"
        return "some" if self.studio.library.counts().classes else "none"


def _unchanged() -> tuple[object, ...]:
    """Return what `poll` sends where nothing changed."""
    return (gr.skip(),) * 7


@dataclass(frozen=True, slots=True, kw_only=True)
class _Widgets:
    """The widgets besides the controls."""

    importing: gr.HTML
    run: gr.HTML
    tiles: gr.HTML
    plan: gr.HTML
    message: gr.HTML
    start: gr.Button
    pause: gr.Button
    seen: gr.Textbox  # a mark of what is shown
    phase: gr.State


def build_generate_page(page: gr.Blocks, studio: Studio, starter: StarterJob) -> None:
    """Lay out and wire the page."""
    seen, phase = gr.Textbox("", visible=False), gr.State("")
    build_head("Generate", "A recipe describes many synthetic images. Check its plan, then start the run.")
    with gr.Row(elem_classes="columns"):
        with gr.Column(scale=5, elem_classes="main"):
            importing = gr.HTML(elem_id="importing")
            run = gr.HTML(elem_id="run")
            tiles = build_gallery(elem_id="latest", label="Latest images")
            build_runs(page, studio, phase)
            build_unchecked(page, studio)
            plan = gr.HTML(elem_id="plan", elem_classes="plan")
            build_variety(page, studio)
            accepted = gr.HTML(elem_id="accepted", elem_classes="plan")
        with gr.Column(scale=3, min_width=320, elem_classes="side"):
            controls = build_controls(studio)
            build_advice(page, studio, controls.text, accepted)
            start = gr.Button("Start", variant="primary", interactive=False, elem_id="start-run")
            pause = gr.Button("Pause", visible=False, elem_id="pause-run")
            message = gr.HTML(elem_id="start-said")
            build_proposals(page, studio, controls)
            build_field(page, studio, controls.text)
    widgets = _Widgets(
        importing=importing, run=run, tiles=tiles, plan=plan, message=message, start=start, pause=pause, seen=seen,
        phase=phase,
    )  # fmt: skip
    shown = gr.Textbox("", visible=False)
    generating = Generating(studio=studio, starter=starter, controls=controls, shown=shown)
    _wire(page, generating, widgets)


def _wire(page: gr.Blocks, generating: Generating, widgets: _Widgets) -> None:
    studio, controls, shown = generating.studio, generating.controls, generating.shown
    seen, phase = widgets.seen, widgets.phase
    polled: list[Block] = [
        widgets.importing, widgets.run, widgets.tiles, widgets.start, widgets.pause, seen, phase,
    ]  # fmt: skip
    planned: list[Block] = [widgets.plan, shown, widgets.start]
    look = handler(studio, Capability.LOOK)
    lead = handler(studio, Capability.GENERATE, line=widgets.message)
    preview = handler(studio, Capability.PLAN)(generating.preview)
    poll = look(generating.poll)
    page.load(poll, seen, polled, **AT_ONCE).then(preview, controls.all, planned, **AT_ONCE)
    edits = [
        controls.text.change,
        controls.count.change,
        controls.method.change,
        controls.model.change,
        controls.seed.change,
        controls.refill.change,
    ]
    # before the preview, for which later listeners wait: what the message says is out of date
    gr.on(edits, None, None, widgets.message, js="() => ''", **AT_ONCE)
    gr.on(  # one listener: the last change counts, and the plan is dimmed until its own preview has come
        [*edits, phase.change],
        preview,
        controls.all,
        planned,
        trigger_mode="always_last",
        show_progress="minimal",
        show_progress_on=widgets.plan,
    )
    # without the server: from the click on, the text is that of the recipe whose name is shown
    controls.name.input(None, controls.name, controls.text, js=_text_of_js(studio.plans.recipes()), **AT_ONCE)
    asked: set[Block] = {*controls.all, shown}
    widgets.start.click(lead(generating.start), asked, [*planned[:2], widgets.message, *polled], **QUIET)
    widgets.pause.click(handler(studio, Capability.GENERATE)(generating.pause), None, polled, **QUIET)
    gr.Timer(_POLL_S).tick(poll, seen, polled, **QUIET)


def _text_of_js(recipes: Mapping[str, str]) -> str:
    """Return a script that gives the text of a recipe by its name, "" where there is none."""
    texts = json.dumps(recipes).replace("<", "\\u003c")  # the page holds it within a <script>
    return f"(name) => {{ const texts = {texts}; return Object.hasOwn(texts, name) ? texts[name] : ''; }}"


def build_controls(studio: Studio) -> Controls:
    """Lay out the controls of a recipe."""
    recipes = studio.plans.recipes()
    first = next(iter(recipes))
    models = [
        (_AS_IN_RECIPE, ""),
        *((model.title, model.name) for model in studio.plans.models()),
    ]
    with gr.Column(elem_classes="pane"):
        name = gr.Dropdown(list(recipes), value=first, label="Recipe", elem_id="recipe")
        with gr.Row(elem_classes="pair"):
            count = gr.Textbox(str(_FIRST_COUNT), label="Images", max_lines=1, min_width=110, elem_id="count")
            seed = gr.Textbox(label="Seed", placeholder=_AS_IN_RECIPE, max_lines=1, min_width=110)
        with gr.Row(elem_classes="pair"):
            method = gr.Dropdown(_METHODS, value="", label="Method", min_width=110)
            model = gr.Dropdown(models, value="", label="Model", min_width=110, allow_custom_value=True)
        refill = gr.Checkbox(
            False,
            label="Make up for rejected images",
            info="As many images of each class as were rejected of this recipe, in the contexts that the others lack.",
            elem_id="refill",
        )
    with gr.Accordion("Recipe (YAML)", open=False, elem_classes="pane"):
        text = gr.Code(
            recipes[first], language="yaml", show_label=False, lines=12, max_lines=28, elem_id="yaml"
        )
    return Controls(name=name, text=text, count=count, method=method, model=model, seed=seed, refill=refill)
