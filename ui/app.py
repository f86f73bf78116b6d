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
from ui.components.frame import build_bar
from ui.cookies import cookie_policy
from ui.errors import build_refusal_line
from ui.origin import OriginGuard, hosts_of
from ui.pages.photos.starter_job import StarterJob
from ui.pages.table import PAGES, START_PAGE, Page, Screen
from ui.server_calls import ServerCalls
from ui.theme import SCRIPTS, STYLESHEETS, build_theme
from ui.uploads import UploadLimit

if TYPE_CHECKING:
    from pipeline.studio import Studio

TITLE = "Backlot"
_ADDRESS, _PORT = "127.0.0.1", 7860  # where Gradio listens by default
_CACHE_S = {  # hosted or not → (seconds between clean-ups, age in seconds of the uploads that are deleted)
    True: (600, 3600),
    False: (3600, 86400),
}
_SERVING: dict[str, Any] = {
    "footer_links": [],
    "run_history": False,  # it would store every decision of a reviewer in the browser
    "ssr_mode": False,
    "max_threads": 40,
    "_frontend": False,  # it would give up where the first page takes more than 3 s, as on a busy machine
}


def build_app(studio: Studio, starter: StarterJob) -> StudioBlocks:
    """Build all pages over one studio, each with an address of its own."""
    screen = Screen(studio, starter)
    cached = _CACHE_S[studio.settings.hosted]  # the whole cache is deleted when the server ends
    app: StudioBlocks
    with StudioBlocks(title=TITLE, analytics_enabled=False, delete_cache=cached) as app:
        lines = {START_PAGE.path: _build_page(app, screen, START_PAGE)}
    for page in PAGES[1:]:
        with app.route(page.title, page.path):
            lines[page.path] = _build_page(app, screen, page)
    app.add_refusal_lines(lines)
    check_declared(app)
    app.queue(default_concurrency_limit=8)
    return app


def _build_page(app: gr.Blocks, screen: Screen, page: Page) -> gr.HTML:
    """Lay out the bar, the line for refusals and what is under them; return the line."""
    build_bar(app, screen.studio, PAGES, page)
    line = build_refusal_line()
    page.build(app, screen)
    return line


def launch(studio: Studio, *, block: bool = True, **options: Any) -> gr.Blocks:
    """Serve the studio; a new library is filled with the starter set after the first page is shown.

    Args:
        block: return only when the server ends.
        options: passed to `Blocks.launch`, e.g. `server_port`, which overrides `GRADIO_SERVER_PORT`.

    Raises:
        PortTakenError: another program listens on the port.
        InvalidRequest: the studio cannot listen on the port or the address.
    """
    name, port = _listening_address(options)
    gr.set_static_paths(list(studio.photos.image_folders))
    starter = StarterJob(studio)
    app = build_app(studio, starter)
    _check_port(name, port)
    try:
        app.launch(
            prevent_thread_lock=True,
            theme=build_theme(),
            css_paths=STYLESHEETS,
            head=SCRIPTS,
            app_kwargs=_guards(app, studio, server_name=name),
            **_SERVING,
            **{**options, "server_name": name, "server_port": port},
        )
    except OSError as error:
        if "empty port" not in str(error):  # Gradio raises this for every server that did not start
            raise
        _check_port(name, port)
        raise StudioError(f"the server did not start on port {port}; start the studio again") from error
    starter.start()
    if block:
        app.block_thread()
    return app


def _guards(app: gr.Blocks, studio: Studio, *, server_name: str) -> dict[str, object]:
    """What lies around Gradio's routes, the outermost first: origins, sizes, server functions; and cookies."""
    settings = studio.settings
    return {
        "middleware": [
            Middleware(OriginGuard, hosts=hosts_of(settings, server_name=server_name)),
            Middleware(UploadLimit, studio=studio),
            Middleware(ServerCalls, blocks=app),
        ],
        "lifespan": cookie_policy(hosted=settings.hosted),
    }


def _listening_address(options: Mapping[str, Any]) -> tuple[str, int]:
    """Return the address and the port to listen on; a taken port is never replaced by another one."""
    name = options.get("server_name") or os.environ.get("GRADIO_SERVER_NAME") or _ADDRESS
    given = options.get("server_port") or os.environ.get("GRADIO_SERVER_PORT") or _PORT
    port = int(given) if str(given).isdecimal() else 0
    if not 1 <= port <= 65535:
        raise InvalidRequest(f"the port is '{given}'; it must be a number from 1 to 65535")
    return str(name), port


def _check_port(name: str, port: int) -> None:
    """Refuse a port that the studio cannot listen on, with the reason."""
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
