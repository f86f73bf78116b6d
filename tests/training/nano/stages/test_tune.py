from __future__ import annotations

import json
import shutil
from dataclasses import replace
from itertools import islice
from pathlib import Path

import cv2
import numpy as np
import pytest

from pipeline.errors import InvalidRequest, SourceRefused, StudioError
from pipeline.rendering.checkpoints import NANO_FOLDER
from pipeline.rendering.prompts import vocabulary as offered
from training.nano.__main__ import main
from training.nano.config import NanoConfig, SceneOptions, StageOptions, short
from training.nano.data.surfaces import load_surfaces
from training.nano.evaluate.painter import load_painter
from training.nano.networks.export import check_out
from training.nano.stages import run as stages
from training.nano.stages.tune import TuneOptions, captioned, cut, in_turns, tune, work_folder

FEW = StageOptions(steps=2, batch=2, learning_rate=1e-3, warm_up=1, log_every=1)


def write_image(path: Path, *, seed: int = 0, size: tuple[int, int] = (80, 100)) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    pixels = np.random.default_rng(seed).integers(0, 256, (*size, 3), dtype=np.uint8)
    cv2.imwrite(str(path), pixels)


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> NanoConfig:
    """A checkpoint of tiny networks, hardly trained."""
    work = tmp_path_factory.mktemp("base")
    config = replace(
        short(),
        vae=FEW,
        unet=FEW,
        control=FEW,
        scenes=SceneOptions(surfaces=None, shelves=None, scenes=8, held_out=4),
        work=work,
        out=work / "out",
    )
    stages.draw(config)
    stages.train_vae(config)
    stages.train_unet(config)
    stages.train_control(config)
    stages.export(config)
    return config


def test_tuning_ends_in_a_checkpoint_that_draws_and_knows_the_new_words(
    base: NanoConfig, tmp_path: Path
) -> None:
    write_image(tmp_path / "site" / "loading_dock" / "a.png")
    write_image(tmp_path / "site" / "yard" / "b.jpg", seed=1)
    options = TuneOptions(photos=tmp_path / "site", out=tmp_path / "tuned", base=base.out, stage=FEW, rows=6)
    assert tune(options) == ["loading dock", "yard"]
    written = json.loads((tmp_path / "tuned" / "vocabulary.json").read_text())
    assert {"loading", "dock", "yard", "grass"} <= set(written["words"])
    assert written["site"] == written["examples"][:2] == ["loading dock", "yard"]
    painter = load_painter(tmp_path / "tuned")
    drawn, before = (
        candidate.paint(["loading dock"], [1], num_inference_steps=2)
        for candidate in (painter, load_painter(base.out))
    )
    assert drawn.shape == before.shape
    assert not np.array_equal(drawn, before)
    assert not (tmp_path / "tuned.work").exists()


def test_a_folder_with_other_things_is_not_replaced(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write_image(tmp_path / "site" / "yard" / "a.png")
    for model in ([], ["--lora"]):
        assert main(["tune", "--photos", str(tmp_path / "site"), "--out", str(tmp_path), *model]) == 1
        message = capsys.readouterr().err
        assert (
            message
            == f"backlot: {tmp_path} holds other files, which would be lost; choose a new folder for --out\n"
        )
    assert (tmp_path / "site" / "yard" / "a.png").exists()


def test_captions_come_from_metadata_where_there_is_one(tmp_path: Path) -> None:
    write_image(tmp_path / "a.png")
    (tmp_path / "metadata.jsonl").write_text('{"file_name": "a.png", "text": "Wet Yard at night"}\n\n')
    ((image, caption),) = captioned(tmp_path)
    assert caption == "wet yard at night"
    assert image.shape == (80, 100, 3)


def test_a_broken_image_among_good_ones_is_left_out(tmp_path: Path) -> None:
    write_image(tmp_path / "yard" / "a.png")
    (tmp_path / "yard" / "b.png").write_bytes(b"no picture")
    assert [caption for _, caption in captioned(tmp_path)] == ["yard"]


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ('{"file_name": "a.png"}', 'line 1: a JSON object with "file_name" and "text" is needed'),
        ("nonsense", 'line 1: a JSON object with "file_name" and "text" is needed'),
        ('{"file_name": "gone.png", "text": "yard"}', "line 1: there is no image gone.png"),
    ],
)
def test_captions_that_do_not_hold_are_named_by_their_line(tmp_path: Path, line: str, expected: str) -> None:
    (tmp_path / "metadata.jsonl").write_text(line)
    with pytest.raises(SourceRefused) as refusal:
        captioned(tmp_path)
    assert str(refusal.value) == f"{tmp_path}/metadata.jsonl, {expected}"


def test_a_folder_without_images_and_a_base_that_is_none_are_one_sentence(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    arguments = ["tune", "--photos", str(tmp_path), "--out", str(tmp_path / "out")]
    assert main(arguments) == 1
    assert capsys.readouterr().err == (
        f"backlot: {tmp_path} holds no readable images; put them into class folders, "
        "or list them in metadata.jsonl\n"
    )
    write_image(tmp_path / "yard" / "a.png")
    with pytest.raises(StudioError, match="is not a checkpoint of nano"):
        tune(TuneOptions(photos=tmp_path, out=tmp_path / "out", base=tmp_path))
    assert not (tmp_path / "out").exists()


def test_a_cut_is_a_square_of_the_photo_with_a_mask() -> None:
    surfaces = load_surfaces(None, None, held_out=False, held_out_share=0.0, seed=1)
    photo = np.full((60, 200, 3), (10, 120, 240), np.uint8)
    for seed in range(8):
        drawn, hole = cut(photo, 64, surfaces, np.random.default_rng(seed))
        assert drawn.shape == (64, 64, 3)
        assert set(np.unique(hole)) <= {0, 255}
        ground = drawn[hole == 255].astype(int)
        assert (ground[:, 2] > ground[:, 1]).mean() > 0.5  # still the photo's blue


def test_photos_of_all_captions_come_in_turns() -> None:
    photos = [(np.full((1, 1, 3), number, np.uint8), "yard") for number in range(5)]
    photos.append((np.full((1, 1, 3), 9, np.uint8), "dock"))
    seen = list(islice(in_turns(photos, np.random.default_rng(0)), 10))
    assert [caption for _, caption in seen] == ["yard", "dock"] * 5
    assert sorted(int(photo[0, 0, 0]) for photo, caption in seen if caption == "yard") == [0, 1, 2, 3, 4]


def test_a_tuned_model_can_be_tuned_again_and_keeps_what_it_knew(base: NanoConfig, tmp_path: Path) -> None:
    words = base.out / "vocabulary.json"
    written = json.loads(words.read_text())
    write_image(tmp_path / "one" / "dock" / "a.png")
    write_image(tmp_path / "two" / "yard" / "b.png")
    write_image(tmp_path / "two" / "grass" / "c.png")  # known already: no chip of its own
    tune(TuneOptions(photos=tmp_path / "one", out=tmp_path / "first", base=base.out, stage=FEW, rows=4))
    tune(
        TuneOptions(
            photos=tmp_path / "two", out=tmp_path / "second", base=tmp_path / "first", stage=FEW, rows=4
        )
    )
    slots = offered(str(tmp_path / "second"))
    assert slots is not None
    assert slots["site"] == ["yard", "dock"]
    assert "words" not in slots
    assert json.loads(words.read_text()) == written


def test_the_model_that_is_tuned_is_not_replaced(base: NanoConfig, tmp_path: Path) -> None:
    write_image(tmp_path / "site" / "yard" / "a.png")
    before = sorted(path.name for path in base.out.iterdir())
    for out in (base.out, base.out / "new", NANO_FOLDER):
        with pytest.raises(
            InvalidRequest, match="is a model to start from, or lies in one; choose another folder for --out"
        ):
            tune(TuneOptions(photos=tmp_path / "site", out=out, base=base.out, stage=FEW))
    assert sorted(path.name for path in base.out.iterdir()) == before


def test_another_checkpoint_is_not_replaced(tmp_path: Path) -> None:
    (tmp_path / "model_index.json").write_text("{}")
    with pytest.raises(InvalidRequest, match="holds other files, which would be lost"):
        check_out(tmp_path)


def test_what_an_interrupted_training_of_other_photos_left_is_not_taken_up(tmp_path: Path) -> None:
    photo, other_photo = [(np.full((2, 2, 3), number, np.uint8), "yard") for number in (1, 2)]
    work = work_folder(tmp_path / "site", {"seed": 1}, [photo])
    (work / "last.ckpt").write_text("half-way")
    assert (work_folder(tmp_path / "site", {"seed": 1}, [photo]) / "last.ckpt").exists()
    assert not (work_folder(tmp_path / "site", {"seed": 1}, [photo, other_photo]) / "last.ckpt").exists()
    (tmp_path / "mine.work").mkdir()
    (tmp_path / "mine.work" / "notes.txt").write_text("mine")
    with pytest.raises(InvalidRequest, match=r"mine\.work is in the way"):
        work_folder(tmp_path / "mine", {"seed": 1}, [photo])


def test_a_base_that_lacks_weights_is_one_sentence(base: NanoConfig, tmp_path: Path) -> None:
    write_image(tmp_path / "site" / "yard" / "a.png")
    shutil.copytree(base.out, tmp_path / "base")
    for file in (tmp_path / "base" / "unet").glob("*.safetensors"):
        file.unlink()
    with pytest.raises(StudioError, match="base lacks some of its weights; copy or export it again"):
        tune(TuneOptions(photos=tmp_path / "site", out=tmp_path / "out", base=tmp_path / "base", stage=FEW))
    assert not (tmp_path / "out.work").exists()


def test_large_photos_are_kept_at_what_a_cut_can_show(tmp_path: Path) -> None:
    write_image(tmp_path / "yard" / "a.png", size=(80, 400))
    ((image, _),) = captioned(tmp_path, short_px=40)
    assert image.shape == (40, 200, 3)


def test_captions_that_are_not_text_are_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "metadata.jsonl").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(SourceRefused, match=r"metadata.jsonl is not UTF-8 text; save it as UTF-8"):
        captioned(tmp_path)


def test_a_folder_with_the_name_of_an_image_is_left_out(tmp_path: Path) -> None:
    write_image(tmp_path / "yard" / "a.png")
    (tmp_path / "yard" / "album.jpg").mkdir()
    assert len(captioned(tmp_path)) == 1
