"""The controls of Create: placement, background, model. Handlers get their values as one dictionary."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import gradio as gr
from gradio.blocks import Block

from pipeline.domain.methods import METHODS, Method
from pipeline.domain.placement import Placement
from pipeline.domain.spec import ControlSource, ControlSpec
from pipeline.errors import InvalidRequest
from pipeline.services.samples.create import CreateRequest
from ui.components.chips import build_chips

if TYPE_CHECKING:
    from pipeline.studio import Studio

FIRST_PROMPT = "wooden planks floor, warm light"  # words that the embedded model draws well
Values = Mapping[Block, Any]  # what a component holds depends on its type
_METHODS = [(facts.title, method) for method, facts in METHODS.items() if facts.needs_prompt]
_SOURCES = [("the object", ControlSource.OBJECT), ("its photo", ControlSource.SCENE)]


@dataclass(frozen=True, slots=True, kw_only=True)
class Controls:
    """The widgets."""

    x: gr.Slider
    y: gr.Slider
    scale: gr.Slider
    rotation: gr.Slider
    yaw: gr.Slider
    pitch: gr.Slider
    flip: gr.Checkbox
    prompt: gr.Textbox
    chips: gr.HTML
    picked: gr.Textbox  # takes the slot value of a picked chip to the server
    notes: gr.HTML
    method: gr.Radio
    model: gr.Dropdown
    seed: gr.Number
    source: gr.Radio
    control_scale: gr.Slider
    dice: gr.Button

    @property
    def geometry(self) -> list[gr.Slider | gr.Checkbox]:
        """Controls of the placement."""
        return [self.x, self.y, self.scale, self.rotation, self.yaw, self.pitch, self.flip]

    @property
    def paint(self) -> list[Block]:
        """Controls of what the model renders."""
        return [self.prompt, self.method, self.model, self.seed, self.source, self.control_scale]

    def placement(self, values: Values) -> Placement:
        """Return the placement that the sliders are set to."""
        return Placement(
            x=float(values[self.x]),
            y=float(values[self.y]),
            scale=float(values[self.scale]),
            rotation=float(values[self.rotation]),
            yaw=float(values[self.yaw]),
            pitch=float(values[self.pitch]),
            flip=bool(values[self.flip]),
        )

    def request(self, values: Values, photo_id: str, count: int) -> CreateRequest:
        """Return the request for some variants of a photo's object.

        Raises:
            InvalidRequest: the seed is empty, or the number of variants is out of range.
        """
        method = Method(values[self.method])
        if values[self.seed] is None:
            raise InvalidRequest("the seed is empty; enter a whole number")
        control = ControlSpec(
            source=ControlSource(values[self.source]), scale=float(values[self.control_scale])
        )
        return CreateRequest(
            photo_id=photo_id,
            placement=self.placement(values),
            prompt=values[self.prompt] or "",
            method=method,
            model=values[self.model],
            seed=int(values[self.seed]),
            count=count,
            control=control if method is Method.CONTROLNET else None,
        )


def build_controls(studio: Studio) -> Controls:
    """Lay out the controls, one panel below another."""
    with gr.Column(elem_classes="pane"):
        gr.HTML("<h2>Placement</h2>")
        with gr.Row(elem_classes="pair"):
            x = gr.Slider(0, 1, 0.5, step=0.01, label="Horizontal", buttons=[], min_width=120)
            y = gr.Slider(0, 1, 0.5, step=0.01, label="Vertical", buttons=[], min_width=120)
        with gr.Row(elem_classes="pair"):
            scale = gr.Slider(0.1, 1.2, 0.6, step=0.01, label="Size", buttons=[], min_width=120)
            rotation = gr.Slider(-180, 180, 0, step=1, label="Rotation °", buttons=[], min_width=120)
        with gr.Row(elem_classes="pair"):
            yaw = gr.Slider(-60, 60, 0, step=1, label="Yaw °", buttons=[], min_width=120)
            pitch = gr.Slider(-60, 60, 0, step=1, label="Pitch °", buttons=[], min_width=120)
        flip = gr.Checkbox(label="Mirror", container=False)
    with gr.Column(elem_classes="pane"):
        gr.HTML("<h2>Background</h2>")
        prompt = gr.Textbox(label="Prompt", lines=2, placeholder=FIRST_PROMPT, elem_id="prompt")
        notes = gr.HTML()
        chips, picked = build_chips(), gr.Textbox("", visible=False)
    with gr.Accordion("Method, model, seed", open=False, elem_classes="pane"):
        method = gr.Radio(_METHODS, value=Method.INPAINT, label="Method", elem_classes="pills")
        with gr.Column(elem_classes="bare"):
            source = gr.Radio(
                _SOURCES, value=ControlSource.OBJECT, label="Edges of", elem_classes="pills", visible=False
            )
            control_scale = gr.Slider(
                0, 1.5, 0.6, step=0.05, label="Control scale", buttons=[], visible=False
            )
        models = [(model.title, model.name) for model in studio.plans.models()]
        model = gr.Dropdown(models, value=studio.settings.model, label="Model", allow_custom_value=True)
        with gr.Row(elem_classes="tight"):
            seed = gr.Number(1, label="First seed", precision=0, minimum=0)
            dice = gr.Button("Random", size="sm", scale=0, min_width=90)
    return Controls(
        x=x, y=y, scale=scale, rotation=rotation, yaw=yaw, pitch=pitch, flip=flip, prompt=prompt, chips=chips,
        picked=picked, notes=notes, method=method, model=model, seed=seed, source=source, control_scale=control_scale,
        dice=dice,
    )  # fmt: skip
