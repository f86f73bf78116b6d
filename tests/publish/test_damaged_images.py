"""An image file that was changed after it was stored is never published or exported."""

from __future__ import annotations

import gc
import warnings
from pathlib import Path

import pytest

from pipeline.cli import main
from pipeline.domain.images import encode_webp
from pipeline.domain.release import Subset
from pipeline.errors import DamagedPicture, ReleaseRefused
from pipeline.publish import write_release
from pipeline.publish.exports import EXPORT_FORMATS, export
from pipeline.store import Library
from tests.toy_library import picture


def flip_one_bit(path: Path) -> None:
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(data)


def cut_short(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-20])


def overwrite_with_another_image(path: Path) -> None:
    path.write_bytes(encode_webp(picture(999)))


@pytest.mark.parametrize("damage", [flip_one_bit, cut_short, overwrite_with_another_image])
@pytest.mark.parametrize("known", [True, False], ids=["new library", "library without checksums"])
def test_publish_names_the_photo_whose_file_changed(decided: Library, tmp_path: Path, damage, known) -> None:
    photo = decided.photos.list()[0]
    damage(decided.images.path(photo.image_id))
    with reopened(decided, known) as library, pytest.raises(ReleaseRefused) as refused:
        write_release(library, tmp_path / "release", name="r")
    assert str(refused.value) == (
        f"the image of photo {photo.id} (bolt) is damaged; nothing was written; "
        "run `python -m pipeline verify --repair` on this library, then try again"
    )
    assert not (tmp_path / "release").exists()


@pytest.mark.parametrize("kind", list(EXPORT_FORMATS))
@pytest.mark.parametrize("damage", [flip_one_bit, cut_short])
def test_export_names_the_sample_whose_file_changed(
    decided: Library, tmp_path: Path, kind: str, damage
) -> None:
    row = next(iter(decided.releases.rows(Subset.SYNTHETIC)))
    damage(decided.images.path(row.image_id))
    with pytest.raises(ReleaseRefused, match=f"the image of sample {row.sample_id} .* is damaged"):
        export(decided, tmp_path / "out", kind)
    assert list(tmp_path.glob("*out*")) == []


@pytest.mark.parametrize("kind", list(EXPORT_FORMATS))
def test_an_export_that_is_refused_leaves_no_file_open(decided: Library, tmp_path: Path, kind: str) -> None:
    *_, last = decided.releases.rows(Subset.SYNTHETIC)
    flip_one_bit(decided.images.path(last.image_id))
    gc.collect()
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always", ResourceWarning)
        with pytest.raises(ReleaseRefused):
            export(decided, tmp_path / "out", kind)
        gc.collect()
    assert [str(warning.message) for warning in caught] == []


def test_a_missing_mask_is_named(decided: Library, tmp_path: Path) -> None:
    photo = decided.photos.list()[0]
    decided.images.path(photo.mask_id or "").unlink()
    with pytest.raises(ReleaseRefused, match=f"the mask of photo {photo.id} .* is missing"):
        write_release(decided, tmp_path / "release", name="r")


def test_the_command_says_it_in_one_sentence(
    decided: Library, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    flip_one_bit(decided.images.path(decided.photos.list()[0].image_id))
    command = ["publish", "--library", str(decided.path), "--to", str(tmp_path / "release")]
    assert main(command) == 1
    error = capsys.readouterr().err
    assert error.count("\n") == 1
    assert "is damaged" in error


def test_a_library_without_checksums_decodes_an_image_once(
    decided: Library, monkeypatch: pytest.MonkeyPatch
) -> None:
    image_id = decided.photos.list()[0].image_id
    with reopened(decided, known=False) as library:
        library.images.read_bytes(image_id)
    monkeypatch.setattr("pipeline.store.image_files.decode", None)
    with Library.open(decided.path) as library:
        assert library.images.read_bytes(image_id)


def test_damaged_checksums_hide_no_damage_and_make_none(decided: Library) -> None:
    whole, damaged = (photo.image_id for photo in decided.photos.list()[:2])
    checksums = decided.path / "checksums.txt"
    checksums.write_bytes(
        checksums.read_bytes().replace(whole.encode() + b" ", b"\xff\xfe \n" + whole.encode() + b" 1")
    )
    flip_one_bit(decided.images.path(damaged))
    with Library.open(decided.path) as library:
        assert library.images.read_bytes(whole)
        with pytest.raises(DamagedPicture):
            library.images.read_bytes(damaged)


def test_storing_an_image_again_replaces_its_damaged_file(library: Library) -> None:
    blob_id = library.images.put(picture(1))
    flip_one_bit(library.images.path(blob_id))
    assert not library.images.is_sound(blob_id)
    assert library.images.put(picture(1)) == blob_id
    assert library.images.is_sound(blob_id)


def reopened(library: Library, known: bool) -> Library:
    """The library as another process opens it; as an earlier version wrote it where its files are not known."""
    if not known:
        (library.path / "checksums.txt").unlink()
    return Library.open(library.path)
