"""Measures that need networks: on request, of undecided samples only, with the gates that they fail."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from pipeline.domain.quality import GateFailure
from pipeline.domain.review import Verdict
from pipeline.errors import Cancelled
from pipeline.segmentation import Salience
from pipeline.services.review import measures
from pipeline.services.review.recognition import square_around, trained
from pipeline.settings import Settings
from pipeline.store import SampleFilter
from pipeline.studio import Studio
from tests.toy_embedder import add_plain_samples, use_grey_angles
from tests.toy_library import BOX, SIDE_PX, add_subject, decision

GREYS = (40, 42, 230)  # of the samples: the first two look alike


@pytest.fixture
def studio(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Studio]:
    use_grey_angles(monkeypatch)
    monkeypatch.setattr(measures, "salience_beside", lambda _rgb, _alpha: Salience(0.9, (BOX,)))
    with Studio(Settings(library=tmp_path / "library", starter=False)) as opened:
        yield opened


@pytest.fixture
def ids(studio: Studio) -> list[str]:
    return add_plain_samples(studio.library, *GREYS)


def failed(studio: Studio, sample_id: str) -> list[str]:
    return [failure.gate for failure in studio.library.samples.get(sample_id).failed_gates]


def test_undecided_samples_are_measured_once(studio: Studio, ids: list[str]) -> None:
    assert studio.review.measures.measure() == 3
    row = studio.library.samples.get(ids[2])
    assert dict(row.scores) == {"sharpness": 0.5, "duplicate": 0.0, "expansion": 0.9}
    assert GateFailure("expansion", 0.9, pytest.approx(0.3, abs=0.3)) in row.failed_gates
    assert studio.review.measures.measure() == 0
    assert studio.library.samples.get(ids[2]) == row
    found = studio.library.samples.ids(SampleFilter(score="expansion", low=0.8), limit=9)
    assert set(found) == set(ids)
    assert studio.library.verify() == []


def test_decided_samples_stay_as_they_were_shown(studio: Studio, ids: list[str]) -> None:
    studio.library.review.record(decision(ids[0]))
    before = studio.library.samples.get(ids[0])
    assert studio.review.measures.measure() == 2
    assert studio.library.samples.get(ids[0]).scores == before.scores
    assert not studio.library.samples.add_measures(ids[0], {"expansion": 1.0}, (), score=0.0)
    assert studio.library.samples.get(ids[0]).state == before.state


@pytest.fixture
def plain_backgrounds(studio: Studio, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(measures, "salience_beside", lambda _rgb, _alpha: None)


@pytest.mark.usefixtures("plain_backgrounds")
def test_a_near_duplicate_fails_unless_the_first_of_its_group_was_rejected(
    studio: Studio, ids: list[str]
) -> None:
    studio.review.measures.measure()
    assert ["duplicate" in failed(studio, sample_id) for sample_id in ids] == [False, True, False]
    more = add_plain_samples(studio.library, 231, first_seed=10)
    studio.library.review.record(decision(ids[2], Verdict.REJECT))
    studio.review.measures.measure()
    assert "duplicate" not in failed(studio, more[0])


@pytest.mark.usefixtures("plain_backgrounds")
def test_of_a_group_whose_first_was_rejected_one_remains(studio: Studio) -> None:
    first, second, third = add_plain_samples(studio.library, 40, 42, 44)
    studio.library.review.record(decision(first, Verdict.REJECT))
    studio.review.measures.measure()
    assert (failed(studio, second), failed(studio, third)) == ([], ["duplicate"])


@pytest.mark.usefixtures("plain_backgrounds")
@pytest.mark.parametrize("strict", [False, True])
def test_a_sample_that_the_gates_reject_makes_no_other_a_duplicate(studio: Studio, strict: bool) -> None:
    first, second, third = add_plain_samples(studio.library, 40, 42, 44)
    failures = [] if strict else [GateFailure("seam", 0.9, 0.8)]
    studio.library.samples.add_measures(first, {"sharpness_gap": 0.9}, failures, score=0.0)
    studio.review.measures.measure(strict=strict)
    assert (failed(studio, second), failed(studio, third)) == ([], ["duplicate"])


@pytest.mark.usefixtures("plain_backgrounds")
def test_without_strict_a_gate_on_request_does_not_matter(studio: Studio) -> None:
    first, second = add_plain_samples(studio.library, 40, 42)
    studio.library.samples.add_measures(first, {"sharpness_gap": 0.9}, (), score=0.0)
    studio.review.measures.measure()
    assert failed(studio, second) == ["duplicate"]


def test_the_gates_then_reject_with_the_sentence(studio: Studio, ids: list[str]) -> None:
    studio.review.measures.measure()
    report = studio.review.decisions.gate()
    assert report.rejected == 3
    stored = next(each for each in studio.library.review.decisions() if each.sample_id == ids[2])
    assert stored.reason == "label_lost"
    assert stored.comment.startswith("Object continued in the background: 90 %, limit ")


def test_strict_gates_judge_the_stored_scores(studio: Studio, ids: list[str]) -> None:
    studio.library.samples.add_measures(ids[0], {"sharpness_gap": 0.9}, (), score=1.0)
    report = studio.review.decisions.gate(strict=True)
    assert (report.accepted, report.rejected, report.reasons) == (2, 1, {"sharpness_gap": 1})


def test_without_strict_they_do_not(studio: Studio, ids: list[str]) -> None:
    studio.library.samples.add_measures(ids[0], {"sharpness_gap": 0.9}, (), score=1.0)
    assert studio.review.decisions.gate().rejected == 0


def test_with_two_classes_objects_are_recognised_or_not(
    studio: Studio, ids: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    for number, (label, grey) in enumerate([("bolt", 30), ("bolt", 60), ("nut", 220), ("nut", 250)]):
        photo = add_subject(studio.library, 50 + number, label=label)
        plain = np.full((SIDE_PX, SIDE_PX, 3), grey, np.uint8)
        vectors = measures.load_embedder().embed([plain])
        studio.library.embeddings.add(measures.load_embedder().name, {photo.image_id: vectors[0]})
    studio.review.measures.measure()
    dark, light = (
        studio.library.samples.get(ids[place]).scores for place in (0, 2)
    )  # both are planned as bolts
    assert dark["recognised"] == 1.0
    assert light["recognised"] < 0.6
    assert dark["second_object"] == 1.0


def test_a_measurement_can_be_stopped(studio: Studio, ids: list[str]) -> None:
    studio.review.measures.measure(cancelled=lambda: False)
    with pytest.raises(Cancelled):
        studio.review.measures.measure(cancelled=lambda: True)


def test_a_probe_needs_two_classes() -> None:
    vectors = np.eye(4, dtype=np.float16)
    assert trained(vectors, ["bolt"] * 4) is None
    probe = trained(vectors, ["bolt", "bolt", "nut", "nut"])
    assert probe is not None
    likely = probe.relative(vectors, "nut")
    assert likely[2:].tolist() == [1.0, 1.0]
    assert (likely[:2] < 0.5).all()


def test_the_square_around_a_box_is_grey_beyond_the_image() -> None:
    rgb = np.full((20, 20, 3), 200, np.uint8)
    crop = square_around(rgb, (0, 0, 10, 4))
    assert crop.shape == (12, 12, 3)
    assert (crop[:4] == 127).all()
    assert (crop[5:, 1:] == 200).all()
