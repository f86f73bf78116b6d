"""Create: one object, placed by hand, and four variants of its background."""

from __future__ import annotations

import json
import random
from dataclasses import dataclass
from typing import TYPE_CHECKING

import gradio as gr
from gradio.context import LocalContext

from pipeline.domain.spec import Method
from pipeline.errors import StudioError
from ui.access import Capability, handler
from ui.components.addresses import page_address
from ui.components.chips import WITH_PICKED, chips_html
from ui.components.enlarged import enlarged
from ui.components.frame import build_head
from ui.components.html import empty_html, note_html
from ui.components.stage import DRAGGED_TO, build_stage
from ui.components.tiles import build_tiles, picked_id
from ui.components.unchecked import build_unchecked
from ui.components.wording import with_slot_value
from ui.errors import AT_ONCE, DISABLE, LIVE, QUIET, RENDER, Update
from ui.pages.create.controls import FIRST_PROMPT, Controls, Values, build_controls
from ui.pages.create.session import Creating
from ui.visitors import MODEL, Visitors

if TYPE_CHECKING:
    from pipeline.studio import Studio

_SEEDS = 1_000_000
_KEPT = note_html(["The image is kept; it is now on the Review page."], kind="good")
# of the ids that were kept and the one that is shown: the button, and the message of a kept one
_SHOW_KEPT = f"""(kept, shown) => {{
  const isKept = shown !== '' && kept.split(' ').includes(shown);
  const button = {{ value: isKept ? 'Kept' : 'Keep this image', interactive: !isKept, __type__: 'update' }};
  return [button, isKept ? {json.dumps(_KEPT)} : {{ __type__: 'update' }}];
}}"""
_EMPTY = empty_html(
    "No photos yet",
    "Create needs an object to place.",
    link=page_address(""),
    action="Import photos",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Widgets:
    """The widgets besides the controls."""

    columns: gr.Row
    empty: gr.HTML
    stage: gr.HTML
    result: gr.ImageSlider
    variants: gr.HTML
    message: gr.HTML
    keep: gr.Button
    again: gr.Button
    label: gr.Radio
    photos: gr.HTML
    create: gr.Button


def build_create_page(page: gr.Blocks, studio: Studio) -> None:
    """Lay out and wire the page."""
    build_head("Create", "Place an object, describe its background, and keep the images you like.")
    # held by the browser, so a click acts on what the page shows at that moment
    chosen, shown, kept_ids = (gr.Textbox("", visible=False) for _ in range(3))
    variant_ids = gr.State([])
    widgets, controls = _laid_out(page, studio)
    creating = Creating(studio, controls, chosen, Visitors(studio))
    _wire_choice(page, creating, widgets)
    _wire_placing(creating, widgets)
    _wire_prompt(page, creating)
    _wire_model(page, creating)
    _wire_results(creating, widgets, variant_ids, shown, kept_ids)


def _laid_out(page: gr.Blocks, studio: Studio) -> tuple[_Widgets, Controls]:
    empty = gr.HTML(_EMPTY, visible=False)
    with gr.Row(elem_classes="columns") as columns:
        with gr.Column(scale=5, elem_classes="main sticky"):
            stage = build_stage()
            result = gr.ImageSlider(
                visible=False, show_label=False, elem_id="result", elem_classes="large", interactive=False,
                buttons=[], slider_position=50, format="webp",
            )  # fmt: skip
            with gr.Row(elem_classes="tight actions"):
                create = gr.Button("Create four variants", variant="primary", elem_id="create")
                again = gr.Button("Adjust placement", visible=False)
                keep = gr.Button("Keep this image", visible=False, elem_id="keep")
            message = gr.HTML(elem_id="create-said")
            variants = build_tiles(elem_id="variants", label="Variants")
        with gr.Column(scale=3, min_width=320, elem_classes="side"):
            with gr.Column(elem_classes="pane"):
                gr.HTML("<h2>Choose an object</h2>")
                build_unchecked(page, studio)
                label = gr.Radio(["all"], show_label=False, elem_classes="pills", container=False)
                photos = build_tiles(elem_id="objects", label="Photos")
            controls = build_controls(studio)
    widgets = _Widgets(
        columns=columns, empty=empty, stage=stage, result=result, variants=variants, message=message, keep=keep,
        again=again, label=label, photos=photos, create=create,
    )  # fmt: skip
    return widgets, controls


def _wire_choice(page: gr.Blocks, creating: Creating, widgets: _Widgets) -> None:
    studio, chosen = creating.studio, creating.chosen
    look = handler(studio, Capability.LOOK)

    @look
    def opened(request: gr.Request) -> tuple[object, ...]:
        classes = studio.library.counts().classes
        first = creating.first_photo(request.query_params.get("subject", ""))
        choices = [("all", ""), *((name, name) for name in classes)]
        return (
            first,
            gr.Radio(choices=choices, value=""),
            creating.photos("", first),
            gr.Row(visible=bool(first)),
            gr.HTML(visible=not first),
        )

    @look
    def picked(label: str, event: gr.EventData) -> tuple[object, ...]:
        return picked_id(event), creating.photos(label, picked_id(event)), gr.Button(interactive=True)

    page.load(
        opened, None, [chosen, widgets.label, widgets.photos, widgets.columns, widgets.empty], **AT_ONCE
    )
    widgets.label.input(look(creating.photos), [widgets.label, chosen], widgets.photos, **LIVE)
    # until the picked object is known, "Create" would place the one before
    widgets.photos.pick(None, None, widgets.create, js=DISABLE, **AT_ONCE)
    widgets.photos.pick(picked, widgets.label, [chosen, widgets.photos, widgets.create], **AT_ONCE)


def _wire_placing(creating: Creating, widgets: _Widgets) -> None:
    """Let the stage follow the object and the sliders, and these the pointer; one listener, so the last counts."""
    controls = creating.controls
    panes = [widgets.stage, widgets.result, widgets.again, widgets.keep]
    look = handler(creating.studio, Capability.LOOK)

    @look
    def placed(values: Values) -> tuple[object, ...]:
        return gr.HTML(creating.preview(values), visible=True), *_placing()[1:]

    widgets.stage.drag(None, None, [controls.x, controls.y], js=DRAGGED_TO, **AT_ONCE)
    moves = [creating.chosen.change, *(control.change for control in controls.geometry)]
    gr.on(moves, placed, {creating.chosen, *controls.geometry}, panes, **LIVE)
    widgets.again.click(look(_placing), None, panes, **AT_ONCE)


def _placing() -> tuple[object, ...]:
    return (
        gr.HTML(visible=True),
        gr.ImageSlider(visible=False),
        gr.Button(visible=False),
        gr.Button(visible=False),
    )


def _wire_prompt(page: gr.Blocks, creating: Creating) -> None:
    studio, controls = creating.studio, creating.controls
    look = handler(studio, Capability.LOOK)

    @look
    def noted(prompt: str, model: str) -> str:
        return creating.notes(prompt, model)

    @look
    def model_changed(prompt: str, model: str) -> tuple[str | Update, str, str]:
        try:
            vocabulary = studio.plans.vocabulary(creating.model(model))
        except StudioError as error:
            return gr.skip(), "", note_html([str(error)], kind="bad")
        shown = prompt or (FIRST_PROMPT if vocabulary else "")
        # what is typed meanwhile stays
        return gr.skip() if prompt else shown, chips_html(vocabulary), creating.notes(shown, model)

    @look
    def chip_picked(prompt: str | None, model: str, value: str | None) -> tuple[str, str]:
        extended = with_slot_value(
            prompt or "", value or "", studio.plans.vocabulary(creating.model(model)) or {}
        )
        return extended, creating.notes(extended, model)

    asked = [controls.prompt, controls.model]
    prompt_widgets = [controls.prompt, controls.chips, controls.notes]
    page.load(model_changed, asked, prompt_widgets, **AT_ONCE)
    controls.model.change(model_changed, asked, prompt_widgets, **QUIET)
    controls.prompt.input(noted, asked, controls.notes, **LIVE)
    controls.chips.pick(
        chip_picked, [*asked, controls.picked], [controls.prompt, controls.notes], js=WITH_PICKED, **LIVE
    )
    controls.dice.click(look(lambda: random.randrange(_SEEDS)), None, controls.seed, **AT_ONCE)


def _wire_model(page: gr.Blocks, creating: Creating) -> None:
    studio, controls = creating.studio, creating.controls
    look = handler(studio, Capability.LOOK)

    @look
    def offered(request: gr.Request) -> gr.Dropdown | Update:
        limited = creating.visitors.limited(request)
        return gr.Dropdown(choices=[MODEL], value=MODEL, interactive=False) if limited else gr.skip()

    @look
    def method_changed(method: str) -> tuple[gr.Radio, gr.Slider]:
        guided = method == Method.CONTROLNET
        return gr.Radio(visible=guided), gr.Slider(visible=guided)

    if studio.settings.hosted:
        page.load(offered, None, controls.model, **AT_ONCE)
    controls.method.change(
        method_changed, controls.method, [controls.source, controls.control_scale], queue=False
    )


def _wire_results(
    creating: Creating, widgets: _Widgets, variant_ids: gr.State, shown: gr.Textbox, kept_ids: gr.Textbox
) -> None:
    """Wire what is done with the variants; `kept_ids` holds the ids of those that were kept, one after another."""
    controls = creating.controls
    panes = [
        widgets.stage, widgets.result, widgets.again, widgets.keep, widgets.variants, widgets.message, shown,
    ]  # fmt: skip

    @handler(creating.studio, Capability.TRY, line=widgets.message)
    def created(values: Values, progress: gr.Progress = gr.Progress()) -> tuple[object, ...]:  # noqa: B008
        request = LocalContext.request.get(None)
        ids = creating.create(values, progress, request)
        return (ids, *_result(creating, ids[0], ids, request))

    @handler(creating.studio, Capability.TRY, line=widgets.message)
    def picked(ids: list[str], event: gr.EventData, request: gr.Request) -> tuple[object, ...]:
        return _result(creating, picked_id(event), ids, request)

    @handler(creating.studio, Capability.KEEP, line=widgets.message)
    def kept(before: str, sample_id: str, request: gr.Request) -> tuple[str, Update]:
        creating.studio.samples.keep(creating.variant(sample_id, request))
        return f"{before} {sample_id}", gr.skip()

    # until the picked variant is shown, "Keep" would keep the one before
    widgets.variants.pick(None, None, widgets.keep, js=DISABLE, **AT_ONCE)
    answers = [
        widgets.create.click(
            created,
            {creating.chosen, *controls.geometry, *controls.paint},
            [variant_ids, *panes],
            concurrency_id=RENDER,
            concurrency_limit=1,
            show_progress_on=[widgets.stage, widgets.result],
        ),
        widgets.variants.pick(picked, variant_ids, panes, **AT_ONCE),
        widgets.keep.click(kept, [kept_ids, shown], [kept_ids, widgets.message], **QUIET),
    ]
    for answer in answers:  # which may come when another variant is shown than the one it is about
        answer.then(None, [kept_ids, shown], [widgets.keep, widgets.message], js=_SHOW_KEPT, **AT_ONCE)


def _result(
    creating: Creating, sample_id: str, ids: list[str], request: gr.Request | None
) -> tuple[object, ...]:
    """Return the updates that show a variant, before and after, and what its quality gates say."""
    variant = creating.variant(sample_id, request)
    pair = (enlarged(variant.before), enlarged(variant.image))
    return (
        gr.HTML(visible=False),
        gr.ImageSlider(value=pair, visible=True),
        gr.Button(visible=True),
        gr.Button(visible=True),
        creating.strip(ids, sample_id, request),
        note_html([str(failure) for failure in variant.failed_gates], kind="bad"),
        sample_id,
    )
