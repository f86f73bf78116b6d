"""Words that a model knows, as chips that join the prompt when they are clicked."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from html import escape

import gradio as gr

from ui.components.scripts import widget_script

_BLANK = re.compile(r"\{\w+\}")  # stands for a value of another slot, as in "{surface} floor"


def build_chips() -> gr.HTML:
    """An empty row of chips; its `pick` event carries the word."""
    return gr.HTML("", js_on_load=widget_script("pick.js"), elem_id="chips", elem_classes="chips-block")


def chips_html(vocabulary: Mapping[str, Sequence[str]] | None) -> str:
    """One line of chips a slot; "" for a model that takes any words."""
    if not vocabulary:
        return ""
    lines = "".join(
        f"<dt>{escape(slot.replace('_', ' '))}</dt><dd>{''.join(_chip(word) for word in words)}</dd>"
        for slot, words in vocabulary.items()
    )
    return f'<dl class="chips">{lines}</dl>'


def picked_word(event: gr.EventData) -> str:
    """The word that a pick carries."""
    return str(event._data.get("value", ""))


def _chip(word: str) -> str:
    shown = _BLANK.sub("…", word)
    return f'<button type="button" data-pick="{escape(word, quote=True)}">{escape(shown)}</button>'
