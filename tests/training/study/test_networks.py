from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from pipeline.domain.arms import Arm
from pipeline.domain.studies import Network
from training.data.release import Release, load_release
from training.fit.options import TrainingOptions
from training.report.write import write_reports
from training.study.networks import study_networks
from training.study.options import StudyOptions

pytestmark = pytest.mark.usefixtures("one_thread")


def test_a_second_network_has_a_study_of_its_own_and_a_column_in_the_report(
    full_release: Path, tmp_path: Path
) -> None:
    small = StudyOptions(
        arms=(Arm.REAL, Arm.MIXED, Arm.TEXT_TO_IMAGE),
        seeds=(0,),
        training=TrainingOptions(steps=4, batch=6, image_size=16),
    )
    mobile = replace(
        small, training=TrainingOptions(network=Network.MOBILENET_V3, steps=2, batch=6, image_size=32)
    )
    sides: list[int] = []

    def load(side_px: int) -> Release:
        sides.append(side_px)
        return load_release(str(full_release), None, side_px=side_px)

    result, release = study_networks([small, mobile], load, write_reports, tmp_path)
    assert sides == [16, 32]
    assert release.test.images.shape[1] == 16
    (other,) = result["other_networks"]
    assert (other["network"], [arm["arm"] for arm in other["arms"]]) == ("mobilenet_v3", ["real", "mixed"])
    assert other["agreement"] is None or -1 <= other["agreement"] <= 1
    assert json.loads((tmp_path / "study.json").read_text())["other_networks"] == [other]
    assert json.loads((tmp_path / "mobilenet_v3" / "study.json").read_text())["verdict"] == other["verdict"]
    for report in ("report.html", "report.md"):
        assert "With other networks" in (tmp_path / report).read_text()
