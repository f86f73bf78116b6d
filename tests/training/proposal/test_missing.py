"""A recipe for every arm that a release cannot fill."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from pipeline.domain.arms import Arm
from pipeline.domain.methods import Method
from pipeline.domain.recipe import default_recipe, parse_recipe, to_yaml
from pipeline.domain.recipe_distractors import Distractors
from training.cli import main
from training.data.arm_data import ArmData, arm_data
from training.data.release import Release, load_release
from training.proposal.missing import Lack, MissingPlan, Unfillable, changed_recipe, lack_of, missing_plan
from training.proposal.recipe_files import ReasonedRecipe, write_recipes
from training.proposal.release_plans import Acceptance, BaseRecipe, release_plans

STREETS = """
name: streets
method: {inpaint: 1, paste: 3}
backdrops:
  template: "{street} at night"
  slots: {street: [alley, avenue]}
  folder: somewhere
placement: {scale: [0.1, 0.2], objects: [2, 3]}
seed: 4
"""
QUICK = ["--network", "small", "--steps", "4", "--batch", "6", "--image-size", "16", "--seeds", "1"]


def loaded(folder: Path) -> Release:
    return load_release(str(folder), None, side_px=16)


def planned(release: Release, *arms: str) -> MissingPlan:
    return missing_plan(release, release_plans(release), [Arm(name) for name in arms])


def tell(folder: Path, *, method: str, accepted: int, rejected: int) -> None:
    """Let the release tell how many samples of a method were accepted."""
    each = {"method": method, "model": "nano", "rendered": accepted + rejected}
    facts = {"yields": [{**each, "accepted": accepted, "rejected": rejected, "seconds": None}]}
    (folder / "release.json").write_text(json.dumps(facts))


def add_to_card(folder: Path, recipe: str) -> None:
    card = folder / "README.md"
    head = "<details><summary>Recipe x (9 samples planned)</summary>"
    block = f"{head}\n\n```yaml\n{recipe.strip()}\n```\n\n</details>\n"
    card.write_text(card.read_text() + block)


def test_a_ratio_is_met_class_by_class(full_release: Path) -> None:
    lack = lack_of(loaded(full_release), Arm("mixed:2"))  # 6 photos and 4 inpainted images of each class
    assert isinstance(lack, Lack)
    assert lack.images == {"red": 8, "green": 8, "blue": 8}


def test_of_a_share_of_the_photos_more_is_planned_because_all_photos_are_used(full_release: Path) -> None:
    lack = lack_of(loaded(full_release), Arm("mixed:20%50"))
    assert isinstance(lack, Lack)
    assert lack.photos == {"red": (3, 6), "green": (3, 6), "blue": (3, 6)}
    (recipe,) = planned(loaded(full_release), "mixed:20%50").recipes
    assert all(count > 2 * lack.images[name] for name, count in (recipe.recipe.classes or {}).items())


def test_for_a_share_of_the_photos_single_objects_without_distractors_are_planned(full_release: Path) -> None:
    crowded = default_recipe().model_copy(update={"name": "crowd", "distractors": Distractors()})
    add_to_card(full_release, to_yaml(crowded))
    alone, shared = planned(loaded(full_release), "mixed:2", "mixed:20%50").recipes
    assert alone.recipe.placement == crowded.placement
    assert alone.recipe.distractors == crowded.distractors
    assert shared.recipe.name == "more inpaint of one object"
    assert {ranges.objects for ranges in shared.recipe.arrangements.values()} == {(1, 1)}
    assert shared.recipe.distractors is None
    assert shared.reasons[-1] == (
        "Backgrounds and placement are those of the release's recipe 'crowd', but with one object an image and no "
        "distractors."
    )


def test_a_recipe_that_hardly_shows_only_photos_of_the_share_fills_no_arm(full_release: Path) -> None:
    heaps = "name: heaps\nmethod: inpaint\nplacement: {objects: [8, 12], scale: [0.2, 0.3]}"
    add_to_card(full_release, heaps)
    plan = planned(loaded(full_release), "mixed@heaps%50")
    assert plan.recipes == ()
    assert [each.sentence for each in plan.unfillable] == [
        "mixed@heaps%50: no recipe can fill it, since fewer than 5% of the images of 'heaps' show only photos of the "
        "share; take a larger share, or leave out @heaps."
    ]


def test_of_a_recipe_of_several_objects_as_many_more_are_planned_as_a_share_leaves_out(
    full_release: Path,
) -> None:
    add_to_card(
        full_release,
        "name: pairs\nmethod: inpaint\nplacement: {objects: [2, 2]}\n"
        "distractors: {share: 0.5, kinds: [objects], number: [1, 1]}",
    )
    release = loaded(full_release)
    (pairs,) = planned(release, "mixed@pairs:2%50").recipes
    both_of_share = 3 / 6 * 2 / 5  # an image never shows one photo twice
    expected = Acceptance().samples_for(
        6, usable=both_of_share * 0.75
    )  # a distractor halves half of the images
    assert pairs.recipe.classes == dict.fromkeys(("red", "green", "blue"), expected)


@pytest.mark.parametrize(
    ("arm", "reason"),
    [
        ("text_to_image%50", "its images show no photo"),
        ("real%1", "trains on photos alone"),
        ("mixed:0.3%1", "its ratio asks for no synthetic image of so few photos; take a larger ratio"),
        ("real_paste:0.05", "its ratio asks for no synthetic image of so few photos; take a larger ratio"),
    ],
)
def test_an_arm_that_no_image_fills_says_why(full_release: Path, arm: str, reason: str) -> None:
    lack = lack_of(loaded(full_release), Arm(arm))
    assert isinstance(lack, Unfillable)
    assert reason in lack.sentence


def test_an_arm_without_images_gets_as_many_as_there_are_photos_of_the_default_recipe(
    full_release: Path,
) -> None:
    (reasoned,) = planned(loaded(full_release), "real", "paste", "text_to_image").recipes
    recipe = parse_recipe(reasoned.text)
    assert (recipe.name, recipe.method) == ("more text_to_image", Method.TEXT_TO_IMAGE)
    assert recipe.classes == dict.fromkeys(
        ("red", "green", "blue"), 11
    )  # 6 where 80 % are accepted, with a margin
    assert recipe.backdrops == default_recipe().backdrops
    assert recipe.placement == default_recipe().placement
    assert "the default recipe, since the release holds none" in reasoned.text


def test_the_acceptance_that_the_release_tells_decides_how_many_samples_are_planned(
    full_release: Path,
) -> None:
    tell(full_release, method="inpaint", accepted=30, rejected=70)
    (reasoned,) = planned(loaded(full_release), "mixed:2").recipes
    assert reasoned.recipe.classes == dict.fromkeys(("red", "green", "blue"), 48)
    assert "30 of 100 decided samples of this method were accepted (30%)" in reasoned.reasons[1]


@pytest.mark.parametrize(("accepted", "decided", "samples"), [(100, 100, 22), (50, 100, 55), (0, 0, 31)])
def test_enough_samples_are_planned_for_twenty_accepted_images(
    accepted: int, decided: int, samples: int
) -> None:
    acceptance = Acceptance(accepted, decided)
    p = acceptance.rate
    assert acceptance.samples_for(20) == samples
    assert samples * p - 2 * (samples * p * (1 - p)) ** 0.5 >= 20
    assert (samples - 1) * p - 2 * ((samples - 1) * p * (1 - p)) ** 0.5 < 20


def test_arms_of_a_named_recipe_share_one_with_and_without_a_share_of_the_photos(full_release: Path) -> None:
    add_to_card(full_release, STREETS)
    release = loaded(full_release)
    (alone,), (of_share,) = (planned(release, arm).recipes for arm in ("paste@streets", "paste@streets%50"))
    (both,) = planned(
        release, "paste@streets", "paste@streets%50"
    ).recipes  # a second one would replace the first
    assert both.recipe.name == "streets"
    for each in (alone, of_share):
        assert all(
            count <= (both.recipe.classes or {})[name] for name, count in (each.recipe.classes or {}).items()
        )
    assert "Images count only where they show nothing but the arm's share" in " ".join(both.reasons)


def test_arms_of_a_named_recipe_share_one_of_several_methods(full_release: Path) -> None:
    add_to_card(full_release, STREETS)
    tell(full_release, method="paste", accepted=30, rejected=70)
    release = loaded(full_release)
    (paste,), (inpaint,) = (planned(release, arm).recipes for arm in ("paste@streets", "inpaint@streets"))
    (both,) = planned(release, "paste@streets", "inpaint@streets").recipes
    assert both.recipe.name == "streets"
    assert both.recipe.backdrops.folder == "starter"
    needed = [(each.recipe.classes or {})["red"] for each in (paste, inpaint)]
    assert needed == [39, 11]
    assert both.recipe.methods == {Method.PASTE: 3 * 39, Method.INPAINT: 3 * 11}
    assert both.recipe.classes == dict.fromkeys(("red", "green", "blue"), sum(needed))
    assert [reason.partition(":")[0] for reason in both.reasons[1:3]] == [
        "Missing are 18 accepted images of method paste",
        "Missing are 18 accepted images of method inpaint",
    ]


def test_that_accepted_images_may_not_count_is_allowed_for_as_rejections_are() -> None:
    samples = Acceptance(80, 100).samples_for(20, usable=0.25)
    p = Acceptance(80, 100).rate * 0.25
    assert samples == 150  # not four times the 31 for 20 images: which of them count is left to chance
    assert samples * p - 2 * (samples * p * (1 - p)) ** 0.5 >= 20


def test_backgrounds_and_placement_are_those_of_the_releases_own_plan(full_release: Path) -> None:
    add_to_card(full_release, STREETS)
    (reasoned,) = planned(loaded(full_release), "real_paste:3").recipes
    recipe, streets = parse_recipe(reasoned.text), parse_recipe(STREETS)
    assert (recipe.placement, recipe.backdrops.slots) == (streets.placement, streets.backdrops.slots)
    assert recipe.backdrops.folder == "starter"  # the path is not in the card, and the file says so
    assert "'somewhere' was published without its path" in " ".join(reasoned.reasons)
    assert recipe.seed != streets.seed


def test_an_arm_of_a_recipe_is_filled_under_its_name(full_release: Path) -> None:
    add_to_card(full_release, STREETS)
    (reasoned,) = planned(loaded(full_release), "real_paste@streets").recipes
    assert (reasoned.recipe.name, reasoned.recipe.method) == ("streets", Method.PASTE)


def test_arms_that_need_the_same_images_share_a_recipe(full_release: Path) -> None:
    release = loaded(full_release)
    plan = planned(release, "mixed:2", "mixed:4", "text_to_image", "mixed@streets:1")
    assert [recipe.recipe.name for recipe in plan.recipes] == [
        "more inpaint",
        "more text_to_image",
        "streets",
    ]
    assert "Fills mixed:2, mixed:4 of a study" in plan.recipes[0].reasons[0]
    assert "inpaint: red 20, green 20, blue 20" in plan.recipes[0].reasons[1]


def test_a_recipe_for_text_to_image_leaves_out_what_that_has_no_use_for() -> None:
    recipe = default_recipe().model_copy(update={"distractors": Distractors()})
    changed = changed_recipe(
        BaseRecipe(recipe=recipe, source="Of a test."), "more", "text_to_image", {"bolt": 5}
    )
    assert (changed.method, changed.distractors, changed.classes) == ("text_to_image", None, {"bolt": 5})


def test_a_class_without_photos_cannot_be_filled(full_release: Path) -> None:
    release = loaded(full_release)
    photos = release.real_train
    lack = lack_of(replace(release, real_train=photos.where(photos.labels != 1)), Arm("text_to_image"))
    assert isinstance(lack, Unfillable)
    assert lack.sentence == (
        "text_to_image: no recipe can fill it, since the release has no training photos of 'green'; import photos and "
        "publish again."
    )


def test_images_as_the_recipe_asks_for_fill_the_arm(
    full_release: Path, release_of: Callable[..., Path]
) -> None:
    lack = lack_of(loaded(full_release), Arm("mixed:2"))
    assert isinstance(lack, Lack)
    filled = release_of(
        {
            ("real", "train", "photo"): 6,
            ("real", "test", "photo"): 5,
            ("synthetic", "train", "inpaint"): 4 + lack.images["red"],
        },
        name="filled",
    )
    data = arm_data(loaded(filled), Arm("mixed:2"))
    assert isinstance(data, ArmData)
    assert data.counts == {"real": 18, "synthetic": 36}


def test_a_second_recipe_has_another_name_and_seed(full_release: Path) -> None:
    add_to_card(full_release, "name: more text_to_image\nmethod: text_to_image")
    (reasoned,) = planned(loaded(full_release), "text_to_image").recipes
    assert reasoned.recipe.name == "more text_to_image 2"


def study(release: Path, tmp_path: Path, *arms: str) -> list[str]:
    out = str(tmp_path / "study")
    return ["study", "--dataset", str(release), "--out", out, *QUICK, "--arms", *arms]


def test_the_command_writes_a_file_for_each_recipe_and_trains_what_can_be_trained(
    full_release: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "next" / "fill.yaml"
    arguments = [
        *study(full_release, tmp_path, "real", "mixed:2", "text_to_image"),
        "--plan-missing",
        str(file),
    ]
    assert main([*arguments, "--json"]) == 0
    files = [file.with_name("fill-1.yaml"), file.with_name("fill-2.yaml")]
    answer = json.loads(capsys.readouterr().out)
    assert answer["missing"] == {"recipes": [str(each) for each in files], "unfillable": []}
    assert answer["arms"][0]["arm"] == "real"
    assert sorted(file.parent.iterdir()) == files
    assert [parse_recipe(each.read_text()).method for each in files] == [Method.INPAINT, Method.TEXT_TO_IMAGE]


def test_where_nothing_is_missing_a_sentence_says_so_and_no_file_is_written(
    full_release: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "fill.yaml"
    assert main([*study(full_release, tmp_path, "real", "mixed"), "--plan-missing", str(file)]) == 0
    assert capsys.readouterr().out.startswith("Nothing is missing: the release fills all arms of this study;")
    assert not file.exists()


def test_where_no_arm_can_be_trained_the_recipes_are_written_all_the_same(
    full_release: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "fill.yaml"
    assert main([*study(full_release, tmp_path, "text_to_image"), "--plan-missing", str(file)]) == 0
    assert capsys.readouterr().out.splitlines()[-1].startswith("No arm can be trained yet: generate, review")
    assert parse_recipe(file.read_text()).method == Method.TEXT_TO_IMAGE
    assert not (tmp_path / "study").exists()


def test_a_file_that_cannot_be_written_is_refused_before_anything_is_read(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    arguments = study(tmp_path / "nowhere", tmp_path, "real")
    assert main([*arguments, "--plan-missing", str(tmp_path)]) == 1
    assert capsys.readouterr().err == (
        f"backlot: {tmp_path} is a folder; name a file with --plan-missing, such as {tmp_path / 'recipe.yaml'}\n"
    )
    (tmp_path / "file").write_text("in the way")
    assert main([*arguments, "--plan-missing", str(tmp_path / "file" / "fill.yaml")]) == 1
    assert "fill.yaml cannot be written; name a file in another folder" in capsys.readouterr().err


def test_a_failed_write_leaves_no_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    recipes = [ReasonedRecipe(recipe=default_recipe(), reasons=("a",))] * 2
    (tmp_path / "fill-2.yaml").mkdir()
    with pytest.raises(Exception, match=r"fill\.yaml cannot be written: Is a directory; name another file"):
        write_recipes(tmp_path / "fill.yaml", recipes, option="--plan-missing")
    assert not (tmp_path / f".fill-2.yaml.{1}").exists()
    assert [path.name for path in tmp_path.iterdir() if path.name.startswith(".")] == []


def test_the_recipes_of_a_published_release_are_read_from_its_card(full_release: Path) -> None:
    published = Path(__file__).parents[2] / "fixtures" / "release_v1"
    plans = release_plans(replace(loaded(full_release), name=str(published)))
    assert list(plans.recipes) == ["compatibility", "undrawn"]
    assert plans.base(Method.PASTE).source == "those of the release's recipe 'compatibility'"
