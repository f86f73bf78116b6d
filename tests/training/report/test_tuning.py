from __future__ import annotations

from typing import cast

import pytest

from training.report.tuning import tuning_html, tuning_markdown
from training.study.result import ComparisonResult, Spread, StudyResult, TunedArm, TuningFindings


def spread(mean: float) -> Spread:
    return {"mean": mean, "low": mean - 0.1, "high": mean + 0.1, "values": [mean]}


def arm(name: str, mean: float, *, scores: list[float], lr: float, is_default: bool) -> TunedArm:
    return {
        "arm": name,
        "title": f"<{name}>",
        "lr": lr,
        "weight_decay": 0.05,
        "is_default": is_default,
        "validation_accuracy": scores,
        "balanced_accuracy": spread(mean),
    }


@pytest.fixture
def findings() -> TuningFindings:
    comparison = {"arm": "mixed", "against": "real", "difference": 0.2, "low": 0.1, "high": 0.3}
    return {
        "sentence": "The order is <the same>.",
        "settings": [{"lr": 0.01, "weight_decay": 0.05}, {"lr": 0.004, "weight_decay": 0.3}],
        "validation_counts": {"a": 3, "b": 4},
        "arms": [
            arm("real", 0.5, scores=[1.0, 1.0], lr=0.01, is_default=True),
            arm("mixed", 0.7, scores=[0.5, 0.75], lr=0.004, is_default=False),
        ],
        "skipped": [{"arm": "paste", "title": "Pasted", "reason": "nothing is left"}],
        "comparisons": [cast(ComparisonResult, comparison)],
        "agreement": 1.0,
    }


def result_with(findings: TuningFindings) -> StudyResult:
    return cast(StudyResult, {"tuning": findings})


def test_the_page_gives_setting_score_and_difference_of_each_arm(findings: TuningFindings) -> None:
    section = tuning_html(result_with(findings))
    assert "<h2>With the same tuning budget</h2><p>The order is &lt;the same&gt;.</p>" in section
    assert "&lt;real&gt;<small>the setting of the other tables</small></th>" in section
    assert (
        '&lt;mixed&gt;</th><td class="number">0.004</td><td class="number">0.05</td>'
        '<td class="number">70.0 % (60.0 to 80.0)</td><td class="number">+20.0 (+10.0 to +30.0)</td>'
    ) in section
    assert "Pasted was not tuned: nothing is left." in section


def test_the_markdown_says_which_default_was_kept_because_no_setting_stood_out(
    findings: TuningFindings,
) -> None:
    heading, sentence, table, alike, skipped, explanation = tuning_markdown(result_with(findings))
    assert (heading, sentence) == ("## With the same tuning budget", "**The order is &lt;the same&gt;.**")
    assert "(the setting of the other tables) | 0.01 | 0.05 | 50.0 % (40.0 to 60.0) | – |" in table
    assert alike.endswith("so that the default is kept: &lt;real&gt;.")
    assert skipped.startswith("Pasted was not tuned")
    assert (
        "the same 2 settings, the default and 1 drawn at random (learning rate 0.004 to 0.01" in explanation
    )
    assert "without 7 validation photos" in explanation


def test_a_study_without_tuning_has_no_section() -> None:
    assert tuning_html(cast(StudyResult, {})) == ""
    assert tuning_markdown(cast(StudyResult, {})) == []


def test_without_any_tuned_arm_only_the_reasons_are_told(findings: TuningFindings) -> None:
    bare = {**findings, "arms": [], "settings": [], "comparisons": [], "agreement": None}
    section = tuning_html(result_with(cast(TuningFindings, bare)))
    assert "<table" not in section
    assert "Pasted was not tuned" in section
