"""Assembles the pages into one app. Nothing here loads a model."""

from __future__ import annotations

import errno
import os
import socket
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import gradio as gr
from starlette.middleware import Middleware

from pipeline.errors import InvalidRequest, StudioError
from ui.access import StudioBlocks, check_declared
from ui.components.frame import PAGES
from ui.origin import OriginGuard, hosts_of
from ui.pages.create.page import build_create_page
from ui.pages.generate.page import build_generate_page
from ui.pages.photos.page import build_photos_page
from ui.pages.photos.starter_job import StarterJob
from ui.pages.publish.page import build_publish_page
from ui.pages.review.page import build_review_page
from ui.pages.reviewers.page import build_reviewers_page
from ui.pages.train.page import build_train_page
from ui.theme import SCRIPTS, STYLESHEETS, build_theme
from ui.uploads import UploadLimit

if TYPE_CHECKING:
    from pipeline.studio import Studio

TITLE = "Backlot"
_ADDRESS, _PORT = "127.0.0.1", 7860  # where Gradio listens by default
_CACHE_S = {
    True: (600, 3600),
    False: (3600, 86400),
}  # hosted or not: look so often for uploads older than that
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
    cached = _CACHE_S[studio.settings.hosted]  # everything goes when the server ends
    with StudioBlocks(title=TITLE, analytics_enabled=False, delete_cache=cached) as app:
        build[""](app)
    for path, title in {**PAGES, "reviewers": "Reviewers"}.items():  # the last one is reached from Review
        if path:
            with app.route(title, path):
                build[path](app)
    check_declared(app)
    app.queue(default_concurrency_limit=8)
    return app


def launch(studio: Studio, *, block: bool = True, **options: Any) -> gr.Blocks:
    """Serve the studio; a new library is filled with the starter set behind the first paint.

    Args:
        block: stay until the server ends.
        options: handed to `Blocks.launch`, e.g. `server_port`, which goes before `GRADIO_SERVER_PORT`.

    Raises:
        PortTakenError: another program listens on the port.
        InvalidRequest: the port or the address cannot be listened on.
    """
    name, port = _listening(options)
    gr.set_static_paths(list(studio.photos.image_folders))
    starter = StarterJob(studio)
    app = build_app(studio, starter)
    guard = Middleware(OriginGuard, hosts=hosts_of(studio.settings, server_name=name))
    _check_port(name, port)
    try:
        app.launch(
            prevent_thread_lock=True,
            theme=build_theme(),
            css_paths=STYLESHEETS,
            head=SCRIPTS,
            app_kwargs={"middleware": [guard, Middleware(UploadLimit, studio=studio)]},
            **_SERVING,
            **{**options, "server_name": name, "server_port": port},
        )
    except OSError as error:
        if "empty port" not in str(error):  # Gradio says so of every server that did not start
            raise
        _check_port(name, port)
        raise StudioError(f"the server did not start on port {port}; start the studio again") from error
    starter.start()
    if block:
        app.block_thread()
    return app


def _listening(options: Mapping[str, Any]) -> tuple[str, int]:
    """The address and the port to listen on; the port is never moved to another that is free."""
    name = options.get("server_name") or os.environ.get("GRADIO_SERVER_NAME") or _ADDRESS
    given = options.get("server_port") or os.environ.get("GRADIO_SERVER_PORT") or _PORT
    port = int(given) if str(given).isdecimal() else 0
    if not 1 <= port <= 65535:
        raise InvalidRequest(f"the port is '{given}'; it must be a number from 1 to 65535")
    return str(name), port


def _check_port(name: str, port: int) -> None:
    """Refuse a port that cannot be listened on, with the reason."""
    host = name.strip("[]")
    try:
        family, kind, _, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        with socket.socket(family, kind) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind(address)
    except OSError as error:
        if error.errno == errno.EADDRINUSE:
            raise PortTakenError(port) from error
        raise InvalidRequest(
            f"the studio cannot listen on {name} port {port}: {error.strerror}; "
            "set GRADIO_SERVER_NAME and GRADIO_SERVER_PORT to an address and a port of this machine"
        ) from error


class PortTakenError(StudioError):
    """Another program listens on the port."""

    def __init__(self, port: int) -> None:
        self.port = port
        super().__init__(
            f"port {port} is taken; stop what listens there, or choose another: make studio PORT=7861"
        )
