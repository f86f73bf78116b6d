"""The variants of Create belong to the browser session that had them made."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import gradio as gr
import numpy as np
import pytest

from pipeline.errors import NotFound
from pipeline.studio import Studio
from ui.access import StudioBlocks
from ui.pages.create.controls import build_controls
from ui.pages.create.session import Creating
from ui.visitors import Visitors


@pytest.fixture
def creating(studio: Studio) -> Creating:
    with StudioBlocks():
        return Creating(studio, build_controls(studio), gr.State(""), Visitors(studio))


def asked(session: str) -> Any:
    """A request of a browser's session."""
    return SimpleNamespace(session_hash=session)


def variant(number: int) -> Any:
    """What the page shows of a variant."""
    pixels = np.full((8, 8, 3), number, np.uint8)
    return SimpleNamespace(
        spec=SimpleNamespace(id=f"v{number}", seed=number), image=pixels, before=pixels, failed_gates=()
    )


def test_a_variant_is_shown_and_kept_by_its_own_session_only(creating: Creating) -> None:
    creating.variants.put("ann", "v1", variant(1))
    assert creating.variant("v1", asked("ann")).spec.seed == 1
    with pytest.raises(NotFound, match="v1"):
        creating.variant("v1", asked("ben"))
    assert "v1" in creating.strip(["v1"], "v1", asked("ann"))
    assert "v1" not in creating.strip(["v1"], "v1", asked("ben"))


def test_the_variants_of_others_do_not_push_a_sessions_own_out(creating: Creating) -> None:
    creating.variants.put("ann", "v1", variant(1))
    for number in range(2, 60):
        creating.variants.put(f"visitor {number % 3}", f"v{number}", variant(number))
    assert creating.variant("v1", asked("ann")).spec.seed == 1
    for number in range(60, 72):
        creating.variants.put("ann", f"v{number}", variant(number))
    with pytest.raises(NotFound):
        creating.variant("v1", asked("ann"))
