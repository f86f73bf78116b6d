from __future__ import annotations

import json
from pathlib import Path

import pytest

from training.similarity.efficiency import efficiency_findings

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
