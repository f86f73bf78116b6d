"""A page on another port of this machine, open in the same browser, tries to decide in bulk."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from pipeline.store import Library
from tests.toy_library import filled
from tests.ui.browser import App, opened_page

pytestmark = pytest.mark.browser
TRIES = """
async (address) => {
  const config = await fetch(address + '/config').then((answer) => answer.json()).catch(() => null);
  const token = await fetch(address + '/gradio_api/page_token').then((answer) => answer.text()).catch(() => null);
  const answers = [];
  for (let id = 0; id < 400; id += 1) {
    const call = { component_id: id, fn_name: 'decide_all', session_hash: 's',
                   data: { query: {}, verdict: 'reject', batch: 'b' } };
    const body = JSON.stringify(call);
    const sent = { method: 'POST', mode: 'no-cors', credentials: 'include', body };
    answers.push(fetch(address + '/gradio_api/component_server', sent).catch(() => null));
    answers.push(fetch(address + '/gradio_api/component_server',
      { ...sent, mode: 'cors', headers: { 'Content-Type': 'application/json', 'X-Backlot-Page': token || '' } })
      .then((answer) => answer.status).catch(() => null));
  }
  return { config, token, statuses: [...new Set((await Promise.all(answers)).filter(Number.isInteger))] };
}
"""


class EmptyPage(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        self.send_response(200)
        self.send_header("Content-Type", "text/html")
        self.end_headers()
        self.wfile.write(b"<title>elsewhere</title>")

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@pytest.fixture
def elsewhere() -> Iterator[str]:
    """The address of a page of another origin."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), EmptyPage)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()


def test_a_page_on_another_port_decides_nothing_and_reads_nothing(tmp_path: Path, elsewhere: str) -> None:
    with Library.open(tmp_path / "library", create=True) as library:
        first, *_ = filled(library, samples=3)
    app = App(tmp_path)
    try:
        with opened_page() as page:
            page.goto(elsewhere)
            seen = page.evaluate(TRIES, app.address)
            page.goto(f"{app.address}/review")
            page.wait_for_selector(f".review[data-sample='{first}']")
            page.keyboard.press("a")  # the studio's own page still decides
            page.wait_for_function("document.querySelector('[data-part=saving]').innerText === 'all saved'")
    finally:
        app.stop()
    assert seen["config"] is None or "components" not in seen["config"]
    assert set(seen["statuses"]) <= {403}
    with Library.open(tmp_path / "library") as library:
        decisions = library.review.decisions()
    assert [(one.sample_id, str(one.verdict)) for one in decisions] == [(first, "accept")]
