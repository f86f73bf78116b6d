"""The screen's error boundary: the one place where a `StudioError` becomes a sentence on the page."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator
from functools import wraps
from html import escape
from typing import TypeAlias, TypedDict

import gradio as gr
from gradio.context import LocalContext

from pipeline.errors import StudioError
from ui.components.html import note_html

Handler: TypeAlias = Callable[..., object]
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
_MESSAGE_S = 12
_TITLE = "Not done"


def shown_to_user(handler: Handler, *, line: gr.HTML | None = None) -> Handler:
    """Turn a `StudioError` of a handler into its sentence on the page; any other error surfaces as a bug.

    All outputs stay as they are: an exception would put an error mark on each of them. A generator's earlier yields
    stay, too. A call past the queue, such as one of the HTTP API, is answered with an error instead.

    Args:
        handler: a function or a generator.
        line: the output that shows the sentence; without it a message does.
    """
    if inspect.isgeneratorfunction(handler):

        @wraps(handler)
        def stream(*values: object, **named: object) -> Iterator[object]:
            try:
                yield from handler(*values, **named)
            except StudioError as error:
                yield _refused(error, line)

        return stream

    @wraps(handler)
    def answer(*values: object, **named: object) -> object:
        try:
            return handler(*values, **named)
        except StudioError as error:
            return _refused(error, line)

    return answer


def _refused(error: StudioError, line: gr.HTML | None) -> Update | dict[gr.HTML, str]:
    """Show the sentence and leave all outputs as they are.

    Raises:
        gr.Error: the call did not come through the queue, which carries messages.
    """
    sentence = escape(str(error), quote=False)  # Gradio shows messages as HTML
    if LocalContext.event_id.get(None) is None:
        raise gr.Error(sentence, duration=_MESSAGE_S, title=_TITLE, print_exception=False) from error
    if line is not None:
        return {line: note_html([str(error)], kind="bad")}
    gr.Warning(sentence, duration=_MESSAGE_S, title=_TITLE)
    unchanged: Update = gr.skip()
    return unchanged
