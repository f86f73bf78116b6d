"""A plan is stored part by part: what was stored before stays until another spec comes in its place."""

from __future__ import annotations

import pytest

from pipeline.errors import NotFound
from pipeline.store import Library
from tests.toy_library import add_subject, pending, render, spec


def members(library: Library) -> list[str]:
    return [member.id for member, _ in library.plans.members("floors")]


def test_a_plan_that_is_stored_again_up_to_a_point_loses_nothing(library: Library) -> None:
    photo = add_subject(library, 1)
    specs = [spec(photo, seed=seed) for seed in range(6)]
    library.plans.add("floors", "v1", specs)
    render(library, specs[4])
    writer = library.plans.writer("floors", "v1", total=8)
    writer.add(specs[:2])
    assert members(library) == [each.id for each in specs]  # as after an interruption here
    writer.add([*specs[2:], spec(photo, seed=6)])
    assert (writer.length, writer.replaces) == (7, False)
    writer.close()
    assert len(members(library)) == 7
    assert library.plans.get("floors").specs == 7
    assert library.verify() == []


def test_another_plan_of_the_name_replaces_the_stored_one_from_the_first_difference(library: Library) -> None:
    photo = add_subject(library, 1)
    specs = [spec(photo, seed=seed) for seed in range(6)]
    library.plans.add("floors", "v1", specs)
    render(library, specs[5])
    writer = library.plans.writer("floors", "v2", total=3)
    writer.add([specs[0], specs[3]])
    assert members(library) == [specs[0].id, specs[3].id]
    assert writer.replaces
    writer.add([specs[3], specs[1]])  # one of them is in the plan already
    writer.close()
    assert members(library) == [specs[0].id, specs[3].id, specs[1].id]
    assert [each.id for each in pending(library)] == members(library)
    assert library.counts().samples["planned"] == 4  # the rendered one stays
    assert library.verify() == []


def test_a_dropped_plan_that_is_stored_again_keeps_its_later_images_meanwhile(library: Library) -> None:
    photo = add_subject(library, 1)
    specs = [spec(photo, seed=seed) for seed in range(6)]
    library.plans.add("floors", "v1", specs)
    for rendered in (specs[1], specs[4]):
        render(library, rendered)
    library.plans.drop("floors")
    writer = library.plans.writer("floors", "v1", total=6)
    writer.add(specs[:3])
    assert members(library) == [each.id for each in (*specs[:3], specs[4])]  # as after an interruption here
    assert not writer.replaces
    writer.add(specs[3:])
    writer.close()
    assert members(library) == [each.id for each in specs]
    assert library.verify() == []


def test_a_part_over_an_unknown_photo_is_not_stored_and_those_before_it_are(library: Library) -> None:
    known, gone = add_subject(library, 1), add_subject(library, 2)
    library.photos.delete([gone.id])
    writer = library.plans.writer("floors", "v1", total=2)
    writer.add([spec(known)])
    with pytest.raises(NotFound):
        writer.add([spec(known, seed=1), spec(gone, seed=2)])
    assert members(library) == [spec(known).id]
    assert library.verify() == []


def test_a_dropped_plan_keeps_its_images_and_their_places(library: Library) -> None:
    photo = add_subject(library, 1)
    specs = [spec(photo, seed=seed) for seed in range(5)]
    library.plans.add("floors", "v1", specs)
    library.plans.add("walls", "v1", specs[:1])
    for rendered in (specs[1], specs[3]):
        render(library, rendered)
    library.samples.record_failure(specs[2].id, "out of memory")
    assert library.plans.drop("floors") == 3
    stored = library.plans.stored("floors", head=10, count=10)
    assert stored is not None
    assert (dict(stored.head), stored.rendered) == ({1: specs[1], 3: specs[3]}, 2)
    assert pending(library) == specs[:1]  # another plan has it
    assert [row.spec for row in library.plans.rendered("floors", limit=9)] == [specs[3], specs[1]]
    assert library.plans.get("floors").specs == 2
    assert library.counts().samples["failed"] == 0
    assert library.verify() == []
    library.plans.add("floors", "v1", specs)
    assert members(library) == [each.id for each in specs]
    with pytest.raises(NotFound, match="no plan 'roofs'"):
        library.plans.drop("roofs")
