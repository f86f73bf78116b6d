import re
from typing import Any
from xml.etree import ElementTree

import pytest

from pipeline.domain.arms import Arm
from training.report.html import html_report
from training.report.markdown import markdown_report
from training.report.plots import curve_plot, interval_plot


def arm(name: str, mean: float, low: float | None, high: float | None) -> dict[str, Any]:
    return {
        "arm": name,
        "title": name.title(),
        "says": "what it is",
        "counts": {"real": 4, "synthetic": 0},
        "class_counts": {"a<b": 2, "c": 2},
        "balanced_accuracy": {"mean": mean, "low": low, "high": high, "values": [mean, mean]},
        "accuracy": {"mean": mean, "low": low, "high": high, "values": [mean, mean]},
        "measures": {"macro_f1": 0.4, "worst_class": 0.25, "ece": 0.1, "brier": 0.3, "nll": 0.5},
        "per_class": {"a<b": 0.25, "c": 1.0},
        "confusion": [[1, 3], [0, 4]],
        "curve": [
            {"step": 5, "balanced_accuracy": mean / 2, "loss": 1.0},
            {"step": 10, "balanced_accuracy": mean, "loss": 0.5},
        ],
        "seconds": 1.5,
    }


@pytest.fixture
def result() -> dict[str, Any]:
    comparison = {
        "arm": "mixed",
        "title": "Mixed",
        "against": "real",
        "against_title": "Real",
        "difference": 0.2,
        "low": 0.1,
        "high": 0.3,
    }
    comparison |= {"p": 0.03125, "p_adjusted": 0.0625, "smallest_p": 0.03125}
    comparison |= {"p_photos": 0.07, "p_claim": 0.07, "effect": 1.5, "equivalent": False}
    comparison |= {"significant": False, "better_in": 6, "of": 6}
    return {
        "verdict": "Mixed & real are <alike>.",
        "finding": "no_difference",
        "best": None,
        "praise": "",
        "dataset": "releases/<x>",
        "test": "field",
        "classes": ["a<b", "c"],
        "seeds": [0, 1, 2, 3, 4, 5],
        "settings": {
            "network": "small",
            "steps": 10,
            "batch": 6,
            "lr": 0.002,
            "weight_decay": 0.05,
            "image_size": 16,
            "augmentation": "light",
            "precision": "32-true",
        },
        "arms": [arm("real", 0.5, 0.4, 0.6), arm("mixed", 0.7, None, None)],
        "skipped": [{"arm": "sdxl", "title": "Plain SDXL", "reason": "nothing there"}],
        "comparisons": [comparison],
        "planned": [comparison | {"against": "paste", "against_title": "Pasted <x>", "equivalent": True}],
        "margin": 0.02,
        "notes": ["a note"],
        "test_counts": {"a<b": 4, "c": 4},
        "seconds": 3.0,
        "machine": {"cpu": "some cpu", "device": "cpu", "torch": "2"},
    }


def test_the_page_needs_nothing_beside_it_and_escapes_what_people_named(result: dict[str, Any]) -> None:
    page = html_report(result)
    assert "Mixed &amp; real are &lt;alike&gt;." in page
    assert "a<b" not in page
    assert not re.search(r"(src|href)=|https?://|<script", page)
    assert "<b>Plain SDXL</b> was left out: nothing there." in page
    assert "<small>against Pasted &lt;x&gt;</small>" in page
    assert "<td>equal</td>" in page


def test_the_markdown_tells_the_verdict_the_table_and_the_comparison(result: dict[str, Any]) -> None:
    text = markdown_report(result)
    assert text.startswith("# Which use of the data is best?\n\n**Mixed &amp; real are &lt;alike&gt;.**\n")
    assert "| Real | what it is | 4 real | 50.0 % (40.0 to 60.0) |" in text
    assert (
        "| Mixed | Real | +20.0 (+10.0 to +30.0) | 6 of 6 | 0.0625 | 0.0700 | no significant difference |"
        in text
    )
    assert "| a&lt;b | 1 | 3 |" in text


def test_both_reports_tell_what_arms_of_a_share_train_on(result: dict[str, Any]) -> None:
    assert "of 16 photos" not in html_report(result) + markdown_report(result)
    result["share_notes"] = ["Mixed <x>, 25 %: 4 of 16 photos."]
    assert '<p class="small">Mixed &lt;x&gt;, 25 %: 4 of 16 photos.</p>' in html_report(result)
    assert "\n\nMixed &lt;x&gt;, 25 %: 4 of 16 photos.\n\n" in markdown_report(result)


def test_both_plots_are_well_formed_and_draw_every_arm(result: dict[str, Any]) -> None:
    for plot in (interval_plot(result["arms"], chance=0.5), curve_plot(result["arms"])):
        texts = [node.text for node in ElementTree.fromstring(plot).iter("text")]
        assert {"Real", "Mixed"} <= set(texts)
        assert Arm.MIXED.facts.colour in plot


def test_dots_stand_where_the_rates_are(result: dict[str, Any]) -> None:
    plot = ElementTree.fromstring(interval_plot(result["arms"], chance=0.5))
    real, mixed = (float(node.attrib["cx"]) for node in plot.iter("circle") if node.attrib["r"] == "6.5")
    ticks = {
        node.text: float(node.attrib["x"]) for node in plot.iter("text") if (node.text or "").endswith("0 %")
    }
    assert (real, mixed) == pytest.approx((ticks["50 %"], ticks["70 %"]), abs=0.1)


def test_a_report_of_one_arm_and_one_seed_is_whole(result: dict[str, Any]) -> None:
    alone = result | {"arms": [arm("synthetic", 0.5, None, None)], "comparisons": [], "seeds": [0]}
    assert "Synthetic" in html_report(alone)
    assert "Against real photos" not in markdown_report(alone)


def test_class_names_and_messages_with_markup_are_shown_as_text_in_both_reports(
    result: dict[str, Any],
) -> None:
    image = '<img src=x onerror="alert(1)">'
    renamed = result | {
        "verdict": f"{image} is best.",
        "classes": [image, "c|d\n# e"],
        "notes": [f"unreadable: {image} [link](https://x) **bold**"],
        "dataset": image,
        "test": f"`{image}`",
        "skipped": [{"arm": "sdxl", "title": "Plain SDXL", "reason": f"no photo of {image}"}],
        "test_counts": {image: 4, "c|d\n# e": 4},
        "arms": [
            arm(name, 0.5, 0.4, 0.6) | {"per_class": {image: 0.25, "c|d\n# e": 1.0}}
            for name in ("real", "mixed")
        ],
    }
    page, text = html_report(renamed), markdown_report(renamed)
    assert "<img" not in page
    assert "&lt;img src=x" in page
    assert "<img" not in text
    assert '&lt;img src=x onerror="alert(1)"&gt;' in text
    assert "c\\|d \\# e" in text
    assert "\\[link\\](https://x) \\*\\*bold\\*\\*" in text
