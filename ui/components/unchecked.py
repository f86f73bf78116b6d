"""What every page that uses photos says of those that are not used until somebody has checked their outline."""

from __future__ import annotations

from typing import TYPE_CHECKING

import gradio as gr

from ui.access import Capability, handler
from ui.components.addresses import page_address
from ui.components.html import link_html, note_html
from ui.errors import AT_ONCE, LIVE

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from gradio.events import Dependency

    from pipeline.services.reports import UncheckedPhotos
    from pipeline.studio import Studio

    Listen = Callable[..., Dependency]

CHECK = "check"  # of the query of the Photos page: with it, the check of the outlines is open


def unchecked_html(report: UncheckedPhotos) -> str:
    """Return the sentence with the way to the check; "" where every photo is used."""
    if not report.unchecked:
        return ""
    link = link_html("Check the outlines", page_address("", **{CHECK: "1"}))
    return f'<div class="unchecked">{note_html([report.sentence], kind="bad")}{link}</div>'


def build_unchecked(page: gr.Blocks, studio: Studio) -> Callable[[Iterable[Listen]], None]:
    """Build the sentence, which is filled when the page is opened.

    Returns:
        A function that fills it anew at each of some events.
    """
    widget = gr.HTML(elem_classes="unchecked-block")

    @handler(studio, Capability.LOOK)
    def unchecked() -> str:
        return unchecked_html(studio.photos.unchecked())

    def follow(events: Iterable[Listen]) -> None:
        for event in events:
            event(unchecked, None, widget, **LIVE)

    page.load(unchecked, None, widget, **AT_ONCE)
    return follow
