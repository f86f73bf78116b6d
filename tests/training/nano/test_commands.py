"""`python -m training.nano` from its door: the short mode whole, and what it refuses."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from PIL import Image

from training.nano.__main__ import QUICK, main
from training.nano.stages import run as stages

FEW = ["--scenes", "24", "--vae-steps", "2", "--unet-steps", "2", "--control-steps", "2"]


def test_the_short_mode_runs_from_nothing_to_figures_card_and_sheets(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, few in {"judge_scenes": 40, "judge_steps": 5, "pairs": 4}.items():
        monkeypatch.setitem(QUICK, name, few)
    out = tmp_path / "out"
    where = ["--work", str(tmp_path / "work"), "--out", str(out)]
    assert main(["all", "--short", "--quick", "--no-photographs", *FEW, *where]) == 0
    figures = json.loads((out / "figures.json").read_text())
    assert json.loads(capsys.readouterr().out[-len((out / "figures.json").read_text()) :]) == figures
    assert figures["objects_exact"] is True
    assert figures["seam_pictures"] > 0
    assert figures["edge_pictures"] > 0
    assert 0 <= figures["obedience_colour_top1"] <= figures["obedience_colour_top3"] <= 1
    assert figures["vae_psnr_scenes_db"] > 3
    card = (out / "README.md").read_text()
    assert f"| obedience_grey_top1 | {figures['obedience_grey_top1']} |" in card
    assert "VAE 2 steps" in card
    for name in ("sheet", "examples", "inpainting", "control"):
        with Image.open(out / f"{name}.webp") as sheet:
            assert sheet.width >= 64


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (["scenes", "--surfaces", "{}/gone"], "there is no folder {}/gone with photos; name yours"),
        (["scenes", "--surfaces", "{}"], "{} holds no photos of surfaces; folders such as"),
        (["all", "--out", "{}"], "{} holds other files, which would be lost"),
        (["all", "--objects", "{}/gone", "--out", "{}/new"], "there is no folder {}/gone with photos"),
        (["evaluate", "--out", "{}", "--no-photographs"], "{} is not a checkpoint of nano; name a folder"),
        (["sheet", "--out", "{}/gone", "--no-photographs"], "{}/gone is not a checkpoint of nano"),
        (["unet", "--no-photographs"], "/vae holds nothing trained; run `python -m training.nano vae"),
        (["tune", "--photos", "{}", "--out", "{}/x/y"], "{} holds no readable images"),
    ],
)
def test_what_is_missing_or_in_the_way_is_one_sentence(
    arguments: list[str], expected: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "notes.txt").write_text("mine")
    work = ["--work", str(tmp_path / "work")] if arguments[0] != "tune" else []
    assert main([argument.format(tmp_path) for argument in arguments] + ["--short"] + work) == 1
    sentence = capsys.readouterr().err.splitlines()[-1]
    assert sentence.startswith("backlot: ")
    assert expected.format(tmp_path) in sentence
    assert sorted(path.name for path in tmp_path.iterdir()) == ["notes.txt"]


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (["unet", "--unet-steps", "0"], "--unet-steps: 0 is not 1 or more"),
        (["tune", "--steps", "-5"], "--steps: -5 is not 1 or more"),
        (["all", "--start", "x"], "--start goes with unet or control"),
        (["all", "--focus"], "--focus goes with unet"),
    ],
)
def test_numbers_and_options_that_mean_nothing_are_wrong_usage(
    arguments: list[str], expected: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as stop:
        main(arguments)
    assert stop.value.code == 2
    assert expected in capsys.readouterr().err


@pytest.mark.parametrize(
    ("raised", "code"),
    [
        (KeyboardInterrupt(), 130),
        (OSError(28, "No space left on device", "/disk/rows"), 1),
    ],
)
def test_a_training_that_is_stopped_is_no_success(
    raised: BaseException, code: int, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def stopped(_: object) -> None:
        raise raised

    monkeypatch.setattr(stages, "draw", stopped)
    assert main(["scenes", "--short"]) == code
    if code == 1:
        expected = (
            "backlot: /disk/rows: No space left on device; free some space, then run the same command again\n"
        )
        assert capsys.readouterr().err.endswith(expected)
