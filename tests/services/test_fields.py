"""Photos of a place become a profile, and recipes take their numbers and backgrounds from it."""

from __future__ import annotations

import json
import os
import re
import shutil
from collections.abc import Iterator
from pathlib import Path
from unittest.mock import Mock

import cv2
import numpy as np
import pytest
from PIL import Image

from pipeline.cli.main import main
from pipeline.domain.images import pixel_hash
from pipeline.domain.recipe import parse_recipe, to_yaml
from pipeline.domain.spec import SampleSpec
from pipeline.embedding import Embedder
from pipeline.errors import Cancelled, InvalidRecipe, InvalidRequest, LibraryBusy, UnknownName
from pipeline.publish.published_recipe import published_recipe
from pipeline.segmentation import field_photos
from pipeline.services.file_access import FileAccess
from pipeline.services.photos.repair import repair
from pipeline.services.plans import fields
from pipeline.services.plans.fields import FieldPart, learn_field, like_field, stored_field
from pipeline.services.plans.planning import Overrides, planned, preview_plan, recipe_of, taught_recipe_of
from pipeline.store import Library, NewPhoto
from tests.toy_embedder import GreyAngle
from tests.toy_library import add_subject

AT_HOME = FileAccess()
TEXT = (
    "name: like\nsize: 32\nmethod: paste\ncount: 6\nplacement: {like: field}\ncamera: {like: field}\n"
    "backdrops: {folder: field}\n"
)


@pytest.fixture(autouse=True)
def network(monkeypatch: pytest.MonkeyPatch) -> None:
    """Take what is red for an object; compare images by their grey."""

    def probability(rgb: np.ndarray, _network: Path | None = None) -> np.ndarray:
        red, green = rgb[..., 0].astype(np.float32), rgb[..., 1].astype(np.float32)
        return np.clip((red - green) / 100 - 0.5, 0.01, 0.99).astype(np.float32)

    monkeypatch.setattr(field_photos, "object_probability", probability)
    embedder = Embedder(
        name="grey angle",
        side_px=8,
        size=2,
        near_duplicate=0.99998,  # greys that are equal but for 1 of 255
        near_duplicate_sample=1.0,
        is_network=True,
        features=GreyAngle(),
    )
    monkeypatch.setattr(fields, "load_embedder", lambda: embedder)


@pytest.fixture
def library(tmp_path: Path) -> Iterator[Library]:
    with Library.open(tmp_path / "library", create=True) as opened:
        for number in range(4):
            add_subject(opened, number, label=("bolt", "nut")[number % 2])
        yield opened


def photo(number: int, *, side: int = 30) -> np.ndarray:
    """(96, 96, 3) uint8: a place of its own grey with one or two red squares."""
    rng = np.random.default_rng(number)
    rgb = np.repeat(np.clip(rng.normal(90 + 5 * number, 3, (96, 96, 1)), 0, 255), 3, axis=2).astype(np.uint8)
    rgb[10 : 10 + side, 8 : 8 + side] = (220, 20, 20)
    if number % 2:
        rgb[60:84, 60:84] = (220, 20, 20)
    return rgb


def written(folder: Path, photos: list[np.ndarray], *, suffix: str = ".png") -> list[Path]:
    folder.mkdir(exist_ok=True)
    paths = [folder / f"{number}{suffix}" for number in range(len(photos))]
    for path, rgb in zip(paths, photos, strict=True):
        Image.fromarray(rgb).save(path, quality=90)
    return paths


@pytest.fixture
def files(tmp_path: Path) -> list[Path]:
    return written(tmp_path / "site", [photo(number) for number in range(6)])


def add_test_photo(library: Library, rgb: np.ndarray, name: str = "bolt/held-back.png") -> None:
    image_id = library.images.put(rgb)
    height, width = rgb.shape[:2]
    library.photos.add(
        NewPhoto(
            id=pixel_hash(rgb), label="bolt", name=name, source="toy", split="test", image_id=image_id,
            height=height, width=width, cutout_id=None, mask_score=0.0, mask_origin="given", box=None,
        )
    )  # fmt: skip


def specs_of(library: Library, text: str = TEXT, **overrides: int) -> list[SampleSpec]:
    """Plan a recipe and store the plan, as a run does."""
    recipe, changes = recipe_of(text), Overrides(**overrides)
    specs = list(planned(library, recipe, changes, AT_HOME))
    library.plans.add(recipe.name, to_yaml(taught_recipe_of(library, recipe, changes, AT_HOME)), specs)
    return specs


def ids(specs: list[SampleSpec]) -> list[str]:
    return [spec.id for spec in specs]


def test_a_profile_holds_what_the_photos_have_in_common(library: Library, files: list[Path]) -> None:
    report = learn_field(library, files, licence="CC0")
    profile = report.profile
    assert library.fields.read("field") == profile
    assert (profile.photos, profile.licence, report.refused) == (6, "CC0", ())
    assert profile.placement.objects == (1, 2)
    low, high = profile.placement.scale or (0, 0)
    assert (low, high) == (pytest.approx(24 / 96, abs=0.04), pytest.approx(30 / 96, abs=0.03))
    assert profile.placement.overlap == 0.0
    camera = profile.camera[64]
    assert camera is not None
    assert camera.noise is not None
    assert camera.jpeg is None
    assert profile.light is not None
    assert len(library.fields.backgrounds("field")) == 6
    assert "objects in a photo" in report.sentence


def test_the_backgrounds_show_no_object(library: Library, files: list[Path]) -> None:
    learn_field(library, files)
    for path in library.fields.backgrounds("field").values():
        rgb = cv2.imread(str(path))[..., ::-1].astype(int)
        assert (rgb[..., 0] - rgb[..., 1]).max() < 40


def test_the_quality_of_jpeg_files_is_learnt(library: Library, tmp_path: Path) -> None:
    files = written(tmp_path / "site", [photo(number) for number in range(6)], suffix=".jpg")
    camera = learn_field(library, files).profile.camera[64]
    assert camera is not None
    assert camera.jpeg is None  # at 64 px a photo of 96 px shows no traces of it
    larger = written(tmp_path / "site", [cv2.resize(photo(n), (140, 140)) for n in range(6)], suffix=".jpg")
    camera = learn_field(library, larger).profile.camera[128]
    assert camera is not None
    assert camera.jpeg == (90, 90)


def test_a_test_photo_teaches_nothing(library: Library, tmp_path: Path, files: list[Path]) -> None:
    add_test_photo(library, photo(2))
    report = learn_field(library, files)
    assert report.profile.photos == 5
    assert [name for name, _ in report.refused] == ["2.png"]
    assert report.refused[0][1] == (
        "it is, or nearly is, the test photo 'bolt/held-back.png' of the library; take another photo"
    )


def test_a_photo_that_is_nearly_a_test_photo_is_refused(library: Library, files: list[Path]) -> None:
    near = photo(3)
    near[0, 0] += 1
    add_test_photo(library, near)
    assert [name for name, _ in learn_field(library, files).refused] == ["3.png"]


def test_hostile_files_and_copies_are_refused_and_the_others_are_used(
    library: Library, tmp_path: Path, files: list[Path]
) -> None:
    broken, twin = tmp_path / "site" / "x.jpg", tmp_path / "site" / "twin.png"
    broken.write_bytes(b"\xff\xd8\xff no photo")
    twin.write_bytes(files[0].read_bytes())
    report = learn_field(library, [*files, broken, twin])
    assert report.profile.photos == 6
    assert dict(report.refused)["twin.png"] == "the same pixels as 0.png"
    assert "not a readable image" in dict(report.refused)["x.jpg"]


def test_names_that_are_no_utf_8_are_stored_as_far_as_they_can_be_read(
    library: Library, tmp_path: Path, files: list[Path]
) -> None:
    odd = files[0].rename(tmp_path / "site" / os.fsdecode(b"caf\xe9.png"))
    broken = tmp_path / "site" / os.fsdecode(b"\xff.jpg")
    broken.write_bytes(b"no photo")
    report = learn_field(library, [*files[1:], odd, broken])
    assert "caf?.png" in {each.photo for each in library.fields.read("field").backgrounds}
    assert [name for name, _ in report.refused] == ["?.jpg"]


def test_a_background_that_cannot_be_read_is_one_sentence(
    library: Library, files: list[Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    learn_field(library, files)
    monkeypatch.setattr(Path, "read_bytes", Mock(side_effect=PermissionError(13, "Permission denied")))
    with pytest.raises(
        InvalidRecipe, match=r"001\.webp cannot be read: Permission denied; name another image"
    ):
        list(planned(library, recipe_of(TEXT), Overrides(), AT_HOME))


@pytest.mark.parametrize("number", [0, 4, 51])
def test_too_few_and_too_many_photos_are_one_sentence(library: Library, number: int) -> None:
    with pytest.raises(InvalidRequest, match=f"{number} photos were given; 5 to 50 are needed"):
        learn_field(library, [Path("a.png")] * number)
    assert library.fields.names() == []


@pytest.mark.parametrize(
    ("licence", "fault"),
    [("own\udcff", "has the unreadable character U+DCFF; remove it"), ("x" * 101, "has 101 characters")],
)
def test_a_licence_that_cannot_be_stored_is_one_sentence_before_a_photo_is_measured(
    library: Library, files: list[Path], licence: str, fault: str
) -> None:
    done: list[int] = []
    with pytest.raises(InvalidRequest, match=re.escape(f"the licence {fault}")):
        learn_field(library, files, licence=licence, on_progress=lambda number, *_: done.append(number))
    assert done == []


def test_too_few_usable_photos_store_nothing(library: Library, files: list[Path]) -> None:
    for number in (0, 1):
        add_test_photo(library, photo(number), f"bolt/{number}.png")
    with pytest.raises(InvalidRequest, match=r"only 4 of 6 photos can be used, .* cannot, 0\.png: it is"):
        learn_field(library, files)
    assert library.fields.names() == []


def test_a_stop_stores_nothing_and_a_busy_library_is_refused(library: Library, files: list[Path]) -> None:
    with pytest.raises(Cancelled):
        learn_field(library, files, cancelled=lambda: True)
    with library.work_lock("generate"), pytest.raises(LibraryBusy):
        learn_field(library, files)
    assert library.fields.names() == []


def test_photos_without_objects_are_backgrounds_as_they_are(library: Library, files: list[Path]) -> None:
    report = learn_field(library, files[:2], name="shop", has_objects=False)
    assert report.profile.placement.objects is None
    paths = library.fields.backgrounds("shop").values()
    assert [pixel_hash(cv2.imread(str(path))[..., ::-1]) for path in paths] == [
        pixel_hash(photo(number)) for number in range(2)
    ]


def test_heaps_are_not_counted_and_leave_no_background(library: Library, tmp_path: Path) -> None:
    files = written(tmp_path / "heaps", [photo(number, side=86) for number in range(0, 12, 2)])
    profile = learn_field(library, files).profile
    assert profile.placement.objects is None
    assert profile.covered == (pytest.approx(0.8, abs=0.03), pytest.approx(0.8, abs=0.03))
    assert profile.backgrounds == ()
    assert profile.notes[0] == (
        "number, scale and overlap of objects cannot be told: in 6 of 6 photos objects fill the photo or touch each "
        "other; give placement.objects and placement.scale in the recipe, or write them into the profile"
    )
    assert profile.notes[1] == (
        "not used as background, since objects fill it or touch each other: 0.png, 1.png, 2.png and 3 more"
    )
    with pytest.raises(InvalidRecipe, match="'field' could not tell the number of objects"):
        list(planned(library, recipe_of("placement: {like: field}"), Overrides(), AT_HOME))
    with pytest.raises(InvalidRecipe, match="field profile 'field' has no backgrounds"):
        preview_plan(library, recipe_of("{method: paste, backdrops: {folder: field}}"), Overrides(), AT_HOME)


def test_specs_hold_plain_numbers_of_the_profile(library: Library, files: list[Path]) -> None:
    profile = learn_field(library, files).profile
    low, high = profile.placement.scale or (0, 0)
    specs = specs_of(library)
    assert {len(spec.objects) for spec in specs} == {1, 2}
    assert all(low <= placed.placement.scale <= high for spec in specs for placed in spec.objects)
    assert all(spec.camera is not None and spec.camera.noise > 0 for spec in specs)
    backgrounds = {spec.backdrop_id for spec in specs}
    assert len(backgrounds) == 6
    assert all(library.images.read(each or "").shape == (32, 32, 3) for each in backgrounds)


def test_a_plan_that_was_begun_goes_on_with_what_it_had(
    library: Library, tmp_path: Path, files: list[Path]
) -> None:
    learn_field(library, files)
    begun = specs_of(library)
    other = written(tmp_path / "other", [photo(number, side=44) for number in range(20, 26)])
    learn_field(library, other)
    assert ids(specs_of(library)) == ids(begun)
    assert ids(specs_of(library, count=9)[:6]) == ids(begun)
    preview = preview_plan(library, recipe_of(TEXT), Overrides(), AT_HOME)
    assert any(
        "'like' was begun with field profile 'field' as it was then" in note for note in preview.warnings
    )
    library.fields.path("field").unlink()
    assert ids(specs_of(library)) == ids(begun)
    assert preview_plan(library, recipe_of(TEXT), Overrides(), AT_HOME).total == 6


def test_another_plan_takes_the_profile_as_it_is_now(library: Library, files: list[Path]) -> None:
    learn_field(library, files)
    specs_of(library)
    path = library.fields.path("field")
    values = json.loads(path.read_text())
    values["placement"]["objects"] = [3, 3]
    path.write_text(json.dumps(values))
    again = TEXT.replace("name: like", "name: as now")
    assert {len(spec.objects) for spec in specs_of(library, again)} == {3}
    assert not preview_plan(library, recipe_of(again), Overrides(), AT_HOME).warnings


def test_what_a_person_writes_as_learnt_is_not_read(library: Library, files: list[Path]) -> None:
    learn_field(library, files)
    add_test_photo(library, np.full((32, 32, 3), 7, np.uint8))
    tested = library.photos.list(split="test")[0].image_id
    forged = TEXT + f"learnt: {{size: 32, profiles: {{}}, backgrounds: [{tested}]}}\n"
    assert tested not in {
        spec.backdrop_id for spec in planned(library, recipe_of(forged), Overrides(), AT_HOME)
    }
    plain = recipe_of("learnt: {size: 32, profiles: {}, placement: {field: {objects: [9, 9]}}}")
    assert taught_recipe_of(library, plain, Overrides(), AT_HOME).learnt is None


def test_a_photo_that_became_a_test_photo_ends_the_plan(library: Library, files: list[Path]) -> None:
    learn_field(library, files)
    add_test_photo(library, photo(4))
    with pytest.raises(InvalidRecipe, match=r"is now the test photo 'bolt/held-back\.png'"):
        list(planned(library, recipe_of(TEXT), Overrides(), AT_HOME))


def test_a_photo_that_became_a_test_photo_ends_a_plan_that_was_begun(
    library: Library, files: list[Path]
) -> None:
    learn_field(library, files)
    begun = specs_of(library)
    library.fields.path("field").unlink()
    assert ids(specs_of(library)) == ids(begun)
    add_test_photo(library, photo(4))
    for overrides in (Overrides(), Overrides(count=9), Overrides(refill=True)):
        with pytest.raises(InvalidRecipe, match=r"now the test photo 'bolt/held-back\.png' .* another name"):
            list(planned(library, recipe_of(TEXT), overrides, AT_HOME))


def test_a_plan_that_was_begun_stores_lost_backgrounds_again(library: Library, files: list[Path]) -> None:
    learn_field(library, files)
    begun = specs_of(library)
    lost = begun[0].backdrop_id or ""
    library.images.path(lost).unlink()
    assert ids(specs_of(library)) == ids(begun)
    assert library.images.is_sound(lost)


def test_verify_names_lost_backgrounds_of_a_plan_with_the_remedy(library: Library, files: list[Path]) -> None:
    learn_field(library, files)
    recipe = taught_recipe_of(library, recipe_of(TEXT), Overrides(), AT_HOME)
    assert recipe.learnt
    assert recipe.learnt.backgrounds
    library.plans.add("like", to_yaml(recipe), [])
    assert library.verify() == []
    lost = library.images.path(recipe.learnt.backgrounds[0])
    lost.unlink()
    (problem,) = library.verify()
    assert problem.startswith(
        f"the background of plan 'like' is missing: {lost}; `python -m pipeline generate` "
    )
    assert repair(library).left == (problem,)
    specs_of(library)
    assert library.verify() == []


def test_verify_names_what_is_damaged_of_a_profile_but_not_what_a_person_deleted(
    library: Library, files: list[Path]
) -> None:
    learn_field(library, files)
    first, second, *_ = library.fields.backgrounds("field").values()
    first.unlink()
    assert library.verify() == []
    second.write_bytes(second.read_bytes()[:20])
    assert library.verify() == [
        f"a background of field profile 'field' cannot be read: {second}; delete it, or learn the profile again from "
        "its photos"
    ]
    shutil.rmtree(second.parent)
    (problem,) = library.verify()
    assert problem.startswith(
        f"the backgrounds of field profile 'field' are missing: {second.parent}; learn "
    )
    library.fields.path("field").write_text("{", encoding="utf-8")
    (problem,) = library.verify()
    assert problem.endswith("this is not JSON; learn the profile again, or repair the file")


@pytest.mark.parametrize("text", ["placement: {like: fild}", "camera: {like: fild}"])
def test_a_profile_that_is_not_there_is_one_sentence(library: Library, files: list[Path], text: str) -> None:
    learn_field(library, files)
    with pytest.raises(
        InvalidRecipe, match=r"like: there is no field profile 'fild'; did you mean 'field'\?"
    ):
        preview_plan(library, recipe_of(text), Overrides(), AT_HOME)


def test_a_profile_beside_a_folder_of_its_name_comes_first(
    library: Library, files: list[Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    written(tmp_path / "field", [np.full((40, 40, 3), 9, np.uint8)])
    text = "{method: paste, size: 32, count: 3, backdrops: {folder: field}}"
    (only,) = {spec.backdrop_id for spec in planned(library, recipe_of(text), Overrides(), AT_HOME)}
    learn_field(library, files)
    assert only not in {spec.backdrop_id for spec in planned(library, recipe_of(text), Overrides(), AT_HOME)}
    relative = text.replace("folder: field", "folder: ./field")
    assert {spec.backdrop_id for spec in planned(library, recipe_of(relative), Overrides(), AT_HOME)} == {
        only
    }


def test_a_recipe_is_made_like_a_profile(library: Library) -> None:
    recipe = parse_recipe("placement: {objects: [2, 3], scale: [0.1, 0.2], min_visible: 0.9, flip: any}")
    alike = like_field(recipe, "field", list(FieldPart)).recipe
    assert alike.placement.model_dump(mode="json")["like"] == "field"
    assert not {"objects", "scale", "overlap", "min_visible"} & alike.placement.model_dump().keys()
    assert alike.placement.flip == recipe.placement.flip
    assert (alike.backdrops.folder, alike.start) == ("field", "picture")
    assert alike.camera is not None
    mix = like_field(recipe_of(None), "field", [FieldPart.PLACEMENT]).recipe
    assert [(name, ranges.like) for name, ranges in mix.arrangements.items()] == [("", "field")]
    only = like_field(recipe, "field", [FieldPart.CAMERA]).recipe
    assert (only.placement, only.backdrops, only.start) == (recipe.placement, recipe.backdrops, recipe.start)
    with pytest.raises(InvalidRequest, match="text_to_image cannot start from one"):
        like_field(recipe_of("method: text_to_image"), "field", [FieldPart.BACKGROUNDS])


def test_of_the_parts_of_a_profile_those_are_told_that_changed_the_recipe(library: Library) -> None:
    wanted = [FieldPart.PLACEMENT, FieldPart.BACKGROUNDS, FieldPart.CAMERA]
    first = like_field(recipe_of("camera: {like: field}"), "field", wanted)
    assert first.parts == (FieldPart.PLACEMENT, FieldPart.BACKGROUNDS)
    again = like_field(parse_recipe(to_yaml(first.recipe)), "field", wanted)
    assert again.parts == ()
    assert to_yaml(again.recipe) == to_yaml(first.recipe)
    assert like_field(recipe_of("camera: {like: field, jpeg: null}"), "field", wanted).parts == tuple(wanted)


def test_a_published_recipe_names_no_images_of_the_library(library: Library, files: list[Path]) -> None:
    learn_field(library, files)
    specs = specs_of(library)
    stored = library.plans.stored("like", head=0, count=0)
    assert stored is not None
    assert specs[0].backdrop_id in stored.recipe_yaml
    card = published_recipe(stored.recipe_yaml)
    assert specs[0].backdrop_id not in card
    assert pixel_hash(photo(0)) in stored.recipe_yaml
    assert pixel_hash(photo(0)) not in card
    assert "objects:" in card


def test_the_command_learns_shows_and_refuses(
    library: Library, files: list[Path], capsys: pytest.CaptureFixture[str]
) -> None:
    at = str(library.path)
    assert main(["field", str(files[0].parent), "--library", at]) == 0
    learnt = capsys.readouterr().out
    assert "objects in a photo" in learnt
    assert main(["field", "--library", at, "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["profile"]["photos"] == 6
    refused: list[tuple[list[str], str]] = [
        (["field", "--library", at, "--name", "shop"], "there is no field profile 'shop'"),
        (["field", str(files[0]), "--library", at], "is not a folder"),
        (["field", str(files[0].parent), "--library", at, "--name", "drawn"], "choose another name"),
    ]
    for arguments, sentence in refused:
        assert main(arguments) == 1
        assert sentence in capsys.readouterr().err


def test_a_stored_profile_is_shown_as_it_was_changed(library: Library, files: list[Path]) -> None:
    learn_field(library, files)
    path = library.fields.path("field")
    path.write_text(path.read_text().replace('"licence": ""', '"licence": "own photos"'))
    assert stored_field(library, "field").profile.licence == "own photos"
    with pytest.raises(UnknownName):
        stored_field(library, "other")
