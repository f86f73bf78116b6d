"""A picture file says where it comes from, and can be drawn again."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, PngImagePlugin

from pipeline.cli import main
from pipeline.errors import InvalidRequest, UnreadableImage
from pipeline.rendering import model_facts
from pipeline.services.file_access import FileAccess
from pipeline.services.review.another_try import another_try
from pipeline.services.samples.explain import explain
from pipeline.settings import Settings
from pipeline.studio import Studio
from tests.toy_library import add_subject, picture, spec


@pytest.fixture
def studio(tmp_path: Path) -> Iterator[Studio]:
    with Studio(Settings(library=tmp_path / "library", starter=False)) as opened:
        yield opened


@pytest.fixture
def drawn(studio: Studio) -> Path:
    """The file of a sample that nano drew."""
    facts = model_facts("nano")
    planned = replace(
        spec(add_subject(studio.library, 1)), revision=facts.revision, size=(facts.size, facts.size), steps=2
    )
    studio.library.plans.add("toy", "", [planned])
    row = another_try(studio.library, planned.id, FileAccess(), batch_size=1)
    assert row.image_id is not None
    return studio.library.images.path(row.image_id)


def test_a_stored_sample_explains_itself_and_is_drawn_again_with_the_same_pixels(
    studio: Studio, drawn: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    explanation = explain(drawn)
    assert explanation.source_type == "compositeWithTrainedAlgorithmicMedia"
    assert studio.library.samples.get(explanation.spec.id).spec == explanation.spec
    assert f"seed {explanation.spec.seed}" in explanation.sentence
    again = tmp_path / "again.webp"
    command = [
        "explain",
        str(drawn),
        "--library",
        str(tmp_path / "library"),
        "--replay",
        str(again),
        "--json",
    ]
    assert main(command) == 0
    answer = json.loads(capsys.readouterr().out)
    assert (answer["same_pixels"], answer["largest_difference"]) == (True, 0)
    assert answer["sample"] == explanation.spec.id
    assert explain(again).spec == explanation.spec
    with Image.open(drawn) as first, Image.open(again) as second:
        note = PngImagePlugin.PngInfo()
        note.add_itxt("XML:com.adobe.xmp", first.info["xmp"].decode())
        first.save(tmp_path / "saved.png", pnginfo=note)  # as an editor keeps it
        assert explain(tmp_path / "saved.png").spec == explanation.spec
        assert np.array_equal(np.asarray(first), np.asarray(second))


@pytest.mark.parametrize(
    ("by", "sentence"), [(1, "up to rounding (by 1 of 255)"), (9, "not the same pixels (by up to 9")]
)
def test_a_changed_file_is_told_from_the_picture_drawn_again_by_how_much(
    by: int, sentence: str, drawn: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with Image.open(drawn) as picture_file:
        pixels, note = np.array(picture_file.convert("RGB")).astype(int), picture_file.info["xmp"]
    pixels[0, 0, 0] += by if pixels[0, 0, 0] < 128 else -by
    changed = tmp_path / "changed.webp"
    Image.fromarray(pixels.astype(np.uint8)).save(changed, lossless=True, xmp=note)
    again = str(tmp_path / "again.webp")
    assert main(["explain", str(changed), "--library", str(tmp_path / "library"), "--replay", again]) == 0
    assert sentence in capsys.readouterr().out


def test_a_file_is_not_replaced_by_the_picture_that_it_is_compared_with(
    drawn: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    copy = tmp_path / "copy.webp"
    with Image.open(drawn) as picture_file:
        picture_file.transpose(Image.Transpose.ROTATE_180).save(
            copy, lossless=True, xmp=picture_file.info["xmp"]
        )
    before = copy.read_bytes()
    command = ["explain", str(copy), "--library", str(tmp_path / "library"), "--replay", str(copy)]
    assert main(command) == 1
    assert "copy.webp is the image that is rendered again; choose another path" in capsys.readouterr().err
    assert copy.read_bytes() == before


def test_a_file_that_is_cut_off_is_refused_before_anything_is_rendered(
    drawn: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    cut, again = tmp_path / "cut.png", tmp_path / "again.webp"
    with Image.open(drawn) as picture_file:
        note = PngImagePlugin.PngInfo()
        note.add_itxt("XML:com.adobe.xmp", picture_file.info["xmp"].decode())
        picture_file.save(cut, pnginfo=note)
    cut.write_bytes(cut.read_bytes()[: -cut.stat().st_size // 4])
    command = ["explain", str(cut), "--library", str(tmp_path / "library"), "--replay", str(again)]
    assert main(command) == 1
    assert "its pixels cannot be read; give an undamaged copy" in capsys.readouterr().err
    assert not again.exists()


def test_a_picture_without_a_note_and_no_picture_are_refused(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    Image.fromarray(picture(1)).save(tmp_path / "plain.png")
    (tmp_path / "text.webp").write_text("no picture")
    with pytest.raises(InvalidRequest, match="carries no Backlot provenance"):
        explain(tmp_path / "plain.png")
    with pytest.raises(UnreadableImage, match="not a readable image"):
        explain(tmp_path / "text.webp")
    assert main(["explain", str(tmp_path / "missing.webp")]) == 1
    assert "missing.webp" in capsys.readouterr().err
    assert main(["explain", str(tmp_path / "plain.png"), "--replay", "x.webp"]) == 1
    assert "name the library" in capsys.readouterr().err
