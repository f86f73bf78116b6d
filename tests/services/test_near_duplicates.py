"""Test photos that look like a training photo are named at import; the embeddings are computed once."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np
import pytest

from pipeline.cli import main
from pipeline.embedding import Embedder
from pipeline.errors import Cancelled
from pipeline.services.photos import near_duplicates
from pipeline.services.photos.near_duplicates import near_duplicates_across_splits
from pipeline.services.reports import ImportReport, NearDuplicate
from pipeline.settings import Settings
from pipeline.starter import subjects
from pipeline.studio import Studio

NAMES = ("bolt", "gear", "hex nut", "washer")


@pytest.fixture
def studio(tmp_path: Path) -> Iterator[Studio]:
    with Studio(Settings(library=tmp_path / "library", starter=False)) as opened:
        yield opened


@pytest.fixture(scope="module")
def photos() -> list[np.ndarray]:
    """(192, 192, 3) uint8: one photo of each of four kinds."""
    return [part.rgb for part in subjects(per_kind=1)][: len(NAMES)]


def folder(root: Path, photos: list[np.ndarray]) -> str:
    """Write each photo into the folder of its class; return the folder that contains them."""
    for name, rgb in zip(NAMES, photos, strict=False):
        (root / name).mkdir(parents=True)
        cv2.imwrite(str(root / name / f"{root.name}.png"), rgb[..., ::-1])
    return str(root)


def brighter(rgb: np.ndarray) -> np.ndarray:
    return np.clip(rgb * 1.1, 0, 255).astype(np.uint8)


def test_a_near_duplicate_across_splits_is_named_at_import(
    studio: Studio, tmp_path: Path, photos: list[np.ndarray], capsys: pytest.CaptureFixture[str]
) -> None:
    train = folder(tmp_path / "a", photos[:3])
    assert studio.photos.import_source(train, split="train").near_duplicates == ()
    test = folder(tmp_path / "b", [brighter(photos[0]), photos[3][:, ::-1], brighter(photos[2])])
    report = studio.photos.import_source(test, split="test")
    named = {(pair.test_name, pair.train_name) for pair in report.near_duplicates}
    assert named == {("bolt/b.png", "bolt/a.png"), ("hex nut/b.png", "hex nut/a.png")}
    similarities = [pair.similarity for pair in report.near_duplicates]
    assert 1 > similarities[0] >= similarities[1] >= 0.9
    bolt = next(photo for photo in studio.library.photos.list(label="bolt") if photo.split == "test")
    studio.library.photos.set_excluded(bolt.id, excluded=True)
    assert main(["import", test, "--library", str(studio.library.path), "--split", "test"]) == 0
    assert (
        "1 test photo is a near-duplicate of a training photo: hex nut/b.png ~ hex nut/a.png; "
        "exclude one photo of each pair, or import both into one split"
    ) in capsys.readouterr().out.splitlines()


class Counted:
    """An embedder whose vector is the mean colour of an image; counts the images."""

    def __init__(self) -> None:
        self.count = 0

    def __call__(self, images: np.ndarray) -> np.ndarray:
        self.count += len(images)
        return images.mean(axis=(1, 2), dtype=np.float32)


@pytest.fixture
def counted(monkeypatch: pytest.MonkeyPatch) -> Counted:
    features = Counted()
    embedder = Embedder(
        name="mean",
        side_px=8,
        size=3,
        near_duplicate=0.9,
        near_duplicate_sample=0.9,
        is_network=True,
        features=features,
    )
    monkeypatch.setattr(near_duplicates, "load_embedder", lambda: embedder)
    return features


def test_only_new_photos_are_embedded(
    studio: Studio, tmp_path: Path, photos: list[np.ndarray], counted: Counted
) -> None:
    studio.photos.import_source(folder(tmp_path / "a", photos[:2]), split="train")
    assert counted.count == 0  # with one split there is nothing to compare
    studio.photos.import_source(folder(tmp_path / "b", photos[2:]), split="test")
    assert counted.count == 4
    near_duplicates_across_splits(studio.library)
    assert counted.count == 4


def test_a_dry_run_embeds_nothing(
    studio: Studio, tmp_path: Path, photos: list[np.ndarray], counted: Counted
) -> None:
    studio.photos.import_source(folder(tmp_path / "a", photos[:2]), split="train")
    studio.photos.import_source(folder(tmp_path / "b", photos[2:]), split="test", dry_run=True)
    assert counted.count == 0


def test_a_photo_with_a_damaged_file_is_passed_over(
    studio: Studio, tmp_path: Path, photos: list[np.ndarray], counted: Counted
) -> None:
    for name, split in (("a", "train"), ("b", "test")):
        images = photos[:2] if split == "train" else [brighter(rgb) for rgb in photos[:2]]
        studio.photos.import_source(folder(tmp_path / name, images), split=split)
    with studio.library._database.writing() as transaction:
        transaction.connection.exec_driver_sql("DELETE FROM embeddings")
    damaged = studio.library.photos.list(split="test")[0]
    studio.library.images.path(damaged.image_id).write_bytes(b"no image")
    pairs = near_duplicates_across_splits(studio.library)
    assert [pair.test_id for pair in pairs] == [studio.library.photos.list(split="test")[1].id]


def test_comparing_shows_its_progress_and_can_be_stopped(
    studio: Studio,
    tmp_path: Path,
    photos: list[np.ndarray],
    counted: Counted,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(near_duplicates, "_STORED_AT_ONCE", 3)
    studio.photos.import_source(folder(tmp_path / "a", photos), split="train")
    first = studio.library.photos.list()[0]
    with studio.library._database.writing() as transaction:
        transaction.connection.exec_driver_sql("UPDATE subjects SET split = 'test' WHERE id = ?", (first.id,))
    seen: list[tuple[int, int | None, str]] = []
    with pytest.raises(Cancelled):
        near_duplicates_across_splits(
            studio.library,
            on_progress=lambda done, total, name: seen.append((done, total, name)),
            cancelled=lambda: bool(seen),
        )
    assert seen == [(3, 4, "comparing hex nut/a.png")]
    near_duplicates_across_splits(studio.library)
    assert counted.count == 4  # the three stay


def test_an_import_that_is_stopped_while_comparing_says_how_many_photos_it_stored(
    studio: Studio, tmp_path: Path, photos: list[np.ndarray], counted: Counted
) -> None:
    studio.photos.import_source(folder(tmp_path / "a", photos[:2]), split="train")
    imported: list[int] = []
    with pytest.raises(Cancelled, match="stopped after 2"):
        studio.photos.import_source(
            folder(tmp_path / "b", photos[2:]),
            split="test",
            on_progress=lambda done, _total, _name: imported.append(done),
            cancelled=lambda: len(imported) == 2,
        )
    assert len(studio.library.photos.list(split="test")) == 2
    assert counted.count == 0


def test_many_pairs_are_named_in_part() -> None:
    pairs = tuple(
        NearDuplicate(
            test_id="",
            test_name=f"t{number}.jpg",
            train_id="",
            train_name=f"r{number}.jpg",
            similarity=0.95,
        )
        for number in range(4)
    )
    report = ImportReport(added=0, already=4, doubtful=0, refused=(), classes={}, near_duplicates=pairs)
    assert report.warnings == (
        "4 test photos are near-duplicates of training photos: t0.jpg ~ r0.jpg, t1.jpg ~ r1.jpg, t2.jpg ~ r2.jpg, …; "
        "exclude one photo of each pair, or import both into one split",
    )
