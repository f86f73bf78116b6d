"""A study asks why its test photos are classified wrongly, and tests on counterfactual sets."""

from __future__ import annotations

import base64
import re
from collections.abc import Callable
from dataclasses import replace
from io import BytesIO
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from pipeline.domain.arms import Arm
from pipeline.domain.images import RGB, Mask
from pipeline.domain.studies import Network
from pipeline.segmentation import CutoutOrigin, CutoutResult
from training.data.release import Release, load_release
from training.fit.options import TrainingOptions
from training.report.write import write_reports
from training.study.options import CHEAP_TEST_PHOTOS, StudyOptions
from training.study.result import StudyResult
from training.study.study import study

pytestmark = pytest.mark.usefixtures("one_thread")
QUICK = TrainingOptions(steps=10, batch=6, image_size=16)
PROBE = TrainingOptions.for_network(Network.PROBE, {"steps": 20, "batch": 6, "image_size": 32})


@pytest.fixture
def release(release_of: Callable[..., Path]) -> Release:
    plan = {("real", "train", "photo"): 6, ("real", "test", "photo"): 8}
    return load_release(str(release_of(plan)), None, side_px=16)


@pytest.fixture
def centred_objects(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let every toy photo have an object in the middle."""

    def cut_out(rgb: RGB, *, alpha: Mask | None = None) -> CutoutResult:
        mask = np.zeros(rgb.shape[:2], np.uint8)
        quarter = len(rgb) // 4
        mask[quarter:-quarter, quarter:-quarter] = 255
        return CutoutResult(rgb, mask, 1.0, (), CutoutOrigin.BACKGROUND)

    monkeypatch.setattr("training.diagnosis.cutouts.cut_out", cut_out)


def run(release: Release, out: Path, **options: object) -> StudyResult:
    return study(release, StudyOptions(arms=(Arm.REAL,), seeds=(0, 1), training=QUICK, **options), out=out)


@pytest.mark.parametrize(
    ("training", "photos", "given", "tested"),
    [
        (PROBE, CHEAP_TEST_PHOTOS, None, True),
        (PROBE, CHEAP_TEST_PHOTOS + 1, None, False),
        (QUICK, 10, None, False),
        (QUICK, 10_000, True, True),
        (PROBE, 10, False, False),
    ],
)
def test_counterfactual_sets_are_tested_where_that_is_cheap_or_asked_for(
    training: TrainingOptions, photos: int, given: bool | None, tested: bool
) -> None:
    options = StudyOptions(seeds=(0,), training=training, counterfactual=given)
    assert options.counterfactual_for(photos) is tested


def test_without_usable_masks_the_factors_of_the_object_are_left_out_and_named(
    release: Release, tmp_path: Path
) -> None:
    result = run(release, tmp_path)
    assert result["error_analysis"]["note"].startswith("0 of 24 test photos have a usable mask")
    missing = {left_out["factor"] for left_out in result["error_analysis"]["left_out"]}
    assert {"object_size", "off_centre", "clutter", "contrast", "objects", "unlikeness"} <= missing
    assert "counterfactual" not in result
    write_reports(result, tmp_path)
    assert (
        "object size, distance from the centre, clutter, contrast with the background, number"
        in (tmp_path / "report.md").read_text()
    )


def test_the_examples_are_part_of_the_page(release: Release, tmp_path: Path) -> None:
    swapped = replace(release, test=replace(release.test, labels=1 - np.minimum(release.test.labels, 1)))
    result = run(swapped, tmp_path)  # red is called green and the other way round
    error = result["error_analysis"]["errors"][0]
    assert error["label"] != error["predicted"]
    write_reports(result, tmp_path)
    page = (tmp_path / "report.html").read_text()
    assert f"{error['label']}, taken for {error['predicted']}" in page
    embedded = re.findall(r'src="data:image/jpeg;base64,([^"]+)"', page)
    assert len(embedded) == len(result["error_analysis"]["errors"])
    assert Image.open(BytesIO(base64.b64decode(embedded[0]))).size == (176, 176)


def test_without_a_diagnosis_nothing_is_cut_out(
    release: Release, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("training.diagnosis.cutouts.cut_out", lambda *_, **__: pytest.fail("it was cut out"))
    result = run(release, tmp_path, diagnosis=False)
    assert "diagnosis" not in result
    assert "error_analysis" not in result


@pytest.mark.usefixtures("centred_objects")
def test_every_run_is_tested_on_the_counterfactual_sets(release: Release, tmp_path: Path) -> None:
    result = run(release, tmp_path, counterfactual=True)
    findings = result["counterfactual"]
    assert findings["objects"] == {"red": 8, "green": 8, "blue": 8}
    assert [kind["images"] for kind in findings["sets"]] == [24, 24, 24, 24, 96, 24, 24]
    (arm,) = findings["arms"]
    assert (arm["seeds"], findings["missing_runs"]) == (2, 0)
    assert arm["accuracy"]["own_background"]["mean"] == 1.0  # noise of one colour, cut out and pasted back
    again = run(release, tmp_path, counterfactual=True)
    assert again["counterfactual"] == findings
    write_reports(result, tmp_path)
    assert "on its own background (24) | 100.0 % (100.0 to 100.0) |" in (tmp_path / "report.md").read_text()


@pytest.mark.usefixtures("centred_objects")
def test_runs_from_before_the_sets_are_kept_and_told(release: Release, tmp_path: Path) -> None:
    run(release, tmp_path)
    result = run(release, tmp_path, counterfactual=True)
    assert (result["counterfactual"]["missing_runs"], result["counterfactual"]["arms"]) == (2, [])
    write_reports(result, tmp_path)
    assert "2 runs have no predictions for these images" in (tmp_path / "report.html").read_text()


def test_sets_that_cannot_be_rendered_are_a_sentence(release: Release, tmp_path: Path) -> None:
    result = run(release, tmp_path, counterfactual=True)
    write_reports(result, tmp_path)
    assert result["counterfactual"]["skipped"] in (tmp_path / "report.md").read_text()
    assert "of this release 0 classes have as many." in (tmp_path / "report.html").read_text()


@pytest.mark.usefixtures("centred_objects")
def test_the_probe_measures_unlikeness_and_is_tested_on_the_sets(
    release_of: Callable[..., Path], tmp_path: Path
) -> None:
    plan = {("real", "train", "photo"): 4, ("real", "test", "photo"): 7}
    release = load_release(str(release_of(plan)), None, side_px=32)
    options = StudyOptions(arms=(Arm.REAL,), seeds=(0,), training=PROBE, similarity=False)
    result = study(release, options, out=tmp_path)
    left_out = {missing["factor"]: missing["reason"] for missing in result["error_analysis"]["left_out"]}
    assert "known of" not in left_out.get("unlikeness", "")
    assert result["counterfactual"]["arms"][0]["seeds"] == 1
