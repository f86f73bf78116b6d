"""Create: one object, placed by hand, four variants of its surroundings."""

from __future__ import annotations

import random
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import gradio as gr
from gradio.context import LocalContext

from pipeline.domain.spec import Method
from pipeline.errors import StudioError
from ui.access import Capability, handler
from ui.components.addresses import page_address
from ui.components.chips import chips_html, picked_word
from ui.components.frame import build_bar, build_head
from ui.components.html import empty_html, note_html
from ui.components.overlays import enlarged
from ui.components.stage import build_stage, dragged_to
from ui.components.tiles import build_tiles, picked_id
from ui.components.wording import with_word
from ui.errors import AT_ONCE, LIVE, QUIET, RENDER
from ui.pages.create.controls import Controls, Values, build_controls
from ui.pages.create.session import Creating
from ui.visitors import MODEL, Visitors

if TYPE_CHECKING:
    from pipeline.studio import Studio

_SEEDS = 1_000_000
_FIRST_PROMPT = "gravel floor, warm light"
_EMPTY = empty_html(
    "No photographs yet",
    "Create needs an object to place.",
    link=page_address(""),
    action="Bring photographs",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Parts:
    """The widgets besides the controls."""

    columns: gr.Row
    nothing: gr.HTML
    stage: gr.HTML
    result: gr.ImageSlider
    variants: gr.HTML
    said: gr.HTML
    keep: gr.Button
    again: gr.Button
    label: gr.Radio
    objects: gr.HTML
    create: gr.Button


def build_create_page(page: gr.Blocks, studio: Studio) -> None:
    """Lay out and wire the page."""
    build_bar(page, studio, "create")
    build_head("Create", "Place one object, say what shall surround it, keep what you like.")
    chosen, made, shown = gr.State(""), gr.State([]), gr.State("")
    parts, controls = _laid_out(studio)
    creating = Creating(studio, controls, chosen, Visitors(studio))
    _wire_choice(page, creating, parts)
    _wire_placing(creating, parts)
    _wire_prompt(page, creating)
    _wire_results(creating, parts, made, shown)


def _laid_out(studio: Studio) -> tuple[_Parts, Controls]:
    nothing = gr.HTML(_EMPTY, visible=False)
    with gr.Row(elem_classes="columns") as columns:
        with gr.Column(scale=5, elem_classes="main sticky"):
            stage = build_stage()
            result = gr.ImageSlider(
                visible=False, show_label=False, elem_id="result", elem_classes="large", interactive=False,
                buttons=[], slider_position=50, format="webp",
            )  # fmt: skip
            with gr.Row(elem_classes="tight"):
                create = gr.Button("Paint four variants", variant="primary", elem_id="create")
                again = gr.Button("Place it again", visible=False)
                keep = gr.Button("Keep this one", visible=False, elem_id="keep")
            said = gr.HTML(elem_id="create-said")
            variants = build_tiles(elem_id="variants", label="Variants")
        with gr.Column(scale=3, min_width=320, elem_classes="side"):
            with gr.Column(elem_classes="pane"):
                gr.HTML("<h2>Choose an object</h2>")
                label = gr.Radio(["all"], show_label=False, elem_classes="pills", container=False)
                objects = build_tiles(elem_id="objects", label="Objects")
            controls = build_controls(studio)
    parts = _Parts(
        columns=columns, nothing=nothing, stage=stage, result=result, variants=variants, said=said, keep=keep,
        again=again, label=label, objects=objects, create=create,
    )  # fmt: skip
    return parts, controls


def _wire_choice(page: gr.Blocks, creating: Creating, parts: _Parts) -> None:
    studio, chosen = creating.studio, creating.chosen
    geometry: set[Any] = {chosen, *creating.controls.geometry}
    look = handler(studio, Capability.LOOK)

    @look
    def opened(request: gr.Request) -> tuple[Any, ...]:
        classes = studio.library.counts().classes
        first = creating.first_object(request.query_params.get("subject", ""))
        choices = [("all", ""), *((name, name) for name in classes)]
        return (
            first,
            gr.Radio(choices=choices, value=""),
            creating.objects("", first),
            gr.Row(visible=bool(first)),
            gr.HTML(visible=not first),
        )

    @look
    def picked(label: str, event: gr.EventData) -> tuple[str, str]:
        return picked_id(event), creating.objects(label, picked_id(event))

    follow, place = look(creating.preview), look(_placing)
    loaded = page.load(
        opened, None, [chosen, parts.label, parts.objects, parts.columns, parts.nothing], **AT_ONCE
    )
    loaded.then(follow, geometry, parts.stage, **QUIET)
    parts.label.input(
        look(creating.objects),
        [parts.label, chosen],
        parts.objects,
        **QUIET,
        queue=False,
    )
    parts.objects.pick(picked, parts.label, [chosen, parts.objects], **AT_ONCE).then(
        follow, geometry, parts.stage, **AT_ONCE
    ).then(
        place,
        None,
        [parts.stage, parts.result, parts.again, parts.keep],
        **QUIET,
        queue=False,
    )


def _placing() -> tuple[Any, ...]:
    return (
        gr.HTML(visible=True),
        gr.ImageSlider(visible=False),
        gr.Button(visible=False),
        gr.Button(visible=False),
    )


def _wire_placing(creating: Creating, parts: _Parts) -> None:
    controls = creating.controls
    geometry: set[Any] = {creating.chosen, *controls.geometry}
    panes = [parts.stage, parts.result, parts.again, parts.keep]
    look = handler(creating.studio, Capability.LOOK)

    @look
    def dragged(values: Values, event: gr.EventData) -> dict[Any, Any]:
        x, y = dragged_to(event)
        return {
            controls.x: x,
            controls.y: y,
            parts.stage: creating.preview({**values, controls.x: x, controls.y: y}),
        }

    @look
    def moved(values: Values) -> tuple[Any, ...]:
        return gr.HTML(creating.preview(values), visible=True), *_placing()[1:]

    parts.stage.drag(dragged, geometry, {controls.x, controls.y, parts.stage}, **LIVE)
    for slider in controls.geometry:
        slider.input(moved, geometry, panes, **LIVE)
    parts.again.click(look(_placing), None, panes, **AT_ONCE)


def _wire_prompt(page: gr.Blocks, creating: Creating) -> None:
    studio, controls = creating.studio, creating.controls
    look = handler(studio, Capability.LOOK)

    def notes_of(prompt: str, model: str) -> str:
        try:
            return note_html(studio.plans.prompt_notes(prompt, creating.model(model))) if prompt else ""
        except StudioError as error:  # a wrong model: said in its place, not as a message at every key
            return note_html([str(error)], kind="bad")

    @look
    def noted(prompt: str, model: str) -> str:
        return notes_of(prompt, model)

    @look
    def model_changed(prompt: str, model: str) -> tuple[str, str, str]:
        try:
            words = studio.plans.vocabulary(creating.model(model))
        except StudioError as error:
            return prompt, "", note_html([str(error)], kind="bad")
        prompt = prompt or (_FIRST_PROMPT if words else "")
        return prompt, chips_html(words), notes_of(prompt, model)

    @look
    def chip_picked(prompt: str | None, model: str, event: gr.EventData) -> tuple[str, str]:
        longer = with_word(
            prompt or "", picked_word(event), studio.plans.vocabulary(creating.model(model)) or {}
        )
        return longer, notes_of(longer, model)

    @look
    def offered(request: gr.Request) -> Any:
        visits = creating.visitors.limited(request)
        return gr.Dropdown(choices=[MODEL], value=MODEL, interactive=False) if visits else gr.skip()

    @look
    def method_changed(method: str) -> tuple[Any, Any]:
        guided = method == Method.CONTROLNET
        return gr.Radio(visible=guided), gr.Slider(visible=guided)

    asked = [controls.prompt, controls.model]
    if studio.settings.hosted:
        page.load(offered, None, controls.model, **AT_ONCE)
    page.load(
        model_changed,
        asked,
        [controls.prompt, controls.chips, controls.notes],
        **QUIET,
        queue=False,
    )
    controls.model.change(model_changed, asked, [controls.prompt, controls.chips, controls.notes], **QUIET)
    controls.prompt.input(noted, asked, controls.notes, **LIVE)
    controls.chips.pick(chip_picked, asked, [controls.prompt, controls.notes], **LIVE)
    controls.method.change(
        method_changed, controls.method, [controls.source, controls.control_scale], queue=False
    )
    controls.dice.click(look(lambda: random.randrange(_SEEDS)), None, controls.seed, **AT_ONCE)


def _wire_results(creating: Creating, parts: _Parts, made: gr.State, shown: gr.State) -> None:
    controls = creating.controls
    everything = {creating.chosen, *controls.geometry, *controls.paint}

    def showing(sample_id: str, ids: list[str]) -> tuple[Any, ...]:
        one = creating.variant(sample_id)
        pair = (enlarged(one.before), enlarged(one.image))
        doubts = note_html([str(failure) for failure in one.failed_gates], kind="bad")
        return (
            gr.HTML(visible=False), gr.ImageSlider(value=pair, visible=True), gr.Button(visible=True),
            gr.Button("Keep this one", visible=True, interactive=True), creating.strip(ids, sample_id),
            doubts, sample_id,
        )  # fmt: skip

    panes = [parts.stage, parts.result, parts.again, parts.keep, parts.variants, parts.said, shown]

    @handler(creating.studio, Capability.TRY)
    def created(values: Values, progress: gr.Progress = gr.Progress()) -> tuple[Any, ...]:  # noqa: B008
        ids = creating.create(values, progress, LocalContext.request.get(None))
        return (ids, *showing(ids[0], ids))

    @handler(creating.studio, Capability.TRY)
    def picked(ids: list[str], event: gr.EventData) -> tuple[Any, ...]:
        return showing(picked_id(event), ids)

    @handler(creating.studio, Capability.KEEP)
    def kept(sample_id: str) -> tuple[Any, str]:
        creating.studio.samples.keep(creating.variant(sample_id))
        return gr.Button("Kept", interactive=False), note_html(
            ["Kept: it waits on the Review page."], kind="good"
        )

    parts.create.click(
        created,
        everything,
        [made, *panes],
        concurrency_id=RENDER,
        concurrency_limit=1,
        show_progress_on=[parts.stage, parts.result],
    )
    parts.variants.pick(picked, made, panes, **AT_ONCE)
    parts.keep.click(kept, shown, [parts.keep, parts.said], **QUIET)
