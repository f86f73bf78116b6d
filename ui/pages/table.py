"""The table of pages: the app is built from it, and the bar links to its entries.

To add a page, write a folder with a `build_…_page` function and add a row here.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

import gradio as gr

from pipeline.domain.people import Role
from ui.pages.create.page import build_create_page
from ui.pages.generate.page import build_generate_page
from ui.pages.photos.page import build_photos_page
from ui.pages.photos.starter_job import StarterJob
from ui.pages.publish.page import build_publish_page
from ui.pages.review.page import build_review_page
from ui.pages.reviewers.page import build_reviewers_page
from ui.pages.train.page import build_train_page

if TYPE_CHECKING:
    from pipeline.studio import Studio


@dataclass(frozen=True, slots=True)
class Screen:
    """What pages are built over."""

    studio: Studio
    starter: StarterJob


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """A page of the app.

    Args:
        path: its address below the app's; "" for the start page.
        title: of the link and of the browser's tab.
        build: lays out and wires what is under the bar.
        parent: path of the page that links to it where the bar does not; the bar marks that one as current.
        least_role: who has less does not see the link. What a page shows and does is guarded by the capabilities of
            its handlers, see `ui.access`.
    """

    path: str
    title: str
    build: Callable[[gr.Blocks, Screen], None]
    parent: str | None = None
    least_role: Role = Role.READER


PAGES: tuple[Page, ...] = (
    Page(path="", title="Photos", build=lambda app, on: build_photos_page(app, on.studio, on.starter)),
    Page(path="create", title="Create", build=lambda app, on: build_create_page(app, on.studio)),
    Page(
        path="generate",
        title="Generate",
        build=lambda app, on: build_generate_page(app, on.studio, on.starter),
    ),
    Page(path="review", title="Review", build=lambda app, on: build_review_page(on.studio)),
    Page(
        path="reviewers",
        title="Reviewers",
        build=lambda app, on: build_reviewers_page(app, on.studio),
        parent="review",
    ),
    Page(path="publish", title="Publish", build=lambda app, on: build_publish_page(app, on.studio)),
    Page(path="train", title="Train", build=lambda app, on: build_train_page(app, on.studio)),
)
START_PAGE = PAGES[0]
