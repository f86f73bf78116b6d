"""The layout of pages on a narrow screen."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from pipeline.domain.arms import ALL_USES
from pipeline.services.samples.service import SampleService
from pipeline.store import Library
from tests.toy_library import add_subject, decision, filled
from tests.ui.browser import opened_page, served
from ui.components.charts import curves_svg
from ui.pages.table import PAGES
from ui.theme import STATIC

pytestmark = pytest.mark.browser
PHONE_PX = 390
READY = {  # page → what is there when it is
    "": ".tile",
    "create": "#stage img",
    "generate": "#plan .figure",
    "review": ".review[data-sample]",
    "reviewers": "#team table",
    "publish": "#release-preview table",
}


def variants(_service: SampleService, request: SimpleNamespace, **_options: object) -> list[SimpleNamespace]:
    """What Create shows of the variants of a request, without a model."""
    pixels = np.full((8, 8, 3), 90, np.uint8)
    return [
        SimpleNamespace(
            spec=SimpleNamespace(id=f"v{seed}", seed=seed), image=pixels, before=pixels, failed_gates=()
        )
        for seed in range(request.count)
    ]


@pytest.mark.parametrize("width_px", [PHONE_PX, 1280])
def test_the_words_of_each_button_of_create_stand_on_one_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, width_px: int
) -> None:
    with Library.open(tmp_path / "library", create=True) as library:
        add_subject(library, 1)
    monkeypatch.setattr(SampleService, "create", variants)
    with served(tmp_path) as app, opened_page(width=width_px) as page:
        page.goto(f"{app.address}/create")
        page.wait_for_selector("#stage img")
        page.wait_for_selector("#chips button")  # with the prompt, without which nothing is created
        page.click("#create")
        page.wait_for_selector("#keep")
        boxes = page.eval_on_selector_all(
            ".actions button",
            "all => all.map(e => [e.innerText, e.offsetHeight, e.offsetTop, e.offsetWidth])",
        )
    assert [words for words, *_ in boxes] == ["Create four variants", "Adjust placement", "Keep this image"]
    assert {height for _, height, *_ in boxes} == {boxes[0][1]}
    assert boxes[0][1] < 50
    _, (_, _, top, width), (_, _, keep_top, keep_width) = boxes
    assert (top, width) == (keep_top, keep_width)


def test_the_number_of_each_slider_of_create_stands_beside_its_name(tmp_path: Path) -> None:
    with Library.open(tmp_path / "library", create=True) as library:
        add_subject(library, 1)
    with served(tmp_path) as app, opened_page(width=PHONE_PX) as page:
        page.goto(f"{app.address}/create")
        page.wait_for_selector("#stage img")
        heights = page.eval_on_selector_all(".pair .head", "all => all.map(head => head.offsetHeight)")
    assert len(heights) == 6
    assert len(set(heights)) == 1


@pytest.mark.parametrize("path", [page.path for page in PAGES])
def test_no_page_is_wider_than_a_phone(tmp_path: Path, path: str) -> None:
    with Library.open(tmp_path / "library", create=True) as library:
        for sample_id in filled(library)[:2]:
            library.review.record(decision(sample_id))
        add_subject(library, 9, split="test", label="washer")
    with served(tmp_path) as app, opened_page(width=PHONE_PX) as page:
        page.goto(f"{app.address}/{path}")
        page.wait_for_selector(READY.get(path, "h1"))
        assert page.evaluate("document.documentElement.scrollWidth") == PHONE_PX


def test_the_names_of_curves_are_on_the_screen_of_a_phone() -> None:
    names = [arm.facts.title for arm in ALL_USES]
    drawn = curves_svg({name: [(0, 0.2), (40, 0.5)] for name in names}, title="Accuracy")
    styles = "* { box-sizing: border-box; }" + (STATIC / "studio.css").read_text()
    with opened_page(width=PHONE_PX) as page:
        page.set_content(f"<style>{styles}</style><div class=gradio-container>{drawn}</div>")
        ends = page.eval_on_selector_all(
            ".legend li, .curves text",
            "all => all.map(e => e.getBoundingClientRect()).map(r => [r.left, r.right])",
        )
    assert len(ends) == len(names) + 7
    assert all(0 <= left < right <= PHONE_PX for left, right in ends)
