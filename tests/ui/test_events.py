from __future__ import annotations

from collections.abc import Iterator

import gradio as gr
import pytest

from pipeline.errors import InvalidRequest
from ui.errors import shown_to_user


def test_the_world_s_faults_become_a_message_with_their_sentence() -> None:
    @shown_to_user
    def handler(value: int) -> int:
        raise InvalidRequest(f"the value is {value}; it must lie in 0 to 1")

    with pytest.raises(gr.Error, match="the value is 7; it must lie in 0 to 1"):
        handler(7)


def test_a_bug_stays_what_it_is() -> None:
    @shown_to_user
    def handler() -> int:
        return [][0]

    with pytest.raises(IndexError):
        handler()


def test_a_generator_keeps_what_it_yielded_before_it_failed() -> None:
    @shown_to_user
    def handler() -> Iterator[str]:
        yield "begun"
        raise InvalidRequest("no further")

    steps = handler()
    assert next(steps) == "begun"
    with pytest.raises(gr.Error, match="no further"):
        next(steps)
