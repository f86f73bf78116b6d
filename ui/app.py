"""Assembles the pages into one app. Nothing here loads a model."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

import gradio as gr

from pipeline.errors import StudioError
from ui.create_page import build_create_page
from ui.frame import PAGES
from ui.generate_page import build_generate_page
from ui.photos_page import build_photos_page
from ui.publish_page import build_publish_page
from ui.review_page import build_review_page
from ui.reviewers_page import build_reviewers_page
from ui.starter_job import StarterJob
from ui.theme import STYLESHEETS, build_theme
from ui.train_page import build_train_page

if TYPE_CHECKING:
    from pipeline.studio import Studio

TITLE = "Backlot"
_STRANGERS_UPLOAD = "500mb"  # the most that anybody may send to a Space in one file
_SERVING: dict[str, Any] = {
    "footer_links": [],
    "run_history": False,  # it would keep every decision of a reviewer in the browser
    "ssr_mode": False,
    "max_threads": 40,
}


def build_app(studio: Studio, starter: StarterJob) -> gr.Blocks:
    """All pages over one studio; each has an address of its own."""
    build = {
        "": lambda app: build_photos_page(app, studio, starter),
        "create": lambda app: build_create_page(app, studio),
        "generate": lambda app: build_generate_page(app, studio),
        "review": lambda app: build_review_page(app, studio),
        "reviewers": lambda app: build_reviewers_page(app, studio),
        "publish": lambda app: build_publish_page(app, studio),
        "train": lambda app: build_train_page(app, studio),
    }
    app: gr.Blocks
    with gr.Blocks(title=TITLE, analytics_enabled=False) as app:
        build[""](app)
    for path, title in {**PAGES, "reviewers": "Reviewers"}.items():  # the last one is reached from Review
        if path:
            with app.route(title, path):
                build[path](app)
    app.queue(default_concurrency_limit=8)
    return app


def launch(studio: Studio, *, block: bool = True, **options: Any) -> gr.Blocks:
    """Serve the studio; a new library is filled with the starter set behind the first paint.

    Args:
        block: stay until the server ends.
        options: handed to `Blocks.launch`, e.g. `server_port`.

    Raises:
        PortTakenError: another program listens where the studio shall.
    """
    gr.set_static_paths(list(studio.picture_folders))
    starter = StarterJob(studio)
    app = build_app(studio, starter)
    try:
        app.launch(
            prevent_thread_lock=True,
            theme=build_theme(),
            css_paths=STYLESHEETS,
            max_file_size=_STRANGERS_UPLOAD if studio.settings.hosted else None,
            **_SERVING,
            **options,
        )
    except OSError as error:  # what Gradio raises when no port of its range is free
        raise PortTakenError(
            options.get("server_port") or os.environ.get("GRADIO_SERVER_PORT", "7860")
        ) from error
    starter.start()
    if block:
        app.block_thread()
    return app


class PortTakenError(StudioError):
    """Another program listens on the port."""

    def __init__(self, port: int | str) -> None:
        self.port = port
        super().__init__(
            f"port {port} is taken; stop what listens there, or choose another: make studio PORT=7861"
        )
