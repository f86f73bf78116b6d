"""A library that is lost is made anew from its state folder: same pictures, same decisions in the same order."""

from __future__ import annotations

import random
import shutil
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from unittest.mock import Mock

import numpy as np
import pytest

from pipeline.domain.review import Policy, Rule, Verdict
from pipeline.errors import LibraryUnusable, NotAllowed
from pipeline.store import AutoReviewLimits, Library, SampleFilter, SampleOrder, schema
from pipeline.store.replica import journal
from pipeline.store.replica.folder import ReplicaFolder
from pipeline.store.replica.restore import Restored
from tests.toy_distractors import add_sample_with_distractors
from tests.toy_library import BOX, add_subject, decision, die, filled, render, replica_of, spec

ROOT = Path(__file__).parents[2]
NEVER_S = 1e6  # the copying thread does not wake up
PEOPLE = ("ann", "ben", "cy")


class Site:
    """A library on a disk that may be lost, and a state folder that stays."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.state = folder / "state"
        self.starts = 0
        self.restored = Restored()

    def start(self, *, every_s: float = NEVER_S) -> Library:
        """Start on the library that is there, or on a new one."""
        library = Library.open(self.folder / f"library-{self.starts}", create=True)
        self.restored = library.replicate_to(ReplicaFolder(self.state), every_s=every_s)
        return library

    def lose_library(self) -> None:
        """The next start finds an empty disk."""
        shutil.rmtree(self.folder / f"library-{self.starts}", ignore_errors=True)
        self.starts += 1

    def lines(self) -> list[str]:
        """All lines of all event files."""
        return [
            line
            for path in sorted(self.state.glob("events-*.jsonl"))
            for line in path.read_text(encoding="utf-8").splitlines()
        ]


@pytest.fixture
def site(tmp_path: Path) -> Site:
    return Site(tmp_path)


def looked_at(library: Library) -> dict[str, object]:
    """All that a person can see of a library."""
    rows = library.samples.list(SampleFilter(order=SampleOrder.PLAN), limit=1000)
    return {
        "subjects": library.photos.list(),
        "samples": [replace(row, predicted_acceptance=0.5) for row in rows],
        "queue": [row.id for row in library.queue.next_pending(limit=1000)],
        "decisions": library.review.decisions(),
        "events": [replace(row, seq=0) for row in library.review.decision_rows()],
        "votes": library.review.votes(),
        "counts": library.counts(),
        "policy": library.review.policy(),
        "queues": library.queue.saved(),
        "refusals": library.photos.refusals(),
        "plans": library.plans.list(),
        "gold": (library.gold.count(), library.gold.results()),
        "limits": library.auto_review.limits(),
        "checks": library.auto_review.checks(),
        "words": library.samples.slot_values("surface"),
        "facts": library.review.facts(),
    }


def pixels(library: Library) -> dict[str, bytes]:
    """Picture id → file, of everything that rows name."""
    rows = library.samples.list(SampleFilter(), limit=1000)
    ids = {blob for row in rows for blob in (row.image_id, row.mask_id)}
    ids |= {
        blob for photo in library.photos.list() for blob in (photo.image_id, photo.cutout_id, photo.mask_id)
    }
    return {blob: library.images.read_bytes(blob) for blob in ids if blob}


def test_a_lost_library_comes_back_with_the_same_ids_states_and_pixels(site: Site) -> None:
    with site.start() as library:
        first, second, third, fourth = filled(library)
        library.review.record(decision(first, client_id="1"))
        library.review.record(decision(second, Verdict.REJECT, reason="seam", client_id="2"))
        library.review.undo("ann", client_id="3")
        library.review.record_all([decision(third, Verdict.FLAG), decision(fourth, Verdict.SKIP)])
        library.review.record(decision(fourth, via="gate", reviewer="gate"))
        library.photos.set_excluded(library.photos.list()[1].id, True)
        library.photos.record_refusal("toy", "broken.png", "no picture")
        library.queue.save("mine", {"state": "pending"}, made_by="ann")
        library.queue.save("gone", {}, made_by="ann")
        library.queue.remove("gone")
        library.gold.add([first], made_by="ann")
        library.gold.add_photos(1, made_by="ann")
        gold = library.gold.next_for("ben", 2)
        library.gold.answer(
            gold[0].id, reviewer="ben", verdict="accept", reason=None, via="key", client_id="g1"
        )
        library.auto_review.set_limits(AutoReviewLimits(accept_from=0.9), set_by="ann")
        library.auto_review.leave_to_people(third, "accept", 0.95)
        before, seen = looked_at(library), pixels(library)
    site.lose_library()
    with site.start() as library:
        assert (site.restored.photos, site.restored.samples, site.restored.decisions) == (2, 4, 6)
        assert (site.restored.lost, site.restored.left_out, site.restored.damaged) == ((), 0, ())
        assert looked_at(library) == before
        assert pixels(library) == seen
        assert library.verify() == []
        assert [photo.box for photo in library.photos.list()] == [BOX, BOX]


def test_what_stands_behind_an_object_comes_back(site: Site) -> None:
    with site.start() as library:
        spec = add_sample_with_distractors(library)
        before = library.samples.get(spec.id).distractors
    site.lose_library()
    with site.start() as library:
        row = library.samples.get(spec.id)
        assert (row.spec, row.distractors) == (spec, before)
        assert len(before) == 2
        assert library.photos.used_ids() == set(spec.photo_ids)
        assert library.verify() == []


def test_plans_come_back_with_their_images_in_order(site: Site) -> None:
    with site.start() as library:
        photo = add_subject(library, 1)
        specs = [spec(photo, seed=seed) for seed in range(8)]
        library.plans.add("walls", "name: walls", specs[6:])  # another plan takes their place below
        for each in specs[6:]:
            render(library, each)
        for name, members in (("floors", specs[:3]), ("floors, novelty", specs[3:5]), ("walls", specs[5:6])):
            request = {"recipe": name}
            writer = library.plans.writer(name, f"name: {name}", total=len(members), request=request)
            writer.add(members)
            writer.close()
        for each in (specs[2], specs[0], specs[4], specs[3], specs[5]):  # the run of the floors is paused
            render(library, each)
    site.lose_library()
    with site.start() as library:
        kept = {
            name: [each.id for each, _ in library.plans.members(name)]
            for name in ("floors", "floors, novelty", "walls")
        }
        assert kept == {
            "floors": [specs[0].id, specs[2].id],
            "floors, novelty": [specs[3].id, specs[4].id],
            "walls": [specs[5].id],
        }
        progress = {
            each.plan.name: (each.rendered, each.plan.specs) for each in library.plans.progress(most=9)
        }
        assert progress == {"floors": (2, 3), "floors, novelty": (2, 2), "walls": (1, 1)}
        assert library.verify() == []


def test_a_paused_run_without_an_image_is_listed_after_the_disk_is_lost(site: Site) -> None:
    with site.start() as library:
        specs = [spec(add_subject(library, 1))]
        library.plans.writer("floors", "name: floors", total=5, request={"recipe": "floors"}).add(specs)
        library.plans.writer("walls", "name: walls", total=5).add(
            specs
        )  # by an earlier version: not to be resumed
    site.lose_library()
    with site.start() as library:
        (listed,) = library.plans.progress(most=9)
        assert (listed.plan.name, listed.rendered, listed.plan.specs) == ("floors", 0, 5)


def test_replayed_twice_or_over_the_library_that_wrote_it_a_journal_adds_nothing(site: Site) -> None:
    with site.start() as library:
        for sample_id in filled(library):
            library.review.record(decision(sample_id))
        before = looked_at(library)
    written = site.lines()
    for _ in range(2):
        with site.start() as library:
            assert site.restored == Restored()
            assert looked_at(library) == before
    site.lose_library()
    for expected in (4, 0):
        with site.start() as library:
            assert site.restored.decisions == expected
            assert looked_at(library) == before
    assert site.lines() == written


def test_a_library_that_was_there_before_the_state_folder_is_kept_whole(site: Site) -> None:
    with Library.open(site.folder / "library-0", create=True) as library:  # not kept yet
        for sample_id in filled(library, samples=3):
            library.review.record(decision(sample_id, Verdict.REJECT))
        before, seen = looked_at(library), pixels(library)
    site.start().close()
    site.lose_library()
    with site.start() as library:
        assert looked_at(library) == before
        assert pixels(library) == seen


@pytest.mark.parametrize("cut", [1, 30])
def test_a_last_line_that_broke_off_is_skipped_and_the_next_start_goes_on(site: Site, cut: int) -> None:
    with site.start() as library:
        first, second, *_ = filled(library)
        library.review.record(decision(first, client_id="1"))
        replica_of(library).copy()
        library.review.record(decision(second, client_id="2"))
        (path,) = site.state.glob("events-*.jsonl")
    whole = path.read_bytes()
    path.write_bytes(whole[: -1 - cut])
    site.lose_library()
    with site.start() as library:
        assert site.restored.damaged == ()
        assert [event.client_id for event in library.review.decisions()] == ["1"]
        library.review.record(decision(second, Verdict.REJECT, client_id="3"))
    site.lose_library()
    with site.start() as library:
        assert [event.client_id for event in library.review.decisions()] == ["1", "3"]
        assert library.verify() == []


def test_a_damaged_line_in_the_middle_is_named_and_the_others_count(site: Site) -> None:
    with site.start() as library:
        first, second, *_ = filled(library)
        replica_of(library).copy()
        library.review.record(decision(first, client_id="1"))
        library.review.record(decision(second, client_id="2"))
        (path,) = site.state.glob("events-*.jsonl")
    lines = path.read_bytes().splitlines(keepends=True)
    lines[-2] = lines[-2][:20] + b"\n"
    path.write_bytes(b"".join(lines))
    site.lose_library()
    with site.start() as library:
        assert site.restored.damaged == (f"{path.name}:{len(lines) - 1}",)
        assert [event.client_id for event in library.review.decisions()] == ["2"]


def test_a_decision_on_a_picture_that_was_lost_is_kept_and_holds_when_it_is_drawn_again(site: Site) -> None:
    library = site.start()
    photo = add_subject(library, 1)
    replica_of(library).copy()
    kept, lost, unseen = (spec(photo, seed=number) for number in range(3))
    library.plans.add("toy", "", [kept, lost, unseen])
    render(library, kept)
    replica_of(library).copy()
    render(library, lost)
    render(library, unseen)
    library.review.record(decision(kept.id, client_id="1"))
    library.review.record(decision(lost.id, Verdict.REJECT, reason="halo", client_id="2"))
    lines = site.lines()  # the process dies here: nothing more is copied
    die(library)
    assert site.lines() == lines
    site.lose_library()
    with site.start() as library:
        assert site.restored.lost == (lost.id,)
        assert (site.restored.samples, site.restored.decisions) == (1, 2)
        assert [event.client_id for event in library.review.decisions()] == ["1", "2"]
        assert library.samples.get(kept.id).review == "accepted"
        assert library.samples.get(lost.id).status == "planned"
        assert library.verify() == []
        library.plans.add("another", "", [])  # what no plan wants is forgotten, but not what was decided on
        library.plans.add("toy", "", [kept, lost, unseen])
        assert library.plans.missing([kept.id, lost.id, unseen.id]) == [lost.id, unseen.id]
        render(library, lost)
        assert (library.samples.get(lost.id).review, library.counts().samples["rejected"]) == ("rejected", 1)
        assert library.verify() == []
    site.lose_library()
    with site.start() as library:
        assert site.restored.lost == ()
        assert library.samples.get(lost.id).review == "rejected"


def test_pictures_that_a_killed_process_had_not_copied_are_copied_by_the_next(site: Site) -> None:
    library = site.start()
    first, *_ = filled(library)
    library.review.record(decision(first))  # with the rows, without pictures
    die(library)
    site.start().close()  # the disk was not lost
    site.lose_library()
    with site.start() as library:
        assert site.restored.lost == ()
        assert site.restored.samples == 4
        assert library.verify() == []


def test_an_event_that_could_not_be_written_is_refused_and_written_by_the_next_try(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    with site.start() as library:
        first, *_ = filled(library)
        replica_of(library).copy()

        def full(*_: object) -> None:
            raise OSError(28, "No space left on device")

        with monkeypatch.context() as patch:
            patch.setattr("os.fsync", full)
            with pytest.raises(LibraryUnusable, match=r"state folder .* cannot be used \(No space left"):
                library.review.record(decision(first, client_id="1"))
        library.review.record(decision(first, client_id="1"))  # what the browser does: the same again
        die(library)
    site.lose_library()
    with site.start() as library:
        assert [event.client_id for event in library.review.decisions()] == ["1"]
        assert site.restored.damaged == ()


def test_every_table_is_kept_or_follows_from_those_that_are() -> None:
    following = {
        "schema_version", "sample_words", "sample_scores", "sample_subjects", "plan_specs", "votes", "leases",
        "counters", "embeddings",
    }  # fmt: skip
    assert set(schema.metadata.tables) == set(journal.KEYS) | following


def test_a_journal_of_a_newer_version_is_refused(site: Site) -> None:
    site.state.mkdir()
    (site.state / "events-2.jsonl").write_text('{"schema": 99}\n')
    with pytest.raises(LibraryUnusable, match=r"newer version \(schema 99"):
        site.start()


def test_the_next_process_writes_a_file_of_its_own_and_a_long_one_is_left_alone(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("pipeline.store.replica.folder._PART_BYTES", 4000)
    with site.start() as library:
        ids = filled(library, samples=20)
        for sample_id in ids:
            library.review.record(decision(sample_id))
    first = {path: path.stat().st_size for path in site.state.glob("events-*.jsonl")}
    assert len(first) > 2
    with site.start() as library:
        library.review.record(decision(ids[0], Verdict.REJECT))
    after = {path: path.stat().st_size for path in site.state.glob("events-*.jsonl")}
    assert len(after) == len(first) + 1
    assert first.items() <= after.items()
    site.lose_library()
    with site.start() as library:
        assert library.samples.get(ids[0]).review == "rejected"
        assert len(library.review.decisions()) == 21


@pytest.mark.parametrize("seed", range(12))
def test_replaying_the_journal_of_any_events_gives_the_same_state(site: Site, seed: int) -> None:
    chance = random.Random(seed)
    with site.start() as library:
        ids = filled(library, subjects=3, samples=6)
        for number in range(60):
            act(library, chance, ids, number)
            if chance.random() < 0.05:
                replica_of(library).copy()
        before = looked_at(library)
        assert library.verify() == []
    for _ in range(2):
        site.lose_library()
        with site.start() as library:
            assert looked_at(library) == before
            assert library.verify() == []


def act(library: Library, chance: random.Random, ids: list[str], number: int) -> None:
    """Something that a person may do."""
    sample_id, name = chance.choice(ids), chance.choice(PEOPLE)
    match chance.randrange(12):
        case 0 | 1 | 2 | 3:
            verdict = chance.choice(
                [Verdict.ACCEPT, Verdict.REJECT, Verdict.SKIP, Verdict.FLAG, Verdict.UNDO]
            )
            with suppress(NotAllowed):  # it is disputed: a lead's to settle
                library.review.record(decision(sample_id, verdict, reviewer=name, client_id=f"c{number}"))
        case 4:
            library.review.record(decision(sample_id, reviewer="lea", via="settle", client_id=f"s{number}"))
        case 5:
            library.review.record(decision(sample_id, reviewer="gate", via="gate", client_id=f"g{number}"))
        case 6:
            library.review.undo(name)
        case 7:
            some = chance.sample(ids, 3)
            library.review.record_all(
                [decision(one, reviewer=name, via="bulk", client_id=f"b{number}:{one}") for one in some]
            )
        case 8:
            library.review.undo_batch(name, f"b{chance.randrange(number + 1)}")
        case 9:
            rule = chance.choice(list(Rule))
            library.review.set_policy(Policy(overlap=chance.randrange(1, 4), rule=rule))
        case 10:
            if library.samples.get(sample_id).review in ("accepted", "rejected"):
                library.gold.add([sample_id], made_by=name)
            for item in library.gold.next_for(name, 1):
                library.gold.answer(
                    item.id, reviewer=name, verdict="accept", reason=None, via="key", client_id=f"a{number}"
                )
        case _:
            library.queue.save(f"q{chance.randrange(3)}", {"label": str(number)}, made_by=name)


_WORK = """
import sys
import threading
from pathlib import Path
from unittest.mock import Mock
from pipeline.store import Library, ReplicaFolder
from tests.toy_library import filled, decision

folder = Path(sys.argv[1])
library = Library.open(folder / "library-0", create=True)
library.replicate_to(ReplicaFolder(folder / "state"), every_s=0.05)
with library.work_lock("import"):
    pass
ids = filled(library, samples=12)
library.replica.copy()
for sample_id in ids:
    library.review.record(decision(sample_id, client_id=sample_id))
    print(sample_id, flush=True)
sys.stdin.read()
"""


@pytest.fixture
def killed(site: Site, request: pytest.FixtureRequest) -> Iterator[list[str]]:
    """The decisions that a process had answered when it was killed."""
    child = subprocess.Popen(
        [sys.executable, "-c", _WORK, str(site.folder)],
        cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
    )  # fmt: skip
    assert child.stdin is not None
    assert child.stdout is not None
    answered = [child.stdout.readline().strip() for _ in range(request.param)]
    child.kill()
    assert child.wait() == -signal.SIGKILL
    rest = child.stdout.read().split()
    yield answered + rest
    child.stdin.close()
    child.stdout.close()


@pytest.mark.parametrize("killed", [1, 5, 12], indirect=True)
def test_no_decision_that_was_answered_is_lost_with_the_machine(site: Site, killed: list[str]) -> None:
    site.lose_library()
    with site.start() as library:
        assert [library.samples.get(one).review for one in killed] == ["accepted"] * len(killed)
        assert len(library.review.decisions()) >= len(killed)
        assert site.restored.lost == ()
        assert library.verify() == []


def test_a_copying_thread_that_meets_a_bug_is_loud_and_goes_on(
    site: Site, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    library = site.start(every_s=0.01)
    replica = replica_of(library)
    real, failed, copied = replica.copy, threading.Event(), threading.Event()

    def copy() -> None:
        if not failed.is_set():
            failed.set()
            raise RuntimeError("dictionary changed size during iteration")
        real()
        copied.set()

    monkeypatch.setattr(replica, "copy", copy)
    assert copied.wait(300)
    library.close()
    assert "dictionary changed size during iteration" in caplog.text
    assert replica.fault == ""


def test_a_copying_thread_that_fails_says_why(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    library = site.start()
    monkeypatch.setattr(replica_of(library), "copy", Mock(side_effect=RuntimeError("no such thing")))
    replica_of(library)._try_to_copy()
    assert replica_of(library).fault == "a bug: RuntimeError('no such thing')"
    monkeypatch.undo()
    library.close()


def test_pictures_may_be_added_while_others_are_copied(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    library = site.start()
    monkeypatch.setattr(journal, "image_ids_of", lambda _, row: [row["image"]])
    monkeypatch.setattr(ReplicaFolder, "append", lambda *_: None)
    monkeypatch.setattr(ReplicaFolder, "put_image", lambda *_: None)
    monkeypatch.setattr(library.images, "read_bytes", lambda _: b"")
    rows = 20_000
    before = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    try:
        adding = threading.Thread(
            target=lambda: [
                replica_of(library)._append([{"table": "samples", "row": {"image": str(number)}}])
                for number in range(rows)
            ]
        )
        adding.start()
        while adding.is_alive():
            replica_of(library).copy()
        adding.join()
    finally:
        sys.setswitchinterval(before)
    replica_of(library).copy()
    assert {str(number) for number in range(rows)} <= replica_of(library)._copied
    monkeypatch.undo()
    library.close()


def test_a_damaged_picture_is_not_copied_and_is_logged(site: Site, caplog: pytest.LogCaptureFixture) -> None:
    library = site.start()
    damaged, whole = (library.samples.get(sample_id).image_id or "" for sample_id in filled(library)[-2:])
    library.images.path(damaged).write_bytes(library.images.path(whole).read_bytes())
    replica_of(library).copy()
    library.close()
    assert whole in ReplicaFolder(site.state).image_ids()
    assert damaged not in ReplicaFolder(site.state).image_ids()
    assert f"image {damaged} is not in the state folder" in caplog.text


def test_backgrounds_that_a_plan_learnt_come_back(site: Site) -> None:
    with site.start() as library:
        background = library.images.put(np.full((8, 8, 3), 7, np.uint8))
        recipe = f"learnt: {{size: 8, profiles: {{field: '1'}}, backgrounds: ['{background}']}}"
        library.plans.add("like", recipe, [spec(add_subject(library, 1))])
        library.plans.add("of another version", "no recipe: 1", [])
        replica_of(library).copy()
    site.lose_library()
    with site.start() as library:
        assert library.images.is_sound(background)
