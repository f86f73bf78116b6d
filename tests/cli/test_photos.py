"""`photos` on the command line: masks that need checking, and photos that are excluded."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from pipeline.cli import main
from pipeline.store import Library
from tests.toy_library import add_subject


@pytest.fixture
def library(tmp_path: Path) -> Path:
    """A library of three photos, one of them with a doubtful mask."""
    path = tmp_path / "library"
    with Library.open(path, create=True) as opened:
        add_subject(opened, 1)
        add_subject(opened, 2, doubts=("The object touches the edge", "It is small"))
        add_subject(opened, 3)
    return path


def test_photos_to_check_and_excluded_ones_are_listed(
    library: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    where = ["photos", "--library", str(library)]
    assert main(where) == 0
    assert capsys.readouterr().out == "bolt/2.png: The object touches the edge; It is small\n"
    assert main([*where, "--exclude", "bolt/2.png", "bolt/3.png"]) == 0
    assert capsys.readouterr().out == "bolt/2.png: excluded\nbolt/3.png: excluded\n"
    assert main([*where, "--include", "bolt/3.png", "--json"]) == 0
    answer = json.loads(capsys.readouterr().out)
    assert answer["to_check"] == []
    assert [(photo["name"], photo["label"]) for photo in answer["excluded"]] == [("bolt/2.png", "bolt")]
    assert main([*where, "--include", answer["excluded"][0]["id"]]) == 0
    assert capsys.readouterr().out == "bolt/2.png: The object touches the edge; It is small\n"


def test_a_photo_that_is_not_there_is_refused_and_none_is_excluded(
    library: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["photos", "--library", str(library), "--exclude", "bolt/1.png", "bolt/9.png"]) == 1
    assert capsys.readouterr().err == (
        "backlot: there is no photo 'bolt/9.png'; name it as an import does, such as bolt/1.png, or by its id\n"
    )
    with Library.open(library) as opened:
        assert not any(photo.excluded for photo in opened.photos.list())


def test_a_photo_that_is_both_excluded_and_included_is_refused(
    library: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    options = ["--exclude", "bolt/1.png", "--include", "bolt/1.png"]
    assert main(["photos", "--library", str(library), *options]) == 1
    assert capsys.readouterr().err == (
        "backlot: a photo is named after both --exclude and --include; name it after one of them\n"
    )
    with Library.open(library) as opened:
        assert not any(photo.excluded for photo in opened.photos.list())


def test_of_several_photos_of_one_name_one_is_named_by_its_id(
    library: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with Library.open(library) as opened:
        first = opened.photos.list()[0]
        second = add_subject(opened, 4, name=first.name)
    assert main(["photos", "--library", str(library), "--exclude", first.name]) == 1
    assert capsys.readouterr().err == (
        f"backlot: 2 photos have the name 'bolt/1.png'; give an id: {first.id} or {second.id}\n"
    )
