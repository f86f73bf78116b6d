"""What a plan would make and cost, told before it runs: without storing, without limits being passed."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from pipeline.domain import plan as planning
from pipeline.domain.images import encode_webp
from pipeline.domain.placement import Placement
from pipeline.domain.recipe import MOST_SAMPLES, Novelty, to_yaml
from pipeline.domain.spec import Method, SampleSpec
from pipeline.errors import InvalidRecipe, InvalidRequest, StudioError, UnknownName
from pipeline.rendering.checkpoints import CHECKPOINTS, Checkpoint
from pipeline.rendering.families import FAMILIES, Family
from pipeline.services.file_access import FileAccess
from pipeline.services.plans.planning import Overrides, planned, preview_plan, recipe_of
from pipeline.services.reports import RunState
from pipeline.services.samples.create import CreateRequest
from pipeline.services.samples.service import SampleService
from pipeline.store import Library
from tests.toy_library import SIDE_PX, add_subject, picture, render, spec

RECIPE = """
name: two ways
count: 40
method: {inpaint: 3, text_to_image: 1}
"""
AT_HOME = FileAccess()


@pytest.fixture
def library(tmp_path: Path) -> Iterator[Library]:
    with Library.open(tmp_path / "library", create=True) as opened:
        for number in range(3):
            add_subject(opened, number)
        yield opened


@pytest.fixture
def built(monkeypatch: pytest.MonkeyPatch) -> list[SampleSpec]:
    """The specs that are built while a test runs."""
    specs: list[SampleSpec] = []

    def build(**fields: object) -> SampleSpec:
        specs.append(SampleSpec(**fields))  # type: ignore[arg-type]
        return specs[-1]

    monkeypatch.setattr(planning, "SampleSpec", build)
    return specs


def rendered(library: Library, method: Method, seconds: float) -> None:
    """One sample of a method that took so many seconds."""
    planned_spec = spec(library.photos.list(split="train")[0], method=method)
    library.plans.add(f"by {method}", "name: toy", [planned_spec])
    render(library, planned_spec, seconds=seconds)


def files(folder: Path) -> set[Path]:
    return {path for path in folder.rglob("*") if path.is_file() and ".sqlite" not in path.name}


def save_image(path: Path, number: int) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(encode_webp(picture(number, side_px=64)))
    return path


def test_the_time_of_a_plan_counts_every_method_at_its_own_pace(library: Library) -> None:
    recipe = recipe_of(RECIPE).model_copy(update={"size": SIDE_PX})
    assert preview_plan(library, recipe, Overrides(), AT_HOME).seconds is None
    rendered(library, Method.INPAINT, 2.0)
    assert preview_plan(library, recipe, Overrides(), AT_HOME).seconds is None, "half of a sum would mislead"
    rendered(library, Method.TEXT_TO_IMAGE, 10.0)
    preview = preview_plan(library, recipe, Overrides(), AT_HOME)
    expected = 2.0 * preview.methods["inpaint"] + 10.0 * preview.methods["text_to_image"]
    assert preview.seconds == expected
    larger = recipe.model_copy(update={"size": 2 * SIDE_PX})
    assert preview_plan(library, larger, Overrides(), AT_HOME).seconds == 4 * expected
    assert preview_plan(library, recipe, Overrides(method="inpaint"), AT_HOME).seconds == 2.0 * preview.total


@pytest.mark.parametrize("count", [1_000, MOST_SAMPLES])
def test_a_preview_builds_as_many_specs_for_a_large_plan_as_for_a_small_one(
    library: Library, built: list[SampleSpec], count: int
) -> None:
    preview = preview_plan(library, recipe_of(RECIPE), Overrides(count=count), AT_HOME)
    assert len(built) == 40
    assert (preview.total, preview.new, preview.exact) == (count, count, False)
    assert preview.methods == {"inpaint": count * 3 // 4, "text_to_image": count // 4}
    assert sum(preview.classes.values()) == count


def test_a_preview_of_heaps_places_no_more_objects(library: Library, built: list[SampleSpec]) -> None:
    recipe = recipe_of("placement: {objects: [8, 8], scale: [0.1, 0.2]}")
    preview_plan(library, recipe, Overrides(count=50_000), AT_HOME)
    assert sum(len(sample_spec.objects) for sample_spec in built) == 40


@pytest.mark.parametrize("count", [7, 40, 200, 201, 999])
def test_a_preview_counts_what_the_plan_holds(library: Library, count: int) -> None:
    recipe, overrides = recipe_of(None), Overrides(count=count)
    preview = preview_plan(library, recipe, overrides, AT_HOME)
    specs = list(planned(library, recipe, overrides, AT_HOME))
    classes, methods = (
        Counter(sample_spec.label for sample_spec in specs),
        Counter(str(sample_spec.method) for sample_spec in specs),
    )
    if count <= 200:
        slots = Counter(pair for sample_spec in specs for pair in sample_spec.slots)
        assert (preview.classes, preview.methods) == (classes, methods)
        assert {
            (slot, value): n for slot, all_ in preview.slots.items() for value, n in all_.items()
        } == slots
    assert sum(preview.classes.values()) == count
    assert all(abs(preview.classes[label] - number) <= 1 for label, number in classes.items())
    assert preview.prompts == tuple(dict.fromkeys(sample_spec.prompt for sample_spec in specs))[:6]


def test_classes_with_counts_of_their_own_are_told_exactly(library: Library) -> None:
    labels = library.counts().classes
    wanted = {label: 300 + 50 * number for number, label in enumerate(sorted(labels))}
    recipe = recipe_of("classes: {" + ", ".join(f"{label}: {n}" for label, n in wanted.items()) + "}")
    assert preview_plan(library, recipe, Overrides(), AT_HOME).classes == wanted


def test_a_preview_tells_what_a_run_of_the_recipe_has_rendered(library: Library, tmp_path: Path) -> None:
    save_image(tmp_path / "grounds" / "a.webp", 7)
    recipe = recipe_of(
        f"name: pasted\ncount: 300\nmethod: {{paste: 1, inpaint: 1}}\nbackdrops: {{folder: '{tmp_path}/grounds'}}"
    )
    specs = list(planned(library, recipe, Overrides(), AT_HOME))
    library.plans.add(recipe.name, to_yaml(recipe), specs)
    for sample_spec in (*specs[:2], *specs[250:253]):
        render(library, sample_spec)
    assert preview_plan(library, recipe, Overrides(), AT_HOME).new == 295
    assert preview_plan(library, recipe, Overrides(count=252), AT_HOME).new == 248
    assert preview_plan(library, recipe, Overrides(count=900), AT_HOME).new == 895
    assert preview_plan(library, recipe, Overrides(seed=5), AT_HOME).new == 300
    replacing = recipe.model_copy(update={"novelty": Novelty()})  # no spec of the plan depends on it
    preview = preview_plan(library, replacing, Overrides(), AT_HOME)
    assert (preview.new, preview.further) == (295, 150)


def test_a_preview_stores_nothing(library: Library, tmp_path: Path) -> None:
    save_image(tmp_path / "grounds" / "a.webp", 7)
    reference = save_image(tmp_path / "reference.webp", 8)
    recipe = recipe_of(
        f"method: {{paste: 1, controlnet: 1}}\nbackdrops: {{folder: '{tmp_path}/grounds'}}\n"
        f"control: {{source: reference, reference: '{reference}'}}"
    )
    before = files(library.path)
    assert preview_plan(library, recipe, Overrides(count=50), AT_HOME).methods == {
        "controlnet": 25,
        "paste": 25,
    }
    assert files(library.path) == before
    assert library.plans.list() == []


OUTSIDE = [
    ("method: paste\nbackdrops: {folder: '%s'}", "backdrops.folder names a path that may not be read here"),
    (
        "method: controlnet\ncontrol: {source: reference, reference: '%s'}",
        "control.reference names a path that may not be read here",
    ),
    ("model: '%s'", "this studio does not offer the model that was named"),
]


@pytest.mark.parametrize(("text", "sentence"), OUTSIDE)
def test_a_path_outside_the_roots_is_refused_whether_it_exists_or_not(
    library: Library, tmp_path: Path, text: str, sentence: str
) -> None:
    private = save_image(tmp_path / "private" / "a.webp", 7)
    opened = tmp_path / "opened"
    opened.mkdir()
    (opened / "link").symlink_to(private.parent)
    refused = set()
    for path in (
        private, private.parent, "/etc", "/nowhere/at/all", "a" * 900, opened / ".." / "private", opened / "link",
        f"{opened}-more", "",
    ):  # fmt: skip
        for work in (preview_plan, planned):
            with pytest.raises(StudioError) as caught:
                work(library, recipe_of(text % path), Overrides(count=1), FileAccess((opened,)))
            refused.add(str(caught.value)) if path else None
    assert len(refused) == 1
    assert refused.pop().startswith(sentence)


def test_a_folder_of_backgrounds_that_does_not_exist_is_not_called_empty(
    library: Library, tmp_path: Path
) -> None:
    empty = tmp_path / "empty"
    empty.mkdir()
    for folder, fault in ((empty, "holds no images"), (tmp_path / "emty", "is not a folder")):
        with pytest.raises(InvalidRecipe, match=f"backdrops.folder {folder} {fault}"):
            preview_plan(
                library,
                recipe_of(f"method: paste\nbackdrops: {{folder: '{folder}'}}"),
                Overrides(count=1),
                AT_HOME,
            )


def test_a_folder_inside_the_roots_is_read_without_links_that_lead_out(
    library: Library, tmp_path: Path
) -> None:
    opened, private = tmp_path / "opened", save_image(tmp_path / "private.webp", 7)
    save_image(opened / "deep" / "a.webp", 8)
    (opened / "b.webp").symlink_to(private)
    (opened / "folder called.png").mkdir()
    recipe = recipe_of(f"method: paste\nbackdrops: {{folder: '{opened}'}}")
    specs = list(planned(library, recipe, Overrides(count=4), FileAccess((opened,))))
    assert len({sample_spec.backdrop_id for sample_spec in specs}) == 1


def test_a_folder_with_too_many_files_is_refused_before_all_are_listed(
    library: Library, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("pipeline.services.file_access._MOST_FILES", 3)
    for number in range(4):
        (tmp_path / f"{number}.txt").touch()
    recipe = recipe_of(f"method: paste\nbackdrops: {{folder: '{tmp_path}'}}")
    with pytest.raises(InvalidRecipe, match="has more than 3 files; name a smaller folder"):
        preview_plan(library, recipe, Overrides(), AT_HOME)


@pytest.mark.parametrize("path", ["a" * 300 + ".png", "x/" * 400, "folder called.png"])
def test_a_reference_that_is_not_a_file_is_one_sentence(
    library: Library, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, path: str
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("folder called.png").mkdir()
    recipe = recipe_of(f"method: controlnet\ncontrol: {{source: reference, reference: '{path}'}}")
    with pytest.raises(InvalidRecipe, match="it must name an image file"):
        preview_plan(library, recipe, Overrides(), AT_HOME)


def test_a_count_beyond_the_limit_is_refused_in_one_sentence() -> None:
    for count in (0, -3, -(10**5_000), MOST_SAMPLES + 1, 10**5_000):
        with pytest.raises(InvalidRecipe, match=r"at least 1 is needed|at most 100,000 are allowed"):
            Overrides(count=count)


def test_a_seed_beyond_the_limit_is_refused() -> None:
    for seed in (-1, 2**63, 10**5_000):
        with pytest.raises(InvalidRequest, match="the seed must lie in 0 to"):
            Overrides(seed=seed)


@pytest.mark.parametrize("background", [False, True], ids=["foreground", "background"])
def test_a_run_is_planned_once(
    library: Library, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, background: bool
) -> None:
    plans: list[int] = []

    def counted(*arguments: Any, **named: Any) -> Iterator[SampleSpec]:
        specs = planning.plan(*arguments, **named)
        plans.append(len(specs))
        return iter(specs)

    monkeypatch.setattr("pipeline.services.plans.planning.planned_specs", counted)
    save_image(tmp_path / "grounds" / "a.webp", 7)
    recipe = f"{{count: 3, size: 32, method: paste, backdrops: {{folder: '{tmp_path}/grounds'}}}}"
    samples = SampleService(library, AT_HOME, batch_size=2)
    if background:
        samples.runs.start(recipe, Overrides())
        samples.runs.wait(300)
        assert samples.runs.progress.state is RunState.DONE
    else:
        assert samples.generate(recipe, on_warnings=lambda _: None).rendered == 3
    assert plans == [3]


def test_a_method_that_the_model_does_not_offer_is_refused_before_anything_is_stored(
    library: Library, monkeypatch: pytest.MonkeyPatch
) -> None:
    family = Family(
        name="flat", title="flat", parts={Method.INPAINT: ()}, load=lambda *_: pytest.fail("loaded")
    )
    checkpoint = Checkpoint(name="flat", title="flat", family="flat", half=False, size=64, steps=1)
    monkeypatch.setitem(FAMILIES, "flat", family)
    monkeypatch.setitem(CHECKPOINTS, "flat", checkpoint)
    sentence = "model 'flat' does not offer method 'controlnet'; choose inpaint, or another model"
    samples = SampleService(library, AT_HOME, batch_size=2)
    recipe = "{model: flat, count: 50, method: {inpaint: 49, controlnet: 1}}"
    for run in (
        lambda: preview_plan(library, recipe_of(recipe), Overrides(), AT_HOME),
        lambda: samples.generate(recipe),
        lambda: samples.generate("model: flat", Overrides(method="controlnet")),
        lambda: samples.create(
            CreateRequest(
                photo_id=library.photos.list()[0].id,
                placement=Placement(),
                prompt="teal",
                model="flat",
                method=Method.CONTROLNET,
            )
        ),
    ):
        with pytest.raises(InvalidRequest) as refused:
            run()
        assert str(refused.value) == sentence
    assert library.plans.list() == []


@pytest.mark.parametrize("model", ["none", "paste"])
def test_what_is_not_a_model_is_refused_although_pasting_needs_none(library: Library, model: str) -> None:
    recipe = recipe_of(f"{{model: {model}, count: 1, method: paste, backdrops: {{folder: starter}}}}")
    for work in (preview_plan, planned):
        with pytest.raises(UnknownName, match=f"there is no model '{model}'"):
            work(library, recipe, Overrides(), AT_HOME)


def test_planning_ends_when_the_person_stops_it(library: Library) -> None:
    class Stopped(Exception):
        pass

    left = iter(range(3))

    def stop() -> None:
        if next(left, None) is None:
            raise Stopped

    with pytest.raises(Stopped):
        list(planned(library, recipe_of(None), Overrides(count=MOST_SAMPLES), AT_HOME, before_each=stop))
    assert next(left, None) is None
