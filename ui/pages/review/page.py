"""Review: one synthetic image at a time, by key."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ui.components.frame import build_head
from ui.pages.review.component import build_review_component

if TYPE_CHECKING:
    from pipeline.studio import Studio


def build_review_page(studio: Studio) -> None:
    """Lay out the page; all that happens on it is in the component."""
    build_head("Review", "Keep what you would train on. A accepts, X rejects, ? shows all keys.")
    build_review_component(studio)
