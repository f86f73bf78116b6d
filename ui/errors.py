"""The seam between screen and studio: the one place where a `StudioError` becomes a message on the screen."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator
from functools import wraps
from typing import Any

import gradio as gr

from pipeline.errors import StudioError

RENDER = "render"  # concurrency id of everything that runs a model: one at a time
QUIET: dict[str, Any] = {"show_progress": "hidden"}  # for listeners that answer fast enough without a spinner
# past the queue, so at once; a gr.State that is set in this way fires no `change`
AT_ONCE: dict[str, Any] = {"show_progress": "hidden", "queue": False}
LIVE: dict[str, Any] = {**AT_ONCE, "trigger_mode": "always_last"}  # follows a slider: the last value counts
_MESSAGE_S = 12


def shown_to_user(handler: Callable[..., Any]) -> Callable[..., Any]:
    """Turn a `StudioError` of a handler into a message with its sentence; any other error surfaces as a bug.

    Works for functions and for generators (whose earlier yields stay on the screen).
    """
    if inspect.isgeneratorfunction(handler):

        @wraps(handler)
        def stream(*values: Any, **named: Any) -> Iterator[Any]:
            try:
                yield from handler(*values, **named)
            except StudioError as error:
                raise _message(error) from error

        return stream

    @wraps(handler)
    def answer(*values: Any, **named: Any) -> Any:
        try:
            return handler(*values, **named)
        except StudioError as error:
            raise _message(error) from error

    return answer


def _message(error: StudioError) -> gr.Error:
    return gr.Error(str(error), duration=_MESSAGE_S, title="Not done", print_exception=False)
