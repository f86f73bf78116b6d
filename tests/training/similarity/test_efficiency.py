from __future__ import annotations

import json
from pathlib import Path

import pytest

from training.similarity.efficiency import cost_of_images, efficiency_findings

INPAINTED = {
    "method": "inpaint",
    "model": "nano",
    "rendered": 10,
    "accepted": 4,
    "rejected": 4,
    "seconds": 0.5,
}


def write_facts(folder: Path, *yields: dict[str, object]) -> str:
    (folder / "release.json").write_text(json.dumps({"yields": yields}))
    return str(folder)


def test_the_cost_of_an_accepted_image_includes_the_rejected_ones(tmp_path: Path) -> None:
    findings = efficiency_findings(write_facts(tmp_path, INPAINTED))
    assert findings is not None
    (method,) = findings["methods"]
    assert (method["title"], method["acceptance"]) == ("inpaint", 0.5)
    assert (method["seconds"], method["seconds_per_accepted"]) == (0.5, 1.0)


def test_what_was_not_decided_or_timed_is_not_known(tmp_path: Path) -> None:
    undecided = INPAINTED | {"accepted": 0, "rejected": 0}
    untimed = INPAINTED | {"method": "paste", "model": "", "seconds": None}
    findings = efficiency_findings(write_facts(tmp_path, undecided, untimed))
    assert findings is not None
    first, second = findings["methods"]
    assert (first["acceptance"], first["seconds_per_accepted"]) == (None, None)
    assert (second["acceptance"], second["seconds_per_accepted"]) == (0.5, None)


@pytest.mark.parametrize("text", ["{}", "[]", '{"yields": [{"method": 3}]}', '{"yields": []}', "{broken"])
def test_a_release_that_does_not_tell_gives_nothing(tmp_path: Path, text: str) -> None:
    (tmp_path / "release.json").write_text(text)
    assert efficiency_findings(str(tmp_path)) is None


def test_a_data_set_on_the_hub_gives_nothing() -> None:
    assert efficiency_findings("ann/parts") is None


def test_the_time_of_reviewers_is_told_for_each_accepted_image_where_it_was_recorded(tmp_path: Path) -> None:
    untimed = INPAINTED | {"method": "paste", "model": ""}
    findings = efficiency_findings(write_facts(tmp_path, INPAINTED | {"review_seconds": 48.0}, untimed))
    assert findings is not None
    assert [method["review_minutes_per_accepted"] for method in findings["methods"]] == [0.2, None]


def test_images_cost_what_their_methods_cost_over_all_models(tmp_path: Path) -> None:
    timed = INPAINTED | {"review_seconds": 48.0}  # 1 s and 0.2 min an accepted image
    other = timed | {"model": "sdxl", "accepted": 12, "rejected": 0, "seconds": 5.0, "review_seconds": 0.0}
    untimed = INPAINTED | {"method": "paste", "model": "", "seconds": None}
    findings = efficiency_findings(write_facts(tmp_path, timed, other, untimed))
    assert findings is not None
    machine, people = cost_of_images(findings, {"inpaint": 60})
    assert machine == pytest.approx(60 * (4 * 1.0 + 12 * 5.0) / 16 / 60)
    assert people == pytest.approx(60 * (4 * 0.2) / 16)
    assert cost_of_images(findings, {"inpaint": 60, "paste": 1}) == (None, None)
    assert cost_of_images(findings, {"controlnet": 1}) == (None, None)
