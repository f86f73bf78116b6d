"""A grid of thumbnails that can be picked: `tiles.pick(handler)` gets the id of the picked one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape

import gradio as gr

from pipeline.errors import InvalidRequest
from ui.components.scripts import widget_script

_BACKGROUNDS = ("checker", "green", "dark", "light")  # classes of the stylesheet


@dataclass(frozen=True, slots=True, kw_only=True)
class Tile:
    """One thumbnail."""

    id: str
    address: str
    caption: str
    flag: str = ""  # a short reason why it needs checking; shown as a dot with this title
    muted: bool = False
    chosen: bool = False


def build_tiles(*, elem_id: str, label: str) -> gr.HTML:
    """Build an empty grid; give it `tiles_html(...)` as value."""
    return gr.HTML(
        "", js_on_load=widget_script("pick.js"), elem_id=elem_id, elem_classes="tiles-block", label=label
    )


def tiles_html(tiles: Sequence[Tile], *, background: str = "checker") -> str:
    """Return the grid's HTML; `background` (checker, green, dark, light) shows through transparent images.

    Raises:
        InvalidRequest: there is no such background.
    """
    if background not in _BACKGROUNDS:
        raise InvalidRequest(f"the background is '{background}'; it must be one of {', '.join(_BACKGROUNDS)}")
    return f'<div class="tiles on-{background}">{"".join(_tile_html(tile) for tile in tiles)}</div>'


def picked_id(event: gr.EventData) -> str:
    """Return the id that a pick carries."""
    return str(event._data.get("value", ""))


def _tile_html(tile: Tile) -> str:
    classes = " ".join(["tile", *["muted"] * tile.muted, *["chosen"] * tile.chosen])
    title = escape(tile.flag or tile.caption, quote=True)
    flag = f'<b class="flag" title="{title}"></b>' if tile.flag else ""
    return (
        f'<button type="button" class="{classes}" data-pick="{escape(tile.id, quote=True)}" title="{title}"'
        f"{' aria-pressed=true' if tile.chosen else ''}>"
        f'<img src="{escape(tile.address, quote=True)}" alt="{escape(tile.caption, quote=True)}"'
        ' loading="lazy">'
        f"{flag}<span>{escape(tile.caption)}</span></button>"
    )
