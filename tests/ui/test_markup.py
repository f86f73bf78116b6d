"""A class, a photo or a prompt that is called `<img …>` is text on every page."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import gradio as gr
import pytest
from markdown_it import MarkdownIt

from pipeline.errors import InvalidRequest
from pipeline.studio import Studio
from tests.toy_library import add_subject, decision, render, spec
from tests.ui.served import Site, served
from ui.access import Capability, capability_of
from ui.components.tiles import Tile, tiles_html
from ui.pages.table import PAGES

WILD = "<img src=x onerror=alert(1)>"
MARKUP = "<img src=x"


@pytest.fixture
def site(studio: Studio) -> Iterator[Site]:
    photo = add_subject(studio.library, 1, label=WILD, doubts=(WILD,), source=WILD)
    specs = [
        replace(spec(photo, seed=seed), prompt=WILD, slots=(("surface", WILD),), model=WILD)
        for seed in range(2)
    ]
    studio.library.plans.add(WILD, f"name: '{WILD}'", specs)
    for sample in specs:
        studio.library.review.record(decision(render(studio.library, sample), reviewer=WILD))
    with served(studio) as opened:
        yield opened


def test_no_page_and_no_endpoint_that_only_shows_sends_what_people_named_as_html(
    site: Site, studio: Studio
) -> None:
    (photo,) = studio.library.photos.list()
    for page in PAGES:
        assert MARKUP not in site.request("GET", f"/{page.path}").text
    shown = 0
    for number, block_fn in site.app.fns.items():
        if block_fn.fn is None or capability_of(block_fn.fn) not in (Capability.LOOK, Capability.PLAN):
            continue
        answer = site.post(
            f"run/predict?subject={photo.id}",
            {
                "fn_index": number,
                "data": site.values(number),
                "event_data": {"value": photo.id, "index": [1, 1]},
                "session_hash": "s1",
            },
        )
        if answer.status != 200:
            assert MARKUP not in answer.text, block_fn.fn.__qualname__
            continue
        for component, output in zip(block_fn.outputs, answer.json["data"], strict=True):
            if isinstance(component, gr.HTML | gr.Markdown):
                text = str(output.get("value", "") if isinstance(output, dict) else output)
                if isinstance(component, gr.Markdown):
                    text = MarkdownIt("commonmark", {"html": True}).enable("table").render(text)
                assert MARKUP not in text, block_fn.fn.__qualname__
                shown += "&lt;img src=x" in text
    assert shown >= 5


def test_the_background_of_a_grid_is_one_of_the_stylesheets() -> None:
    with pytest.raises(
        InvalidRequest, match="the background is 'x\"><img>'; it must be one of checker, green"
    ):
        tiles_html([Tile(id="a", address="./a", caption="a")], background='x"><img>')
