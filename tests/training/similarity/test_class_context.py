"""Which class comes in which context, as a release tells it and a report shows it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from training.report.class_context import class_context_html, class_context_markdown
from training.similarity.class_context import class_context_findings

CONTEXTS = {
    "light": {"nut": {"dim": 4, "warm": 4}, "bolt": {"dim": 4, "warm": 4}},
    "<floor>": {"nut": {"sand": 8}, "bolt": {"moss": 8}},
}


def write_facts(folder: Path, contexts: object) -> str:
    (folder / "release.json").write_text(json.dumps({"contexts": contexts}))
    return str(folder)


def test_the_most_linked_slot_comes_first(tmp_path: Path) -> None:
    findings = class_context_findings(write_facts(tmp_path, CONTEXTS))
    assert findings is not None
    floor, light = findings["slots"]
    assert (floor["slot"], floor["bits"], floor["empty"], floor["pairs"]) == ("<floor>", 1.0, 2, 4)
    assert (light["slot"], light["bits"], light["empty"]) == ("light", 0.0, 0)


def test_the_report_shows_the_slots_and_interprets_no_name(tmp_path: Path) -> None:
    findings = class_context_findings(write_facts(tmp_path, CONTEXTS))
    assert findings is not None
    html = class_context_html(findings)
    assert "<th>&lt;floor&gt;</th>" in html
    assert "2 of 4" in html
    assert "<floor>" not in html
    heading, table, _ = class_context_markdown(findings)
    assert heading == "## Does the background tell the class?"
    assert "| light | 2 | 0.000 | 0.045 | 0 of 4 |" in table


@pytest.mark.parametrize("contexts", [{}, {"light": {"nut": {"dim": 4}}}, ["light"], {"light": 3}])
def test_a_release_that_does_not_tell_has_no_findings(tmp_path: Path, contexts: object) -> None:
    assert class_context_findings(write_facts(tmp_path, contexts)) is None
    assert class_context_findings("ann/parts") is None
