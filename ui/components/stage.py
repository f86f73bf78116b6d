"""The live preview of Create: an image that follows the sliders, on which the object can be dragged."""

from __future__ import annotations

import gradio as gr

from pipeline.errors import InvalidRequest
from ui.components.scripts import widget_script

_PICTURE = '<img src="${value}" alt="The placed object" draggable="false">'
_TEMPLATE = '<div class="stage-box">${value ? `' + _PICTURE + '` : ""}</div>'


def build_stage() -> gr.HTML:
    """Build the widget; its value is an `inline_picture(...)`, its `drag` event carries x and y."""
    return gr.HTML(
        "",
        html_template=_TEMPLATE,
        js_on_load=widget_script("stage.js"),
        elem_id="stage",
        elem_classes="stage-block",
    )


def dragged_to(event: gr.EventData) -> tuple[float, float]:
    """Return (x, y) of a drag, as shares of the canvas' width and height.

    Raises:
        InvalidRequest: the event carries no position.
    """
    try:
        x, y = float(event._data["x"]), float(event._data["y"])
    except (KeyError, TypeError, ValueError, OverflowError):
        raise InvalidRequest("the position of the object cannot be read; drag it again") from None
    return min(max(x, 0.0), 1.0), min(max(y, 0.0), 1.0)
