"""Field profiles on disk: whole or not at all, and what becomes of files that a person changed."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from pipeline.domain.field_profile import FieldBackground, FieldProfile
from pipeline.errors import InvalidRecipe, InvalidRequest, LibraryUnusable, UnknownName
from pipeline.store import Library, field_profiles


@pytest.fixture
def library(tmp_path: Path) -> Iterator[Library]:
    with Library.open(tmp_path / "library", create=True) as opened:
        yield opened


def profile(photos: int = 5, *files: str) -> FieldProfile:
    pictures = tuple(FieldBackground(file=file, photo="a.jpg", photo_id=file) for file in files)
    return FieldProfile(photos=photos, backgrounds=pictures)


def files_of(library: Library) -> list[str]:
    folder = library.path / "fields"
    return sorted(path.name.split("-")[0] for path in folder.rglob("*") if path.is_file())


def test_a_profile_and_its_pictures_are_read_as_they_were_written(library: Library) -> None:
    stored = library.fields.write(
        "field", profile(5, "1.webp", "2.webp"), {"1.webp": b"one", "2.webp": b"two"}
    )
    assert library.fields.names() == ["field"]
    assert library.fields.read("field") == stored
    assert [path.read_bytes() for path in library.fields.backgrounds("field").values()] == [b"one", b"two"]


def test_a_new_profile_takes_the_place_of_the_earlier_one(library: Library) -> None:
    library.fields.write("field", profile(5, "1.webp"), {"1.webp": b"one"})
    library.fields.write("field-2", profile(5, "1.webp"), {"1.webp": b"other"})
    library.fields.write("field", profile(7, "3.webp"), {"3.webp": b"three"})
    assert library.fields.read("field").photos == 7
    assert files_of(library) == ["1.webp", "3.webp", "field", "field.json"]
    assert [path.read_bytes() for path in library.fields.backgrounds("field-2").values()] == [b"other"]


def test_a_profile_that_cannot_be_written_leaves_the_earlier_one(
    library: Library, monkeypatch: pytest.MonkeyPatch
) -> None:
    library.fields.write("field", profile(5, "1.webp"), {"1.webp": b"one"})
    before = files_of(library)
    write = field_profiles._write

    def full(path: Path, data: bytes) -> None:
        if path.suffix == ".json":
            raise OSError(28, "No space left on device")
        write(path, data)

    monkeypatch.setattr(field_profiles, "_write", full)
    with pytest.raises(LibraryUnusable):
        library.fields.write("field", profile(9, "2.webp"), {"2.webp": b"two"})
    assert files_of(library) == before
    assert library.fields.read("field").photos == 5


def test_the_version_changes_with_the_numbers_and_with_the_pictures(library: Library) -> None:
    library.fields.write("field", profile(5, "1.webp", "2.webp"), {"1.webp": b"one", "2.webp": b"two"})
    first = library.fields.version("field")
    assert library.fields.version("field") == first
    next(iter(library.fields.backgrounds("field").values())).unlink()
    second = library.fields.version("field")
    path = library.fields.path("field")
    path.write_text(path.read_text().replace('"photos": 5', '"photos": 6'))
    assert len({first, second, library.fields.version("field")}) == 3
    assert list(library.fields.backgrounds("field")) == ["2.webp"]


def test_an_unknown_and_a_damaged_profile_are_one_sentence(library: Library) -> None:
    with pytest.raises(
        UnknownName, match="; none is stored yet; learn one with `python -m pipeline field PHOTOS`"
    ):
        library.fields.read("fild")
    library.fields.write("field", profile(), {})
    with pytest.raises(UnknownName, match="there is no field profile 'fild'; did you mean 'field'"):
        library.fields.read("fild")
    with pytest.raises(InvalidRequest):
        library.fields.read("../field")
    library.fields.path("field").write_bytes(b"\xff\xfe")
    with pytest.raises(InvalidRecipe, match=r"field\.json cannot be read"):
        library.fields.read("field")


def test_a_picture_is_looked_for_in_the_profiles_own_folder(library: Library) -> None:
    (library.path / "secret.webp").write_bytes(b"secret")
    library.fields.write("field", profile(5, "../../secret.webp"), {})
    assert library.fields.backgrounds("field") == {}


def test_other_files_in_the_folder_are_no_profiles(library: Library) -> None:
    library.fields.write("field", profile(), {})
    (library.path / "fields" / "My Notes.json").write_text("{}")
    assert library.fields.names() == ["field"]
