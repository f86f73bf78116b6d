"""The screen's error boundary: the one place where an error of a handler becomes a sentence on the page.

Every page has a line for such sentences, which is an output of each of its handlers. An exception that reached Gradio
would put an error mark over every output instead.
"""

from __future__ import annotations

import logging
from collections.abc import AsyncIterator
from html import escape
from typing import TYPE_CHECKING, Any, TypeAlias, TypedDict, cast

import gradio as gr

from pipeline.errors import StudioError
from ui.components.html import note_html

if TYPE_CHECKING:
    from gradio.block_function import BlockFunction
    from gradio.blocks import Block
    from gradio.components import Component

_log = logging.getLogger(__name__)
Update: TypeAlias = dict[str, object]  # what `gr.skip()` gives; an output that stays as it is


class Listening(TypedDict, total=False):
    """Options of an event listener."""

    show_progress: str
    queue: bool
    trigger_mode: str


RENDER = "render"  # concurrency id of everything that runs a model: one at a time
QUIET: Listening = {"show_progress": "hidden"}  # for listeners that answer fast enough without a spinner
# past the queue, so at once; a gr.State that is set in this way fires no `change`
AT_ONCE: Listening = {"show_progress": "hidden", "queue": False}
LIVE: Listening = {**AT_ONCE, "trigger_mode": "always_last"}  # follows a slider: the last value counts
# for a listener without a function: disables its output in the browser, at once
DISABLE = "() => ({__type__: 'update', interactive: false})"
FAULT = (
    "This failed because of a fault in Backlot; the page is as it was. The log of the server has the details."
)
_BY_PERSON = frozenset(
    {"click", "input", "pick", "select", "drag", "submit", "upload"}
)  # not timers, loads, `then`


def build_refusal_line() -> gr.HTML:
    """Build the line of a page that shows why something was not done."""
    return gr.HTML(elem_classes="refusal")


def add_refusal_line(block_fn: BlockFunction, line: gr.HTML) -> None:
    """Make the line of its page the last output of a handler."""
    if block_fn.show_progress_on is None and block_fn.show_progress != "hidden":
        block_fn.show_progress_on = cast("list[Component]", list(block_fn.outputs))
    block_fn.outputs = [*block_fn.outputs, line]


def sentence_of(error: Exception, handler: object) -> str:
    """Return the sentence for an error of a handler; one that nobody expected goes to the log with its traceback."""
    if isinstance(error, StudioError):
        return str(error)
    _log.error("%s failed", getattr(handler, "__qualname__", handler), exc_info=error)
    return FAULT


def refused_call(block_fn: BlockFunction, sentence: str, own_line: Block | None) -> dict[str, object]:
    """Return the result of a refused call: the sentence in a line, every other output as it is.

    Args:
        own_line: an output of the handler that shows the sentence in place of the page's line.
    """
    page_line = cast("Block", block_fn.outputs[-1])
    if own_line is None:
        shown = escape(sentence, quote=False)
        updates: dict[Block, str] = {page_line: f'<p class="said bad" role="alert">{shown}</p>'}
    else:
        updates = {page_line: "", own_line: note_html([sentence], kind="bad")}
    generating = block_fn.types_generator
    prediction = updates if len(block_fn.outputs) > 1 else updates[page_line]
    iterator = _ended() if generating else None
    return {"prediction": prediction, "duration": 0.0, "is_generating": generating, "iterator": iterator}


def answer_updates(block_fn: BlockFunction, prediction: Any, trigger: Block | None = None) -> Any:
    """Add the page's line to what a handler returned: what a person did clears it, all else leaves it.

    Args:
        trigger: the block whose event the handler answers, where it listens to events of several.
    """
    *outputs, page_line = block_fn.outputs
    line = "" if _is_by_person(block_fn, trigger) else gr.skip()
    match outputs:
        case []:
            return line
        case _ if isinstance(prediction, dict) and any(block in prediction for block in outputs):
            return {**prediction, page_line: line}
        case [_]:
            return [prediction, line]
        case _ if isinstance(prediction, dict):  # gr.skip() for all, or nothing
            return [gr.skip()] * len(outputs) + [line]
        case _:
            return [*prediction, line]


def _is_by_person(block_fn: BlockFunction, trigger: Block | None) -> bool:
    events = [(block_id, event in _BY_PERSON) for block_id, event in block_fn.targets]
    if trigger is None:
        return bool(events) and all(by_person for _, by_person in events)
    return any(by_person for block_id, by_person in events if block_id == trigger._id)


async def _ended() -> AsyncIterator[object]:
    """Yield nothing: what is left of a generator that was refused."""
    return
    yield
