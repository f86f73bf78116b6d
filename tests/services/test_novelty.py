"""Samples that differ least are replaced, up to the budget; a run that was stopped goes on where it was."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from pipeline.domain.images import encode_webp
from pipeline.domain.quality import GateFailure
from pipeline.domain.recipe import parse_recipe
from pipeline.domain.review import GATE, NOVELTY_REVIEWER, Policy, Verdict
from pipeline.errors import Cancelled, InvalidRequest
from pipeline.services.file_access import FileAccess
from pipeline.services.plans.planning import Overrides, preview_plan, recipe_of
from pipeline.services.plans.refill import is_replacing, refill_name, replacing_plan
from pipeline.services.samples.embeddings import SampleEmbeddings
from pipeline.services.samples.service import SampleService
from pipeline.store import Library, PlanMember, SampleState
from tests.toy_embedder import use_grey_angles
from tests.toy_library import add_subject, decision

GREYS = (10, 12, 14, 16, 128, 250)  # of the backgrounds: most of them look alike
RECIPE = """
name: toy
count: 12
method: paste
size: 32
backdrops: {folder: FOLDER}
placement: {scale: [0.1, 0.2]}
"""


@pytest.fixture
def library(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Library]:
    use_grey_angles(monkeypatch)
    monkeypatch.setattr("pipeline.rendering.runner.gates_failed", lambda _scores: ())  # plain images pass
    with Library.open(tmp_path / "library", create=True) as opened:
        for number in range(4):
            add_subject(opened, number, label=("bolt", "gear")[number % 2])
        yield opened


def recipe_over(library: Library, novelty: str = "{budget: 0.5}") -> str:
    folder = library.path.parent / "backgrounds"
    folder.mkdir(exist_ok=True)
    for grey in GREYS:
        (folder / f"{grey}.webp").write_bytes(encode_webp(np.full((32, 32, 3), grey, np.uint8)))
    return RECIPE.replace("FOLDER", str(folder)) + f"novelty: {novelty}\n"


def generate(library: Library, *, stop_after: int | None = None, **changes: object) -> list[int]:
    """Render; the numbers of images that were planned, rendered, there before and put in the place of others."""
    done: list[int] = []
    service = SampleService(library, FileAccess(), batch_size=2)
    report = service.generate(
        recipe_over(library),
        Overrides(**changes),  # type: ignore[arg-type]
        on_progress=lambda count, _total, _id: done.append(count),
        cancelled=lambda: stop_after is not None and len(done) >= stop_after,
    )
    return [report.planned, report.rendered, report.already, report.replaced]


def members(library: Library, plan: str) -> list[PlanMember]:
    return list(library.plans.outcomes(plan))


def state_of(library: Library) -> list[tuple[str, bool]]:
    """(id, whether it was replaced) of the samples of the plan, and of those that replace others of it."""
    return [
        (member.spec.id, member.replaced)
        for member in (*members(library, "toy"), *members(library, replacing_plan(library, "toy")))
    ]


def test_without_a_budget_nothing_is_replaced_and_nothing_is_compared(library: Library) -> None:
    recipe = recipe_over(library, "false")
    report = SampleService(library, FileAccess(), batch_size=2).generate(recipe)
    assert (report.planned, report.replaced) == (12, 0)
    assert [plan.name for plan in library.plans.list()] == ["toy"]
    assert library.embeddings.count("grey angle") == 0


def test_as_many_samples_as_the_budget_allows_are_replaced_in_their_class(library: Library) -> None:
    assert generate(library) == [18, 18, 0, 6]
    planned, replacing = members(library, "toy"), members(library, "toy, novelty")
    kept = [member for member in (*planned, *replacing) if not member.replaced]
    for label in ("bolt", "gear"):
        assert sum(member.spec.label == label for member in replacing) == 3
        assert sum(member.spec.label == label for member in kept) == 6
    rejected = [member for member in (*planned, *replacing) if member.replaced]
    assert {member.state for member in rejected} == {SampleState.REJECTED}
    reasons = {library.review.decisions(member.spec.id)[-1].comment for member in rejected}
    assert all(reason.startswith(("Too similar to ", "Adds little: ")) for reason in reasons)
    assert all("of its class and method" in reason for reason in reasons if "Adds little" in reason)
    assert parse_recipe(library.plans.list()[1].recipe_yaml).name == "toy, novelty"


def test_what_is_left_is_more_varied(library: Library) -> None:
    generate(library)
    planned, replacing = members(library, "toy"), members(library, "toy, novelty")

    def spread(samples: list[PlanMember]) -> float:
        images = [
            library.images.read(member.image_id)[..., :3].mean() for member in samples if member.image_id
        ]
        return float(np.std(images))

    assert spread([member for member in (*planned, *replacing) if not member.replaced]) > spread(planned)


def test_the_same_command_finds_nothing_left_to_do(library: Library) -> None:
    generate(library)
    before = state_of(library)
    assert generate(library) == [18, 0, 18, 6]
    assert state_of(library) == before


@pytest.mark.parametrize("stop_after", [4, 12, 14, 16])
def test_a_stopped_run_ends_as_one_that_was_not(library: Library, tmp_path: Path, stop_after: int) -> None:
    with pytest.raises(Cancelled):
        generate(library, stop_after=stop_after)
    assert generate(library)[0] == 18
    with Library.open(tmp_path / "other" / "library", create=True) as other:
        for number in range(4):
            add_subject(other, number, label=("bolt", "gear")[number % 2])
        generate(other)
        assert state_of(other) == state_of(library)


def test_a_larger_count_goes_on(library: Library) -> None:
    generate(library)
    first = {sample_id for sample_id, _ in state_of(library)}
    assert generate(library, count=16) == [24, 6, 18, 8]
    assert first < {sample_id for sample_id, _ in state_of(library)}


def test_what_people_accepted_stays_and_what_they_rejected_is_not_replaced(library: Library) -> None:
    SampleService(library, FileAccess(), batch_size=2).generate(recipe_over(library, "false"))
    planned = members(library, "toy")
    for member in planned[:10]:
        library.review.record(decision(member.spec.id))
    library.review.record(decision(planned[10].spec.id, Verdict.REJECT))
    generate(library)
    states = [member.state for member in members(library, "toy")]
    assert states[:10] == [SampleState.ACCEPTED] * 10
    replacing = [member.spec.label for member in members(library, "toy, novelty")]
    assert planned[10].spec.label not in replacing  # all of its class are decided


def test_a_refill_takes_replacements_for_what_they_replace(library: Library) -> None:
    generate(library)
    (kept, *_) = [member for member in members(library, "toy, novelty") if not member.replaced]
    library.review.record(decision(kept.spec.id, Verdict.REJECT))
    service = SampleService(library, FileAccess(), batch_size=2)
    report = service.generate(recipe_over(library), Overrides(refill=True))
    assert (report.planned, report.rendered, report.replaced) == (1, 1, 0)
    assert [member.spec.label for member in members(library, "toy, refill")] == [kept.spec.label]


def test_images_that_another_recipe_has_already_go_first(
    library: Library, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tests.services.test_novelty.GREYS", range(10, 250, 28))
    service = SampleService(library, FileAccess(), batch_size=2)
    one_class = recipe_over(library).replace("count: 12", "classes: {bolt: 6}")
    first = one_class.replace("novelty: {budget: 0.5}", "novelty: false").replace("name: toy", "name: first")
    service.generate(first, Overrides(seed=5))
    SampleEmbeddings(library).embed_missing(64)
    service.generate(one_class)
    comments = [
        library.review.decisions(member.spec.id)[-1].comment
        for member in (*members(library, "toy"), *members(library, "toy, novelty"))
        if member.replaced
    ]
    assert "Too similar to an image of another recipe" in comments
    assert not [member for member in members(library, "first") if member.replaced]


def test_images_of_other_plans_wait_for_their_embeddings(library: Library) -> None:
    SampleService(library, FileAccess(), batch_size=2).generate(
        recipe_over(library, "false").replace("name: toy", "name: first\nseed: 5")
    )
    generate(library)
    own, others = (
        {member.image_id for name in names for member in members(library, name) if member.image_id}
        for names in (("toy", "toy, novelty"), ("first",))
    )
    assert others - own
    assert set(library.embeddings.of("grey angle", own | others)) == own


def test_another_plan_of_the_same_name_has_replacements_of_its_own(library: Library) -> None:
    generate(library)
    earlier = {sample_id for sample_id, _ in state_of(library)}
    recipe = recipe_of(recipe_over(library))
    assert preview_plan(library, recipe, Overrides(), FileAccess()).further == 0
    assert preview_plan(library, recipe, Overrides(seed=2), FileAccess()).further == 6
    assert generate(library, seed=2) == [18, 18, 0, 6]
    assert not earlier & {sample_id for sample_id, _ in state_of(library)}
    assert generate(library, seed=2) == [18, 0, 18, 6]


def test_another_plan_and_back_finds_the_replacements_that_were_drawn_before(library: Library) -> None:
    generate(library)
    first = state_of(library)
    generate(library, seed=2)
    second = state_of(library)
    (name,) = [plan.name for plan in library.plans.list() if plan.name.startswith("toy, novelty ")]
    assert name == f"toy, novelty {members(library, 'toy')[0].spec.id[:8]}"
    assert is_replacing(name, "toy")
    assert not is_replacing("toy, refill", "toy")
    assert generate(library) == [18, 0, 18, 6]
    assert state_of(library) == first
    assert generate(library, seed=2) == [18, 0, 18, 6]
    assert state_of(library) == second
    assert len(library.plans.list()) == 3


def test_a_refill_of_another_plan_and_back_finds_what_it_drew_before(library: Library) -> None:
    text = recipe_over(library, "false")
    service = SampleService(library, FileAccess(), batch_size=2)
    refills = []
    for seed in (0, 2):
        service.generate(text, Overrides(seed=seed))
        library.review.record(decision(members(library, "toy")[0].spec.id, Verdict.REJECT))
        assert service.generate(text, Overrides(refill=True)).rendered == 1
        refills.append(refill_name(library, "toy"))
    assert refills == ["toy, refill", f"toy, refill {members(library, 'toy')[0].spec.id[:8]}"]
    service.generate(text, Overrides(seed=0))
    with pytest.raises(InvalidRequest, match="nothing is missing of 'toy'"):
        service.generate(text, Overrides(refill=True))
    library.review.record(decision(members(library, "toy")[1].spec.id, Verdict.REJECT))
    assert service.generate(text, Overrides(refill=True)).planned == 2
    assert len(members(library, "toy, refill")) == 2


def lose_first(library: Library) -> None:
    """Drop the first spec of the plan, as if its image could not be rendered."""
    first = members(library, "toy")[0].spec
    library.images.path(library.samples.get(first.id).image_id or "").unlink()
    library.samples.plan_broken_again([first.id])
    assert library.plans.drop("toy") == 1


def test_a_plan_without_its_first_spec_does_not_take_over_the_refill_of_another(library: Library) -> None:
    text = recipe_over(library, "false")
    service = SampleService(library, FileAccess(), batch_size=2)
    service.generate(text, Overrides(seed=0))
    library.review.record(decision(members(library, "toy")[0].spec.id, Verdict.REJECT))
    service.generate(text, Overrides(refill=True))
    service.generate(text, Overrides(seed=2))
    lose_first(library)
    name = f"toy, refill {members(library, 'toy')[0].spec.id[:8]}"
    assert refill_name(library, "toy") == name
    earlier = members(library, "toy, refill")
    library.review.record(decision(members(library, "toy")[0].spec.id, Verdict.REJECT))
    assert service.generate(text, Overrides(refill=True)).planned == 1
    assert members(library, "toy, refill") == earlier
    assert len(members(library, name)) == 1
    assert refill_name(library, "toy") == name


def test_a_plan_without_images_does_not_take_over_the_refill_of_another(library: Library) -> None:
    text = recipe_over(library, "false")
    service = SampleService(library, FileAccess(), batch_size=2)
    service.generate(text, Overrides(seed=0))
    library.review.record(decision(members(library, "toy")[0].spec.id, Verdict.REJECT))
    service.generate(text, Overrides(refill=True))
    refilled = members(library, "toy, refill")[0].spec
    library.images.path(library.samples.get(refilled.id).image_id or "").unlink()
    library.samples.plan_broken_again([refilled.id])
    stored = library.plans.get("toy, refill")
    library.plans.add("toy", text, [replace(member.spec, seed=2) for member in members(library, "toy")])
    with pytest.raises(InvalidRequest, match="'toy' has no images in this library yet; generate it first"):
        service.generate(text, Overrides(refill=True))
    assert library.plans.get("toy, refill") == stored
    assert refill_name(library, "toy") == f"toy, refill {members(library, 'toy')[0].spec.id[:8]}"


def test_a_plan_that_lost_its_first_spec_keeps_its_own_refill(library: Library) -> None:
    text = recipe_over(library, "false")
    service = SampleService(library, FileAccess(), batch_size=2)
    for seed in (0, 2):
        service.generate(text, Overrides(seed=seed))
        library.review.record(decision(members(library, "toy")[1].spec.id, Verdict.REJECT))
        lose_first(library)
        service.generate(text, Overrides(refill=True))
    name = refill_name(library, "toy")
    assert name.startswith("toy, refill ")
    service.generate(text, Overrides(seed=2))
    assert refill_name(library, "toy") == name
    service.generate(text, Overrides(seed=0))
    assert refill_name(library, "toy") == "toy, refill"


def test_a_note_of_an_earlier_version_on_a_spec_that_was_dropped_is_still_followed(library: Library) -> None:
    generate(library)
    first, replacing = members(library, "toy")[0].spec, library.plans.get("toy, novelty")
    note = replacing.recipe_yaml.replace("# for the plan with", "# for the plan that begins with")
    specs = [member.spec for member in members(library, "toy, novelty")]
    library.plans.add("toy, novelty", note, specs)
    assert replacing_plan(library, "toy") == "toy, novelty"
    unknown = note.replace(first.id, "0" * len(first.id))
    library.plans.add("toy, novelty", unknown, specs)
    assert replacing_plan(library, "toy") == ""
    lose_first(library)
    assert replacing_plan(library, "toy") == "toy, novelty"


def test_a_refill_does_not_count_replacements_of_an_earlier_plan(library: Library) -> None:
    generate(library)
    text = recipe_over(library, "false")
    service = SampleService(library, FileAccess(), batch_size=2)
    service.generate(text, Overrides(seed=2))
    library.review.record(decision(members(library, "toy")[0].spec.id, Verdict.REJECT))
    assert service.generate(text, Overrides(seed=2, refill=True)).planned == 1


def test_replacements_of_an_earlier_version_go_on(library: Library) -> None:
    generate(library)
    replacing = library.plans.get("toy, novelty")
    note, plain = replacing.recipe_yaml.split("\n", 1)
    assert note == f"# for the plan with {members(library, 'toy')[0].spec.id}"
    specs = [member.spec for member in members(library, "toy, novelty")]
    library.plans.add("toy, novelty", plain, specs)
    assert generate(library) == [18, 0, 18, 6]


def test_a_run_that_was_stopped_while_it_replaced_is_resumed_from_the_list(library: Library) -> None:
    with pytest.raises(Cancelled):
        generate(library, stop_after=27, count=24)
    runs = SampleService(library, FileAccess(), batch_size=2).runs
    listed = [(run.name, str(run.state), run.left) for run in runs.listed()]
    assert listed == [("toy, novelty", "paused", 2), ("toy", "done", 0)]
    runs.resume("toy, novelty")
    runs.wait(300)
    assert (runs.progress.recipe, str(runs.progress.state), runs.progress.done) == ("toy", "done", 36)
    assert generate(library, count=24) == [36, 0, 36, 12]


def test_near_duplicates_that_the_quality_gates_rejected_are_not_replaced(library: Library) -> None:
    SampleService(library, FileAccess(), batch_size=2).generate(recipe_over(library, "false"))
    by_gates = [member.spec.id for member in members(library, "toy")[:2]]
    for sample_id in by_gates:
        library.review.record(
            decision(sample_id, Verdict.REJECT, reviewer="gate", via="gate", reason="duplicate")
        )
    generate(library)
    rejected = [sample_id for sample_id, replaced in state_of(library) if replaced]
    assert len(rejected) == 6  # the whole budget
    assert not set(by_gates) & set(rejected)


def test_an_image_of_the_same_plan_that_fails_the_gates_is_not_one_of_another_recipe(
    library: Library,
) -> None:
    SampleService(library, FileAccess(), batch_size=2).generate(recipe_over(library, "false"))
    SampleEmbeddings(library).embed_missing(64)
    groups = Counter(member.group for member in members(library, "toy"))
    first_of_many = [group for group, number in groups.items() if group and number > 1]
    assert len(first_of_many) == 2  # one of each class
    for sample_id in first_of_many:
        library.samples.add_measures(sample_id, {}, [GateFailure("seam", 0.9, 0.5)], score=0.0)
    generate(library)
    comments = [
        library.review.decisions(sample_id)[-1].comment
        for sample_id, replaced in state_of(library)
        if replaced
    ]
    assert len(comments) == 6
    assert "Too similar to an image of another recipe" not in comments


def test_the_last_choice_takes_earlier_rejections_back(library: Library) -> None:
    generate(library)
    before = state_of(library)
    bolts = [
        member
        for member in (*members(library, "toy"), *members(library, "toy, novelty"))
        if member.spec.label == "bolt"
    ]
    kept = next(member.spec.id for member in bolts if not member.replaced)
    replaced = next(member.spec.id for member in bolts if member.replaced)
    by_gate = {"reviewer": NOVELTY_REVIEWER, "via": GATE}
    library.review.record(decision(kept, Verdict.REJECT, reason="duplicate", **by_gate))
    library.review.record(decision(replaced, Verdict.UNDO, **by_gate))
    assert state_of(library) != before
    assert generate(library) == [18, 0, 18, 6]
    assert state_of(library) == before
    assert library.samples.get(kept).state is SampleState.PENDING
    last = library.review.last_event()
    generate(library)
    assert library.review.last_event() == last


def test_what_somebody_voted_on_is_left_alone_before_it_is_decided(library: Library) -> None:
    library.review.set_policy(Policy(overlap=2))
    SampleService(library, FileAccess(), batch_size=2).generate(recipe_over(library, "false"))
    voted = [member.spec.id for member in members(library, "toy")]
    for sample_id in voted:
        library.review.record(decision(sample_id))
    generate(library)
    assert members(library, "toy, novelty") == []
    assert {each.reviewer for each in library.review.decisions()} == {decision(voted[0]).reviewer}


def test_a_rejection_that_a_person_confirms_is_not_made_up_for_again(library: Library) -> None:
    generate(library)
    before = state_of(library)
    for sample_id, is_replaced in before:
        if is_replaced:
            library.review.record(decision(sample_id, Verdict.REJECT))
    last = library.review.last_event()
    assert generate(library) == [18, 0, 18, 6]
    assert (state_of(library), library.review.last_event()) == (before, last)


def test_nothing_is_chosen_where_people_decided_on_everything(library: Library) -> None:
    generate(library)
    for sample_id, _ in state_of(library):
        library.review.record(decision(sample_id, Verdict.REJECT))
    assert generate(library) == [18, 0, 18, 6]


def test_what_was_taken_back_and_fails_a_quality_gate_is_not_replaced(library: Library) -> None:
    generate(library)
    sample_id = next(each for each, is_replaced in state_of(library) if is_replaced)
    library.review.record(decision(sample_id, Verdict.UNDO, reviewer=NOVELTY_REVIEWER, via=GATE))
    by_gate = decision(sample_id, Verdict.REJECT, reviewer="gate", via="gate", reason="duplicate")
    library.review.record(by_gate)
    assert dict(state_of(library))[sample_id] is False
