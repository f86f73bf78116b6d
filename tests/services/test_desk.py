"""The review desk: queries as text, many at once, the best of each look, the auto-reviewer at work."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from pipeline.domain.descriptors import descriptor
from pipeline.domain.review import AUTO_REVIEWER, Policy, Verdict
from pipeline.domain.sample_facts import SampleFacts
from pipeline.errors import InvalidRequest, NotAllowed, UnknownName
from pipeline.services.review.auto_reviewer import CHECKED
from pipeline.services.review.queries import filter_of, reviewable
from pipeline.services.samples.neighbours import Neighbours
from pipeline.settings import Settings
from pipeline.store import Rendered, SampleFilter, SampleOrder
from pipeline.studio import Studio
from tests.studios import change_settings
from tests.toy_library import BOX, IDENTITY, add_subject, decision, filled, mask, picture, spec

COUNT = 240


@pytest.fixture
def studio(tmp_path: Path) -> Iterator[Studio]:
    with Studio(Settings(library=tmp_path / "library", starter=False)) as opened:
        yield opened


@pytest.fixture
def scored(studio: Studio) -> list[str]:
    """Samples whose seam lies evenly in 0 to 1; people accept what is below a half."""
    library = studio.library
    photo = add_subject(library, 1)
    specs = [spec(photo, seed=number) for number in range(COUNT)]
    library.plans.add("toy", "", specs)
    seams = np.random.default_rng(5).permutation(np.linspace(0, 1, COUNT))
    image_id, mask_id = library.images.put(picture(1)), library.images.put(mask())
    for planned, seam in zip(specs, seams, strict=True):
        library.samples.record(
            Rendered(
                spec_id=planned.id,
                image_id=image_id,
                mask_id=mask_id,
                facts=SampleFacts(boxes=(BOX,), homographies=(IDENTITY,), scores={"seam": float(seam)}),
            )
        )
    return [sample_spec.id for sample_spec in specs]


def decide(studio: Studio, ids: list[str]) -> None:
    for sample_id in ids:
        good = studio.library.samples.get(sample_id).scores["seam"] < 0.5
        studio.review.decisions.decide(sample_id, Verdict.ACCEPT if good else Verdict.REJECT, reviewer="ann")


def test_a_query_says_which_samples_and_in_which_order() -> None:
    query = {
        "state": "accepted", "label": "bolt", "method": "sdxl", "word": "surface=wet=sand", "since": "2026-01-31",
        "until": "2026-02-01", "score": "seam", "low": "0.1", "high": "", "order": "highest", "cluster": None,
    }  # fmt: skip
    assert filter_of(query) == SampleFilter(
        review="accepted",
        label="bolt",
        method="text_to_image",
        word=("surface", "wet=sand"),
        since="2026-01-31",
        until="2026-02-01U",
        score="seam",
        low=0.1,
        order=SampleOrder.HIGHEST,
    )
    assert "2026-02-01T23:59:59.999+00:00" < "2026-02-01U" < "2026-02-02T00:00"
    assert reviewable({}) == SampleFilter(review="pending", order=SampleOrder.QUEUE)
    assert reviewable({"state": "accepted", "label": "nut"}).review == "pending"
    assert reviewable({"state": "disputed"}).review == "disputed"


@pytest.mark.parametrize(
    ("query", "error", "sentence"),
    [
        ({"sate": "pending"}, UnknownName, "there is no filter 'sate'; did you mean 'state'"),
        ({"state": "planned"}, UnknownName, "there is no state 'planned'"),
        ({"order": "random"}, UnknownName, "there is no order 'random'"),
        ({"word": "gravel"}, InvalidRequest, "the filter 'word' is 'gravel'; write slot=value"),
        (
            {"low": "a lot", "score": "seam"},
            InvalidRequest,
            "the filter 'low' is 'a lot'; write a number",
        ),
        ({"since": "31.1.2026"}, InvalidRequest, "'31.1.2026' is not a day; write year-month-day"),
        ({"order": "lowest"}, InvalidRequest, "need the name of a score"),
    ],
)
def test_a_query_that_does_not_hold_is_refused_in_one_sentence(
    query: dict[str, str], error: type[Exception], sentence: str
) -> None:
    with pytest.raises(error, match=sentence):
        filter_of(query)


def test_only_the_best_of_those_that_look_alike_stays(studio: Studio) -> None:
    library = studio.library
    photo = add_subject(library, 1)
    specs = [spec(photo, seed=number) for number in range(6)]
    library.plans.add("toy", "", specs)
    ids = [sample_spec.id for sample_spec in specs]
    for number, planned in enumerate(specs):
        library.samples.record(
            Rendered(
                spec_id=planned.id,
                image_id=library.images.put(picture(number)),
                mask_id=None,
                facts=SampleFacts(boxes=(BOX,), homographies=(IDENTITY,)),
                score=number / 10,
                cluster=ids[0] if number < 4 else None,
            )
        )
    assert studio.review.decisions.keep_best({}, reviewer="ann", batch="b1") == 3
    assert [studio.library.samples.get(sample_id).review for sample_id in ids] == [
        *["rejected"] * 3,
        *["pending"] * 3,
    ]
    assert {event.reason for event in library.review.decisions()} == {"duplicate"}
    assert studio.review.decisions.undo_all("b1", reviewer="ben") == 0
    assert studio.review.decisions.undo_all("b1", reviewer="ann") == 3
    library.auto_review.set_predictions({ids[1]: 0.9})
    studio.review.decisions.keep_best({}, reviewer="ann", batch="b2")
    assert [studio.library.samples.get(sample_id).review for sample_id in ids[:4]] == [
        "rejected",
        "pending",
        "rejected",
        "rejected",
    ]


def test_a_new_sample_joins_those_of_its_class_that_it_looks_like(studio: Studio) -> None:
    library = studio.library
    photo = add_subject(library, 1)
    first = spec(photo, seed=1)
    library.plans.add("toy", "", [first])
    looks = descriptor(picture(1, side_px=64))
    library.samples.record(
        Rendered(
            spec_id=first.id,
            image_id=library.images.put(picture(1)),
            mask_id=None,
            facts=SampleFacts(boxes=(BOX,), homographies=(IDENTITY,), descriptor=looks),
        )
    )
    neighbours = Neighbours(library)
    near = looks + np.float32(0.01)
    near /= np.linalg.norm(near)
    novelty, cluster = neighbours.place("near", first.label, near)
    assert cluster == first.id
    assert novelty == pytest.approx(1 - float(near @ looks), abs=1e-6)
    assert neighbours.place("near too", first.label, near) == (pytest.approx(0, abs=1e-6), first.id)
    assert neighbours.place("other class", "nut", looks) == (1.0, "other class")
    far = np.zeros_like(looks)
    far[int(np.argmin(looks))] = 1
    assert neighbours.place("far", first.label, far)[1] == "far"


def test_the_helper_learns_says_what_it_expects_and_orders_the_queue(
    studio: Studio, scored: list[str]
) -> None:
    assert "learns from 30 decisions" in studio.review.auto_reviewer.train().sentence
    decide(studio, scored[:100])
    queue = studio.review.queue.next("ann", query={"order": "promise"}, limit=COUNT)
    assert len(queue) == COUNT - 100
    promised = [row.predicted_acceptance for row in queue]
    assert promised == sorted(promised, reverse=True)
    seams = np.array([row.scores["seam"] for row in queue])
    assert np.corrcoef(seams, promised)[0, 1] < -0.8
    unsure = studio.review.queue.next("ann", query={"order": "doubt"}, limit=10)
    assert abs(np.mean([row.scores["seam"] for row in unsure]) - 0.5) < 0.2
    report = studio.review.auto_reviewer.report()
    assert report.quality is not None
    assert report.quality.accuracy > report.quality.baseline + 0.2
    assert (report.predicted, report.decided, report.left_to_people) == (COUNT - 100, 0, 0)


def test_the_helper_decides_only_within_a_leads_limits_and_leaves_some_to_people(
    studio: Studio, scored: list[str]
) -> None:
    change_settings(studio, people="ann, lea:lead")
    decide(studio, scored[:100])
    with pytest.raises(NotAllowed, match="'ann' may not let the auto-reviewer decide"):
        studio.review.auto_reviewer.set_limits("ann", accept_from=0.8, reject_below=None)
    with pytest.raises(InvalidRequest, match=r"cannot reject below 0\.9"):
        studio.review.auto_reviewer.set_limits("lea", accept_from=None, reject_below=0.9)
    studio.review.auto_reviewer.set_limits("lea", accept_from=0.8, reject_below=0.2)
    report = studio.review.auto_reviewer.train()
    taken = [event for event in studio.library.review.decisions() if event.via == AUTO_REVIEWER]
    assert report.decided == len(taken) > 40
    assert 0 < report.left_to_people < 4 * CHECKED * report.decided
    assert report.checks.left == report.left_to_people
    assert {event.reviewer for event in taken} == {AUTO_REVIEWER}
    facts = studio.library.review.facts()
    assert facts.accepted_by_auto_reviewer + facts.rejected_by_auto_reviewer == len(taken)
    assert facts.reviewers == 1  # it is nobody
    wrong = taken[0].sample_id
    state = studio.review.decisions.decide(
        wrong, Verdict.REJECT, reviewer="ann", reason="seam"
    )  # a person overrules it
    assert state == "rejected"
    left = [row.id for row in studio.review.queue.next("ann", limit=COUNT)]
    studio.library.review.record(decision(next(sample_id for sample_id in left), reviewer="gate", via="gate"))
    assert studio.review.auto_reviewer.report().checks.decided == 0  # a gate is no person
    decide(studio, left)
    checks = studio.review.auto_reviewer.report().checks
    assert (checks.left, checks.decided) == (0, report.left_to_people)
    assert checks.agreed >= checks.decided - 1
    assert (
        len(studio.library.auto_review.examples(COUNT)) <= COUNT - len(taken) + 1
    )  # it does not learn from itself
    studio.review.auto_reviewer.set_limits("lea", accept_from=None, reject_below=None)
    assert studio.review.auto_reviewer.train().decided == 0
    assert studio.library.verify() == []


def test_another_try_and_a_page_of_the_queue_are_leased(studio: Studio) -> None:
    first, second = filled(studio.library, samples=2)
    studio.library.queue.hold(first, "ann")
    assert [row.id for row in studio.review.queue.next("ben")] == [second]
    studio.library.review.record(decision(first, reviewer="ann"))
    assert studio.review.queue.left_for("ben") == 1


@pytest.fixture
def disputed(studio: Studio) -> list[str]:
    """Four samples that need two votes; ann and ben disagree on the first."""
    ids = filled(studio.library)
    change_settings(studio, people="ann, ben, lea:lead")
    studio.library.review.set_policy(Policy(overlap=2))
    studio.library.review.record(decision(ids[0], reviewer="ann"))
    studio.library.review.record(decision(ids[0], Verdict.REJECT, reviewer="ben"))
    return ids


@pytest.mark.parametrize("reviewer", ["ann", "ben", "lea"])
def test_deciding_every_state_at_once_settles_no_dispute(
    studio: Studio, disputed: list[str], reviewer: str
) -> None:
    assert studio.review.decisions.decide_all({}, Verdict.ACCEPT, reviewer=reviewer, batch="b1") == 3
    assert [studio.library.samples.get(sample_id).review for sample_id in disputed] == [
        "disputed",
        *["pending"] * 3,
    ]
    assert len(studio.library.review.votes(disputed[0])) == 2
    assert studio.review.decisions.decide_all({}, Verdict.ACCEPT, reviewer=reviewer, batch="b1") == 0
    assert studio.review.decisions.undo_all("b1", reviewer=reviewer) == 3


def test_a_dispute_that_comes_up_between_the_check_and_the_decision_is_not_settled_either(
    studio: Studio, disputed: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(studio.library.review, "state", lambda _: "pending")  # what it was a moment ago
    with pytest.raises(NotAllowed, match="'ann' may not settle what others disagree on"):
        studio.review.decisions.decide(disputed[0], Verdict.REJECT, reviewer="ann")
    assert studio.library.samples.get(disputed[0]).review == "disputed"


@pytest.mark.parametrize("batch", ["", "b1:x", "b" * 51, "ä"])
def test_a_batch_number_that_could_be_taken_for_another_is_refused(
    studio: Studio, disputed: list[str], batch: str
) -> None:
    with pytest.raises(InvalidRequest, match="the batch is numbered"):
        studio.review.decisions.decide_all({}, Verdict.ACCEPT, reviewer="ann", batch=batch)
    assert len(studio.library.review.decisions()) == 2
