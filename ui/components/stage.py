"""The live preview of Create: a picture that follows the sliders, on which the object can be dragged."""

from __future__ import annotations

import gradio as gr

from pipeline.domain.images import RGB
from pipeline.errors import InvalidRequest
from ui.components.addresses import inline_picture
from ui.components.scripts import widget_script

_PICTURE = '<img src="${value}" alt="The placed object" draggable="false">'
_TEMPLATE = '<div class="stage-box">${value ? `' + _PICTURE + '` : ""}</div>'


def build_stage() -> gr.HTML:
    """The widget; give it `stage_value(picture)`. Its `drag` event carries x and y."""
    return gr.HTML(
        "",
        html_template=_TEMPLATE,
        js_on_load=widget_script("stage.js"),
        elem_id="stage",
        elem_classes="stage-block",
    )


def stage_value(picture: RGB) -> str:
    """The value that shows a picture."""
    return inline_picture(picture)


def dragged_to(event: gr.EventData) -> tuple[float, float]:
    """(x, y) of a drag, shares of the canvas' width and height."""
    try:
        x, y = float(event._data["x"]), float(event._data["y"])
    except (KeyError, TypeError, ValueError, OverflowError):
        raise InvalidRequest("the place of the object cannot be read; drag it again") from None
    return min(max(x, 0.0), 1.0), min(max(y, 0.0), 1.0)
