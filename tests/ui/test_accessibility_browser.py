"""Every page under axe-core, the field's checker of roles, names, labels and contrast (WCAG 2 A and AA)."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from pipeline.domain.review import Policy, Verdict
from pipeline.store import Library
from tests.toy_library import decision, filled
from tests.ui.browser import App, opened_page
from ui.pages.table import PAGES

pytestmark = pytest.mark.browser
AT_REST = (
    "*, *::before, *::after { transition: none !important; animation: none !important; }"  # final colours
)
READY = {page.path: "h1" for page in PAGES} | {  # address → what is there when the page is ready
    "": ".tile",
    "review": ".review[data-sample]",
    "review?view=grid": ".grid-tile",
    "reviewers": "#team table",
}


@pytest.fixture(scope="module")
def app(tmp_path_factory: pytest.TempPathFactory) -> Iterator[App]:
    folder = tmp_path_factory.mktemp("pages")
    with Library.open(folder / "library", create=True) as library:
        for number, one in enumerate(filled(library, samples=12)[:4]):
            library.review.record(decision(one, Verdict.REJECT if number else Verdict.ACCEPT))
        library.review.set_policy(Policy(overlap=2))
        for name, verdict in (("ann", Verdict.ACCEPT), ("ben", Verdict.REJECT)):  # one is disputed
            library.review.record(decision(library.queue.next_pending(limit=1)[0].id, verdict, reviewer=name))
    running = App(folder)
    try:
        yield running
    finally:
        running.stop()


@pytest.mark.parametrize("address", READY)
def test_a_page_breaks_no_rule_of_accessibility(app: App, address: str) -> None:
    axe = pytest.importorskip("axe_playwright_python.sync_playwright", reason="axe-core is not installed")
    with opened_page() as page:
        page.goto(f"{app.address}/{address}")
        page.wait_for_selector(READY[address])
        page.add_style_tag(content=AT_REST)
        found = axe.Axe().run(page, options={"runOnly": ["wcag2a", "wcag2aa"]}).response
    assert len(found["passes"]) > 10
    broken = [(one["id"], [node["html"][:200] for node in one["nodes"]]) for one in found["violations"]]
    assert broken == []
