"""On a Space nothing that writes is reachable without the role, by page or by API."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import gradio as gr
import pytest
from gradio.context import LocalContext

from pipeline.domain.people import Role
from pipeline.studio import Studio
from ui.app import build_app
from ui.events import shown_to_user
from ui.rights import for_leads, for_reviewers, only_for
from ui.starter_job import StarterJob

# handlers that change nothing which lasts, or that ask the studio, which refuses by itself (`keep` of the helper)
HARMLESS = {
    "<lambda>", "_placing", "change", "chip_picked", "clicked", "counted", "created", "dragged", "dropped", "keep",
    "method_changed", "model_changed", "moved", "brushed", "noted", "objects", "offer", "offered", "opened", "outlook",
    "hinted", "overview", "picked", "picture", "placed", "poll", "present", "preview", "starting", "stepped",
    "tool_changed",
}  # fmt: skip
WRITING = {
    "from_files", "from_path", "starter_set", "<lambda>", "saved", "excluded", "start", "pause", "resume", "publish",
    "stop", "kept", "teach", "compare",
}  # fmt: skip


@pytest.fixture
def endpoints(studio: Studio) -> list[Callable[..., Any]]:
    """The handlers of all endpoints, of an app on somebody's Space."""
    studio.settings = replace(studio.settings, hosted=True, owner="ann")
    app = build_app(studio, StarterJob(studio))
    return [one.fn for one in app.fns.values() if one.fn is not None]


@pytest.fixture
def asked_by() -> Iterator[Callable[[str], None]]:
    """Say who asks from now on."""
    tokens = []

    def ask(name: str) -> None:
        session = {"oauth_info": {"userinfo": {"preferred_username": name}}} if name else {}
        request = SimpleNamespace(scope={"session": session}, cookies={"backlot_reviewer": "ann"})
        tokens.append(LocalContext.request.set(request))  # type: ignore[arg-type]

    yield ask
    for token in reversed(tokens):
        LocalContext.request.reset(token)


def guarded(handlers: list[Callable[..., Any]]) -> list[Callable[..., Any]]:
    return [one for one in handlers if hasattr(one, "needs")]


def test_every_endpoint_is_known_to_be_harmless_or_guarded(endpoints: list[Callable[..., Any]]) -> None:
    assert {one.__name__ for one in guarded(endpoints)} == WRITING
    assert {one.__name__ for one in endpoints if not hasattr(one, "needs")} == HARMLESS


@pytest.mark.parametrize("name", ["", "ben"])
def test_a_stranger_is_refused_by_all_that_writes_before_anything_is_read(
    endpoints: list[Callable[..., Any]], asked_by: Callable[[str], None], name: str
) -> None:
    asked_by(name)
    for handler in guarded(endpoints):
        with pytest.raises(gr.Error, match=f"'{name or 'visitor'}' may not") as refused:
            list(handler() or [])  # without any argument: it is not looked at
        way_in = "" if name else "sign in with Hugging Face; "
        assert f"here; {way_in}a lead can add the name to BACKLOT_PEOPLE" in str(refused.value)


def test_roles_open_what_they_are_for_and_at_home_all_is_open(
    studio: Studio, asked_by: Callable[[str], None]
) -> None:
    studio.settings = replace(studio.settings, hosted=True, people="ann:lead, ben")
    lead = shown_to_user(for_leads(studio, "publish")(lambda: "published"))
    review = shown_to_user(for_reviewers(studio, "keep pictures")(lambda: "kept"))

    @shown_to_user
    @only_for(studio, Role.REVIEWER, "watch")
    def watch() -> Iterator[str]:
        yield "seen"

    asked_by("ann")
    assert (lead(), review(), list(watch())) == ("published", "kept", ["seen"])
    asked_by("ben")
    assert review() == "kept"
    with pytest.raises(gr.Error, match="'ben' may not publish here"):
        lead()
    asked_by("cy")
    with pytest.raises(gr.Error, match="'cy' may not watch here"):
        list(watch())
    studio.settings = replace(studio.settings, hosted=False)
    assert (lead(), list(watch())) == ("published", ["seen"])
