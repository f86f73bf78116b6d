"""A pytest plugin that delays each request and each answer of Gradio at random, so that answers overtake each other.

It shows races of the pages that a fast machine hides. It is used by hand, on the tests that serve the app in their own
process:

    LATE_ANSWERS_S=4 python -m pytest -p tests.ui.late_answers tests/ui/test_run_browser.py
"""

from __future__ import annotations

import asyncio
import os
import random
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from gradio.blocks import Blocks
    from starlette.applications import Starlette
    from starlette.types import Receive, Scope, Send

_LONGEST_S = float(os.environ.get("LATE_ANSWERS_S", "2"))
_RANDOM = random.Random(int(os.environ.get("LATE_ANSWERS_SEED", "0")))


async def _wait(longest_s: float) -> None:
    await asyncio.sleep(longest_s * _RANDOM.random() ** 3)  # most are short, a few are long


def pytest_configure() -> None:
    """Delay what the app receives, and its handlers before and after their work."""
    from gradio.blocks import Blocks  # after conftest.py has set the environment
    from starlette.applications import Starlette

    answer, receive_request = Blocks.process_api, Starlette.__call__

    async def late_answer(blocks: Blocks, *values: Any, **named: Any) -> dict[str, Any]:
        await _wait(_LONGEST_S)
        result = await answer(blocks, *values, **named)
        await _wait(_LONGEST_S)
        return result

    async def late_request(app: Starlette, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            await _wait(_LONGEST_S / 3)
        await receive_request(app, scope, receive, send)

    patch = pytest.MonkeyPatch()
    patch.setattr(Blocks, "process_api", late_answer)
    patch.setattr(Starlette, "__call__", late_request)
