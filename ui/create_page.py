"""Create: one object, placed by hand, four variants of its surroundings."""

from __future__ import annotations

import random
from collections import OrderedDict
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import gradio as gr

from pipeline.domain.spec import Method
from pipeline.errors import InvalidRequest, NotFound
from ui.addresses import file_address, inline_picture, page_address
from ui.chips import chips_html, picked_word
from ui.create_controls import Controls, Values, build_controls
from ui.events import RENDER, shown_to_user
from ui.frame import build_bar, build_head
from ui.overlays import enlarged
from ui.pieces import empty_html, note_html
from ui.stage import build_stage, dragged_to, stage_value
from ui.tiles import Tile, build_tiles, picked_id, tiles_html
from ui.wording import with_word

if TYPE_CHECKING:
    from pipeline.studio import Created, Studio

_PREVIEW_PX = 384
_OFFERED = 36  # photographs in the strip
_KEPT_VARIANTS = 32
_SEEDS = 1_000_000
_FIRST_PROMPT = "gravel floor, warm light"
_EMPTY = empty_html(
    "No photographs yet",
    "Create needs an object to place.",
    link=page_address(""),
    action="Bring photographs",
)


@dataclass(frozen=True, slots=True)
class Creating:
    """What the page does. Variants stay here, by sample id, until newer ones push them out."""

    studio: Studio
    controls: Controls
    chosen: gr.State
    variants: OrderedDict[str, Created] = field(default_factory=OrderedDict)

    def preview(self, values: Values) -> str:
        """The value of the stage for the sliders as they are."""
        if not values[self.chosen]:
            return ""
        placement = self.controls.placement(values)
        return stage_value(self.studio.preview(values[self.chosen], placement, _PREVIEW_PX))

    def create(self, values: Values, progress: gr.Progress = gr.Progress()) -> list[str]:  # noqa: B008
        """Render four variants; their ids."""
        if not values[self.chosen]:
            raise InvalidRequest("choose an object first; there is none in this library yet")
        made = self.studio.create(
            values[self.chosen],
            self.controls.placement(values),
            on_step=lambda step, steps: progress((step, steps), desc="painting", unit="steps"),
            **self.controls.request(values),
        )
        for one in made:
            self.variants[one.spec.id] = one
        while len(self.variants) > _KEPT_VARIANTS:
            self.variants.popitem(last=False)
        return [one.spec.id for one in made]

    def variant(self, sample_id: str) -> Created:
        """One variant by its id."""
        if sample_id not in self.variants:
            raise NotFound("variant", sample_id)
        return self.variants[sample_id]

    def strip(self, ids: list[str], shown: str) -> str:
        """The variants as thumbnails."""
        there = [self.variants[one] for one in ids if one in self.variants]
        return tiles_html(
            [
                Tile(
                    id=one.spec.id,
                    address=inline_picture(one.image),
                    caption=f"seed {one.spec.seed}",
                    flag="; ".join(one.failed_gates),
                    chosen=one.spec.id == shown,
                )
                for one in there
            ]
        )

    def objects(self, label: str, chosen: str) -> str:
        """The photographs that can be placed, as a strip."""
        subjects = self.studio.subjects(label=label or None)
        fit = [one for one in subjects if one.cutout_id and not one.excluded]
        fit.sort(key=lambda one: (one.id != chosen, bool(one.mask_doubts), one.name))
        return tiles_html([_tile(self.studio, one, chosen) for one in fit[:_OFFERED]])


def _tile(studio: Studio, subject: Any, chosen: str) -> Tile:
    address = file_address(studio.thumbnail_path(subject.cutout_id))
    return Tile(id=subject.id, address=address, caption=subject.label, chosen=subject.id == chosen)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Parts:
    """The widgets besides the controls."""

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
    with gr.Row(elem_classes="columns"):
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
                label = gr.Radio(
                    [("all", "")], value="", show_label=False, elem_classes="pills", container=False
                )
                objects = build_tiles(elem_id="objects", label="Objects")
            controls = build_controls(studio)
    creating = Creating(studio, controls, chosen)
    parts = _Parts(
        stage=stage, result=result, variants=variants, said=said, keep=keep, again=again, label=label,
        objects=objects, create=create,
    )  # fmt: skip
    _wire_choice(page, creating, parts)
    _wire_placing(creating, parts)
    _wire_prompt(page, creating)
    _wire_results(creating, parts, made, shown)


def _wire_choice(page: gr.Blocks, creating: Creating, parts: _Parts) -> None:
    studio, chosen = creating.studio, creating.chosen
    geometry = {chosen, *creating.controls.geometry}

    @shown_to_user
    def opened(request: gr.Request) -> tuple[Any, ...]:
        classes = studio.classes()
        subjects = [one for one in studio.subjects() if one.cutout_id and not one.excluded]
        subjects.sort(key=lambda one: (bool(one.mask_doubts), -one.mask_score))
        asked = request.query_params.get("subject", "")
        ids = {one.id for one in subjects}
        first = asked if asked in ids else subjects[0].id if subjects else ""
        choices = [("all", ""), *((name, name) for name in classes)]
        return (
            first,
            gr.Radio(choices=choices, value="", visible=bool(classes)),
            creating.objects("", first) or _EMPTY,
        )

    @shown_to_user
    def picked(label: str, event: gr.EventData) -> tuple[str, str]:
        return picked_id(event), creating.objects(label, picked_id(event))

    follow = shown_to_user(creating.preview)
    loaded = page.load(
        opened, None, [chosen, parts.label, parts.objects], show_progress="hidden", queue=False
    )
    loaded.then(
        lambda values: creating.preview(values) or _EMPTY, geometry, parts.stage, show_progress="hidden"
    )
    parts.label.input(
        shown_to_user(creating.objects),
        [parts.label, chosen],
        parts.objects,
        show_progress="hidden",
        queue=False,
    )
    parts.objects.pick(
        picked, parts.label, [chosen, parts.objects], show_progress="hidden", queue=False
    ).then(follow, geometry, parts.stage, show_progress="hidden", queue=False).then(
        _placing,
        None,
        [parts.stage, parts.result, parts.again, parts.keep],
        show_progress="hidden",
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
    geometry = {creating.chosen, *controls.geometry}
    live = {"queue": False, "show_progress": "hidden", "trigger_mode": "always_last"}
    panes = [parts.stage, parts.result, parts.again, parts.keep]

    @shown_to_user
    def dragged(values: Values, event: gr.EventData) -> dict[Any, Any]:
        x, y = dragged_to(event)
        return {
            controls.x: x,
            controls.y: y,
            parts.stage: creating.preview({**values, controls.x: x, controls.y: y}),
        }

    @shown_to_user
    def moved(values: Values) -> tuple[Any, ...]:
        return gr.HTML(creating.preview(values), visible=True), *_placing()[1:]

    parts.stage.drag(dragged, geometry, {controls.x, controls.y, parts.stage}, **live)
    for slider in controls.geometry:
        slider.input(moved, geometry, panes, **live)
    parts.again.click(_placing, None, panes, queue=False, show_progress="hidden")


def _wire_prompt(page: gr.Blocks, creating: Creating) -> None:
    studio, controls = creating.studio, creating.controls
    live = {"queue": False, "show_progress": "hidden", "trigger_mode": "always_last"}

    @shown_to_user
    def noted(prompt: str, model: str) -> str:
        return note_html(studio.prompt_notes(prompt, model)) if prompt else ""

    @shown_to_user
    def model_changed(prompt: str, model: str) -> tuple[str, str, str]:
        words = studio.vocabulary(model)
        prompt = prompt or (_FIRST_PROMPT if words else "")
        return prompt, chips_html(words), note_html(studio.prompt_notes(prompt, model)) if prompt else ""

    @shown_to_user
    def chip_picked(prompt: str, model: str, event: gr.EventData) -> tuple[str, str]:
        longer = with_word(prompt, picked_word(event), studio.vocabulary(model) or {})
        return longer, noted(longer, model)

    def method_changed(method: str) -> tuple[Any, Any]:
        guided = method == Method.CONTROLNET
        return gr.Radio(visible=guided), gr.Slider(visible=guided)

    asked = [controls.prompt, controls.model]
    page.load(
        model_changed,
        asked,
        [controls.prompt, controls.chips, controls.notes],
        show_progress="hidden",
        queue=False,
    )
    controls.model.change(
        model_changed, asked, [controls.prompt, controls.chips, controls.notes], show_progress="hidden"
    )
    controls.prompt.input(noted, asked, controls.notes, **live)
    controls.chips.pick(chip_picked, asked, [controls.prompt, controls.notes], **live)
    controls.method.change(
        method_changed, controls.method, [controls.source, controls.control_scale], queue=False
    )
    controls.dice.click(
        lambda: random.randrange(_SEEDS), None, controls.seed, queue=False, show_progress="hidden"
    )


def _wire_results(creating: Creating, parts: _Parts, made: gr.State, shown: gr.State) -> None:
    controls = creating.controls
    everything = {creating.chosen, *controls.geometry, *controls.paint}

    def showing(sample_id: str, ids: list[str]) -> tuple[Any, ...]:
        one = creating.variant(sample_id)
        pair = (enlarged(one.before), enlarged(one.image))
        doubts = note_html(one.failed_gates, kind="bad")
        return (
            gr.HTML(visible=False), gr.ImageSlider(value=pair, visible=True), gr.Button(visible=True),
            gr.Button("Keep this one", visible=True, interactive=True), creating.strip(ids, sample_id),
            doubts, sample_id,
        )  # fmt: skip

    panes = [parts.stage, parts.result, parts.again, parts.keep, parts.variants, parts.said, shown]

    @shown_to_user
    def created(values: Values, progress: gr.Progress = gr.Progress()) -> tuple[Any, ...]:  # noqa: B008
        ids = creating.create(values, progress)
        return (ids, *showing(ids[0], ids))

    @shown_to_user
    def picked(ids: list[str], event: gr.EventData) -> tuple[Any, ...]:
        return showing(picked_id(event), ids)

    @shown_to_user
    def kept(sample_id: str) -> tuple[Any, str]:
        creating.studio.keep(creating.variant(sample_id))
        return gr.Button("Kept", interactive=False), note_html(
            ["Kept: it waits on the Review page."], kind="good"
        )

    parts.create.click(
        created,
        everything,
        [made, *panes],
        concurrency_id=RENDER,
        concurrency_limit=1,
        show_progress_on=parts.said,
    )
    parts.variants.pick(picked, made, panes, queue=False, show_progress="hidden")
    parts.keep.click(kept, shown, [parts.keep, parts.said], show_progress="hidden")
