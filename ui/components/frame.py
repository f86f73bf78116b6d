"""The top of every page: the bar with the links, and the head with one sentence."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape
from typing import TYPE_CHECKING, Protocol

import gradio as gr

from pipeline.domain.people import Role
from ui.access import Capability, handler
from ui.components.addresses import page_address
from ui.components.html import MARK
from ui.errors import AT_ONCE
from ui.session import reviewer_of
from ui.theme import STATIC

if TYPE_CHECKING:
    from gradio.events import Dependency

    from pipeline.studio import Studio

_RANKS = list(Role)  # from reader to lead
_RUNS_START_ON = "generate"  # path of a page
_COUNT_S = 2.0
_SHOW_COUNT = (STATIC / "run_count.js").read_text(encoding="utf-8")


class Link(Protocol):
    """A page as the bar knows it, see `ui.pages.table.Page`."""

    @property
    def path(self) -> str: ...
    @property
    def title(self) -> str: ...
    @property
    def parent(self) -> str | None: ...
    @property
    def least_role(self) -> Role: ...


def build_bar(page: gr.Blocks, studio: Studio, links: Sequence[Link], current: Link) -> None:
    """Lay out the bar: the name, the pages, how many samples wait for review; on a Space the sign-in, too."""
    if studio.settings.sign_in:
        with gr.Row(elem_classes="bar-row"):
            bar = gr.HTML(bar_html(links, current, waiting=0), elem_classes="bar-block")
            gr.LoginButton(size="sm", elem_id="sign-in", scale=0, min_width=200)
    else:
        bar = gr.HTML(bar_html(links, current, waiting=0), elem_classes="bar-block")

    @handler(studio, Capability.LOOK)
    def counted(request: gr.Request) -> str:
        waiting = studio.library.counts().samples["pending"]
        return bar_html(
            links, current, waiting=waiting, role=studio.review.roles.role(reviewer_of(studio, request))
        )

    loaded = page.load(counted, None, bar, **AT_ONCE)
    _build_run_count(studio, loaded, always=current.path == _RUNS_START_ON)


def _build_run_count(studio: Studio, loaded: Dependency, *, always: bool) -> None:
    """Show how far the run in progress is, in the bar and in the window's title, as long as it goes on.

    Args:
        loaded: the event after which the bar is complete.
        always: also ask while no run is in progress, on the page where one can begin.
    """
    count, timer = gr.Textbox("", visible=False), gr.Timer(_COUNT_S, active=always)

    @handler(studio, Capability.LOOK)
    def run_count() -> tuple[str, gr.Timer]:
        text = studio.samples.runs.progress.count
        return text, gr.Timer(active=always or bool(text))

    loaded.then(run_count, None, [count, timer], **AT_ONCE)
    timer.tick(run_count, None, [count, timer], **AT_ONCE)
    count.change(None, count, None, js=_SHOW_COUNT)


def bar_html(links: Sequence[Link], current: Link, *, waiting: int, role: Role = Role.READER) -> str:
    """Return the bar as HTML.

    Args:
        links: all pages; those with a parent, and those that need more than `role`, are left out.
        current: the page that is open; its parent is marked in place of it.
        waiting: number of undecided samples.
    """
    marked = current.path if current.parent is None else current.parent
    anchors = []
    for link in links:
        if link.parent is not None or _RANKS.index(link.least_role) > _RANKS.index(role):
            continue
        here = ' aria-current="page"' if link.path == marked else ""
        badge = f'<span class="badge">{waiting}</span>' if link.path == "review" and waiting else ""
        anchors.append(f'<a href="{page_address(link.path)}"{here}>{escape(link.title)}{badge}</a>')
    brand = f'<a class="brand" href="{page_address("")}">{MARK}Backlot</a>'
    return f'<div class="bar">{brand}<nav aria-label="Pages">{"".join(anchors)}</nav></div>'


def build_head(title: str, sentence: str) -> None:
    """The head of a page: its name and one short sentence."""
    gr.HTML(f'<header class="head"><h1>{escape(title)}</h1><p>{escape(sentence)}</p></header>')
