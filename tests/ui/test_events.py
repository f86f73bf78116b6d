"""The error boundary: what becomes of an answer, a refusal and a fault of a handler."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Callable, Iterator
from types import SimpleNamespace
from typing import Any

import gradio as gr
import pytest

from pipeline.errors import InvalidRequest, StudioError
from pipeline.studio import Studio
from ui.access import Capability, StudioBlocks, handler
from ui.app import build_app
from ui.components.marks import mark_of
from ui.errors import FAULT
from ui.pages.photos.starter_job import StarterJob

REFUSED = "the value is <7>; it must lie in 0 to 1"
SHOWN = '<p class="said bad" role="alert">the value is &lt;7&gt;; it must lie in 0 to 1</p>'


def called(page: StudioBlocks, *values: Any, iterator: Any = None) -> dict[str, Any]:
    """The result of the page's only handler, called through the queue."""
    (block_fn,) = page.fns.values()
    result: dict[str, Any] = asyncio.run(page.call_function(block_fn, list(values), iterator, None, "event"))
    return result


def built(
    studio: Studio, listener: Callable[..., Any], outputs: int = 2, *, own: bool = False
) -> StudioBlocks:
    """A page with a button, the outputs `a` and `b`, and a line for refusals."""
    with StudioBlocks() as page:
        widgets = [gr.HTML(elem_id=name) for name in "ab"[:outputs]]
        line = widgets[0] if own else None
        gr.Button().click(handler(studio, Capability.LOOK, line=line)(listener), None, widgets)
        page.add_refusal_lines({"": gr.HTML(elem_id="line")})
    return page


def by_name(prediction: dict[Any, Any]) -> dict[str, Any]:
    return {block.elem_id: value for block, value in prediction.items()}


def refusing() -> None:
    raise InvalidRequest(REFUSED)


@pytest.mark.parametrize("outputs", [1, 2])
def test_a_refusal_is_the_sentence_in_the_line_of_the_page(studio: Studio, outputs: int) -> None:
    result = called(built(studio, refusing, outputs))
    assert by_name(result["prediction"]) == {"line": SHOWN}
    assert (result["is_generating"], result["iterator"]) == (False, None)


def test_a_handler_without_outputs_is_refused_in_the_line_too(studio: Studio) -> None:
    assert called(built(studio, refusing, 0))["prediction"] == SHOWN


def test_a_line_of_its_own_takes_the_sentence_and_the_pages_line_is_cleared(studio: Studio) -> None:
    prediction = by_name(called(built(studio, refusing, own=True))["prediction"])
    assert prediction == {"line": "", "a": SHOWN.replace(' role="alert"', "")}


@pytest.mark.parametrize(
    ("outputs", "answer", "expected"),
    [
        (0, None, ""),
        (1, "x", ["x", ""]),
        (1, gr.skip(), [gr.skip(), ""]),
        (2, ("x", "y"), ["x", "y", ""]),
        (2, gr.skip(), [gr.skip(), gr.skip(), ""]),
    ],
)
def test_what_a_person_did_clears_the_line(
    studio: Studio, outputs: int, answer: object, expected: object
) -> None:
    assert called(built(studio, lambda: answer, outputs))["prediction"] == expected


def test_a_load_or_a_timer_leaves_the_line(studio: Studio) -> None:
    with StudioBlocks() as page:
        page.load(handler(studio, Capability.LOOK)(lambda: "x"), None, gr.HTML())
        page.add_refusal_lines({"": gr.HTML()})
    assert called(page)["prediction"] == ["x", gr.skip()]


def test_a_fault_is_one_sentence_and_its_traceback_is_in_the_log(
    studio: Studio, caplog: pytest.LogCaptureFixture
) -> None:
    def faulty() -> int:
        return int([][0])

    with caplog.at_level(logging.ERROR):
        prediction = by_name(called(built(studio, faulty))["prediction"])
    assert prediction == {"line": f'<p class="said bad" role="alert">{FAULT}</p>'}
    (record,) = caplog.records
    assert "faulty failed" in record.getMessage()
    assert "IndexError" in caplog.text


def test_a_generator_keeps_what_it_yielded_before_it_was_refused(studio: Studio) -> None:
    def begun() -> Iterator[tuple[str, str]]:
        yield "begun", "x"
        raise InvalidRequest(REFUSED)

    page = built(studio, begun)
    (block_fn,) = page.fns.values()

    async def steps() -> AsyncIterator[dict[str, Any]]:
        iterator = None
        while True:
            result = await page.call_function(block_fn, [], iterator, None, "event")
            yield result
            iterator = result["iterator"]
            if iterator is None:
                return

    async def run() -> list[dict[str, Any]]:
        return [result async for result in steps()]

    first, refused, end = asyncio.run(run())
    assert first["prediction"] == ["begun", "x", ""]
    assert by_name(refused["prediction"]) == {"line": SHOWN}
    assert refused["is_generating"]
    assert not end["is_generating"]
    assert len(end["prediction"]) == 3


def test_no_handler_of_any_page_lets_an_error_reach_its_outputs(
    studio: Studio, monkeypatch: pytest.MonkeyPatch
) -> None:
    app = build_app(studio, StarterJob(studio))
    listeners = [block_fn for block_fn in app.fns.values() if block_fn.fn is not None]
    assert len(listeners) > 60

    async def call(_blocks: Any, block_fn: Any, *_: Any, **__: Any) -> None:
        raise errors[block_fn._id % 2]

    monkeypatch.setattr("gradio.Blocks.call_function", call)
    errors: list[Exception] = [StudioError("no"), ValueError("a bug")]
    for block_fn in listeners:
        event = "event" if block_fn.queue else None  # past the queue where the page calls it so
        result = asyncio.run(app.call_function(block_fn, [], None, None, event))
        prediction = result["prediction"]
        shown = prediction if isinstance(prediction, dict) else {block_fn.outputs[-1]: prediction}
        assert set(shown) <= set(block_fn.outputs), block_fn.fn.__qualname__
        said = "".join(shown.values())
        assert ("no" if block_fn._id % 2 == 0 else FAULT) in said, block_fn.fn.__qualname__


def listeners_named(studio: Studio, name: str) -> list[Any]:
    listeners = build_app(studio, StarterJob(studio)).fns.values()
    return [each for each in listeners if getattr(each.fn, "__qualname__", "") == name]


def test_no_tick_overlaps_with_the_first_list_of_studies_whose_late_answer_would_undo_a_pick(
    studio: Studio,
) -> None:
    (listener,) = listeners_named(studio, "Studies.poll")
    assert [event for _, event in listener.targets] == ["load", "tick"]
    assert listener.trigger_mode == "once"


def test_no_answer_to_a_tick_overlaps_with_that_to_a_pick_of_a_run(studio: Studio) -> None:
    listener, *others = listeners_named(studio, "Runs.shown")
    assert [event for _, event in listener.targets] == ["load", "tick", "change", "pick"]
    assert [event for each in others for _, event in each.targets] == ["click", "click"]  # of the pages
    assert listener.trigger_mode == "always_last"


@pytest.mark.parametrize(
    "name", ["Proposals.reasons", "FieldPanel.show", "build_unchecked.<locals>.unchecked"]
)
def test_what_is_chosen_or_changed_while_an_answer_is_waited_for_is_not_dropped(
    studio: Studio, name: str
) -> None:
    listeners = [each for each in listeners_named(studio, name) if "load" not in dict(each.targets).values()]
    assert listeners
    assert {each.trigger_mode for each in listeners} == {"always_last"}


@pytest.mark.parametrize(
    "name",
    ["Training.poll", "Studies.poll", "Generating.poll", "Runs.shown", "build_variety.<locals>.follow"],
)
def test_the_mark_of_what_a_page_shows_is_kept_by_the_browser_so_that_a_late_answer_is_replaced(
    studio: Studio, name: str
) -> None:
    listeners = [each for each in listeners_named(studio, name) if each.inputs]
    assert listeners
    for each in listeners:
        mark = each.inputs[-1]
        assert isinstance(mark, gr.Textbox)
        assert not mark.visible
        assert mark in each.outputs


@pytest.mark.parametrize(
    ("name", "asked", "fields"),
    [
        ("Training.opened", [SimpleNamespace(query_params={})], slice(0, 2)),
        ("AutoReviewerSection.present", [], slice(2, 6)),
        ("Publishing.opened", ["folder"], slice(0, 1)),
    ],
)
def test_what_the_first_answer_fills_in_cannot_be_changed_before(
    studio: Studio, name: str, asked: list[Any], fields: slice
) -> None:
    (listener,) = listeners_named(studio, name)
    assert {widget.interactive for widget in listener.outputs[fields]} == {False}
    assert {update.interactive for update in listener.fn(*asked)[fields]} == {True}


def test_the_mark_of_much_is_a_short_text() -> None:
    assert len(mark_of(["run"] * 100_000)) == 24
    assert mark_of("a", 1) == mark_of("a", 1) != mark_of("a", 2)


@pytest.mark.parametrize(("event", "line"), [("click", ""), ("tick", gr.skip())])
def test_a_listener_to_a_button_and_a_timer_clears_the_line_for_the_button_only(
    studio: Studio, event: str, line: object
) -> None:
    with StudioBlocks() as page:
        blocks: dict[str, Any] = {"click": gr.Button(), "tick": gr.Timer()}
        listener = handler(studio, Capability.LOOK)(lambda: "x")
        gr.on([blocks["click"].click, blocks["tick"].tick], listener, None, gr.HTML())
        page.add_refusal_lines({"": gr.HTML()})
    (block_fn,) = page.fns.values()
    data = gr.EventData(blocks[event], None)
    result = asyncio.run(page.call_function(block_fn, [], None, None, "event", data))
    assert result["prediction"] == ["x", line]
