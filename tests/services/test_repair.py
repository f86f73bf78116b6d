"""What is damaged or missing in a library comes back: by importing, by generating, by `verify --repair`."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np
import pytest

from pipeline.cli import main
from pipeline.services.releases.service import PublishRequest
from pipeline.settings import Settings
from pipeline.store import Library, SampleState
from pipeline.studio import Studio
from tests.toy_library import decision, filled, picture, render

SIDE = 48
RECIPE = """\
name: pasted
count: 3
size: 64
method: paste
backdrops: {folder: BACKDROPS}
"""


@pytest.fixture
def photos(tmp_path: Path) -> Path:
    """Three photos of one class with masks in their alpha channel."""
    folder = tmp_path / "photos" / "bolt"
    folder.mkdir(parents=True)
    alpha = np.zeros((SIDE, SIDE), np.uint8)
    alpha[12:36, 16:32] = 255
    for number in range(3):
        cv2.imwrite(str(folder / f"{number}.png"), np.dstack([picture(number, side_px=SIDE), alpha]))
    return folder.parent


@pytest.fixture
def studio(photos: Path, tmp_path: Path) -> Iterator[Studio]:
    with Studio(Settings(library=tmp_path / "library", starter=False)) as opened:
        opened.photos.import_source(str(photos), split="train")
        yield opened


def damage(path: Path) -> None:
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(data)


def pasted(tmp_path: Path) -> str:
    """A recipe over one background picture."""
    folder = tmp_path / "backdrops"
    folder.mkdir(exist_ok=True)
    cv2.imwrite(str(folder / "0.png"), picture(9, side_px=64))
    return RECIPE.replace("BACKDROPS", str(folder))


def test_importing_a_photo_again_writes_its_damaged_and_missing_files_anew(
    studio: Studio, photos: Path
) -> None:
    first, second, third = studio.library.photos.list()
    damage(studio.library.images.path(first.image_id))
    damage(studio.library.images.path(first.cutout_id or ""))
    studio.library.images.path(second.image_id).unlink()
    studio.library.images.path(third.mask_id or "").unlink()  # all three have this one
    report = studio.photos.import_source(str(photos), split="train")
    assert (report.added, report.already, report.repaired) == (0, 3, 3)
    assert studio.library.verify() == []
    assert studio.library.photos.list() == [first, second, third]


def test_importing_whole_photos_again_repairs_nothing(studio: Studio, photos: Path) -> None:
    report = studio.photos.import_source(str(photos), split="train")
    assert (report.already, report.repaired) == (3, 0)


def test_generating_again_renders_samples_anew_whose_image_is_damaged_or_missing(
    studio: Studio, tmp_path: Path
) -> None:
    recipe = pasted(tmp_path)
    assert studio.samples.generate(recipe).rendered == 3
    before = {row.id: row.image_id for row in studio.library.samples.list()}
    damaged, missing, whole = list(before)
    studio.library.review.record_all([decision(damaged), decision(whole)])
    damage(studio.library.images.path(before[damaged]))
    studio.library.images.path(before[missing]).unlink()
    report = studio.samples.generate(recipe)
    assert (report.already, report.rendered) == (1, 2)
    assert {row.id: row.image_id for row in studio.library.samples.list()} == before
    assert studio.library.samples.get(damaged).state is SampleState.ACCEPTED
    assert studio.library.samples.get(missing).state is SampleState.PENDING
    assert studio.library.verify() == []


def test_importing_a_release_again_brings_back_its_damaged_photos_and_samples(
    studio: Studio, tmp_path: Path
) -> None:
    studio.samples.generate(pasted(tmp_path))
    studio.library.review.record_all([decision(row.id) for row in studio.library.samples.list()])
    studio.releases.publish(PublishRequest(to=str(tmp_path / "release")))
    with Studio(Settings(library=tmp_path / "copy", starter=False)) as copy:
        copy.photos.import_source(str(tmp_path / "release"))
        rows = copy.library.samples.list()
        damage(copy.library.images.path(rows[0].image_id or ""))
        copy.library.images.path(copy.library.photos.list()[0].image_id).unlink()
        report = copy.photos.import_source(str(tmp_path / "release"))
        assert (report.added, report.repaired, report.samples) == (0, 1, 1)
        assert copy.library.verify() == []
        assert {row.state for row in copy.library.samples.list()} == {SampleState.ACCEPTED}


def repaired(library: Path, capsys: pytest.CaptureFixture[str]) -> dict:
    capsys.readouterr()
    assert main(["verify", "--library", str(library), "--repair", "--json"]) == 0
    return json.loads(capsys.readouterr().out)


def test_verify_repair_derives_masks_and_cutouts_and_says_so(
    studio: Studio, capsys: pytest.CaptureFixture[str]
) -> None:
    first, second, _ = studio.library.photos.list()
    studio.library.images.path(first.mask_id or "").unlink()
    damage(studio.library.images.path(second.cutout_id or ""))
    answer = repaired(studio.library.path, capsys)
    assert (answer["problems"], answer["found"], answer["to_render"]) == (0, [], 0)
    lost, changed = answer["repaired"]
    assert lost.startswith("the mask of bolt/bolt/0.png is missing: ")
    assert changed.startswith("the cut-out of bolt/bolt/1.png ")
    assert studio.library.verify() == []


def test_verify_repair_plans_samples_again_whose_image_is_lost(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with Library.open(tmp_path / "library", create=True) as library:
        ids = filled(library)
        library.review.record_all([decision(sample_id) for sample_id in ids[:2]])
        library.images.path(library.samples.get(ids[0]).image_id or "").unlink()
        answer = repaired(library.path, capsys)
        assert (answer["problems"], answer["to_render"], len(answer["repaired"])) == (0, 1, 1)
        counts = library.counts().samples
        assert (counts["rendered"], counts["accepted"], counts["planned"]) == (3, 1, 4)
        planned = library.plans.spec(ids[0])
        render(library, planned)
        assert library.samples.get(ids[0]).state is SampleState.ACCEPTED
        assert library.verify() == []


def test_verify_repair_names_what_only_an_import_brings_back(
    studio: Studio, capsys: pytest.CaptureFixture[str]
) -> None:
    photo = studio.library.photos.list()[0]
    path = studio.library.images.path(photo.image_id)
    path.unlink()
    assert main(["verify", "--library", str(studio.library.path), "--repair"]) == 1
    assert capsys.readouterr().out.splitlines() == [
        f"not repaired: the photo of bolt/bolt/0.png is missing: {path}",
        "import the photos again from where they came to bring back their files",
    ]


def test_verify_repair_counts_again_and_derives_states_from_decisions(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with Library.open(tmp_path / "library", create=True) as library:
        ids = filled(library)
        library.review.record(decision(ids[0]))
        with sqlite3.connect(library.path / "backlot.sqlite") as connection:
            connection.execute("UPDATE counters SET value = 9 WHERE key = 'pending'")
            connection.execute("UPDATE samples SET state = 'rejected' WHERE id = ?", (ids[0],))
        answer = repaired(library.path, capsys)
        assert (answer["problems"], len(answer["repaired"])) == (0, 4)
        assert library.samples.get(ids[0]).state is SampleState.ACCEPTED


def test_repairing_a_sound_library_changes_nothing(
    studio: Studio, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["verify", "--library", str(studio.library.path), "--repair"]) == 0
    assert capsys.readouterr().out.strip() == "nothing to repair: files, rows and hashes agree"
