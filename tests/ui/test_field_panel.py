"""The panel "Like my field": photos in, what was learnt, and the recipe that is like it."""

from __future__ import annotations

import threading
from pathlib import Path

import gradio as gr
import numpy as np
import pytest
from PIL import Image

from pipeline.domain.field_light import FieldLight
from pipeline.domain.field_profile import FieldBackground, FieldProfile
from pipeline.domain.images import encode_webp
from pipeline.domain.recipe import parse_recipe
from pipeline.domain.recipe_learnt import FieldPlacement
from pipeline.domain.recipe_look import Camera
from pipeline.errors import InvalidRequest, UnknownName
from pipeline.studio import Studio
from ui.pages.generate import field_job
from ui.pages.generate.field import FieldPanel
from ui.pages.generate.field_job import FieldJob

PROFILE = FieldProfile(
    photos=7,
    placement=FieldPlacement(objects=(2, 5), scale=(0.2, 0.4)),
    camera={128: Camera(noise=(1, 2))},
    light=FieldLight(brightness=30, spread=2, contrast=10, cast=(0, 0)),
    backgrounds=(FieldBackground(file="1.webp", photo="a <b>.jpg", photo_id="1"),),
    notes=("not used as background, since <it>: b.jpg",),
)
HANG_S = 300  # reached only where something hangs
GROUND = encode_webp(np.full((40, 60, 3), 90, np.uint8))


@pytest.fixture
def panel(studio: Studio) -> FieldPanel:
    return FieldPanel(studio, FieldJob(studio))


def uploads(folder: Path, number: int = 5) -> list[str]:
    paths = [folder / f"{each}.png" for each in range(number)]
    for each, path in enumerate(paths):
        Image.fromarray(np.full((64, 64, 3), 40 + 20 * each, np.uint8)).save(path)
    return list(map(str, paths))


def test_without_a_profile_nothing_is_offered(panel: FieldPanel) -> None:
    dropdown, learnt, parts, *_ = panel.opened()
    assert isinstance(dropdown, gr.Dropdown)
    assert isinstance(parts, gr.CheckboxGroup)
    assert (dropdown.visible, learnt, parts.visible) == (False, "", False)


def test_a_page_that_opens_late_leaves_the_timer_of_what_was_begun_meanwhile_alone(panel: FieldPanel) -> None:
    assert panel.opened()[3:] == (gr.skip(),) * 4


def test_a_tick_that_learning_began_after_tells_of_it_lest_the_page_lose_it(
    panel: FieldPanel, monkeypatch: pytest.MonkeyPatch
) -> None:
    running = iter((False, True, True))  # it begins while the tick is being answered
    monkeypatch.setattr(FieldJob, "running", property(lambda _job: next(running)))
    *_, learn, stop, timer, message = panel.poll(None)
    assert (learn.interactive, stop.visible, timer.active) == (False, True, True)  # type: ignore[attr-defined]
    assert message == gr.skip()


def test_a_profile_is_shown_with_its_backgrounds_and_the_parts_that_can_be_used(panel: FieldPanel) -> None:
    panel.studio.library.fields.write("field", PROFILE, {"1.webp": GROUND})
    dropdown, learnt, parts, *_ = panel.opened()
    assert isinstance(dropdown, gr.Dropdown)
    assert isinstance(parts, gr.CheckboxGroup)
    assert dropdown.value == "field"
    assert "2 to 5" in str(learnt)
    assert 'alt="1 of 1 background"' in str(learnt)
    assert '<p class="said note">Not used as background, since &lt;it&gt;: b.jpg</p>' in str(learnt)
    assert parts.value == ["placement", "backgrounds", "camera", "light"]


def test_parts_that_cannot_be_told_are_not_offered(panel: FieldPanel) -> None:
    panel.studio.library.fields.write("heap", FieldProfile(photos=5, camera={128: None}), {})
    learnt, parts = panel.show("heap")
    assert "cannot be told" in str(learnt)
    assert isinstance(parts, gr.CheckboxGroup)
    assert (parts.value, parts.visible) == ([], False)


def test_a_profile_that_was_changed_wrongly_is_a_sentence(panel: FieldPanel) -> None:
    panel.studio.library.fields.write("field", PROFILE, {"1.webp": b"no picture"})
    assert "<img" not in str(panel.show("field")[0])
    panel.studio.library.fields.path("field").write_text("{")
    assert "this is not JSON" in str(panel.show("field")[0])


def test_uploaded_photos_become_a_profile(panel: FieldPanel, tmp_path: Path) -> None:
    assert panel.learn(uploads(tmp_path), " site ", True, " own\nphotos ")[-1] == ""
    panel.job.wait()
    dropdown, learnt, _, progress, _, _, timer, message = panel.poll(None)
    assert isinstance(dropdown, gr.Dropdown)
    assert isinstance(timer, gr.Timer)
    assert (dropdown.value, progress, timer.active) == ("site", "", False)
    assert "&#x27;site&#x27; is learnt." in str(message)
    assert "5 of 5 backgrounds" in str(learnt)
    assert "own photos" in str(learnt)
    assert panel.studio.library.fields.read("site").licence == "own photos"


def test_the_page_follows_a_profile_that_is_being_learnt(
    panel: FieldPanel, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    learning, going_on = threading.Event(), threading.Event()

    def waiting(*_: object, **named: object) -> None:
        named["on_progress"](2, 5, "b.png")  # type: ignore[operator]
        learning.set()
        going_on.wait(HANG_S)

    monkeypatch.setattr(field_job, "learn_field", waiting)
    panel.learn(uploads(tmp_path), "site", False, "")
    assert learning.wait(HANG_S)
    progress, learn, stop, timer = panel.poll(None)[3:7]
    assert "2 of 5 photos" in str(progress)
    assert isinstance(learn, gr.Button)
    assert isinstance(stop, gr.Button)
    assert isinstance(timer, gr.Timer)
    assert (learn.interactive, stop.visible, timer.active) == (False, True, True)
    with pytest.raises(InvalidRequest, match="a profile is being learnt"):
        panel.learn(uploads(tmp_path), "site", False, "")
    going_on.set()
    panel.job.wait()


def test_a_profile_that_is_being_learnt_can_be_stopped(
    panel: FieldPanel, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    learning, learn_field = threading.Event(), field_job.learn_field

    def waiting(*given: object, **named: object) -> object:
        learning.set()
        assert panel.job._stop.wait(HANG_S)
        return learn_field(*given, **named)  # type: ignore[arg-type]

    monkeypatch.setattr(field_job, "learn_field", waiting)
    panel.learn(uploads(tmp_path), "site", True, "")
    assert learning.wait(HANG_S)
    panel.stop()
    panel.job.wait()
    assert "Stopped; nothing was stored." in str(panel.poll(None)[-1])
    assert panel.studio.library.fields.names() == []
    monkeypatch.setattr(field_job, "learn_field", learn_field)
    panel.learn(uploads(tmp_path), "site", True, "")  # a stop ends one profile, not the next
    panel.job.wait()
    assert panel.studio.library.fields.names() == ["site"]


def test_what_cannot_be_learnt_is_a_sentence(panel: FieldPanel, tmp_path: Path) -> None:
    with pytest.raises(InvalidRequest, match="choose photos of the place first"):
        panel.learn([], "site", False, "")
    panel.learn(uploads(tmp_path, 2), "site", False, "")
    panel.job.wait()
    assert "2 photos were given; 5 to 50 are needed" in str(panel.poll(None)[-1])
    assert panel.studio.library.fields.names() == []


def test_a_click_makes_the_recipe_like_the_profile(panel: FieldPanel) -> None:
    panel.studio.library.fields.write("field", PROFILE, {"1.webp": GROUND})
    recipe = parse_recipe(
        panel.use("name: own\nplacement: {objects: [1, 1]}", "field", ["placement", "camera"])
    )
    assert (recipe.name, recipe.placement.like) == ("own", "field")
    assert recipe.camera is not None
    assert recipe.camera.like == "field"
    assert recipe.backdrops.folder is None
    lit = parse_recipe(
        panel.use(
            "backdrops: {template: '{light}', slots: {light: [dim light, bright light]}}", "field", ["light"]
        )
    )
    assert list(lit.backdrops.slots["light"]) == ["dim light"]
    for name, parts in ((None, ["camera"]), ("field", [])):
        with pytest.raises(InvalidRequest, match="choose a profile and what of it"):
            panel.use("name: own", name, parts)
    with pytest.raises(UnknownName):
        panel.use("name: own", "other", ["camera"])


@pytest.mark.parametrize(
    ("text", "parts", "sentence"),
    [
        (
            "name: own",
            ["placement", "camera"],
            "The recipe is like 'field' now (number and scale of objects, camera). Check its plan, then start the run.",
        ),
        (
            "# mine\nplacement: {like: field}\ncamera: {like: field}",
            ["placement", "camera"],
            "Nothing to change: the recipe is like 'field' already.",
        ),
        (
            "# mine\ncamera: {like: field}\nbackdrops: {template: '{light}', slots: {light: [dim light]}}",
            ["camera", "light"],
            "Nothing to change: the recipe is like 'field' already.",
        ),
        (
            "# mine\nbackdrops: {template: '{light}', slots: {light: [bright light]}}",
            ["light"],
            "Nothing was changed: none of the words in slot 'light' fits the light, so they stay.",
        ),
        (
            "backdrops: {template: road}",
            ["camera", "light"],
            "The recipe is like 'field' now (camera). The recipe has no slot 'light' for the words for the light. "
            "Check its plan, then start the run.",
        ),
    ],
)
def test_a_click_tells_what_it_changed(
    panel: FieldPanel, monkeypatch: pytest.MonkeyPatch, text: str, parts: list[str], sentence: str
) -> None:
    panel.studio.library.fields.write("field", PROFILE, {"1.webp": GROUND})
    told: list[str] = []
    monkeypatch.setattr(gr, "Info", told.append)
    changed = panel.use(text, "field", parts)
    assert told == [sentence]
    assert (changed == text) is sentence.startswith("Nothing")
