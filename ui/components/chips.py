"""Slot values that a model knows, as chips that extend the prompt when they are clicked."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from html import escape

import gradio as gr

from ui.components.scripts import widget_script

_BLANK = re.compile(r"\{\w+\}")  # stands for a value of another slot, as in "{surface} floor"
# sends the slot value that was picked last behind two other inputs; the data of the event would be those of the first
# of several picks that wait for one answer
WITH_PICKED = (
    "(first, second) => [first, second, document.querySelector('#chips [data-picked]').dataset.picked]"
)


def build_chips() -> gr.HTML:
    """Build an empty row of chips; for a listener of `pick` see `WITH_PICKED`."""
    return gr.HTML("", js_on_load=widget_script("pick.js"), elem_id="chips", elem_classes="chips-block")


def chips_html(vocabulary: Mapping[str, Sequence[str]] | None) -> str:
    """Return a line of chips for each slot; "" for a model that takes any prompt."""
    if not vocabulary:
        return ""
    lines = "".join(
        f"<dt>{escape(slot.replace('_', ' '))}</dt><dd>{''.join(map(_chip, values))}</dd>"
        for slot, values in vocabulary.items()
    )
    return f'<dl class="chips">{lines}</dl>'


def _chip(value: str) -> str:
    shown = _BLANK.sub("…", value)
    return f'<button type="button" data-pick="{escape(value, quote=True)}">{escape(shown)}</button>'
