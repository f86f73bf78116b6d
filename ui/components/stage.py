"""The live preview of Create: an image that follows the sliders, on which the object can be dragged."""

from __future__ import annotations

import gradio as gr

from ui.components.scripts import widget_script

_PICTURE = '<img src="${value}" alt="The placed object" draggable="false">'
_TEMPLATE = '<div class="stage-box">${value ? `' + _PICTURE + '` : ""}</div>'
# for a listener of `drag` without a function: (x, y) of the pointer now, as shares of the canvas' width and height;
# the data of the event itself would be those of the first of several that wait for one answer
DRAGGED_TO = "() => (({ x, y }) => [Number(x), Number(y)])(document.querySelector('#stage [data-x]').dataset)"


def build_stage() -> gr.HTML:
    """Build the widget; its value is an `inline_picture(...)`. For a listener of `drag` see `DRAGGED_TO`."""
    return gr.HTML(
        "",
        html_template=_TEMPLATE,
        js_on_load=widget_script("stage.js"),
        elem_id="stage",
        elem_classes="stage-block",
    )
