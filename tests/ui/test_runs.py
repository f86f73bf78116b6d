"""The list of runs on the Generate page: who sees it, which images it shows, and how they are paged."""

from __future__ import annotations

import re
from types import SimpleNamespace
from typing import Any

import gradio as gr
import pytest

from pipeline.errors import InvalidRequest
from pipeline.services.plans.planning import Overrides, recipe_of
from pipeline.services.reports import RunProgress, RunState
from pipeline.services.samples.run_requests import RunRequest
from pipeline.studio import Studio
from tests.studios import change_settings
from tests.toy_library import add_subject, render, spec
from ui.components.frame import bar_html
from ui.pages.generate import runs as page
from ui.pages.generate.runs import Runs
from ui.pages.table import PAGES

ASKED_BY_ANN: Any = SimpleNamespace(
    scope={"session": {"oauth_info": {"userinfo": {"preferred_username": "ann"}}}}, cookies={}
)
ENABLED = ("interactive", True)
ASKED_BY_A_VISITOR: Any = SimpleNamespace(scope={}, cookies={})


@pytest.fixture
def runs(studio: Studio) -> Runs:
    """Two runs of ann's Space: "floors" has 4 of 5 images, "walls" has its only one."""
    photo = add_subject(studio.library, 1)
    specs = [spec(photo, seed=seed) for seed in range(6)]
    studio.library.plans.add("walls", "name: walls", specs[5:])
    studio.library.plans.add("floors", "name: floors", specs[:5])
    for each in (*specs[:4], specs[5]):
        render(studio.library, each)
    change_settings(studio, hosted=True, owner="ann")
    return Runs(studio)


def shown(answer: tuple[Any, ...]) -> dict[str, Any]:
    names = (
        "picked", "page", "table", "chosen", "resume", "drop", "opened", "gallery", "place", "earlier", "later",
        "seen",
    )  # fmt: skip
    assert len(answer) == len(names) == page._OUTPUTS
    return dict(zip(names, answer, strict=True))


def test_a_paused_run_can_be_resumed_and_dropped_and_a_finished_one_cannot(runs: Runs) -> None:
    paused = shown(runs.shown("floors", "walls", 0, "", ASKED_BY_ANN))
    assert (paused["resume"].visible, paused["drop"].visible) == (True, True)
    assert "4 of 5" in paused["table"]
    assert re.search(r'data-pick="floors" aria-pressed="true"', paused["table"])
    finished = shown(runs.shown("walls", "floors", 0, "", ASKED_BY_ANN))
    assert (finished["resume"].visible, finished["drop"].visible) == (False, False)
    assert finished["chosen"] == "walls"


def test_only_the_answer_to_a_pick_enables_the_buttons(runs: Runs) -> None:
    first = shown(runs.shown("", "", 0, "", ASKED_BY_ANN))
    tick = shown(runs.shown("", "floors", 0, "", ASKED_BY_ANN))  # it may answer after the click of a pick
    pick = shown(runs.shown("floors", "walls", 0, "", ASKED_BY_ANN))
    for button in ("resume", "drop"):
        assert [ENABLED in answer[button]._constructor_args[0].items() for answer in (first, tick, pick)] == [
            False,
            False,
            True,
        ]
    assert (first["picked"], tick["picked"], pick["picked"]) == (gr.skip(),) * 3  # the browser notes it


def test_a_picked_run_that_is_gone_leaves_the_page_as_it_is_with_buttons_that_work(runs: Runs) -> None:
    answer = shown(runs.shown("roofs", "floors", 0, "", ASKED_BY_ANN))
    assert (answer["picked"], answer["chosen"]) == ("floors", "floors")
    assert ENABLED in answer["drop"]._constructor_args[0].items()
    again = shown(runs.shown("roofs", "floors", 0, answer["seen"], ASKED_BY_ANN))
    assert (again["picked"], again["drop"].interactive) == ("floors", True)


def test_no_button_acts_on_a_run_in_whose_place_another_one_was_picked(runs: Runs) -> None:
    for act in (runs.drop, runs.resume):
        with pytest.raises(InvalidRequest, match="the page does not show the run 'walls' yet"):
            act("walls", "floors", 0, ASKED_BY_ANN)
    assert len(list(runs.studio.library.plans.members("floors"))) == 5


@pytest.mark.parametrize("state", [RunState.PAUSED, RunState.FAILED])
def test_a_run_that_ended_before_it_was_stored_can_be_resumed_and_dropped(
    runs: Runs, state: RunState
) -> None:
    background = runs.studio.samples.runs
    background._request = RunRequest(recipe=recipe_of("name: roofs"), overrides=Overrides())
    background._progress = RunProgress(state=state, recipe="roofs")
    seen = shown(runs.shown("", "roofs", 0, "", ASKED_BY_ANN))
    assert (seen["chosen"], seen["resume"].visible, seen["drop"].visible) == ("roofs", True, True)
    after = shown(runs.drop("", "roofs", 0, ASKED_BY_ANN))
    assert "roofs" not in after["table"]


def test_nothing_is_sent_where_nothing_changed(runs: Runs) -> None:
    before = shown(runs.shown("", "floors", 0, "", ASKED_BY_ANN))
    again = runs.shown("", "floors", 0, before["seen"], ASKED_BY_ANN)
    assert all(update == gr.skip() for update in again)
    (waiting,) = [each for each, state in runs.studio.library.plans.members("floors") if state == "planned"]
    render(runs.studio.library, waiting)
    assert "5 of 5" in shown(runs.shown("", "floors", 0, before["seen"], ASKED_BY_ANN))["table"]


def test_the_images_of_a_run_come_in_pages_the_last_of_the_plan_first(
    runs: Runs, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(page, "_ON_A_PAGE", 3)
    first = shown(runs.shown("", "floors", 0, "", ASKED_BY_ANN))
    takes = re.findall(r"take (\d)", first["gallery"])
    assert takes == ["3", "2", "1"]
    assert first["place"] == "<p>1 to 3 of 4</p>"
    assert (first["earlier"].interactive, first["later"].interactive) == (False, True)
    last = shown(runs.shown("", "floors", 1, first["seen"], ASKED_BY_ANN))
    assert (last["page"], re.findall(r"take (\d)", last["gallery"])) == (gr.skip(), ["0"])
    assert (last["earlier"].interactive, last["later"].interactive) == (True, False)
    beyond = [shown(runs.shown("", "floors", page, "", ASKED_BY_ANN))["page"] for page in (2, -1)]
    assert beyond == [1, 0]
    assert shown(runs.shown("", "floors", 2, last["seen"], ASKED_BY_ANN))["page"] == 1
    assert first["opened"].label == "All 4 images of floors"


def test_a_visitor_sees_no_list_and_only_the_images_of_the_run_in_progress(runs: Runs) -> None:
    seen = shown(runs.shown("floors", "floors", 0, "", ASKED_BY_A_VISITOR))
    assert (seen["table"], seen["chosen"], seen["gallery"]) == ("", "", "")
    runs.studio.samples.runs._progress = RunProgress(state=RunState.RUNNING, recipe="walls", done=1, total=1)
    seen = shown(runs.shown("floors", "floors", 0, "", ASKED_BY_A_VISITOR))
    assert (seen["table"], seen["chosen"]) == ("", "walls")
    assert "take 5" in seen["gallery"]
    assert "take 0" not in seen["gallery"]


def test_dropping_forgets_what_is_missing_and_shows_the_list(runs: Runs) -> None:
    with pytest.raises(InvalidRequest, match="no run is picked"):
        runs.drop("", "", 0, ASKED_BY_ANN)
    after = shown(runs.drop("", "floors", 0, ASKED_BY_ANN))
    assert "4 of 4" in after["table"]
    assert after["drop"].visible is False


def test_a_run_in_progress_is_counted_and_a_name_is_escaped(studio: Studio) -> None:
    working = RunProgress(state=RunState.RUNNING, done=12, total=120)
    assert working.count == "12 of 120"
    assert RunProgress(state=RunState.LOADING).count == ""
    assert RunProgress(state=RunState.PAUSED, done=12, total=120).count == ""
    assert "badge" not in bar_html(PAGES, PAGES[0], waiting=0)
    studio.library.plans.add("<b>x", "name: x", [spec(add_subject(studio.library, 1))])
    table = page.runs_html(studio.samples.runs.listed(), "")
    assert "&lt;b&gt;x" in table
    assert "<b>x" not in table
