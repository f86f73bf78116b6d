"""A new library is filled with the starter set, completely, and only such a library."""

from __future__ import annotations

import shutil
from collections import Counter
from dataclasses import replace
from pathlib import Path

import pytest
from PIL import Image

from pipeline.services.photos import starter as starter_fill
from pipeline.settings import Settings
from pipeline.starter import Kind
from pipeline.studio import Studio


@pytest.fixture(autouse=True)
def small_set(monkeypatch: pytest.MonkeyPatch) -> None:
    """One part of each kind on the bench and in the field."""
    from pipeline.sources import starter_set

    bench, elsewhere = starter_set.subjects, starter_set.field
    monkeypatch.setattr(starter_set, "subjects", lambda: bench(per_kind=1))
    monkeypatch.setattr(starter_set, "field", lambda: elsewhere(len(Kind)))
    monkeypatch.setattr(starter_fill, "STARTER_COUNT", 2 * len(Kind))


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(library=tmp_path / "library")


class Killed(BaseException):
    """Ends a start as a signal would."""


def interrupted_at(photo: int, settings: Settings) -> None:
    def stop(done: int, _total: int | None, _name: str) -> None:
        if done == photo:
            raise Killed

    with Studio(settings) as studio, pytest.raises(Killed):
        studio.photos.fill_with_starter(stop)


def splits(studio: Studio) -> Counter[str]:
    return Counter(photo.split for photo in studio.library.photos.list())


def own_photo(folder: Path) -> str:
    (folder / "cup").mkdir(parents=True)
    cup = Image.new("RGB", (64, 64), (200, 200, 200))
    cup.paste((200, 30, 30), (20, 20, 44, 44))
    cup.save(folder / "cup" / "a.png")
    return str(folder)


@pytest.mark.parametrize("photo", [1, 3, 5])
def test_an_interrupted_first_start_is_finished_by_the_next(photo: int, settings: Settings) -> None:
    interrupted_at(photo, settings)
    with Studio(settings) as studio:
        assert 0 < len(studio.library.photos.list()) < 2 * len(Kind)
        assert studio.photos.wants_starter
        studio.photos.fill_with_starter()
        assert splits(studio) == {"train": len(Kind), "test": len(Kind)}
        assert not studio.photos.wants_starter
        assert studio.photos.fill_with_starter() == []


def test_the_starter_set_never_joins_a_persons_own_photos(settings: Settings, tmp_path: Path) -> None:
    interrupted_at(2, settings)
    with Studio(settings) as studio:
        studio.photos.import_source(own_photo(tmp_path / "own"))
        before = studio.library.counts().classes
        assert studio.photos.fill_with_starter() == []
        assert studio.library.counts().classes == before


def test_a_starter_set_that_a_person_imported_by_hand_is_not_completed(settings: Settings) -> None:
    with Studio(settings) as studio:
        studio.photos.import_source("starter", split="train")
        assert studio.photos.fill_with_starter() == []
        assert splits(studio) == {"train": len(Kind)}


def test_a_library_that_comes_back_from_its_state_half_filled_is_finished(
    settings: Settings, tmp_path: Path
) -> None:
    settings = replace(settings, state=str(tmp_path / "state"))
    interrupted_at(3, settings)
    shutil.rmtree(settings.library)
    with Studio(settings) as studio:
        assert 0 < len(studio.library.photos.list()) < 2 * len(Kind)
        studio.photos.fill_with_starter()
        assert splits(studio) == {"train": len(Kind), "test": len(Kind)}


def test_a_library_without_the_starter_setting_stays_empty(settings: Settings) -> None:
    with Studio(replace(settings, starter=False)) as studio:
        assert studio.photos.fill_with_starter() == []
        assert studio.library.photos.list() == []
