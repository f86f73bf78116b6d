"""What a visitor of a Space may have drawn, by page or by API."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import gradio as gr
import pytest
from gradio.context import LocalContext

from pipeline.errors import NotAllowed
from pipeline.studio import Studio
from tests.studios import change_settings
from tests.toy_library import filled
from ui.app import build_app
from ui.pages.photos.starter_job import StarterJob
from ui.visitors import TooMany, Visitors

HOUR_S = 3600.0


@dataclass
class Clock:
    now: float = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def space(studio: Studio) -> Studio:
    """A studio on ann's Space, with ben as reviewer."""
    change_settings(studio, hosted=True, owner="ann", people="ann:lead, ben")
    return studio


def asked(session: str = "s1", name: str = "") -> Any:
    """A request of a browser's session, signed in or not."""
    account = {"oauth_info": {"userinfo": {"preferred_username": name}}} if name else {}
    return SimpleNamespace(scope={"session": account}, cookies={}, session_hash=session)


def draw(visitors: Visitors, request: Any, *, model: str = "nano", count: int = 4) -> int:
    with visitors.drawing(request, model=model, count=count) as allowed:
        return allowed


def test_a_visitor_gets_so_many_at_once_and_an_hour_and_others_have_no_limit(space: Studio) -> None:
    change_settings(space, visitor_variants=3, visitor_pictures=6, visitor_total=100)
    clock = Clock()
    visitors = Visitors(space, clock)
    assert draw(visitors, asked()) == 3
    clock.now += 600
    assert draw(visitors, asked()) == 3
    with pytest.raises(
        TooMany,
        match=r"a visitor may generate 6 images an hour here; try again in 50 min, or sign in with Hugging",
    ):
        draw(visitors, asked())
    assert draw(visitors, asked("s2")) == 3
    assert [draw(visitors, asked(name=name), count=16, model="sdxl") for name in ("ann", "ben")] == [16, 16]
    clock.now += HOUR_S - 600
    assert draw(visitors, asked()) == 3
    with pytest.raises(TooMany, match="try again in 10 min"):
        draw(visitors, asked())


def test_new_sessions_do_not_lift_the_limit_of_all_visitors_together(space: Studio) -> None:
    change_settings(space, visitor_total=10)
    visitors = Visitors(space, Clock())
    assert [draw(visitors, asked(f"s{number}")) for number in range(2)] == [4, 4]
    with pytest.raises(TooMany, match=r"all visitors together may generate 10 images .* try again in 60 min"):
        draw(visitors, asked("s9"))


def test_what_could_not_be_drawn_is_not_counted(space: Studio) -> None:
    change_settings(space, visitor_pictures=4)
    visitors = Visitors(space, Clock())
    with pytest.raises(ZeroDivisionError), visitors.drawing(asked(), model="nano", count=4):
        raise ZeroDivisionError
    assert draw(visitors, asked()) == 4


@pytest.mark.parametrize(
    ("name", "who", "way_in"),
    [("", "visitor", "sign in with Hugging Face; a lead can add"), ("cy", "cy", "a lead can add the name")],
    ids=["not signed in", "signed in, but on no list"],
)
def test_another_model_is_for_reviewers(space: Studio, name: str, who: str, way_in: str) -> None:
    visitors = Visitors(space, Clock())
    with pytest.raises(NotAllowed, match=f"^'{who}' may not use another model than nano here; {way_in}"):
        draw(visitors, asked(name=name), model="sdxl")
    change_settings(space, visitor_pictures=0)
    with pytest.raises(NotAllowed, match=f"^'{who}' may not generate images here; {way_in}"):
        draw(visitors, asked(name=name))


def test_at_home_nobody_is_a_visitor(studio: Studio) -> None:
    visitors = Visitors(replace_settings(studio, visitor_pictures=0), Clock())
    assert draw(visitors, asked(), model="sdxl", count=16) == 16


def replace_settings(studio: Studio, **values: Any) -> Studio:
    change_settings(studio, **values)
    return studio


@pytest.fixture
def endpoints(space: Studio) -> Iterator[dict[str, Any]]:
    """The endpoints of the app by the name of their handler, asked by a visitor."""
    filled(space.library, subjects=1, samples=1)
    app = build_app(space, StarterJob(space))
    token = LocalContext.request.set(asked())
    yield {function.fn.__name__: function for function in app.fns.values() if function.fn is not None}
    LocalContext.request.reset(token)


def test_the_endpoint_draws_a_visitors_variants_with_nano_and_refuses_the_rest(
    space: Studio, endpoints: dict[str, Any]
) -> None:
    change_settings(space, visitor_variants=1, visitor_pictures=1)
    created = endpoints["created"]
    values = {one: getattr(one, "value", None) for one in created.inputs}
    model = next(one for one in values if getattr(one, "label", "") == "Model")
    prompt = next(one for one in values if getattr(one, "label", "") == "Prompt")
    chosen = next(one for one in values if isinstance(one, gr.Textbox) and not one.visible)
    values |= {chosen: space.library.photos.list()[0].id, prompt: "gravel floor", model: "sdxl"}
    with pytest.raises(NotAllowed, match="'visitor' may not use another model than nano here; sign in"):
        created.fn(values)
    ids, *_ = created.fn(values | {model: "nano"})
    assert len(ids) == 1
    with pytest.raises(TooMany, match="a visitor may generate 1 images an hour here; try again in"):
        created.fn(values | {model: "nano"})


def test_the_page_offers_a_visitor_only_nano(endpoints: dict[str, Any]) -> None:
    offered = endpoints["offered"].fn
    assert offered(asked()).choices == [("nano", "nano")]
    assert not isinstance(offered(asked(name="ben")), gr.Dropdown)


def test_a_visitor_learns_nothing_of_other_models_and_folders(
    endpoints: dict[str, Any], tmp_path: Path
) -> None:
    (tmp_path / "secret").mkdir()
    changed, noted = endpoints["model_changed"].fn, endpoints["noted"].fn
    assert changed("", str(tmp_path / "secret")) == changed("", "nano")
    assert noted("gravel floor", "sdxl") == noted("gravel floor", "nano")


def test_a_wrong_model_is_told_under_the_prompt_and_leaves_it_as_it_is(endpoints: dict[str, Any]) -> None:
    token = LocalContext.request.set(asked(name="ben"))
    prompt, chips, note = endpoints["model_changed"].fn("gravel floor", "nanno")
    assert (prompt, chips) == (gr.skip(), "")
    assert "nanno" in note
    assert "said bad" in note
    assert endpoints["noted"].fn("gravel floor", "nanno") == note
    LocalContext.request.reset(token)
