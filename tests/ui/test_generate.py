"""The Generate page: which plan it shows, when it can be started, and what it tells while it waits."""

from __future__ import annotations

from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import gradio as gr
import pytest

from pipeline.domain.recipe import to_yaml
from pipeline.errors import InvalidRequest
from pipeline.rendering import DownloadProgress
from pipeline.services.file_access import FileAccess
from pipeline.services.plans.planning import Overrides, planned, recipe_of
from pipeline.services.plans.service import PlanService
from pipeline.services.reports import RunProgress, RunState
from pipeline.services.samples import background_run
from pipeline.services.samples.background_run import BackgroundRun
from pipeline.studio import Studio
from tests.toy_library import add_subject, render, spec
from ui.access import StudioBlocks
from ui.pages.create.controls import Values
from ui.pages.generate.page import Generating, build_controls, plan_html
from ui.pages.photos.starter_job import StarterJob


def opened(studio: Studio, starter: Any = None) -> tuple[Generating, dict[Any, Any]]:
    """What the page does, and the values of its widgets once it shows its first plan."""
    with StudioBlocks():
        generating = Generating(
            studio=studio,
            starter=starter or StarterJob(studio),
            controls=build_controls(studio),
            shown=gr.Textbox(),
        )
    values: dict[Any, Any] = {control: control.value for control in generating.controls.all}
    _, values[generating.shown], _ = generating.preview(values)
    return generating, values


def changed(generating: Generating, values: Values, **texts: str) -> dict[Any, Any]:
    """Values after a person typed into some fields, before the new plan has come."""
    return {**values, **{getattr(generating.controls, name): text for name, text in texts.items()}}


@pytest.fixture
def started(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """The changes to the recipe with which runs were started; none of them runs."""
    calls: list[Any] = []
    monkeypatch.setattr(
        BackgroundRun, "start", lambda _run, _recipe, overrides: calls.append(overrides), raising=True
    )
    return calls


def test_the_plan_that_is_shown_is_the_one_that_starts(studio: Studio, started: list[Any]) -> None:
    add_subject(studio.library, 1)
    generating, values = opened(studio)
    plan, shown, message, *_ = generating.start(values)
    assert "<b>20</b> images" in str(plan)
    assert (shown, message) == (values[generating.shown], "")
    assert [overrides.count for overrides in started] == [20]


@pytest.mark.parametrize("edit", [{"count": "7"}, {"seed": "3"}, {"method": "controlnet"}])
def test_a_click_before_the_new_plan_is_shown_is_refused_and_shows_it(
    studio: Studio, started: list[Any], edit: dict[str, str]
) -> None:
    add_subject(studio.library, 1)
    generating, values = opened(studio)
    edited = changed(generating, values, **edit)
    plan, shown, message, *_ = generating.start(edited)
    assert "The plan is being updated; start it when the new one is shown." in str(message)
    assert started == []
    assert (plan, shown) == generating.preview(edited)[:2]
    generating.start({**edited, generating.shown: shown})
    assert len(started) == 1


def test_a_plan_over_other_photos_is_another_plan(studio: Studio, started: list[Any]) -> None:
    add_subject(studio.library, 1)
    generating, values = opened(studio)
    add_subject(studio.library, 2)
    assert "being updated" in str(generating.start(values)[2])
    assert started == []


def test_a_recipe_that_cannot_be_planned_cannot_be_started(studio: Studio, started: list[Any]) -> None:
    add_subject(studio.library, 1)
    generating, values = opened(studio)
    edited = changed(generating, values, count="many")
    plan, shown, start = generating.preview(edited)
    assert "the number of images is" in plan
    assert (shown, start.interactive) == ("", False)
    with pytest.raises(InvalidRequest):
        generating.start(edited)
    assert started == []


def test_the_page_waits_for_the_starter_set_and_then_shows_its_plan(studio: Studio) -> None:
    starter = SimpleNamespace(running=True, done=40, total=220, problem="")
    add_subject(studio.library, 1)
    generating, values = opened(studio, starter)
    assert generating.preview(values)[:2] == ("", "")
    assert generating.preview(values)[2].interactive is False
    importing, *_, phase = generating.poll("")
    assert "Importing the starter set" in str(importing)
    assert "40 of 220 photos" in str(importing)
    starter.running = False
    importing, *_, later = generating.poll("")
    assert importing == ""
    assert later != phase  # which makes the page read the plan
    assert generating.preview(values)[2].interactive is True


def test_without_photos_nothing_can_be_started(studio: Studio) -> None:
    generating, values = opened(studio)
    plan, shown, start = generating.preview(values)
    assert "No photos yet" in plan
    assert (shown, start.interactive) == ("", False)


def test_a_run_tells_how_far_the_download_of_its_model_is(
    studio: Studio, monkeypatch: pytest.MonkeyPatch
) -> None:
    add_subject(studio.library, 1)
    downloads = {
        name: DownloadProgress(model=name, repo=f"some/{name}", done_bytes=1, total_bytes=4, seconds=1.0)
        for name in ("nano", "sdxl")
    }
    run = studio.samples.runs
    generating, values = opened(studio)
    monkeypatch.setattr(BackgroundRun, "_work", lambda _run: None)
    run.start(*generating.controls.asked(values))
    monkeypatch.setattr(background_run, "download_progress", lambda: downloads["nano"])
    _, bar, *_, mark, _ = generating.poll("")
    assert "downloading some/nano" in str(bar)
    monkeypatch.setattr(
        background_run, "download_progress", lambda: downloads["sdxl"]
    )  # of a visitor of Create
    _, bar, *_ = generating.poll(str(mark))
    assert "loading the model" in str(bar)
    run._progress = RunProgress(state=RunState.DONE, done=1, total=1)
    monkeypatch.setattr(background_run, "download_progress", lambda: downloads["nano"])
    assert run.progress.download is None


def test_a_plan_without_anything_new_says_what_to_change_and_cannot_be_started(studio: Studio) -> None:
    add_subject(studio.library, 1)
    preview = studio.plans.preview(None, Overrides(count=3))
    shown = plan_html(replace(preview, new=0))
    assert "<b>0</b> images to generate" in shown
    assert (
        "All 3 images of this plan are in the library. To generate more, enter a number above 3, enter another seed, "
        "or choose another recipe."
    ) in shown
    assert "To generate more" not in plan_html(preview)
    assert "1 of 3 are already in the library" in plan_html(replace(preview, new=2))
    assert "All 3 images" not in plan_html(replace(preview, new=0, further=1))  # which can still be started
    generating, values = opened(studio)
    specs = planned(studio.library, recipe_of(None), Overrides(count=3), FileAccess())
    studio.library.plans.add("surfaces", to_yaml(recipe_of(None)), specs)
    for member, _ in list(studio.library.plans.members("surfaces")):
        render(studio.library, member)
    _, _, start = generating.preview({**values, generating.controls.count: "3"})
    assert start.interactive is False


def test_the_recipes_that_the_embedded_model_draws_best_come_first(studio: Studio) -> None:
    assert list(studio.plans.recipes()) == ["surfaces", "heaps", "site", "guided", "baselines", "street"]


def test_what_review_left_missing_is_planned_on_request(studio: Studio, started: list[Any]) -> None:
    add_subject(studio.library, 1)
    generating, values = opened(studio)
    asked = {**values, generating.controls.refill: True}
    plan, shown, start = generating.preview(asked)
    assert "has no images in this library yet; generate it first" in plan
    assert (shown, start.interactive) == ("", False)
    assert generating.controls.asked(asked)[1].refill is True


@pytest.mark.parametrize(("further", "can_start"), [(0, False), (2, True)])
def test_a_finished_plan_can_be_started_while_images_may_be_replaced(
    studio: Studio, monkeypatch: pytest.MonkeyPatch, further: int, can_start: bool
) -> None:
    add_subject(studio.library, 1)
    preview = replace(studio.plans.preview(None, Overrides(count=3)), new=0, further=further)
    monkeypatch.setattr(PlanService, "preview", lambda *_: preview)
    generating, values = opened(studio)
    assert generating.preview(values)[2].interactive is can_start


def test_a_sample_that_lost_its_image_or_was_dropped_since_is_not_among_the_latest(studio: Studio) -> None:
    specs = [spec(add_subject(studio.library, 1), seed=seed) for seed in range(3)]
    studio.library.plans.add("toy", "", specs)
    lost, dropped, kept = (render(studio.library, each) for each in specs)
    image_id = {
        sample_id: studio.library.samples.get(sample_id).image_id for sample_id in (lost, dropped, kept)
    }
    for sample_id in (lost, dropped):
        studio.library.images.path(str(image_id[sample_id])).unlink()
    studio.library.samples.plan_broken_again()
    studio.library.plans.add("toy", "", [specs[0], specs[2]])  # as another process may do
    generating, _ = opened(studio)
    studio.samples.runs._progress = RunProgress(
        state=RunState.DONE, recipe="toy", latest=(lost, dropped, kept), done=3, total=3
    )
    _, run, tiles, *_ = generating.poll("")
    assert "done: 3 of 3 images" in str(run)
    assert str(image_id[kept]) in str(tiles)
    assert str(image_id[lost]) not in str(tiles)
