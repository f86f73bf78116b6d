"""The splits that an import chooses: decided before a photo is stored, kept by every later import."""

from __future__ import annotations

import os
from collections import Counter, defaultdict
from collections.abc import Iterator
from io import BytesIO
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from pipeline.embedding import Embedder
from pipeline.errors import Cancelled, SourceRefused
from pipeline.services.photos import importing, near_duplicates, splitting
from pipeline.services.photos.importing import import_photos
from pipeline.sources import Refusal, SourceItem
from pipeline.store import Library


class Objects:
    """An embedder's features: images of one object have one vector, and those of two objects nothing in common."""

    def __init__(self) -> None:
        self.count = 0  # images so far

    def __call__(self, images: np.ndarray) -> np.ndarray:
        self.count += len(images)
        return np.eye(64, dtype=np.float32)[images[:, 4, 4, 1] // 4]


@pytest.fixture(autouse=True)
def one_process(monkeypatch: pytest.MonkeyPatch) -> None:
    """Starting processes takes longer than decoding toy photos."""
    monkeypatch.setattr(os, "cpu_count", lambda: 1)


@pytest.fixture(autouse=True)
def objects(monkeypatch: pytest.MonkeyPatch) -> Objects:
    features = Objects()
    embedder = Embedder(
        name="objects",
        side_px=8,
        size=64,
        near_duplicate=0.9,
        near_duplicate_sample=0.9,
        is_network=True,
        features=features,
    )
    for module in (near_duplicates, splitting):
        monkeypatch.setattr(module, "load_embedder", lambda: embedder)
    return features


@pytest.fixture
def library(tmp_path: Path) -> Iterator[Library]:
    with Library.open(tmp_path / "library", create=True) as opened:
        yield opened


def photo(thing: int, view: int = 0) -> bytes:
    """PNG of an object on grey paper, with its mask as alpha; views differ in one colour."""
    image = Image.new("RGBA", (64, 64), (200, 200, 200, 0))
    image.paste((200, 4 * thing, view, 255), (20, 20, 44, 44))
    file = BytesIO()
    image.save(file, "PNG")
    return file.getvalue()


def folder(root: Path, **classes: list[tuple[int, int]]) -> str:
    """Class folders with a photo for each (object, view); its file is called OBJECT-VIEW.png."""
    for label, shown in classes.items():
        (root / label).mkdir(parents=True)
        for thing, view in shown:
            (root / label / f"{thing}-{view}.png").write_bytes(photo(thing, view))
    return str(root)


def singles(*things: int) -> list[tuple[int, int]]:
    return [(thing, 0) for thing in things]


def splits(library: Library) -> dict[str, str]:
    """Photo id → split."""
    return {stored.id: stored.split for stored in library.photos.list()}


def counts(library: Library) -> dict[tuple[str, str], int]:
    return Counter((stored.label, stored.split) for stored in library.photos.list())


def test_each_class_gets_five_test_photos_and_no_object_is_divided(library: Library, tmp_path: Path) -> None:
    views = [(thing, view) for thing in range(20, 25) for view in range(3)]
    source = folder(tmp_path / "set", bolt=singles(*range(12)), nut=views, axle=singles(*range(30, 39)))
    report = import_photos(library, source)
    assert counts(library) == {
        ("bolt", "train"): 7,
        ("bolt", "test"): 5,
        ("nut", "train"): 9,
        ("nut", "test"): 6,
        ("axle", "train"): 9,
    }
    of_object = defaultdict(set)
    for stored in library.photos.list(label="nut"):
        of_object[stored.name.split("-")[0]].add(stored.split)
    assert sorted(map(len, of_object.values())) == [1] * 5
    assert report.test_photos == {"axle": 0, "bolt": 5, "nut": 6}
    assert report.warnings == (
        "too few test photos of 'axle' (0); a study needs at least 5 of each class: "
        "import more photos as test, best from where the model will be used",
    )


def test_a_class_whose_photos_all_show_one_object_is_named(library: Library, tmp_path: Path) -> None:
    report = import_photos(library, folder(tmp_path / "set", bolt=[(3, view) for view in range(12)]))
    assert counts(library) == {("bolt", "train"): 12}
    assert report.warnings == (
        "the photos of 'bolt' look too alike to be divided: near-duplicates would be on both sides",
        "there are no test photos; a study needs at least 5 of each class: "
        "import more photos as test, best from where the model will be used",
    )


def test_names_and_order_of_the_files_change_no_split(library: Library, tmp_path: Path) -> None:
    import_photos(library, folder(tmp_path / "a", bolt=singles(*range(20))))
    renamed = tmp_path / "b" / "bolt"
    renamed.mkdir(parents=True)
    for thing in range(20):
        (renamed / f"{(7 * thing) % 20:02d}.png").write_bytes(photo(thing))
    with Library.open(tmp_path / "other", create=True) as other:
        import_photos(other, str(tmp_path / "b"))
        assert splits(other) == splits(library)


def test_a_later_import_keeps_splits_joins_views_to_their_object_and_fills_the_test_up(
    library: Library, tmp_path: Path
) -> None:
    import_photos(library, folder(tmp_path / "a", bolt=singles(*range(9))), split="train")
    import_photos(library, folder(tmp_path / "b", nut=singles(20)), split="test")
    before = splits(library)
    again = [(thing, 1) for thing in range(4)] + singles(*range(9, 15))
    import_photos(library, folder(tmp_path / "c", bolt=again, nut=[(20, 1)]))
    after = {stored.name: stored.split for stored in library.photos.list()}
    assert before.items() <= splits(library).items()
    assert [after[f"bolt/{thing}-1.png"] for thing in range(4)] == ["train"] * 4
    assert after["nut/20-1.png"] == "test"
    assert counts(library)["bolt", "test"] == 5


def test_a_stopped_import_is_finished_as_if_it_had_not_been_stopped(library: Library, tmp_path: Path) -> None:
    source = folder(tmp_path / "set", bolt=singles(*range(20)), nut=singles(*range(20, 40)))
    with Library.open(tmp_path / "whole", create=True) as whole:
        import_photos(whole, source)
        wanted = splits(whole)
    stored: list[str] = []

    def note(_done: int, _total: int | None, name: str) -> None:
        stored.extend([name] if name.endswith(".png") else [])

    with pytest.raises(Cancelled, match="13"):
        import_photos(library, source, on_progress=note, cancelled=lambda: len(stored) == 13)
    assert len(splits(library)) == 13
    assert splits(library).items() <= wanted.items()
    import_photos(library, source)
    assert splits(library) == wanted


def test_an_import_that_is_stopped_while_it_chooses_stores_no_photo(library: Library, tmp_path: Path) -> None:
    seen: list[str] = []
    with pytest.raises(Cancelled):
        import_photos(
            library,
            folder(tmp_path / "set", bolt=singles(*range(20))),
            on_progress=lambda _done, _total, name: seen.append(name),
            cancelled=lambda: len(seen) == 3,
        )
    assert seen == ["choosing test photos"] * 3
    assert library.photos.list() == []


def test_a_dry_run_finds_the_same_splits_and_keeps_no_embedding(
    library: Library, tmp_path: Path, objects: Objects
) -> None:
    source = folder(tmp_path / "set", bolt=singles(*range(20)))
    outlook = import_photos(library, source, dry_run=True)
    assert outlook.found == {"bolt": {"train": 15, "test": 5}}
    assert outlook.test_photos == {"bolt": 5}
    report = import_photos(library, source)
    assert (report.found, report.warnings) == (outlook.found, outlook.warnings)
    assert objects.count == 40
    near_duplicates.near_duplicates_across_splits(library)
    assert objects.count == 40  # the import stored them


def test_small_classes_and_named_splits_need_no_embedding(
    library: Library, tmp_path: Path, objects: Objects
) -> None:
    import_photos(library, folder(tmp_path / "a", bolt=singles(*range(9))))
    named = tmp_path / "b"
    folder(named / "train", nut=singles(*range(20, 32)))
    folder(named / "test", nut=singles(*range(32, 38)))
    import_photos(library, str(named))
    import_photos(library, folder(tmp_path / "c", axle=singles(*range(40, 60))), split="test")
    assert objects.count == 0
    assert counts(library) == {
        ("bolt", "train"): 9,
        ("nut", "train"): 12,
        ("nut", "test"): 6,
        ("axle", "test"): 20,
    }


def test_the_objects_of_one_image_stay_in_one_split(library: Library, tmp_path: Path) -> None:
    (tmp_path / "images").mkdir()
    (tmp_path / "labels").mkdir()
    (tmp_path / "data.yaml").write_text("names: [bolt, nut]\n")
    for number in range(12):
        scene = Image.new("RGB", (200, 100), (200, 200, 200))
        scene.paste((200, 4 * number, 0), (20, 30, 60, 70))
        scene.paste((20, 4 * number + 80, 0), (130, 30, 170, 70))
        scene.save(tmp_path / "images" / f"{number}.png")
        polygons = [
            "0 0.1 0.3 0.3 0.3 0.3 0.5 0.3 0.7 0.1 0.7",
            "1 0.65 0.3 0.85 0.3 0.85 0.5 0.85 0.7 0.65 0.7",
        ]
        (tmp_path / "labels" / f"{number}.txt").write_text("\n".join(polygons))
    import_photos(library, str(tmp_path))
    of_image = defaultdict(set)
    for stored in library.photos.list():
        of_image[stored.name.split("#")[0]].add(stored.split)
    assert sorted(map(len, of_image.values())) == [1] * 12
    assert counts(library)["bolt", "test"] == counts(library)["nut", "test"] == 5


class Download:
    """A source that can be read once, and breaks off before an item."""

    def __init__(self, breaks_at: int | None = None) -> None:
        self.note, self.count = "", None
        self.address: str | None = "hf://datasets/ann/parts@abc"
        self.refused: list[Refusal] = []
        self.read = 0
        self._breaks_at = breaks_at

    def items(self) -> Iterator[SourceItem]:
        for thing in range(20):
            if thing == self._breaks_at:
                raise SourceRefused("reading ann/parts was interrupted")
            self.read += 1
            yield SourceItem("bolt", f"bolt/{thing}.png", photo(thing))


def test_a_remote_source_is_read_once(library: Library, monkeypatch: pytest.MonkeyPatch) -> None:
    source = Download()
    monkeypatch.setattr(importing, "open_source", lambda *_args, **_options: source)
    import_photos(library, "hf://datasets/ann/parts")
    assert source.read == 20
    assert counts(library) == {("bolt", "train"): 15, ("bolt", "test"): 5}
    assert [path.name for path in library.path.iterdir() if path.name.startswith("tmp")] == []


def test_what_a_remote_source_gave_before_it_broke_off_is_stored(
    library: Library, monkeypatch: pytest.MonkeyPatch
) -> None:
    source = Download(breaks_at=12)
    monkeypatch.setattr(importing, "open_source", lambda *_args, **_options: source)
    with pytest.raises(SourceRefused, match="was interrupted"):
        import_photos(library, "hf://datasets/ann/parts")
    assert counts(library) == {("bolt", "train"): 7, ("bolt", "test"): 5}
    monkeypatch.setattr(importing, "open_source", lambda *_args, **_options: Download())
    import_photos(library, "hf://datasets/ann/parts")
    assert counts(library) == {("bolt", "train"): 15, ("bolt", "test"): 5}
