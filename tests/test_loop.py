"""The whole loop by the stable commands, on the embedded model and parts of the starter set."""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from datasets import load_dataset

from pipeline.cli import main
from pipeline.domain.placement import place
from pipeline.services.samples.runs import cutout_of
from pipeline.store import Library, SampleFilter

ROOT = Path(__file__).resolve().parents[1]
COUNT = 6


def run(*arguments: object, capsys: pytest.CaptureFixture[str]) -> dict[str, Any]:
    """One command with --json that must end well; its answer."""
    capsys.readouterr()
    code = main([*map(str, arguments), "--json"])
    captured = capsys.readouterr()
    assert code == 0, captured.err
    return json.loads(captured.out)


def refusal(*arguments: object, capsys: pytest.CaptureFixture[str]) -> str:
    """One command that the world refuses; its sentence."""
    capsys.readouterr()
    assert main([*map(str, arguments)]) == 1
    captured = capsys.readouterr()
    assert captured.out == ""
    (sentence,) = without_progress(captured.err)
    assert sentence.startswith("backlot: ")
    return sentence.removeprefix("backlot: ")


def without_progress(stderr: str) -> list[str]:
    """The lines of stderr but those of progress, which work of more than ten seconds prints."""
    return [line for line in stderr.splitlines() if not re.search(r" \[\d\d:\d\d(<|,)", line)]


@pytest.fixture(scope="module")
def photos(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of twelve starter parts in three classes, with masks, as a person would have it."""
    from pipeline.starter import subjects

    folder = tmp_path_factory.mktemp("photos")
    taken: dict[str, int] = {}
    for part in subjects():
        if part.label in ("bolt", "gear", "nut") and taken.get(part.label, 0) < 4:
            taken[part.label] = taken.get(part.label, 0) + 1
            target = folder / part.label / f"{Path(part.name).stem}.png"
            target.parent.mkdir(exist_ok=True)
            cv2.imwrite(str(target), cv2.merge([*cv2.split(part.rgb[..., ::-1]), part.mask]))
    return folder


@pytest.fixture(scope="module")
def library(photos: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A library with the photos and six rendered samples of each diffusion method."""
    folder = tmp_path_factory.mktemp("loop") / "library"
    assert main(["import", str(photos), "--library", str(folder), "--split", "train"]) == 0
    for method in ("inpaint", "controlnet"):
        arguments = ["generate", "--library", str(folder), "--method", method, "--count", str(COUNT)]
        assert main(arguments) == 0
    return folder


def test_status_counts_photos_and_samples(library: Path, capsys: pytest.CaptureFixture[str]) -> None:
    status = run("status", "--library", library, capsys=capsys)
    assert status["subjects"] == 12
    assert status["classes"] == {"bolt": 4, "gear": 4, "nut": 4}
    assert status["samples"]["rendered"] == 2 * COUNT
    assert status["samples"]["planned"] == 2 * COUNT


def test_importing_the_same_photos_twice_adds_nothing(
    library: Path, photos: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    report = run("import", photos, "--library", library, capsys=capsys)
    assert (report["added"], report["already"], report["refused"]) == (0, 12, [])


def test_where_the_mask_is_1_every_sample_equals_the_warped_photo(library: Path) -> None:
    with Library.open(library) as opened:
        rows = opened.samples.list(limit=1000)
        assert len(rows) == 2 * COUNT
        for row in rows:
            placements = [placed.placement for placed in row.spec.objects]
            cutouts = [cutout_of(opened, placed.cutout_id) for placed in row.spec.objects]
            layer = place(cutouts, placements, row.spec.size).layer
            image, mask = opened.images.read(row.image_id), opened.images.read(row.mask_id)
            assert np.array_equal(mask, layer.alpha)
            assert (mask == 255).sum() > 100
            assert np.array_equal(image[mask == 255], layer.rgb[mask == 255])


def test_the_background_is_painted_and_differs_between_seeds(library: Path) -> None:
    with Library.open(library) as opened:
        rows = opened.samples.list(SampleFilter(method="inpaint"), limit=2)
        grounds = [opened.images.read(row.image_id)[:8].astype(float) for row in rows]
        assert np.abs(grounds[0] - grounds[1]).mean() > 2
        assert all(ground.std() > 0.5 for ground in grounds)


def test_generating_again_renders_nothing(library: Path, capsys: pytest.CaptureFixture[str]) -> None:
    report = run("generate", "--library", library, "--method", "inpaint", "--count", COUNT, capsys=capsys)
    assert (report["planned"], report["already"], report["rendered"]) == (COUNT, COUNT, 0)


def test_the_same_recipe_and_seed_give_the_same_ids_and_pixels(
    library: Path, photos: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    again = tmp_path / "again"
    run("import", photos, "--library", again, "--split", "train", capsys=capsys)
    run("generate", "--library", again, "--method", "inpaint", "--count", COUNT, capsys=capsys)
    with Library.open(library) as first, Library.open(again) as second:
        pictures = [
            {row.id: row.image_id for row in opened.samples.list(SampleFilter(method="inpaint"), limit=100)}
            for opened in (first, second)
        ]
    assert len(pictures[0]) == COUNT
    assert pictures[0] == pictures[1]


def test_a_killed_run_goes_on_where_it_was(
    photos: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = tmp_path / "killed"
    run("import", photos, "--library", folder, "--split", "train", capsys=capsys)
    command = [sys.executable, "-m", "pipeline", "generate", "--library", str(folder), "--count", "12"]
    environment = dict(os.environ, BACKLOT_BATCH_SIZE="2")
    child = subprocess.Popen(
        command, cwd=ROOT, env=environment, stderr=subprocess.DEVNULL, stdout=subprocess.DEVNULL
    )
    rendered = 0
    while rendered < 2:
        assert child.poll() is None, "the run ended before it could be killed"
        rendered = run("status", "--library", folder, capsys=capsys)["samples"]["rendered"]
        time.sleep(0.05)  # between two looks at another process, not a wait for a fixed time
    child.send_signal(signal.SIGKILL)
    child.wait()
    assert run("verify", "--library", folder, capsys=capsys)["problems"] == 0
    kept = run("status", "--library", folder, capsys=capsys)["samples"]["rendered"]
    report = run("generate", "--library", folder, "--count", "12", capsys=capsys)
    assert report["already"] == kept
    assert report["already"] + report["rendered"] == 12
    assert run("status", "--library", folder, capsys=capsys)["samples"]["rendered"] == 12
    assert run("verify", "--library", folder, capsys=capsys)["problems"] == 0


def test_gate_publish_and_study_end_with_a_verdict(
    library: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = tmp_path / "library"
    shutil.copytree(library, folder)
    field = tmp_path / "field"
    _write_field(field)
    run("import", field, "--library", folder, "--split", "test", capsys=capsys)
    gated = run("gate", "--library", folder, capsys=capsys)
    assert gated["accepted"] + gated["rejected"] == 2 * COUNT
    release = tmp_path / "release"
    run("publish", "--library", folder, "--to", release, capsys=capsys)
    shutil.rmtree(folder)
    mixed = load_dataset(str(release), "mixed", split="train", cache_dir=str(tmp_path / "cache"))
    assert mixed.features["label"].names == ["bolt", "gear", "nut"]
    assert len(mixed) == 12 + gated["accepted"]
    assert {row["origin"] for row in mixed} == {"real", "synthetic"}
    out = tmp_path / "study"
    study = [sys.executable, "-m", "training", "study", "--dataset", release, "--seeds", "2", "--steps", "20"]
    study += ["--network", "small", "--out", out, "--json"]
    finished = subprocess.run(list(map(str, study)), cwd=ROOT, check=False, capture_output=True, text=True)
    assert finished.returncode == 0, finished.stderr
    assert json.loads(finished.stdout)["verdict"]
    assert {"study.json", "report.md", "report.html"} <= {path.name for path in out.iterdir()}


def _write_field(folder: Path) -> None:
    from pipeline.starter import field

    for part in field(30, seed=3, surfaces=None):
        if part.label in ("bolt", "gear", "nut"):
            target = folder / part.label / f"{Path(part.name).stem}.png"
            target.parent.mkdir(parents=True, exist_ok=True)
            cv2.imwrite(str(target), cv2.merge([*cv2.split(part.rgb[..., ::-1]), part.mask]))


# --- bad input: one sentence each, nothing lost ----------------------------------------------------------


def test_a_folder_without_images_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "empty").mkdir()
    sentence = refusal("import", tmp_path / "empty", "--library", tmp_path / "library", capsys=capsys)
    assert "empty" in sentence


@pytest.mark.parametrize("source", ["nowhere", "empty", "unreadable", "not_a_zip.zip"])
def test_a_refused_import_leaves_no_new_folder(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], source: str
) -> None:
    (tmp_path / "empty").mkdir()
    (tmp_path / "unreadable" / "bolt").mkdir(parents=True)
    (tmp_path / "unreadable" / "bolt" / "a.jpg").write_bytes(b"\xff\xd8 not an image")
    (tmp_path / "not_a_zip.zip").write_bytes(b"PK")
    before = sorted(tmp_path.rglob("*"))
    sentence = refusal(
        "import", tmp_path / source, "--library", tmp_path / "libraries" / "new", capsys=capsys
    )
    assert str(tmp_path / source) in sentence
    assert sorted(tmp_path.rglob("*")) == before


def test_a_refused_import_leaves_a_library_that_was_there(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    Library.open(tmp_path / "library", create=True).close()
    refusal("import", tmp_path / "nowhere", "--library", tmp_path / "library", capsys=capsys)
    assert run("status", "--library", tmp_path / "library", capsys=capsys)["subjects"] == 0


def test_a_broken_file_among_good_ones_is_listed_not_fatal(
    photos: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    mixed = tmp_path / "mixed"
    shutil.copytree(photos, mixed)
    (mixed / "bolt" / "broken.jpg").write_bytes(b"\xff\xd8 not a picture")
    report = run("import", mixed, "--library", tmp_path / "library", capsys=capsys)
    assert report["added"] == 12
    assert len(report["refused"]) == 1
    assert report["refused"][0][0].endswith("broken.jpg")


def test_a_misspelt_key_in_a_recipe_is_named_with_the_nearest_one(
    library: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    recipe = tmp_path / "recipe.yaml"
    recipe.write_text("name: x\nplacment: {}\n")
    sentence = refusal("generate", "--library", library, "--recipe", recipe, capsys=capsys)
    assert "placment" in sentence
    assert "placement" in sentence.replace("placment", "")


def test_an_unknown_model_is_named_with_those_that_exist(
    library: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    sentence = refusal("generate", "--library", library, "--model", "nanno", capsys=capsys)
    assert sentence == "there is no model 'nanno'; did you mean 'nano'?"


def test_a_missing_library_is_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    sentence = refusal("status", "--library", tmp_path / "nowhere", capsys=capsys)
    assert "nowhere" in sentence


def test_a_prompt_over_the_tokenizers_length_is_said_with_what_is_cut(library: Path, tmp_path: Path) -> None:
    recipe = tmp_path / "long.yaml"
    words = " ".join(["gravel"] * 60)
    recipe.write_text(f"name: long\ncount: 1\nbackdrops: {{template: '{words} floor', slots: {{}}}}\n")
    copy = tmp_path / "library"
    shutil.copytree(library, copy)
    command = [sys.executable, "-m", "pipeline", "generate", "--library", str(copy), "--recipe", str(recipe)]
    done = subprocess.run([*command, "--json"], capture_output=True, text=True, check=True)
    (sentence,) = without_progress(done.stderr)  # and not what transformers says of it
    assert "tokens of a prompt are cut by nano" in sentence
    assert json.loads(done.stdout)["rendered"] == 1


def test_a_second_process_on_the_same_library_is_told_who_holds_it(
    library: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with Library.open(library) as opened, opened.work_lock("generate"):
        sentence = refusal("generate", "--library", library, "--count", "40", capsys=capsys)
    assert f"process {os.getpid()}" in sentence
    assert run("status", "--library", library, capsys=capsys)["samples"]["rendered"] == 2 * COUNT


def test_wrong_usage_is_exit_code_2(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as stopped:
        main(["generate"])
    assert stopped.value.code == 2
    assert "--library" in capsys.readouterr().err
