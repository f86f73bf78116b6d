"""What the Publish page asks of the studio."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from pipeline.errors import InvalidRequest
from pipeline.studio import Studio
from tests.studios import change_settings
from tests.toy_library import decision, filled
from ui.app import build_app
from ui.pages.photos.starter_job import StarterJob
from ui.pages.publish.page import Publishing


def endpoint(studio: Studio, name: str) -> Any:
    """The endpoint of a handler, of a new app."""
    app = build_app(studio, StarterJob(studio))
    (named,) = [function for function in app.fns.values() if getattr(function.fn, "__name__", "") == name]
    return named


def filled_in(function: Any, **given: Any) -> dict[Any, Any]:
    """The values of the form as it opens, but for what is given by the first word of a label."""
    values = {one: one.value for one in function.inputs}
    by_word = {one.label.split()[0].strip(",").lower(): one for one in values}
    return values | {by_word[word]: value for word, value in given.items()}


@pytest.mark.parametrize("name", ["publish", "compare"])
def test_what_only_the_hub_knows_is_not_asked_of_a_folder(studio: Studio, tmp_path: Path, name: str) -> None:
    for sample_id in filled(studio.library, samples=2):
        studio.library.review.record(decision(sample_id))
    asked = endpoint(studio, name)
    release = tmp_path / "release"
    said = asked.fn(filled_in(asked, folder=str(release), propose=True, overwrite=True))
    assert f"{release} as release 1" in said
    assert release.exists() is (name == "publish")


@pytest.mark.parametrize(
    ("to", "problem"),
    [
        ("folder", "the folder is empty; enter one"),
        ("hub", "the name of the repository is empty; enter one such as my-name/my-dataset"),
    ],
)
def test_a_place_must_be_named(studio: Studio, to: str, problem: str) -> None:
    asked = endpoint(studio, "publish")
    with pytest.raises(InvalidRequest, match=problem):
        asked.fn(filled_in(asked, to=to, folder=" ", name=" "))


@pytest.mark.parametrize("hosted", [False, True], ids=["at home", "on a Space"])
def test_an_empty_studio_proposes_a_folder_but_a_space_the_hub_and_no_path_of_its_disk(
    studio: Studio, hosted: bool
) -> None:
    change_settings(studio, hosted=hosted, owner="ann")
    labels = {one.label: one for one in endpoint(studio, "publish").inputs}
    assert labels["To"].value == ("hub" if hosted else "folder")
    assert (labels["Name"].visible, labels["Folder"].visible) == (hosted, not hosted)
    app = build_app(studio, StarterJob(studio))
    (opened,) = [
        function.fn
        for function in app.fns.values()
        if len(function.outputs) == 4 and function.outputs[-2].elem_id == "card"  # the last: the refusal line
    ]
    folder, inside, card = opened("folder")
    assert Path(folder.value).is_absolute() is not hosted
    assert (labels["Folder"].interactive, folder.interactive) == (False, True)  # nothing typed is overwritten
    assert ("Nothing to publish yet" in inside, card) == (True, "")


def test_a_release_that_is_not_ready_is_told_in_place_of_its_preview(studio: Studio) -> None:
    filled(studio.library, samples=2)  # none is accepted
    content, card = Publishing(studio, Any).preview("folder", "release", "")
    assert "none of the 2 samples is accepted yet" in content
    assert card == ""
