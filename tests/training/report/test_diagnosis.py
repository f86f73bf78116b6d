from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from training.report.counterfactual import counterfactual_html, counterfactual_markdown
from training.report.diagnosis import diagnosis_html, diagnosis_markdown

FINDING = {
    "arm": "real", "arm_title": "Real photos", "factor": "object_size", "title": "object size", "direction": "low",
    "effect": -0.512, "p": 0.0007, "p_alone": 0.0001, "photos": 1100, "low_recognised": 0.414, "high_recognised": 0.78,
    "certain": True, "sentence": "Photos in which the object is small are recognised less often.",
}  # fmt: skip
RATE = {"mean": 0.8, "low": 0.75, "high": 0.85}
DIFFERENCE = {"mean": 0.041, "low": 0.015, "high": 0.066}


@pytest.fixture
def result() -> Any:
    photo = {"photo": "a.jpg", "image": "examples/a.jpg", "value": 0.0123, "error_share": 1.0}
    return {
        "diagnosis": [FINDING],
        "error_analysis": {
            "sentences": ["Real photos: <small> objects."],
            "best": "real",
            "best_title": "Real photos",
            "photos": 1100,
            "usable_masks": 900,
            "note": "900 of 1100 test photos have a usable mask (0 come with one).",
            "left_out": [{"factor": "objects", "title": "number of objects", "reason": "nearly all are alike"}],
            "pairs": [
                {"factor": "object_size", "title": "object size", "label": "<nut>", "wrong": photo, "right": photo}
            ],
            "errors": [
                {"photo": "a.jpg", "image": "examples/a.jpg", "label": "<nut>", "predicted": "b&b",
                 "probability": 0.934},
            ],
        },
        "counterfactual": {
            "skipped": "",
            "objects": {"<nut>": 5, "bolt": 20},
            "left_out": ["gear"],
            "sets": [{"set": "own_background", "title": "on its own background", "images": 25}],
            "arms": [
                {
                    "arm": "real", "title": "Real photos", "seeds": 6, "accuracy": {"own_background": RATE},
                    "differences": dict.fromkeys(
                        ("background_reliance", "background_class", "centre_bias", "size_bias_small",
                         "size_bias_large"), DIFFERENCE
                    ),
                    "sentence": "Real photos: 4.1 points less <there>.",
                }
            ],
            "missing_runs": 2,
        },
    }  # fmt: skip


def test_the_table_of_factors_gives_rates_correlation_and_p(result: Any) -> None:
    text = "\n\n".join(diagnosis_markdown(result))
    assert "**Real photos: &lt;small&gt; objects.**" in text
    assert "| Real photos | object size | 1,100 | 41 % | 78 % | -0.51 | 0.0007 | certain |" in text
    assert "Left out: number of objects (nearly all are alike)." in text


def test_the_page_embeds_the_examples_and_escapes_their_classes(result: Any, tmp_path: Path) -> None:
    (tmp_path / "examples").mkdir()
    Image.fromarray(np.zeros((4, 4, 3), np.uint8)).save(tmp_path / "examples" / "a.jpg")
    page = diagnosis_html(result, tmp_path)
    assert page.count('src="data:image/jpeg;base64,/9j/') == 3
    assert "&lt;nut&gt;, 0.012: wrong in 100 % of the seeds" in page
    assert "&lt;nut&gt;, taken for b&amp;b (93 %)" in page
    assert "<nut>" not in page


def test_a_thumbnail_that_is_gone_leaves_its_caption(result: Any, tmp_path: Path) -> None:
    page = diagnosis_html(result, tmp_path)
    assert "<img" not in page
    assert "taken for b&amp;b" in page


def test_without_the_folder_of_the_study_no_photo_is_shown(result: Any) -> None:
    assert "<figure>" not in diagnosis_html(result, None)


def test_counterfactual_sets_have_a_table_of_differences_and_one_of_rates(result: Any) -> None:
    text = "\n\n".join(counterfactual_markdown(result))
    assert "**Real photos: 4.1 points less &lt;there&gt;.**" in text
    assert "| background reliance | +4.1 (+1.5 to +6.6) |" in text
    assert text.count("+4.1 (+1.5 to +6.6)") == 5
    assert "| on its own background (25) | 80.0 % (75.0 to 85.0) |" in text
    page = counterfactual_html(result)
    assert "Objects: &lt;nut&gt; 5, bolt 20." in page
    assert "Too few usable cut-outs: gear." in page
    assert "2 runs have no predictions for these images" in page


def test_sets_that_could_not_be_rendered_are_a_sentence(result: Any) -> None:
    result["counterfactual"]["skipped"] = "There are none."
    assert counterfactual_markdown(result)[1:] == ["There are none."]
    assert "<table" not in counterfactual_html(result)


def test_earlier_studies_have_no_such_sections() -> None:
    earlier: Any = {}
    assert diagnosis_html(earlier, None) == counterfactual_html(earlier) == ""
    assert diagnosis_markdown(earlier) == counterfactual_markdown(earlier) == []
