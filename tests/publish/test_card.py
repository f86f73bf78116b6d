"""The card tells the truth, and the Hub can read it."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pyarrow.parquet as pq
import pytest
import yaml
from huggingface_hub import DatasetCard
from markdown_it import MarkdownIt

from pipeline.domain.recipe import Recipe, to_yaml
from pipeline.domain.recipe_look import Camera, ObjectLight
from pipeline.domain.release import ReviewFacts
from pipeline.domain.review import Policy, Verdict
from pipeline.domain.spec import SampleSpec
from pipeline.publish import CardDetails, Study, card, release_contents, write_release
from pipeline.publish.credits import published_source
from pipeline.publish.release_source import ReleaseSource
from pipeline.publish.review_text import review_text
from pipeline.rendering.checkpoints import CHECKPOINTS, Part
from pipeline.services.releases.source import release_source
from pipeline.store import Library
from tests.toy_library import add_subject, decision, render, spec


def card_of(source: ReleaseSource, *, name: str, version: str = "1", study: Study | None = None) -> str:
    """The card that a release of a library would have."""
    return card(release_contents(source), CardDetails(name=name, version=version, study=study))


def test_the_front_matter_names_configurations_features_and_sizes(decided: Library, tmp_path: Path) -> None:
    write_release(decided, tmp_path / "release", name="Parts: bolts & gears")
    data = DatasetCard.load(tmp_path / "release" / "README.md").data.to_dict()
    assert data["pretty_name"] == "Parts: bolts & gears"
    assert data["size_categories"] == ["n<1K"]
    assert {config["config_name"]: config["data_files"][0]["path"] for config in data["configs"]} == {
        "mixed": ["data/real/train-*.parquet", "data/synthetic/train-*.parquet"],
        "real": ["data/real/train-*.parquet"],
        "synthetic": ["data/synthetic/train-*.parquet"],
    }
    info = {entry["config_name"]: entry for entry in data["dataset_info"]}
    assert [(split["name"], split["num_examples"]) for split in info["mixed"]["splits"]] == [
        ("train", 6),
        ("test", 4),
    ]
    assert info["mixed"]["features"] == info["real"]["features"] == info["synthetic"]["features"]
    files = (tmp_path / "release" / "data" / "real").iterdir()
    assert info["real"]["download_size"] == sum(path.stat().st_size for path in files)


def test_the_numbers_in_the_text_are_the_librarys(decided: Library) -> None:
    text = card_of(decided, name="Parts", version="3")
    assert "Release 3: 5 photos of 2 classes (bolt, gear), and 5 synthetic images made from them" in text
    assert "| bolt | 2 | 1 | 2 | 1 |" in text
    assert "| **all** | **3** | **2** | **3** | **2** |" in text
    assert "| `inpaint` | 5 |" in text
    assert "| nano, the small SDXL that is part of this project | `r1` | 5 | Apache-2.0 |" in text
    assert "name: floors\nseed: 0\n```" in text
    assert "10 samples were decided by people (1 reviewer); 5 were accepted (50%)." in text
    assert "Reasons for rejection: seam (5)." in text


def test_a_set_that_no_person_reviewed_says_so() -> None:
    text = review_text(ReviewFacts(accepted_by_gates=3, rejected_by_gates=1, pending=2))
    assert text == (
        "4 samples were decided by the quality gates alone: **no person has reviewed the synthetic "
        "images**; 3 were accepted (75%). Only accepted ones are in this release. "
        "2 more were undecided and are not in this release."
    )


def test_people_and_gates_are_told_apart() -> None:
    text = review_text(
        ReviewFacts(accepted_by_people=1, rejected_by_people=1, accepted_by_gates=2, reviewers=2)
    )
    assert text.startswith(
        "4 samples were decided 2 by people (2 reviewers), 2 by the quality gates alone; 3 were accepted"
    )


def test_agreement_is_that_of_the_votes_and_the_verdict_is_told_in_its_own_words(library: Library) -> None:
    photo = add_subject(library, 1)
    specs = [spec(photo, seed=number) for number in range(4)]
    library.plans.add("floors", "", specs)
    library.review.set_policy(Policy(overlap=2))
    for number, planned in enumerate(specs):
        render(library, planned)
        for name in ("ann", "ben"):
            verdict = Verdict.REJECT if number == 3 else Verdict.ACCEPT
            library.review.record(decision(planned.id, verdict, reviewer=name))
    study = Study(sentence="Mixed data is best.", test="field", seeds=6, arms=(("Real photos", 0.5),))
    text = card_of(release_source(library), name="Parts", version="2", study=study)
    assert (
        "4 samples were reviewed by two people or more; their agreement is 1.00 (Krippendorff's alpha" in text
    )
    assert "Mixed data is best. The release that was trained on is not available any more" in text
    assert "| Real photos | 50.0% |" in text
    assert "6 seeds; measured on field." in text


def test_photos_alone_claim_nothing_synthetic(library: Library) -> None:
    add_subject(library, 1, split="test")
    text = card_of(library, name="Field")
    assert "There are no synthetic images: the configuration `synthetic` is empty, and" in text
    assert "There were no synthetic images to review." in text
    assert "stable-diffusion-xl" not in text
    assert "model" not in text.split("## Columns")[0].split("---\n", 2)[2]


def test_what_an_imported_release_brought_is_no_part_of_the_acceptance() -> None:
    brought = ReviewFacts(accepted_by_release=200, accepted_by_people=5, rejected_by_people=45, reviewers=1)
    assert (brought.decided, brought.decided_here, brought.acceptance) == (250, 50, 0.1)
    assert "205 were accepted (10% of the 50 decided here)" in review_text(brought)
    assert "200 were accepted. " in review_text(ReviewFacts(accepted_by_release=200))


def test_a_source_with_a_bar_stays_one_cell_of_its_table(library: Library) -> None:
    add_subject(library, 1, source="a|b")
    assert "| a\\|b | 1 | that of the photos |" in card_of(library, name="Field")


@pytest.mark.parametrize(
    ("source", "told"),
    [
        ("starter:field", "starter:field"),
        ("hf://ns/name@v1", "hf://ns/name@v1"),
        ("/home/ada/bench", "bench"),
        ("/home/ada/starter", "folder starter"),
        ("", ""),
        ("hf://x\n# Pwned <!-- backlot: end -->", "hf://x # Pwned !-- backlot: end --"),
    ],
)
def test_a_release_tells_where_photos_came_from_without_the_path(source: str, told: str) -> None:
    assert published_source(source) == told
    assert published_source(told) == told  # once more for a release that was imported


def test_the_starter_set_is_called_rendered_and_a_folder_is_named_without_its_path(library: Library) -> None:
    for number, source in enumerate(
        ("starter", "starter:field", "/home/ann/photos/trash", "hf://datasets/ann/trash")
    ):
        add_subject(library, number, source=source)
    text = card_of(library, name="Parts")
    assert "**2 of the photos are rendered, not photographed**" in text
    assert "| the rendered starter set of this project (no photographs) | 2 | Apache-2.0 |" in text
    assert "| trash | 1 | that of the photos |" in text
    assert "| hf://datasets/ann/trash | 1 | see there |" in text
    assert "/home/ann" not in text


def test_a_recipe_is_told_without_the_folders_of_somebodys_disk(library: Library) -> None:
    recipe = (
        "# from /home/ann/notes\nmodel: work/private/nano  # /home/ann too\nbackdrops:\n  folder: /home/ann/My secret/"
        'streets\n  template: "a / b"\n  slots:\n    surface: {gravel: 1, "/home/ann/x": 2}\n'
        'control: {reference: "C:\\\\Users\\\\ann\\\\y.png"}\nlisted:\n- ~/private/one\n- >-\n  ../private\n'
    )
    planned = accepted(library, recipe=recipe)
    text = card_of(library, name="Streets")
    assert planned.model == "nano"
    block = text.split("```yaml\n")[1].split("```")[0]
    assert yaml.safe_load(block) == {
        "model": "folder nano",
        "backdrops": {
            "folder": "streets",
            "template": "a / b",
            "slots": {"surface": {"gravel": 1, "x": 2}},
        },
        "control": {"reference": "y.png"},
        "listed": ["one", "private"],
    }
    assert not any(word in text for word in ("/ann", "ann/", "\\ann", "secret", "Users", "private/", "~"))


def test_a_camera_step_is_named_among_the_limits(library: Library) -> None:
    camera = Camera(noise=(2, 4))
    accepted(library, recipe=to_yaml(Recipe(name="site", camera=camera)))
    assert "blur, noise and JPEG change the pixels of the objects" in card_of(library, name="Streets")


def test_objects_in_the_light_of_their_backgrounds_are_named_among_the_limits(library: Library) -> None:
    accepted(library, recipe=to_yaml(Recipe(name="site", match_object=True)))
    assert "matches objects to the light of their backgrounds" in card_of(library, name="Streets")


def test_another_light_on_the_objects_is_named_among_the_limits(library: Library) -> None:
    accepted(library, recipe=to_yaml(Recipe(name="site", object=ObjectLight(brightness=(0.8, 1.2)))))
    assert "A recipe varies the light on the objects" in card_of(library, name="Streets")


@pytest.mark.parametrize("recipe", ["folder: [/home/ann", "- /home/ann", "a: 1\na: /home/ann", "/home/ann"])
def test_a_recipe_that_cannot_be_read_is_left_out(library: Library, recipe: str) -> None:
    accepted(library, recipe=recipe)
    text = card_of(library, name="Streets")
    assert "/home/ann" not in text
    assert "<details>" not in text


def accepted(library: Library, *, recipe: str = "", model: str = "nano", revision: str = "r1") -> SampleSpec:
    """An accepted sample in the library."""
    planned = replace(spec(add_subject(library, 1)), model=model, revision=revision)
    library.plans.add("streets", recipe, [planned])
    library.review.record(decision(render(library, planned)))
    return planned


@pytest.mark.parametrize(
    ("model", "named", "column"),
    [
        ("/home/ann/private/ckpt", "ckpt", "ckpt"),
        ("private/of ann/ckpt/", "ckpt", "ckpt"),
        ("C:\\Users\\ann\\ckpt", "ckpt", "ckpt"),
        ("/home/ann/nano", "nano", "folder nano"),
        ("./", "a folder", "a folder"),
    ],
)
def test_a_model_in_a_folder_is_published_under_the_folders_name_and_kept_with_its_path(
    library: Library, tmp_path: Path, model: str, named: str, column: str
) -> None:
    planned = accepted(library, model=model, recipe=f"model: '{model}'\n")
    write_release(library, tmp_path / "release", name="Parts")
    text = (tmp_path / "release" / "README.md").read_text()
    (path,) = (tmp_path / "release" / "data" / "synthetic").glob("train-*.parquet")
    (row,) = pq.read_table(path, columns=["model", "sample_id"]).to_pylist()
    assert row == {"model": column, "sample_id": planned.id}
    assert f"| the checkpoint `{named}` | `r1` | 1 | its own |" in text
    assert f"model: {column}\n" in text
    assert (
        f"- the checkpoint `{named}`: its own licence; if it was trained from SDXL, the OpenRAIL++-M restrictions "
        "apply too." in text
    )
    assert not any(part in text for part in ("ann/", "ann\\", "private", "Users"))
    assert library.plans.spec(planned.id).model == model


def test_a_lora_for_sdxl_passes_its_terms_on(library: Library) -> None:
    hub = CHECKPOINTS["sdxl"].hub[Part.INPAINT]
    accepted(library, model="/home/ann/floors", revision=f"{hub.revision[:12]}-0123456789ab")
    text = card_of(library, name="Parts")
    named = "the checkpoint `floors`, a LoRA for diffusers/stable-diffusion-xl-1.0-inpainting-0.1 with"
    assert f"| {named}" in text
    assert f"- {named}" in text
    assert "must not be used against the restrictions in attachment A of the OpenRAIL++-M licence" in text


WILD = "<img src=x onerror=alert(1)>"


def test_what_people_name_is_text_in_the_card_and_neither_html_nor_markdown(library: Library) -> None:
    label = f"{WILD} ![i](//x) | `b` \n# head"
    photo = add_subject(library, 1, label=label, source=f"hf://datasets/a/b ![i](//x) {WILD}")
    recipe = f'name: x\nprompt: "```\\n{WILD}\\n<!-- backlot: end -->"\n'
    planned = replace(spec(photo), model=f"models/a`{WILD}")
    library.plans.add(f"{WILD}</summary>\n\n{WILD}", recipe, [planned])
    library.review.record(decision(render(library, planned)))
    study = Study(sentence=WILD, test=f"{WILD} ![i](//x)", seeds=6, arms=((f"{WILD} | x", 0.5),))
    text = card_of(library, name=f"{WILD}\n```\n{WILD}", study=study)
    body = text.split("---\n", 2)[2]
    html = MarkdownIt("commonmark", {"html": True}).enable("table").render(body)
    assert "<img" not in html
    assert html.count("<h1>") == 1
    assert html.count("&lt;img src=x onerror=alert(1)&gt;") >= 10
    assert "<th>class</th>" in html
    assert body.count("<!-- backlot: end -->") == 1


def test_the_card_and_the_facts_tell_which_class_comes_in_which_context(
    library: Library, tmp_path: Path
) -> None:
    wild = "snow | <b>"
    for number, (label, value) in enumerate([("bolt", "sand"), ("gear", wild)] * 2):
        photo = add_subject(library, number, label=label)
        planned = replace(spec(photo, seed=number), slots=(("surface", value),))
        library.plans.add(f"plan {number}", "", [planned])
        library.review.record(decision(render(library, planned), client_id=planned.id))
    write_release(library, tmp_path / "release", name="Parts")
    text = (tmp_path / "release" / "README.md").read_text()
    assert "## Contexts of the classes" in text
    assert "| surface | 2 | 1.000 | 0.180 |" in text
    assert "| sand | 2 | 0 |\n| snow \\| &lt;b&gt; | 0 | 2 |" in text
    facts = json.loads((tmp_path / "release" / "release.json").read_text())
    assert facts["contexts"] == {"surface": {"bolt": {"sand": 2}, "gear": {wild: 2}}}


def test_a_card_of_one_class_has_no_contexts_to_compare(library: Library) -> None:
    planned = spec(add_subject(library, 1))
    library.plans.add("floors", "", [planned])
    library.review.record(decision(render(library, planned)))
    assert "Contexts of the classes" not in card_of(library, name="Parts")
