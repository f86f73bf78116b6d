from __future__ import annotations

from collections.abc import Callable

import pytest

from pipeline.embedding import WeightsUnusable
from training.data.release import Release
from training.fit.features import FeatureCache
from training.similarity.findings import similarity_findings
from training.similarity.result import SimilarityFindings

Build = Callable[..., Release]


@pytest.fixture(autouse=True)
def weights(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("training.similarity.findings.checked_weights", lambda: None)


def findings_of(release: Release, cache: FeatureCache) -> SimilarityFindings:
    findings = similarity_findings(release, cache)
    assert findings is not None
    return findings


def bands(findings: SimilarityFindings, name: str, n: int) -> dict[str, float]:
    """The means of a group at one n."""
    group = next(group for group in findings["groups"] if group["name"] == name)
    point = next(point for point in group["points"] if point["n"] == n)
    return {measure: value["mean"] for measure, value in point["bands"].items()}


def test_varied_images_count_for_more_than_uniform_ones(release: Build, pixel_features: FeatureCache) -> None:
    toy = release({"photo": 100, "inpaint": 90, "text_to_image": 10, "paste": 30})
    findings = findings_of(toy, pixel_features)
    assert [group["name"] for group in findings["groups"]] == ["real", "ours", "text_to_image", "paste"]
    ours, plain = bands(findings, "ours", 32), bands(findings, "text_to_image", 32)
    assert ours["vendi"] > plain["vendi"]
    assert ours["mean_cosine"] < plain["mean_cosine"]
    assert ours["coverage"] > plain["coverage"]
    assert [claim["growth"] for claim in findings["claims"]] == ["slower", "slower"]
    assert findings["sentence"].startswith(
        "Similarity grows more slowly with Backlot than with text to image and paste: 32 images of Backlot count as "
    )


def test_sets_grow_to_three_quarters_of_a_group(release: Build, pixel_features: FeatureCache) -> None:
    findings = findings_of(release({"inpaint": 50, "paste": 50}, per_class=43), pixel_features)
    assert [point["n"] for point in findings["groups"][0]["points"]] == [16, 32, 64]  # of 129 images


def test_where_the_baselines_are_more_varied_the_sentence_says_so(
    release: Build, pixel_features: FeatureCache
) -> None:
    findings = findings_of(release({"inpaint": 5, "text_to_image": 5, "paste": 100}), pixel_features)
    assert {claim["against"]: claim["growth"] for claim in findings["claims"]} == {
        "text_to_image": "unclear",
        "paste": "faster",
    }
    assert "does not grow more slowly with Backlot than with text to image or paste" in findings["sentence"]
    assert "; no clear difference)" in findings["sentence"]


def test_two_groups_of_one_distribution_differ_in_no_clear_way(
    release: Build, pixel_features: FeatureCache
) -> None:
    findings = findings_of(release({"inpaint": 60, "paste": 60}, per_class=40), pixel_features)
    assert findings["claims"][0]["growth"] == "unclear"


def test_both_of_our_methods_are_one_group_and_one_each(release: Build, pixel_features: FeatureCache) -> None:
    findings = findings_of(release({"photo": 90, "inpaint": 50, "controlnet": 50}), pixel_features)
    assert [(group["name"], group["methods"]) for group in findings["groups"]] == [
        ("real", []),
        ("ours", ["inpaint", "controlnet"]),
        ("inpaint", ["inpaint"]),
        ("controlnet", ["controlnet"]),
    ]
    assert findings["claims"] == []
    assert "is not known" in findings["sentence"]


def test_a_group_that_is_too_small_is_named(release: Build, pixel_features: FeatureCache) -> None:
    toy = release({"photo": 90, "inpaint": 50})
    findings = findings_of(toy, pixel_features)
    assert findings["left_out"] == [
        {"title": "text to image", "reason": "the release has no such images"},
        {"title": "paste", "reason": "the release has no such images"},
    ]
    few = release({"photo": 90, "inpaint": 50}, per_class=7)
    assert similarity_findings(few, pixel_features) is None


def test_without_photos_only_what_needs_none_is_measured(
    release: Build, pixel_features: FeatureCache
) -> None:
    findings = findings_of(release({"inpaint": 50, "paste": 50}, test_per_class=2), pixel_features)
    assert set(bands(findings, "ours", 16)) == {"vendi", "mean_cosine", "nearest_other"}
    assert findings["test_photos"] == 0


def test_bands_hold_only_values_that_are_possible(release: Build, pixel_features: FeatureCache) -> None:
    findings = findings_of(release({"photo": 100, "inpaint": 90, "paste": 2}), pixel_features)
    for group in findings["groups"]:
        for point in group["points"]:
            assert 0 <= point["bands"]["coverage"]["low"] <= point["bands"]["coverage"]["high"] <= 1
            assert point["bands"]["vendi"]["low"] >= 1
            assert point["bands"]["mean_cosine"]["high"] <= 1


def test_the_same_release_gives_the_same_numbers(release: Build, pixel_features: FeatureCache) -> None:
    toy = release({"photo": 90, "inpaint": 50, "paste": 20})
    assert findings_of(toy, pixel_features) == findings_of(toy, pixel_features)


def test_without_the_weights_of_the_embedding_nothing_is_measured(
    release: Build, pixel_features: FeatureCache, monkeypatch: pytest.MonkeyPatch
) -> None:
    def missing() -> None:
        raise WeightsUnusable("not installed")

    monkeypatch.setattr("training.similarity.findings.checked_weights", missing)
    assert similarity_findings(release({"inpaint": 50, "paste": 50}), pixel_features) is None
