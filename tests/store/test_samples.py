"""Plans, rendering and listing."""

from __future__ import annotations

import sqlite3
from contextlib import closing

import numpy as np
import pytest

from pipeline.domain.quality import GateFailure
from pipeline.domain.sample_facts import SampleFacts
from pipeline.domain.spec import Method
from pipeline.errors import InvalidRequest, NotFound
from pipeline.store import Library, Rendered, SampleFilter, SampleOrder
from pipeline.store.database import DATABASE_NAME
from tests.toy_library import BOX, IDENTITY, add_subject, filled, pending, render, spec


def test_a_plan_is_stored_once_and_waits_in_its_order(library: Library) -> None:
    photo = add_subject(library, 1)
    specs = [spec(photo, seed=seed) for seed in (5, 3, 9)]
    assert library.plans.add("floors", "name: floors", specs) == 3
    assert library.plans.add("floors", "name: floors", specs) == 0
    assert pending(library) == specs
    assert library.plans.missing([specs[2].id, "unknown"]) == [specs[2].id, "unknown"]
    assert library.plans.spec(specs[1].id) == specs[1]
    assert [(plan.name, plan.recipe_yaml, plan.specs) for plan in library.plans.list()] == [
        ("floors", "name: floors", 3)
    ]


def test_a_changed_plan_drops_only_what_was_never_rendered_and_nobody_else_wants(library: Library) -> None:
    photo = add_subject(library, 1)
    done, shared, dropped, new = (spec(photo, seed=seed) for seed in range(4))
    library.plans.add("floors", "v1", [done, shared, dropped])
    library.plans.add("walls", "v1", [shared])
    render(library, done)
    library.samples.record_failure(dropped.id, "out of memory")
    assert library.plans.add("floors", "v2", [new]) == 1
    assert pending(library) == [new, shared]
    assert pending(library, "floors") == [new]
    assert library.counts().samples["planned"] == 3
    assert library.samples.get(done.id).status == "rendered"
    assert library.verify() == []


def test_a_plan_over_an_unknown_photo_changes_nothing(library: Library) -> None:
    known = add_subject(library, 1)
    good = spec(known)
    library.plans.add("floors", "v1", [good])
    elsewhere = spec(type(known)(**{**_fields(known), "id": "gone"}), seed=1)
    with pytest.raises(NotFound, match="no photo 'gone'"):
        library.plans.add("floors", "v2", [spec(known, seed=2), elsewhere])
    assert pending(library) == [good]
    assert library.plans.list()[0].recipe_yaml == "v1"


def test_a_sample_never_mixes_photos_of_two_splits(library: Library) -> None:
    both = spec(add_subject(library, 1), add_subject(library, 2, split="test"))
    with pytest.raises(InvalidRequest, match="mixes photos of the splits test and train"):
        library.plans.add("floors", "v1", [both])
    assert library.counts().samples["planned"] == 0


def test_a_rendered_sample_comes_back_whole(library: Library) -> None:
    photo = add_subject(library, 1, split="test")
    planned = spec(photo, seed=7, method=Method.CONTROLNET)
    library.plans.add("floors", "v1", [planned])
    rendered = Rendered(
        spec_id=planned.id,
        image_id="a1",
        mask_id="b2",
        facts=SampleFacts(
            boxes=(BOX,),
            homographies=(IDENTITY,),
            visible=(0.75,),
            scores={"seam": 0.41, "nothing": float("nan")},
            failed_gates=(GateFailure("seam", 0.41, 0.3),),
            descriptor=np.array([0.5, -1.0], np.float32),
            timings={"total": 1.5},
            exact=True,
        ),
    )
    assert library.samples.record(rendered) is True
    assert library.samples.record(rendered) is False
    row = library.samples.get(planned.id)
    assert (row.spec, row.status, row.review, row.split, row.plan) == (
        planned,
        "rendered",
        "pending",
        "test",
        "floors",
    )
    assert (row.image_id, row.mask_id, row.boxes, row.homographies) == ("a1", "b2", (BOX,), (IDENTITY,))
    assert (row.visible, row.scores, row.failed_gates) == (
        (0.75,),
        {"seam": 0.41},
        (GateFailure("seam", 0.41, 0.3),),
    )
    assert (row.descriptor, row.timings, row.exact) == (
        np.array([0.5, -1.0], "<f4").tobytes(),
        {"total": 1.5},
        True,
    )
    assert library.counts().samples == {
        "planned": 1, "rendered": 1, "pending": 1, "accepted": 0, "rejected": 0, "disputed": 0,
            "failed": 0,
    }  # fmt: skip


def test_failed_gates_of_an_earlier_version_are_read_as_values(library: Library) -> None:
    planned = spec(add_subject(library, 1))
    library.plans.add("floors", "v1", [planned])
    render(library, planned)
    with closing(sqlite3.connect(library.path / DATABASE_NAME)) as database, database:
        database.execute(
            """update samples set failed_gates = '["seam 0.81, limit 0.75", "halo 1.00, limit 0.35"]'"""
        )
    assert library.samples.get(planned.id).failed_gates == (
        GateFailure("seam", 0.81, 0.75),
        GateFailure("halo", 1.0, 0.35),
    )


def test_a_failure_is_kept_until_the_next_try_succeeds(library: Library) -> None:
    planned = spec(add_subject(library, 1))
    library.plans.add("floors", "v1", [planned])
    library.samples.record_failure(planned.id, "out of memory")
    assert library.samples.failures() == [(planned.id, "out of memory")]
    assert (library.samples.get(planned.id).status, library.counts().samples["failed"]) == ("failed", 1)
    assert pending(library) == [planned]
    render(library, planned)
    library.samples.record_failure(planned.id, "too late")
    assert library.samples.failures() == []
    assert library.samples.get(planned.id).status == "rendered"
    assert library.verify() == []


def test_samples_are_paged_without_gap_or_repeat_in_every_order(library: Library) -> None:
    ids = filled(library, samples=7)
    for order, expected in (
        (SampleOrder.PLAN, ids),
        (SampleOrder.QUEUE, ids),
        (SampleOrder.NEWEST, ids[::-1]),
    ):
        seen: list[str] = []
        while page := library.samples.list(
            SampleFilter(order=order), limit=3, after=seen[-1] if seen else None
        ):
            seen += [row.id for row in page]
        assert seen == expected


def test_samples_are_found_by_label_method_and_review(library: Library) -> None:
    bolt, gear = add_subject(library, 1), add_subject(library, 2, label="gear")
    specs = [
        spec(bolt, seed=1),
        spec(gear, seed=2),
        spec(bolt, seed=3, method=Method.TEXT_TO_IMAGE),
        spec(bolt, seed=4),
    ]
    library.plans.add("floors", "v1", specs)
    for sample_spec in specs[:3]:
        render(library, sample_spec)
    assert {row.id for row in library.samples.list()} == {sample_spec.id for sample_spec in specs[:3]}
    assert [row.id for row in library.samples.list(SampleFilter(label="gear"))] == [specs[1].id]
    assert [row.id for row in library.samples.list(SampleFilter(method=Method.TEXT_TO_IMAGE))] == [
        specs[2].id
    ]
    assert library.samples.list(SampleFilter(review="accepted")) == []


@pytest.mark.parametrize(
    "query",
    [
        "SELECT id FROM samples WHERE state = 'pending' AND (score, seq) > (0, 5) ORDER BY score, seq",
        "SELECT id FROM samples WHERE state = 'planned' ORDER BY seq LIMIT 30",
        "SELECT id FROM samples WHERE label = 'bolt' AND state = 'accepted' ORDER BY seq DESC LIMIT 30",
        "SELECT id FROM samples WHERE id = 'x'",
        "SELECT seq FROM decisions WHERE client_id = 'x'",
        "SELECT seq FROM decisions WHERE sample_id = 'x' ORDER BY seq",
    ],
)
def test_the_queries_of_review_are_index_searches(library: Library, query: str) -> None:
    with sqlite3.connect(library.path / "backlot.sqlite") as database:
        steps = [row[3] for row in database.execute(f"EXPLAIN QUERY PLAN {query}")]
    assert len(steps) == 1
    assert steps[0].startswith("SEARCH ")


def _fields(row: object) -> dict[str, object]:
    return {name: getattr(row, name) for name in row.__slots__}
