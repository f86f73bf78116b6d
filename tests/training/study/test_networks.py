from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from pipeline.domain.arms import Arm
from pipeline.domain.studies import Network, TimmNetwork
from pipeline.errors import InvalidRequest
from pipeline.services.studies.files import is_at_work
from training.data.release import Release, load_release
from training.fit.options import TrainingOptions
from training.report.wording import network_sentence
from training.report.write import write_reports
from training.study.networks import study_networks
from training.study.options import StudyOptions
from training.study.outcome import weakness_warning
from training.study.result import OtherNetwork

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
        assert is_at_work(tmp_path)
        return load_release(str(full_release), None, side_px=side_px)

    result, release = study_networks([small, mobile], load, write_reports, tmp_path)
    assert sides == [16, 32]
    assert not is_at_work(tmp_path)
    assert release.test.images.shape[1] == 16
    (other,) = result["other_networks"]
    assert (other["network"], [arm["arm"] for arm in other["arms"]]) == ("mobilenet_v3", ["real", "mixed"])
    assert other["agreement"] is None or -1 <= other["agreement"] <= 1
    assert json.loads((tmp_path / "study.json").read_text())["other_networks"] == [other]
    assert json.loads((tmp_path / "mobilenet_v3" / "study.json").read_text())["verdict"] == other["verdict"]
    for report in ("report.html", "report.md"):
        text = (tmp_path / report).read_text()
        assert "With other networks" in text
        assert "no pretrained weights): Too few seeds" in text


def test_a_network_that_timm_does_not_have_is_refused_before_the_release_is_read(tmp_path: Path) -> None:
    first = StudyOptions(arms=(Arm.REAL,), seeds=(0,), training=TrainingOptions(steps=4, image_size=16))
    other = replace(first, training=TrainingOptions(network=TimmNetwork("resnet19")))
    with pytest.raises(InvalidRequest, match="has no network 'resnet19'; near names: timm/resnet"):
        study_networks([first, other], lambda _: pytest.fail("it was read"), write_reports, tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_a_network_of_timm_has_a_folder_without_a_slash_and_trains_the_arms_alone(
    full_release: Path, tmp_path: Path
) -> None:
    training = TrainingOptions(steps=2, batch=6, image_size=16)
    first = StudyOptions(arms=(Arm.REAL, Arm.PASTE), seeds=(0,), training=training, tuning=2)
    timm = TimmNetwork("test_resnet.r160_in1k")
    other = replace(first, training=replace(training, network=timm, image_size=32))
    releases = {side: load_release(str(full_release), None, side_px=side) for side in (16, 32)}
    result, _ = study_networks([first, other], releases.__getitem__, write_reports, tmp_path)
    folder = tmp_path / "timm-test_resnet.r160_in1k"
    settings = json.loads((folder / "settings.json").read_text())
    assert settings["network"] == result["other_networks"][0]["network"] == str(timm)
    assert "tuning" in result
    assert "tuning" not in json.loads((folder / "study.json").read_text())
    again, _ = study_networks([first, other], releases.__getitem__, write_reports, tmp_path)
    assert again["other_networks"] == result["other_networks"]


def test_a_further_network_that_learns_nothing_from_the_photos_is_warned_of() -> None:
    other: OtherNetwork = {"network": "small", "verdict": "Mixed is best.", "arms": [], "agreement": 0.6}
    assert network_sentence(other) == (
        "With another network (small, no pretrained weights): Mixed is best. It puts the arms in a similar order "
        "(Kendall's τ = 0.60)."
    )
    other |= {"agreement": None, "warning": weakness_warning(0.24, 5)}
    assert network_sentence(other).endswith(
        "Mixed is best. Real photos alone reach 24.0 %, where guessing gives 20.0 %: the network is too weak or "
        "trained too briefly for these photos. Try another --network, larger images or more --steps before trusting "
        "the order of the arms."
    )
    assert weakness_warning(0.41, 5) == ""


@pytest.mark.parametrize(
    ("agreement", "order"),
    [(1.0, "the same order"), (0.4, "another order"), (-0.8, "nearly the reverse order")],
)
def test_the_agreement_of_two_networks_is_told_in_words(agreement: float, order: str) -> None:
    other: OtherNetwork = {
        "network": "timm/resnet18:pretrained", "verdict": "V.", "arms": [], "agreement": agreement
    }  # fmt: skip
    sentence = network_sentence(other)
    assert f"It puts the arms in {order} " in sentence
    assert "(timm/resnet18 with pretrained weights, all layers trained)" in sentence
