"""A library and a release that an earlier version wrote: this version opens them and finds the same in them."""

from __future__ import annotations

import json
import shutil
from collections import Counter
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Any

import cv2
import pytest
from datasets import load_dataset

from pipeline.domain.recipe import parse_recipe
from pipeline.services.file_access import FileAccess
from pipeline.services.plans.planning import Overrides, planned
from pipeline.services.releases.service import PublishRequest
from pipeline.settings import Settings
from pipeline.store.database import DATABASE_NAME
from pipeline.studio import Studio
from tests.toy_library import picture

FIXTURES = Path(__file__).resolve().parent / "fixtures"
RELEASE = FIXTURES / "release_v1"
CLASSES = ["bolt", "gear", "hex nut"]


@pytest.fixture(scope="module")
def expected() -> dict[str, Any]:
    return json.loads((FIXTURES / "expected_v1.json").read_text())


@pytest.fixture
def studio(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Studio]:
    """A studio on a copy of the old library; the recipe's folder of backgrounds is found from here."""
    monkeypatch.chdir(FIXTURES)
    folder = tmp_path / "library"
    shutil.copytree(FIXTURES / "library_v1", folder)
    assert (folder / DATABASE_NAME).is_file()
    with Studio(Settings(library=folder, starter=False), create=False) as opened:
        yield opened


def test_an_old_library_opens_and_verifies_clean(studio: Studio) -> None:
    assert studio.library.verify() == []


def test_an_old_library_has_the_same_photos_and_counts(studio: Studio, expected: dict[str, Any]) -> None:
    photos = {
        photo.id: {"label": photo.label, "split": photo.split, "mask_id": photo.mask_id}
        for photo in studio.library.photos.list()
    }
    assert photos == expected["photos"]
    assert asdict(studio.library.counts()) == expected["counts"]


def test_the_samples_of_an_old_library_are_in_the_same_states(
    studio: Studio, expected: dict[str, Any]
) -> None:
    samples = {
        row.id: (row.spec.label, row.image_id, str(studio.library.review.state(row.id)))
        for row in studio.library.samples.list(limit=1000)
    }
    assert samples == {
        sample_id: (sample["label"], sample["image_id"], sample["state"])
        for sample_id, sample in expected["samples"].items()
    }


def test_the_decisions_of_an_old_library_are_the_same(studio: Studio, expected: dict[str, Any]) -> None:
    votes = sorted([row.sample_id, row.reviewer, str(row.verdict)] for row in studio.library.review.votes())
    assert votes == expected["votes"]
    assert len(list(studio.library.review.decision_rows())) == expected["decisions"]
    assert studio.library.queue.saved() == {"nuts": {"label": "hex nut"}}


def test_planning_the_old_recipe_again_gives_the_same_sample_ids(
    studio: Studio, expected: dict[str, Any]
) -> None:
    specs = list(planned(studio.library, parse_recipe(expected["recipe"]), Overrides(), FileAccess()))
    assert [spec.id for spec in specs] == expected["planned"]
    assert studio.library.plans.missing(expected["planned"]) == []


def test_an_old_library_is_published_with_the_same_rows(
    studio: Studio, expected: dict[str, Any], tmp_path: Path
) -> None:
    studio.releases.publish(PublishRequest(to=str(tmp_path / "release"), rejected=True))
    facts = json.loads((tmp_path / "release" / "release.json").read_text())
    assert facts["classes"] == expected["release"]["classes"]
    assert facts["counts"] == expected["release"]["counts"]
    assert row_ids(tmp_path / "release", tmp_path) == row_ids(RELEASE, tmp_path)


def row_ids(release: Path, tmp_path: Path) -> list[tuple[str, str]]:
    """(split, sample id) of the real and the synthetic rows, in their order."""
    loaded = load_dataset(str(release), "mixed", cache_dir=str(tmp_path / "cache"))
    return [(split, sample_id) for split, rows in loaded.items() for sample_id in rows["sample_id"]]


@pytest.mark.parametrize(
    ("config", "train", "test"), [("real", 6, 3), ("synthetic", 9, 0), ("mixed", 15, 3), ("rejected", 2, 0)]
)
def test_an_old_release_loads_with_datasets(config: str, train: int, test: int, tmp_path: Path) -> None:
    loaded = load_dataset(str(RELEASE), config, cache_dir=str(tmp_path / "cache"))
    assert {split: len(rows) for split, rows in loaded.items()} == {
        split: count for split, count in (("train", train), ("test", test)) if count
    }
    assert loaded["train"].features["label"].names == CLASSES
    row = loaded["train"][0]
    assert row["image"].mode == "RGB"
    assert {"mask", "bbox", "origin", "method", "prompt", "seed", "model", "source_id", "homography"} <= set(
        row
    )


def test_training_reads_an_old_release(tmp_path: Path) -> None:
    from training.data.release import load_release

    for number, label in enumerate(CLASSES * 5):
        (tmp_path / label).mkdir(exist_ok=True)
        cv2.imwrite(str(tmp_path / label / f"{number}.png"), picture(number, side_px=32))
    release = load_release(str(RELEASE), str(tmp_path), side_px=32)
    assert release.classes == tuple(CLASSES)
    assert Counter(release.real_train.labels.tolist()) == {0: 2, 1: 2, 2: 2}
    assert Counter(release.synthetic_train.labels.tolist()) == {0: 3, 1: 2, 2: 4}
    assert release.test_counts() == {"bolt": 5, "gear": 5, "hex nut": 5}


def test_an_old_release_is_imported_with_its_photos_and_accepted_samples(
    expected: dict[str, Any], tmp_path: Path
) -> None:
    with Studio(Settings(library=tmp_path / "library", starter=False)) as studio:
        studio.photos.import_source(str(RELEASE))
        assert {photo.id: photo.split for photo in studio.library.photos.list()} == {
            photo_id: photo["split"] for photo_id, photo in expected["photos"].items()
        }
        states = {
            row.id: str(studio.library.review.state(row.id))
            for row in studio.library.samples.list(limit=1000)
        }
        assert states == {
            sample_id: "accepted"
            for sample_id, sample in expected["samples"].items()
            if sample["state"] == "accepted"
        }
        assert studio.library.verify() == []
