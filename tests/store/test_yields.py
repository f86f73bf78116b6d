from __future__ import annotations

from dataclasses import replace

from pipeline.domain.release import MethodYield
from pipeline.domain.review import Verdict
from pipeline.domain.spec import Method
from pipeline.store import Library
from tests.toy_library import add_subject, decision, render, spec


def test_a_yield_counts_what_was_rendered_accepted_and_rejected_by_method(library: Library) -> None:
    photo = add_subject(library, 1)
    inpainted = [spec(photo, seed=seed) for seed in range(4)]
    plain = spec(photo, seed=9, method=Method.TEXT_TO_IMAGE)
    library.plans.add("floors", "name: floors", [*inpainted, plain])
    for planned, seconds in zip(inpainted[:3], (0.5, 0.25, 4.0), strict=True):  # one stays planned
        render(library, planned, seconds=seconds)
    render(library, plain, seconds=2.0)
    library.review.record(decision(inpainted[0].id))
    library.review.record(decision(inpainted[1].id, Verdict.REJECT, reason="seam"))
    assert library.releases.yields() == [
        MethodYield(method="inpaint", model="nano", rendered=3, accepted=1, rejected=1, seconds=0.5),
        MethodYield(method="text_to_image", model="nano", rendered=1, accepted=0, rejected=0, seconds=2.0),
    ]


def test_a_library_without_samples_has_no_yields(library: Library) -> None:
    add_subject(library, 1)
    assert library.releases.yields() == []


def test_a_yield_tells_how_long_people_reviewed_its_samples(library: Library) -> None:
    photo = add_subject(library, 1)
    planned = [spec(photo, seed=seed) for seed in range(3)]
    library.plans.add("floors", "name: floors", planned)
    for number, each in enumerate(planned):
        render(library, each)
        via = "gate" if number == 2 else "key"  # a gate takes nobody's time
        at = f"2026-01-01T00:00:{10 * number:02d}+00:00"
        library.review.record(replace(decision(each.id, via=via), at=at))
    (inpainted,) = library.releases.yields()
    assert inpainted.review_seconds == 10.0
