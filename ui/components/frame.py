"""What all pages have on top: the bar with the links, the head with one sentence."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING

import gradio as gr

from ui.access import Capability, handler
from ui.components.addresses import page_address
from ui.components.html import MARK
from ui.errors import AT_ONCE

if TYPE_CHECKING:
    from pipeline.studio import Studio

PAGES = {  # path → title; the first is the start page
    "": "Photos",
    "create": "Create",
    "generate": "Generate",
    "review": "Review",
    "publish": "Publish",
    "train": "Train",
}


def build_bar(page: gr.Blocks, studio: Studio, path: str) -> None:
    """The bar on top: the name, the pages, how many pictures wait for review; on a Space the sign-in, too."""
    if studio.settings.sign_in:
        with gr.Row(elem_classes="bar-row"):
            bar = gr.HTML(bar_html(path, waiting=0), elem_classes="bar-block")
            gr.LoginButton(size="sm", elem_id="sign-in", scale=0, min_width=200)
    else:
        bar = gr.HTML(bar_html(path, waiting=0), elem_classes="bar-block")

    @handler(studio, Capability.LOOK)
    def counted() -> str:
        return bar_html(path, waiting=studio.library.counts().samples["pending"])

    page.load(counted, None, bar, **AT_ONCE)


def bar_html(current: str, *, waiting: int) -> str:
    """The bar as HTML; `current` is the path of the page that is open."""
    links = []
    for path, title in PAGES.items():
        here = ' aria-current="page"' if path == current else ""
        badge = f'<span class="badge">{waiting}</span>' if path == "review" and waiting else ""
        links.append(f'<a href="{page_address(path)}"{here}>{title}{badge}</a>')
    brand = f'<a class="brand" href="{page_address("")}">{MARK}Backlot</a>'
    return f'<div class="bar">{brand}<nav aria-label="Pages">{"".join(links)}</nav></div>'


def build_head(title: str, sentence: str) -> None:
    """The head of a page: its name and one short sentence."""
    gr.HTML(f'<header class="head"><h1>{escape(title)}</h1><p>{escape(sentence)}</p></header>')
