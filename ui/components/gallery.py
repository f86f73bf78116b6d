"""Images that open: thumbnails in a grid, and each of them large after a click."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape

import gradio as gr

from ui.components.scripts import widget_script


@dataclass(frozen=True, slots=True, kw_only=True)
class GalleryImage:
    """One image."""

    thumbnail: str  # address
    full: str  # address
    caption: str  # under the thumbnail
    description: str  # under the large image
    flag: str = ""  # a short reason why it needs checking; shown as a dot with this title


def build_gallery(*, elem_id: str, label: str) -> gr.HTML:
    """Build an empty gallery; give it `gallery_html(...)` as value."""
    return gr.HTML(
        "", js_on_load=widget_script("gallery.js"), elem_id=elem_id, elem_classes="tiles-block", label=label
    )


def gallery_html(images: Sequence[GalleryImage]) -> str:
    """Return the thumbnails as HTML; "" without images."""
    if not images:
        return ""
    return f'<div class="tiles on-checker">{"".join(map(_tile_html, images))}</div>'


def _tile_html(image: GalleryImage) -> str:
    thumbnail, full, caption, description, flag = (
        escape(text, quote=True)
        for text in (image.thumbnail, image.full, image.caption, image.description, image.flag)
    )
    mark = f'<b class="flag" title="{flag}"></b>' if flag else ""
    return (
        f'<button type="button" class="tile" data-full="{full}" data-description="{description}"'
        f' title="{flag or caption}"><img src="{thumbnail}" alt="{caption}" loading="lazy">'
        f"{mark}<span>{caption}</span></button>"
    )
