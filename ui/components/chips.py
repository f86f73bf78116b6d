"""Slot values that a model knows, as chips that extend the prompt when they are clicked."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from html import escape

import gradio as gr

from ui.components.scripts import widget_script

_BLANK = re.compile(r"\{\w+\}")  # stands for a value of another slot, as in "{surface} floor"


def build_chips() -> gr.HTML:
    """Build an empty row of chips; its `pick` event carries the slot value."""
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


def picked_value(event: gr.EventData) -> str:
    """Return the slot value that a pick carries."""
    return str(event._data.get("value", ""))


def _chip(value: str) -> str:
    shown = _BLANK.sub("…", value)
    return f'<button type="button" data-pick="{escape(value, quote=True)}">{escape(shown)}</button>'
