"""Runs that one can leave: planned while they are rendered, paused, listed, resumed by name, dropped."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from pipeline.cli.main import main
from pipeline.domain import plan as planning
from pipeline.domain.images import encode_webp
from pipeline.domain.review import Verdict
from pipeline.errors import Cancelled, InvalidRequest, StudioError, UnknownName
from pipeline.services.file_access import FileAccess
from pipeline.services.plans.planning import Overrides, preview_plan, recipe_of
from pipeline.services.reports import RunState
from pipeline.services.samples import plan_parts
from pipeline.services.samples.service import SampleService
from pipeline.store import Library
from tests.toy_library import add_subject, decision, pending, picture

RECIPE = "{name: %s, count: 10, size: 32, method: paste, backdrops: {folder: '%s'}}"
AT_HOME = FileAccess()
HANG_S = 300  # reached only where a run hangs


@pytest.fixture
def library(tmp_path: Path) -> Iterator[Library]:
    with Library.open(tmp_path / "library", create=True) as opened:
        for number in range(3):
            add_subject(opened, number)
        yield opened


@pytest.fixture
def recipe(tmp_path: Path) -> Callable[[str], str]:
    """A recipe that pastes objects on one background, by its name."""
    path = tmp_path / "grounds" / "a.webp"
    path.parent.mkdir()
    path.write_bytes(encode_webp(picture(7, side_px=64)))
    return lambda name: RECIPE % (name, path.parent)


def service(library: Library) -> SampleService:
    return SampleService(library, AT_HOME, batch_size=2)


def interrupted(library: Library, recipe: str, after: int, overrides: Overrides | None = None) -> None:
    """Render the first images of a recipe, then stop."""
    samples = service(library)
    images: list[int] = []
    with pytest.raises(Cancelled):
        samples.generate(
            recipe,
            overrides or Overrides(),
            on_progress=lambda done, _total, _name: images.append(done),
            cancelled=lambda: len(images) >= after,
        )


def facts(library: Library) -> list[tuple[str, str, int, int]]:
    return [(run.name, str(run.state), run.done, run.total) for run in service(library).runs.listed()]


def member_ids(library: Library, plan: str) -> list[str]:
    return [spec.id for spec, _ in library.plans.members(plan)]


def test_the_first_image_comes_before_the_later_specs_are_planned(
    library: Library, recipe: Callable[[str], str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(plan_parts, "_PART", 4)
    events: list[str] = []
    planned = planning.planned_specs

    def noted(*arguments: object, **named: object) -> Iterator[object]:
        for spec in planned(*arguments, **named):  # type: ignore[arg-type]
            events.append("spec")
            yield spec

    monkeypatch.setattr("pipeline.services.plans.planning.planned_specs", noted)
    totals: list[int | None] = []

    def progressed(_done: int, total: int | None, _name: str) -> None:
        events.append("image")
        totals.append(total)

    report = service(library).generate(recipe("floors"), on_progress=progressed)
    assert events == (["spec"] * 4 + ["image"] * 4) * 2 + ["spec"] * 2 + ["image"] * 2
    assert totals == [10] * 10
    assert (report.planned, report.already, report.rendered) == (10, 0, 10)
    assert len(member_ids(library, "floors")) == 10


def test_a_run_that_goes_on_in_parts_knows_how_much_is_left(
    library: Library, recipe: Callable[[str], str], monkeypatch: pytest.MonkeyPatch
) -> None:
    service(library).generate(recipe("floors"))
    whole = member_ids(library, "floors")
    monkeypatch.setattr(plan_parts, "_PART", 3)
    totals: list[int | None] = []
    report = service(library).generate(
        recipe("floors"), Overrides(count=14), on_progress=lambda _done, total, _name: totals.append(total)
    )
    assert totals == [4] * 4
    assert (report.planned, report.already, report.rendered) == (14, 10, 4)
    assert member_ids(library, "floors")[:10] == whole


def test_runs_are_listed_and_a_paused_one_is_resumed_by_its_name_in_another_process(
    library: Library, recipe: Callable[[str], str]
) -> None:
    interrupted(library, recipe("floors"), 4, Overrides(count=8, seed=5))
    service(library).generate(recipe("walls"))  # another recipe starts while one is paused
    assert facts(library) == [("walls", "done", 10, 10), ("floors", "paused", 4, 8)]
    paused = service(library).runs.listed()[1]
    assert paused.seconds_left is not None
    assert paused.left == 4
    runs = service(library).runs
    runs.resume("floors")
    runs.wait(HANG_S)
    assert (runs.progress.state, runs.progress.recipe) == (RunState.DONE, "floors")
    assert facts(library) == [("floors", "done", 8, 8), ("walls", "done", 10, 10)]
    with Library.open(library.path.parent / "other", create=True) as other:
        for number in range(3):
            add_subject(other, number)
        service(other).generate(recipe("floors"), Overrides(count=8, seed=5))
        assert member_ids(other, "floors") == member_ids(library, "floors")


def test_a_dropped_run_keeps_its_images_and_can_be_generated_again(
    library: Library, recipe: Callable[[str], str]
) -> None:
    text = recipe("floors")
    interrupted(library, text, 4)
    planned = member_ids(library, "floors")
    assert service(library).runs.drop("floors") == 6
    assert facts(library) == [("floors", "done", 4, 4)]
    assert library.counts().samples["planned"] == 4
    assert pending(library) == []
    preview = preview_plan(library, recipe_of(text), Overrides(), AT_HOME)
    assert (preview.new, preview.total) == (6, 10)
    assert service(library).generate(text).rendered == 6
    assert member_ids(library, "floors") == planned
    assert library.verify() == []


def test_a_run_loses_also_the_images_that_were_not_planned_yet(
    library: Library, recipe: Callable[[str], str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(plan_parts, "_PART", 4)
    interrupted(library, recipe("floors"), 4)
    assert service(library).runs.drop("floors") == 6
    assert facts(library) == [("floors", "done", 4, 4)]


def test_what_does_not_wait_is_not_dropped(library: Library, monkeypatch: pytest.MonkeyPatch) -> None:
    runs, finish = service(library).runs, threading.Event()
    monkeypatch.setattr(
        "pipeline.services.samples.background_run.render_plan",
        lambda *_, **__: finish.wait(HANG_S) and stop(),
    )
    runs.start("{name: floors, count: 3}", Overrides())
    try:
        with pytest.raises(
            StudioError, match="the run 'floors' is in progress; pause it first, then drop it"
        ):
            runs.drop("floors")
        with pytest.raises(UnknownName, match="there is no run 'walls'; known: floors"):
            runs.drop("walls")
        assert [(run.name, str(run.state)) for run in runs.listed()] == [("floors", "loading")]
    finally:
        finish.set()
    runs.wait(HANG_S)
    assert runs.progress.state is RunState.PAUSED
    assert runs.drop("floors") == 0  # nothing of it was stored yet
    assert (runs.progress.state, runs.listed()) == (RunState.IDLE, [])
    with pytest.raises(
        UnknownName, match="there is no run 'walls'; there are none yet; `python -m pipeline generate`"
    ):
        runs.drop("walls")


def stop() -> None:
    raise Cancelled


def test_a_run_of_another_process_is_listed_as_running_and_is_not_dropped(
    library: Library, recipe: Callable[[str], str]
) -> None:
    interrupted(library, recipe("floors"), 4)
    with library.work_lock("generate"):
        library.note_work("floors")
        assert facts(library) == [("floors", "running", 4, 10)]
        with pytest.raises(StudioError, match="is in progress"):
            service(library).runs.drop("floors")
    assert facts(library) == [("floors", "paused", 4, 10)]


def test_what_replaces_images_of_a_run_in_progress_is_in_progress_too(
    library: Library, recipe: Callable[[str], str]
) -> None:
    interrupted(library, recipe("floors"), 4)
    specs = [spec for spec, _ in library.plans.members("floors")]
    library.plans.add("floors, novelty", "name: floors", specs[3:6])  # one of them has its image
    paused = [("floors", "paused", 4, 10), ("floors, novelty", "paused", 1, 3)]
    assert sorted(facts(library)) == paused
    with library.work_lock("generate"):
        library.note_work("floors")
        assert [state for _, state, *_ in facts(library)] == ["running", "running"]
        with pytest.raises(StudioError, match="'floors, novelty' is in progress"):
            service(library).runs.drop("floors, novelty")
    assert sorted(facts(library)) == paused
    assert service(library).runs.drop("floors, novelty") == 2


def test_what_replaces_images_of_the_run_of_this_process_is_not_dropped(
    library: Library, recipe: Callable[[str], str], monkeypatch: pytest.MonkeyPatch
) -> None:
    runs, finish = service(library).runs, threading.Event()
    monkeypatch.setattr(
        "pipeline.services.samples.background_run.render_plan",
        lambda *_, **__: finish.wait(HANG_S) and stop(),
    )
    runs.start(recipe("floors"), Overrides())
    try:
        with pytest.raises(StudioError, match="'floors, novelty' is in progress"):
            runs.drop("floors, novelty")
    finally:
        finish.set()
    runs.wait(HANG_S)


def test_a_plan_of_an_earlier_version_is_listed_but_not_resumed_by_name(
    library: Library, recipe: Callable[[str], str]
) -> None:
    interrupted(library, recipe("floors"), 4)
    specs = [spec for spec, _ in library.plans.members("floors")]
    library.plans.add("floors", library.plans.get("floors").recipe_yaml, specs)  # without what was asked for
    assert facts(library) == [("floors", "paused", 4, 10)]
    with pytest.raises(InvalidRequest, match="start its recipe again with the same ones"):
        service(library).runs.resume("floors")


def test_a_plan_that_another_process_stored_since_is_resumed_as_that_process_was_asked_for_it(
    library: Library, recipe: Callable[[str], str]
) -> None:
    runs = service(library).runs
    runs.start(recipe("floors"), Overrides(count=4))
    runs.wait()
    interrupted(library, recipe("floors"), 3, Overrides(count=9, seed=5))
    (listed,) = runs.listed()
    assert (listed.state, listed.done, listed.total) == (RunState.PAUSED, 4, 9)
    assert listed.seconds_left  # not that of the run that is done, which is 0
    planned = member_ids(library, "floors")
    runs.resume("floors")
    runs.wait()
    assert facts(library) == [("floors", "done", 9, 9)]
    assert member_ids(library, "floors") == planned


def test_a_run_that_was_refused_before_it_was_stored_is_resumed_as_it_was_asked_for(
    library: Library, recipe: Callable[[str], str]
) -> None:
    runs = service(library).runs
    runs.start(recipe("floors"), Overrides(count=4))
    runs.wait()
    with library.work_lock("import"):
        runs.start(recipe("floors"), Overrides(count=6))
        runs.wait()
    assert runs.progress.state is RunState.FAILED
    runs.resume("floors")
    runs.wait()
    assert facts(library) == [("floors", "done", 6, 6)]


def test_a_refill_is_resumed_as_a_refill(library: Library, recipe: Callable[[str], str]) -> None:
    service(library).generate(recipe("floors"))
    for sample_id in member_ids(library, "floors")[:3]:
        library.review.record(decision(sample_id, Verdict.REJECT, reason="halo", client_id=sample_id))
    interrupted(library, recipe("floors"), 2, Overrides(refill=True))
    assert facts(library)[0] == ("floors, refill", "paused", 2, 3)
    runs = service(library).runs
    runs.resume("floors, refill")
    runs.wait(HANG_S)
    assert runs.progress.recipe == "floors, refill"
    assert facts(library)[0] == ("floors, refill", "done", 3, 3)


def test_a_failed_sample_does_not_make_a_run_a_paused_one(
    library: Library, recipe: Callable[[str], str]
) -> None:
    service(library).generate(recipe("floors"))
    first = member_ids(library, "floors")[0]
    library.images.path(library.samples.get(first).image_id or "").unlink()
    library.samples.plan_broken_again()
    library.samples.record_failure(first, "out of memory")
    (run,) = service(library).runs.listed()
    assert (run.state, run.done, run.total, run.failed) == (RunState.DONE, 9, 10, 1)
    assert run.sentence.endswith("left, 1 could not be rendered")


def test_the_command_lists_and_drops_runs(
    library: Library, recipe: Callable[[str], str], capsys: pytest.CaptureFixture[str]
) -> None:
    where = ["--library", str(library.path)]
    assert main(["runs", *where]) == 0
    assert capsys.readouterr().out == "no runs yet\n"
    interrupted(library, recipe("floors"), 4)
    assert main(["runs", *where]) == 0
    assert capsys.readouterr().out.startswith("floors: paused, 4 of 10 images, about ")
    assert main(["runs", *where, "--drop", "roofs"]) == 1
    assert capsys.readouterr().err == "backlot: there is no run 'roofs'; did you mean 'floors'?\n"
    assert main(["runs", *where, "--drop", "floors", "--json"]) == 0
    answer = json.loads(capsys.readouterr().out)
    assert answer["dropped"] == 6
    assert [(run["name"], run["state"], run["done"]) for run in answer["runs"]] == [("floors", "done", 4)]
    assert main(["runs", *where, "--drop", "floors"]) == 0
    assert capsys.readouterr().out.splitlines() == [
        "the run 'floors' is finished; nothing was to be dropped",
        "floors: done, 4 of 4 images",
    ]
