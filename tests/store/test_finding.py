"""Samples by filter and order: what is found, page by page, and by which plan of the database."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from itertools import product
from typing import Any

import pytest
from sqlalchemy import event

from pipeline.domain.review import Verdict
from pipeline.domain.sample_facts import SampleFacts
from pipeline.domain.spec import Method
from pipeline.errors import InvalidRequest, NotFound
from pipeline.store import Library, Rendered, SampleFilter, SampleOrder
from tests.toy_library import BOX, IDENTITY, add_subject, decision, mask, picture, spec

COUNT = 30
SURFACES = ("gravel", "snow", "sand")


@pytest.fixture
def ids(library: Library) -> list[str]:
    """Samples of two classes, three words, three methods; seam falls from 0.30 to 0.01 as they were planned."""
    bolt, nut = add_subject(library, 1), add_subject(library, 2, label="nut")
    methods = (Method.INPAINT, Method.CONTROLNET, Method.TEXT_TO_IMAGE)
    specs = [
        replace(
            spec(nut if number % 2 else bolt, seed=number, method=methods[number % 3]),
            slots=(("surface", SURFACES[number % 3]),),
            model="nano" if number < 20 else "sdxl",
        )
        for number in range(COUNT)
    ]
    library.plans.add("toy", "name: toy", specs)
    for number, planned in enumerate(specs):
        library.samples.record(
            Rendered(
                spec_id=planned.id,
                image_id=library.images.put(picture(number)),
                mask_id=library.images.put(mask()),
                facts=SampleFacts(
                    boxes=(BOX,),
                    homographies=(IDENTITY,),
                    scores={"seam": (COUNT - number) / 100, "halo": 0.1},
                ),
                score=float(number % 4),
                cluster=specs[number // 10].id,
            )
        )
    for number in range(8):
        verdict = Verdict.REJECT if number % 4 else Verdict.ACCEPT
        library.review.record(decision(specs[number].id, verdict, reviewer="ben" if number % 2 else "ann"))
    return [sample_spec.id for sample_spec in specs]


def found(library: Library, **fields: Any) -> list[int]:
    """The numbers of the samples that a filter finds, read in pages of four."""
    wanted = SampleFilter(**fields)
    rows: list[str] = []
    while page := library.samples.list(wanted, limit=4, after=rows[-1] if rows else None):
        rows += [row.id for row in page]
    order = {
        row.id: number
        for number, row in enumerate(library.samples.list(SampleFilter(order=SampleOrder.PLAN), limit=100))
    }
    return [order[sample_id] for sample_id in rows]


EVERY = list(range(COUNT))


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({}, EVERY[::-1]),
        ({"order": SampleOrder.PLAN}, EVERY),
        ({"order": SampleOrder.QUEUE}, sorted(EVERY, key=lambda n: (n % 4, n))),
        ({"order": SampleOrder.LOWEST, "score": "seam"}, EVERY[::-1]),
        ({"order": SampleOrder.HIGHEST, "score": "seam"}, EVERY),
        ({"label": "nut", "order": SampleOrder.PLAN}, EVERY[1::2]),
        ({"method": "text_to_image", "order": SampleOrder.PLAN}, EVERY[2::3]),
        ({"model": "sdxl", "order": SampleOrder.PLAN}, EVERY[20:]),
        ({"word": ("surface", "snow"), "order": SampleOrder.PLAN}, EVERY[1::3]),
        ({"score": "seam", "low": 0.05, "high": 0.1, "order": SampleOrder.PLAN}, EVERY[20:26]),
        ({"score": "seam", "low": 0.05, "high": 0.1, "order": SampleOrder.LOWEST}, EVERY[25:19:-1]),
        ({"review": "accepted", "order": SampleOrder.PLAN}, [0, 4]),
        ({"reviewer": "ben", "order": SampleOrder.PLAN}, [1, 3, 5, 7]),
        ({"reviewer": "ann", "review": "rejected"}, [6, 2]),
        ({"since": "2020-01-01", "until": "2020-02-01"}, []),
        ({"since": "2020-01-01", "label": "bolt", "model": "nano", "method": "inpaint"}, [18, 12, 6, 0]),
    ],
    ids=str,
)
def test_a_filter_finds_what_fits_in_the_order_that_is_asked_for(
    library: Library, ids: list[str], fields: dict[str, Any], expected: list[int]
) -> None:
    assert found(library, **fields) == expected
    assert library.samples.count(SampleFilter(**fields), most=100) == len(expected)
    assert library.samples.ids(SampleFilter(**fields), limit=100) == [ids[n] for n in expected]


def test_samples_that_look_alike_are_found_by_their_cluster(library: Library, ids: list[str]) -> None:
    assert found(library, cluster=ids[1], order=SampleOrder.PLAN) == EVERY[10:20]
    assert {row.cluster for row in library.samples.list(limit=100)} == set(ids[:3])


def test_groups_come_one_after_the_other_and_the_best_of_each_first(library: Library, ids: list[str]) -> None:
    alone = {ids[number]: ids[number] for number in range(10, 29)}
    library.samples.set_groups({**alone, ids[29]: ids[28]})
    library.auto_review.set_predictions({ids[9]: 0.9, ids[28]: 0.1})
    first, second = sorted([(ids[0], [9, 8]), (ids[28], [29, 28])], reverse=True)
    assert found(library, order=SampleOrder.GROUPS, review="pending") == first[1] + second[1]
    accepted = [ids[0], ids[4]]
    assert [
        row.id for row in library.samples.list(SampleFilter(order=SampleOrder.GROUPS, review="accepted"))
    ] == (accepted[::-1])


def test_a_sample_whose_near_duplicates_are_all_rejected_is_in_no_group(
    library: Library, ids: list[str]
) -> None:
    alone = {sample_id: sample_id for sample_id in ids}
    library.samples.set_groups({**alone, ids[20]: ids[1], ids[21]: ids[2], ids[22]: ids[2]})
    assert sorted(found(library, order=SampleOrder.GROUPS, review="pending")) == [21, 22]
    assert sorted(found(library, order=SampleOrder.GROUPS, review="rejected")) == [1, 2]


def test_the_helpers_promise_orders_samples_and_half_is_what_it_does_not_know(
    library: Library, ids: list[str]
) -> None:
    library.auto_review.set_predictions({ids[10]: 0.9, ids[11]: 0.2, ids[12]: 0.6})
    assert found(library, review="pending", order=SampleOrder.PREDICTED_ACCEPTANCE)[:3] == [10, 12, 29]
    assert found(library, review="pending", order=SampleOrder.PREDICTED_ACCEPTANCE)[-1] == 11
    assert found(library, review="pending", order=SampleOrder.UNCERTAINTY)[-3:] == [12, 11, 10]
    assert library.samples.get(ids[10]).predicted_acceptance == 0.9


def test_a_reviewer_is_given_what_a_filter_lets_through(library: Library, ids: list[str]) -> None:
    wanted = SampleFilter(review="accepted", label="nut", order=SampleOrder.PLAN)  # the state does not matter
    first = library.queue.take_next("ann", wanted=wanted, limit=3)
    assert [row.id for row in first] == [ids[9], ids[11], ids[13]]
    assert [row.id for row in library.queue.take_next("ben", wanted=wanted, limit=2)] == [ids[15], ids[17]]
    assert [row.id for row in library.queue.take_next("ann", wanted=wanted, after=ids[13], limit=1)] == [
        ids[19]
    ]


def test_choices_name_what_is_there(library: Library, ids: list[str]) -> None:
    assert library.samples.filter_choices() == {
        "models": ["nano", "sdxl"],
        "scores": ["halo", "seam"],
        "slots": ["surface"],
        "reviewers": ["ann", "ben"],
    }
    assert library.samples.slot_values("surface") == sorted(SURFACES)


def test_more_than_the_most_is_said_as_one_more(library: Library, ids: list[str]) -> None:
    assert library.samples.count(SampleFilter(), most=7) == 8


def test_a_range_without_a_score_and_a_page_behind_nothing_are_refused(
    library: Library, ids: list[str]
) -> None:
    with pytest.raises(InvalidRequest, match="need the name of a score"):
        SampleFilter(low=0.1)
    with pytest.raises(NotFound, match="gone"):
        library.samples.list(after="gone")


@contextmanager
def explained(library: Library) -> Iterator[list[str]]:
    """The steps of the plans of all that the database is asked meanwhile."""
    steps: list[str] = []

    def explain(connection: Any, cursor: Any, statement: str, parameters: Any, *_: Any) -> None:
        if statement.lstrip().upper().startswith(("SELECT", "UPDATE", "DELETE")):
            raw = connection.connection.cursor()
            raw.execute(f"EXPLAIN QUERY PLAN {statement}", parameters)
            steps.extend(row[3] for row in raw.fetchall())

    event.listen(library._database.engine, "before_cursor_execute", explain)
    try:
        yield steps
    finally:
        event.remove(library._database.engine, "before_cursor_execute", explain)


ORDERS = [
    {"order": order, **({"score": "seam"} if order in ("lowest", "highest") else {})} for order in SampleOrder
]
FILTERS: list[dict[str, Any]] = [
    {},
    {"review": "pending"},
    {"review": "pending", "label": "nut", "method": "text_to_image", "model": "nano"},
    {"review": "accepted", "word": ("surface", "snow"), "reviewer": "ann", "since": "2020-01-01"},
    {"score": "seam", "low": 0.02, "high": 0.2},
    {"cluster": "x", "review": "rejected"},
]
SMALL = ("review_policies", "counters", "gold_items", "queues", "helper_limits")  # a row each, or a few


def refused(steps: list[str]) -> list[str]:
    """Steps that read a whole table of samples or decisions, or sort."""
    return [
        step for step in steps
        if "TEMP B-TREE" in step
        or (step.startswith("SCAN") and not any(name in step for name in (*SMALL, "CONSTANT ROW", "anon_1")))
    ]  # fmt: skip


@pytest.mark.parametrize(("order", "fields"), list(product(ORDERS, FILTERS)), ids=str)
def test_every_page_and_every_queue_is_a_search_in_an_index(
    library: Library, ids: list[str], order: dict[str, Any], fields: dict[str, Any]
) -> None:
    wanted = SampleFilter(**{**fields, **order})
    with explained(library) as steps:
        library.samples.list(wanted, limit=4)
        library.samples.list(wanted, limit=4, after=ids[3])
        library.queue.take_next("ann", wanted=wanted, limit=4)
        library.queue.take_next("ann", wanted=wanted, limit=4, after=ids[3])
        library.samples.count(wanted, most=10)
    assert steps
    assert refused(steps) == []


def test_deciding_undoing_and_counting_are_searches_in_an_index(library: Library, ids: list[str]) -> None:
    with explained(library) as steps:
        library.review.record(decision(ids[10], client_id="1"))
        library.review.undo("ann")
        library.review.record(decision(ids[10], Verdict.UNDO, client_id="2"))
        library.queue.left_for("ann")
        library.counts()
        library.review.votes(ids[0])
        library.samples.get(ids[0])
        library.samples.filter_choices()
        library.samples.slot_values("surface")
    assert refused(steps) == []
