from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any
from urllib.parse import quote

import numpy as np
import pytest

from pipeline.domain.review import Decision, Policy, Verdict
from pipeline.errors import LibraryUnusable, NotFound
from pipeline.services.review.gold import fitted
from pipeline.studio import Studio
from tests.studios import change_settings
from tests.toy_embedder import add_plain_samples, use_grey_angles
from tests.toy_library import decision as stored_decision
from tests.toy_library import filled
from ui.pages.review.component import server_functions
from ui.session import NAME_COOKIE


def decision(sample_id: str, verdict: str, client_id: str, reason: str | None = None) -> dict[str, Any]:
    return {
        "sample_id": sample_id,
        "verdict": verdict,
        "client_id": client_id,
        "reason": reason,
        "via": "key",
    }


def asked_of(studio: Studio) -> SimpleNamespace:
    """The server functions by name."""
    return SimpleNamespace(**{function.__name__: function for function in server_functions(studio)})


@pytest.fixture
def samples(studio: Studio) -> list[str]:
    filled(studio.library, samples=5)
    return [row.id for row in studio.library.queue.next_pending()]


def test_the_queue_goes_on_behind_the_last_known_sample(studio: Studio, samples: list[str]) -> None:
    ask = asked_of(studio)
    first = ask.review_queue([None, 2, {}])
    assert [entry["id"] for entry in first["entries"]] == samples[:2]
    assert first["left"] == 5
    assert [entry["id"] for entry in ask.review_queue([samples[1], 30, {}])["entries"]] == samples[2:]


def test_an_entry_has_what_the_pane_shows(studio: Studio, samples: list[str]) -> None:
    ask = asked_of(studio)
    entry = ask.review_queue([None, 1, {}])["entries"][0]
    assert (entry["label"], entry["height"], entry["width"]) == ("bolt", 24, 24)
    assert entry["facts"]["method"] == "inpaint"
    assert entry["facts"]["sharpness"] == "0.50"
    assert entry["image"].startswith("./gradio_api/file=/")


def test_decisions_are_recorded_in_order_and_counted(studio: Studio, samples: list[str]) -> None:
    ask = asked_of(studio)
    answer = ask.record_decisions(
        [
            decision(samples[0], "accept", "1"),
            decision(samples[1], "reject", "2", "seam"),
            decision(samples[0], "undo", "3"),
            decision(samples[2], "skip", "4"),
        ]
    )
    assert answer["saved"] == [
        {"client_id": "1", "state": "accepted"},
        {"client_id": "2", "state": "rejected"},
        {"client_id": "3", "state": "pending"},
        {"client_id": "4", "state": "pending"},
    ]
    assert answer["left"] == 4
    assert [studio.library.samples.get(sample_id).review for sample_id in samples[:3]] == [
        "pending",
        "rejected",
        "pending",
    ]
    assert [event.reason for event in studio.library.review.decisions(samples[1])] == ["seam"]


def test_a_decision_that_is_sent_again_counts_once(studio: Studio, samples: list[str]) -> None:
    ask = asked_of(studio)
    for _ in range(2):
        ask.record_decisions([decision(samples[0], "accept", "same")])
    assert len(studio.library.review.decisions(samples[0])) == 1


def test_a_reason_that_no_longer_exists_is_kept_in_words(studio: Studio, samples: list[str]) -> None:
    ask = asked_of(studio)
    ask.record_decisions([decision(samples[0], "reject", "1", "too_blue") | {"comment": "like a smurf"}])
    (only,) = studio.library.review.decisions()
    assert (only.reason, only.comment) == ("other", "too_blue: like a smurf")


def test_a_sample_that_is_gone_is_answered_with_a_sentence_and_the_others_are_saved(
    studio: Studio, samples: list[str]
) -> None:
    ask = asked_of(studio)
    answer = ask.record_decisions([decision("gone", "accept", "1"), decision(samples[0], "accept", "2")])
    assert "no sample 'gone'" in answer["saved"][0]["refused"]
    assert answer["saved"][1] == {"client_id": "2", "state": "accepted"}
    assert studio.library.samples.get(samples[0]).review == "accepted"


def test_an_earlier_sitting_s_last_decision_can_be_taken_back(studio: Studio, samples: list[str]) -> None:
    ask = asked_of(studio)
    studio.review.decisions.decide(samples[3], Verdict.ACCEPT, reviewer="me")
    answer = ask.undo_last([])
    assert answer["entry"]["id"] == samples[3]
    assert answer["left"] == 5
    assert ask.undo_last([])["entry"] is None


def test_the_photograph_and_another_try_are_asked_for_by_sample(studio: Studio, samples: list[str]) -> None:
    ask = asked_of(studio)
    assert ask.photo_in_place(samples[0])["image"].startswith("data:image/jpeg;base64,")
    answer = ask.another_try(samples[0])
    assert answer["problem"] == ""
    assert answer["entry"]["id"] not in samples
    assert answer["left"] == 6
    assert "nowhere" in ask.photo_in_place("nowhere")["problem"]


def test_a_flag_is_an_event_that_leaves_the_state_alone(studio: Studio, samples: list[str]) -> None:
    ask = asked_of(studio)
    answer = ask.record_decisions([decision(samples[0], "accept", "1"), decision(samples[0], "flag", "2")])
    assert [item["state"] for item in answer["saved"]] == ["accepted", "accepted"]
    assert studio.library.samples.get(samples[0]).review == "accepted"
    ask.record_decisions([decision(samples[0], "undo", "3")])
    assert studio.library.samples.get(samples[0]).review == "accepted"
    assert [str(event.verdict) for event in studio.library.review.decisions(samples[0])] == [
        "accept",
        "flag",
        "undo",
    ]


def page(query: dict[str, str], *, after: str | None = None, limit: int = 30) -> dict[str, Any]:
    """The question of the grid."""
    return {"query": query, "after": after, "limit": limit}


def test_a_page_of_the_grid_is_filtered_ordered_and_goes_on(studio: Studio, samples: list[str]) -> None:
    ask = asked_of(studio)
    ask.record_decisions([decision(samples[0], "accept", "1")])
    query = {"state": "pending", "label": "", "order": "queue"}
    first = ask.grid_page(page(query, limit=3))
    assert [entry["id"] for entry in first["entries"]] == samples[1:4]
    assert (first["choices"]["labels"], first["problem"]) == (["bolt"], "")
    assert first["choices"]["words"] == ["surface=gravel"]
    assert first["choices"]["reviewers"] == ["me"]
    second = ask.grid_page(page(query, after=samples[3], limit=3))
    assert [entry["id"] for entry in second["entries"]] == samples[4:]
    assert "choices" not in second
    (accepted,) = ask.grid_page(page({"state": "accepted", "reviewer": "me"}))["entries"]
    assert (accepted["id"], accepted["state"]) == (samples[0], "accepted")
    assert accepted["thumbnail"].startswith("./gradio_api/file=/")
    assert ask.grid_page(page({"label": "nut"}))["entries"] == []
    assert ask.grid_page(page({"order": "seam"}))["problem"].startswith("there is no order 'seam'")


def test_all_that_fit_are_decided_in_one_go_and_one_undo_takes_them_back(
    studio: Studio, samples: list[str]
) -> None:
    ask = asked_of(studio)
    query = {"state": "pending"}
    assert ask.count_fitting(query)["count"] == 5
    asked = {"query": query, "verdict": "reject", "reason": "light", "batch": "b"}
    answer = ask.decide_all(asked)
    assert (answer["count"], answer["left"]) == (5, 0)
    assert {event.reason for event in studio.library.review.decisions()} == {"light"}
    assert ask.decide_all(asked)["count"] == 0
    assert ask.undo_all("b")["count"] == 5
    assert ask.undo_all("b")["count"] == 0
    assert [studio.library.samples.get(sample_id).review for sample_id in samples] == ["pending"] * 5
    assert studio.library.verify() == []


def test_the_count_before_a_bulk_decision_tells_how_many_disputed_samples_are_left_out(
    studio: Studio, samples: list[str]
) -> None:
    studio.library.review.set_policy(Policy(overlap=2))
    for reviewer, verdict in (("ann", Verdict.ACCEPT), ("ben", Verdict.REJECT)):
        studio.library.review.record(stored_decision(samples[0], verdict, reviewer=reviewer))
    ask = asked_of(studio)
    assert ask.count_fitting({}) == {"problem": "", "count": 5, "disputed": 1}
    assert ask.count_fitting({"state": "pending"}) == {"problem": "", "count": 4, "disputed": 0}
    assert ask.decide_all({"query": {}, "verdict": "reject", "batch": "b"})["count"] == 4


def test_a_named_queue_is_kept_for_everybody_and_can_be_removed(studio: Studio, samples: list[str]) -> None:
    ask = asked_of(studio)
    query = {"word": "surface=gravel", "order": "newest"}
    assert ask.save_queue({"name": " rough ", "query": query})["queues"] == {"rough": query}
    queued = ask.review_queue([None, 2, studio.library.queue.saved()["rough"]])["entries"]
    assert [item["id"] for item in queued] == samples[:2:-1]
    assert "1 to 80 characters" in ask.save_queue({"name": "", "query": query})["problem"]
    assert (
        "there is no filter 'colour'" in ask.save_queue({"name": "x", "query": {"colour": "red"}})["problem"]
    )
    assert ask.save_queue({"name": "rough", "query": None})["queues"] == {}


def test_known_answers_are_dealt_among_the_others_and_measure_who_reviews(
    studio: Studio, samples: list[str]
) -> None:
    change_settings(studio, people="ann, lea:lead", gold=0.5)
    ask = asked_of(studio)
    ask.record_decisions([decision(samples[0], "reject", "1")], asked_by("lea"))
    assert ask.make_gold({"ids": samples[:1]}, asked_by("ann"))["problem"].startswith(
        "'ann' may not make gold"
    )
    assert ask.make_gold({"ids": samples[:1]}, asked_by("lea"))["count"] == 1
    assert "is not decided" in ask.make_gold({"ids": samples[1:2]}, asked_by("lea"))["problem"]
    assert ask.make_gold({"photos": 1}, asked_by("lea"))["count"] == 1
    dealt = ask.review_queue([None, 30, {}], asked_by("ann"))["entries"]
    known = [item for item in dealt if item["id"] not in samples]
    assert len(known) == 2
    assert dealt[-1]["id"] in samples  # the next page goes on behind it
    assert not {"accepted", "rejected"} & set(map(str, known[0].values()))
    for number, entry in enumerate(known):
        given = ask.record_decisions([decision(entry["id"], "accept", f"g{number}")], asked_by("ann"))
        assert given["saved"] == [
            {"client_id": f"g{number}", "state": "accepted"}
        ]  # as a sample would answer
    assert studio.library.gold.results() == {"ann": (1, 2)}  # the photograph, not the rejected sample
    assert studio.library.samples.get(samples[0]).review == "rejected"
    ask.record_decisions([decision(known[0]["id"], "undo", "u")], asked_by("ann"))
    assert studio.library.gold.results()["ann"][1] == 1
    assert studio.library.verify() == []


def asked_by(name: str) -> Any:
    """A request of a browser that signed in."""
    return SimpleNamespace(cookies={NAME_COOKIE: quote(name)})


def test_decisions_are_kept_under_the_name_of_the_browser(studio: Studio, samples: list[str]) -> None:
    ask = asked_of(studio)
    mine = ask.review_queue([None, 1, {}])
    assert (mine["reviewer"], mine["role"]) == ("me", "lead")
    assert ask.review_queue([None, 1, {}], asked_by("Ann Ö"))["reviewer"] == "Ann Ö"
    ask.record_decisions([decision(samples[0], "accept", "1")], asked_by("Ann Ö"))
    assert [event.reviewer for event in studio.library.review.decisions()] == ["Ann Ö"]
    assert ask.undo_last(None, asked_by("ben"))["entry"] is None
    assert ask.undo_last(None, asked_by("Ann Ö"))["entry"]["id"] == samples[0]


def test_who_is_not_on_the_list_looks_and_does_not_decide(studio: Studio, samples: list[str]) -> None:
    change_settings(studio, people="ann:lead, ben")
    ask = asked_of(studio)
    assert ask.review_queue([None, 5, {}], asked_by("cy"))["role"] == "reader"
    assert len(ask.review_queue([None, 5, {}], asked_by("cy"))["entries"]) == 5
    (answer,) = ask.record_decisions([decision(samples[0], "accept", "1")], asked_by("cy"))["saved"]
    assert answer["refused"] == "'cy' may not decide here; a lead can add the name to BACKLOT_PEOPLE"
    assert ask.undo_last(None, asked_by("cy"))["entry"] is None
    assert studio.library.review.decisions() == []
    refused = ask.another_try(samples[0], asked_by("cy"))
    assert refused["problem"].startswith("'cy' may not generate images here")
    (saved,) = ask.record_decisions([decision(samples[0], "accept", "2")], asked_by("ben"))["saved"]
    assert "refused" not in saved


def test_a_browser_cannot_say_that_a_lead_settled_it_or_that_nobody_decided(
    studio: Studio, samples: list[str]
) -> None:
    change_settings(studio, people="ann, lea:lead")
    studio.library.review.set_policy(Policy(overlap=2))
    ask = asked_of(studio)
    for number, via in enumerate(("settle", "gate", "helper")):
        forged = decision(samples[number], "accept", str(number)) | {"via": via}
        ask.record_decisions([forged], asked_by("ann"))
    assert [studio.library.samples.get(sample_id).review for sample_id in samples[:3]] == ["pending"] * 3
    assert {event.via for event in studio.library.review.decisions()} == {"click"}


def test_on_a_space_only_the_account_counts_not_a_name_that_the_browser_made_up(
    studio: Studio, samples: list[str]
) -> None:
    change_settings(studio, hosted=True, owner="ann")
    ask = asked_of(studio)
    made_up = asked_by("ann")
    assert ask.review_queue([None, 5, {}], made_up)["reviewer"] == "visitor"
    (answer,) = ask.record_decisions([decision(samples[0], "accept", "1")], made_up)["saved"]
    assert answer["refused"].startswith("'visitor' may not decide here")
    session = {"oauth_info": {"userinfo": {"preferred_username": "ann"}}}
    signed_in = SimpleNamespace(cookies={}, request=SimpleNamespace(scope={"session": session}))
    assert ask.review_queue([None, 5, {}], signed_in)["role"] == "lead"
    (answer,) = ask.record_decisions([decision(samples[0], "accept", "2")], signed_in)["saved"]
    assert answer == {"client_id": "2", "state": "accepted"}
    assert [event.reviewer for event in studio.library.review.decisions()] == ["ann"]


def test_who_only_looks_does_not_make_the_helper_learn(studio: Studio, samples: list[str]) -> None:
    change_settings(studio, people="ann")
    ask = asked_of(studio)
    assert len(ask.review_queue([None, 5, {"order": "promise"}], asked_by("cy"))["entries"]) == 5
    assert studio.review.auto_reviewer.report().sentence == ""
    ask.review_queue([None, 5, {"order": "promise"}], asked_by("ann"))
    assert "learns from 30 decisions" in studio.review.auto_reviewer.report().sentence


def test_two_reviewers_disagree_blindly_and_a_lead_settles_it(studio: Studio, samples: list[str]) -> None:
    change_settings(studio, people="ann, ben, lea:lead")
    studio.library.review.set_policy(Policy(overlap=2))
    ask = asked_of(studio)

    def shown(name: str) -> Any:
        return next(item for item in ask.grid_page(page({}))["entries"] if item["id"] == name)

    ask.record_decisions([decision(samples[0], "accept", "1")], asked_by("ann"))
    assert shown(samples[0])["doubts"] == []
    assert ask.review_queue([None, 30, {}], asked_by("ann"))["left"] == 4
    assert ask.review_queue([None, 30, {}], asked_by("ben"))["entries"][0]["id"] == samples[0]
    ask.record_decisions([decision(samples[0], "reject", "2", "seam")], asked_by("ben"))
    assert shown(samples[0])["state"] == "disputed"
    assert shown(samples[0])["doubts"] == ["ann: accept", "ben: reject seam"]
    (refused,) = ask.record_decisions([decision(samples[0], "reject", "3")], asked_by("ann"))["saved"]
    assert refused["refused"].startswith("'ann' may not settle what others disagree on")
    (settled,) = ask.record_decisions([decision(samples[0], "reject", "4")], asked_by("lea"))["saved"]
    assert "refused" not in settled
    assert studio.library.samples.get(samples[0]).review == "rejected"
    assert studio.library.review.decisions(samples[0])[-1].via == "settle"
    assert studio.library.verify() == []


UNREADABLE: list[Any] = [
    None,
    "accept",
    [],
    {},
    {"verdict": "applaud"},
    {"sample_id": 7},
    {"sample_id": "\ud800"},
    {"client_id": "c" * 81},
    {"client_id": None},
    {"reason": ["seam"]},
    {"comment": {"text": "x"}},
    {"shown": "everything"},
    {"shown": {"query": "x" * 20_000}},
]


@pytest.mark.parametrize("fault", UNREADABLE, ids=lambda fault: repr(fault)[:40])
def test_a_decision_that_cannot_be_read_is_refused_by_itself(
    studio: Studio, samples: list[str], fault: Any
) -> None:
    whole = decision(samples[0], "accept", "1")
    broken = whole | {"client_id": "broken", **fault} if isinstance(fault, dict) and fault else fault
    answer = asked_of(studio).record_decisions([broken, decision(samples[1], "accept", "2")])
    refused, stored = answer["saved"]
    assert "cannot be read" in refused["refused"]
    assert refused["client_id"] == (broken.get("client_id") if isinstance(broken, dict) else None)
    assert stored == {"client_id": "2", "state": "accepted"}
    assert [event.sample_id for event in studio.library.review.decisions()] == [samples[1]]


def test_a_decision_that_cannot_be_stored_now_is_not_answered_so_that_the_browser_sends_it_again(
    studio: Studio, samples: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    record = studio.library.review.record

    def full(event: Decision) -> str:
        if event.client_id == "2":
            raise LibraryUnusable("no space left on the disk")
        return record(event)

    monkeypatch.setattr(studio.library.review, "record", full)
    sent = [decision(samples[number], "accept", str(number + 1)) for number in range(3)]
    answer = asked_of(studio).record_decisions(sent)
    assert answer["saved"] == [{"client_id": "1", "state": "accepted"}]
    assert answer["problem"] == "no space left on the disk"


REFUSED: list[tuple[str, Any]] = [
    ("review_queue", [None, -1, {}]),
    ("review_queue", [None, "many", {}]),
    ("review_queue", [["a"], 5, {}]),
    ("review_queue", [None, 5, {"label": 3}]),
    ("review_queue", [None, 5, "all"]),
    ("review_queue", None),
    ("review_queue", {"limit": 5}),
    ("record_decisions", {"sample_id": "s"}),
    ("record_decisions", 5),
    ("photo_in_place", ["s"]),
    ("photo_in_place", None),
    ("another_try", {"id": "s"}),
    ("grid_page", {"query": {}, "after": None, "limit": -5}),
    ("grid_page", {"query": None, "after": None, "limit": 5}),
    ("grid_page", {}),
    ("grid_page", None),
    ("count_fitting", ["state"]),
    ("count_fitting", {"label": "x" * 1000}),
    ("decide_all", {"query": {}, "verdict": "applaud", "batch": "b"}),
    ("decide_all", {"query": {}, "verdict": "undo", "batch": "b"}),
    ("decide_all", {"query": {}, "verdict": "accept", "batch": "b", "reason": "too_blue"}),
    ("decide_all", {"query": {}, "verdict": "accept"}),
    ("decide_all", {"query": {}, "verdict": "accept", "batch": "a:b"}),
    ("keep_best", {"query": {}, "batch": 5}),
    ("keep_best", {"query": {}, "batch": "b", "kept": "all"}),
    ("keep_best", {"query": {}, "batch": "b", "kept": ["gone"]}),
    ("similar_samples", None),
    ("similar_samples", "gone"),
    ("similar_samples", {"sample_id": "s"}),
    ("compare_samples", ["s"]),
    ("compare_samples", "gone"),
    ("undo_all", None),
    ("undo_all", {"batch": "b"}),
    ("save_queue", {"name": None, "query": {}}),
    ("save_queue", {"name": "mine"}),
    ("make_gold", {"photos": -1}),
    ("make_gold", {"photos": 10**30}),
    ("make_gold", {"ids": "all"}),
]


@pytest.mark.parametrize(("function", "asked"), REFUSED, ids=lambda value: repr(value)[:60])
def test_a_request_of_another_form_is_refused_in_one_sentence_and_changes_nothing(
    studio: Studio, samples: list[str], function: str, asked: Any
) -> None:
    answer = getattr(asked_of(studio), function)(asked)
    assert answer["problem"]
    assert "\n" not in answer["problem"]
    assert studio.library.review.decisions() == []
    assert (studio.library.gold.count(), studio.library.queue.saved()) == (0, {})


def test_a_page_never_holds_more_than_two_hundred(studio: Studio, samples: list[str]) -> None:
    assert len(asked_of(studio).grid_page(page({}, limit=10**30))["entries"]) == 5


def gold_studio(studio: Studio, samples: list[str]) -> tuple[SimpleNamespace, list[dict[str, Any]]]:
    """A sample and a photo as gold items, and what ann is dealt."""
    change_settings(studio, people="ann, lea:lead", gold=0.5)
    ask = asked_of(studio)
    ask.record_decisions([decision(samples[0], "accept", "1")], asked_by("lea"))
    ask.make_gold({"ids": samples[:1]}, asked_by("lea"))
    ask.make_gold({"photos": 1}, asked_by("lea"))
    return ask, ask.review_queue([None, 30, {}], asked_by("ann"))["entries"]


def test_a_gold_item_has_every_field_of_a_sample(studio: Studio, samples: list[str]) -> None:
    _, dealt = gold_studio(studio, samples)
    ordinary = next(item for item in dealt if item["id"] in samples)
    known = [item for item in dealt if item["id"] not in samples]
    assert len(known) == 2
    for entry in known:
        assert list(entry) == list(ordinary)
        assert list(entry["facts"]) == list(ordinary["facts"])
        assert {name for name, value in entry.items() if not value} == {
            name for name, value in ordinary.items() if not value
        }
        assert len(entry["id"]) == len(ordinary["id"])
        assert (entry["height"], entry["width"]) == (ordinary["height"], ordinary["width"])
        assert Path(entry["image"]).parent.parent == Path(ordinary["image"]).parent.parent


def test_the_photograph_and_another_try_answer_for_a_gold_item_as_for_a_sample(
    studio: Studio, samples: list[str]
) -> None:
    ask, dealt = gold_studio(studio, samples)
    ordinary = next(item for item in dealt if item["id"] in samples)
    known = [item for item in dealt if item["id"] not in samples]
    for entry in (ordinary, *known):
        in_place = ask.photo_in_place(entry["id"])
        assert (in_place["problem"], set(in_place)) == ("", {"problem", "image"})
        assert in_place["image"].startswith("data:image/jpeg;base64,")
        again = ask.another_try(entry["id"], asked_by("ann"))
        assert again["problem"] == ""
        assert list(again["entry"]) == list(ordinary)


def test_the_number_that_is_left_falls_by_one_with_a_gold_item_too(
    studio: Studio, samples: list[str]
) -> None:
    ask, dealt = gold_studio(studio, samples)
    left = ask.review_queue([dealt[-1]["id"], 30, {}], asked_by("ann"))["left"]
    assert left == len(dealt) == 6
    for number, entry in enumerate(dealt, start=1):
        answer = ask.record_decisions([decision(entry["id"], "accept", f"d{number}")], asked_by("ann"))
        assert (answer["saved"][0]["state"], answer["left"]) == ("accepted", left - number)
    undone = ask.record_decisions([decision(dealt[0]["id"], "undo", "u")], asked_by("ann"))
    assert (undone["saved"][0]["state"], undone["left"]) == ("pending", 1)


def test_a_gold_item_whose_sample_is_planned_again_is_not_dealt(studio: Studio, samples: list[str]) -> None:
    ask, dealt = gold_studio(studio, samples)
    items = [item for entry in dealt if (item := studio.library.gold.get(entry["id"]))]
    of_sample = next(item for item in items if item.sample_id == samples[0])
    image_id = studio.library.samples.get(samples[0]).image_id
    assert image_id is not None
    studio.library.images.path(image_id).unlink()
    assert studio.library.samples.plan_broken_again() == [samples[0]]
    dealt_again = {entry["id"] for entry in ask.review_queue([None, 30, {}], asked_by("ann"))["entries"]}
    assert {item.id for item in items} & dealt_again == {item.id for item in items if item != of_sample}
    with pytest.raises(NotFound, match="image of sample"):  # planned again between the list and its entry
        studio.review.gold.row(of_sample, "ann")


def test_a_photograph_of_another_size_is_shown_at_that_of_the_samples() -> None:
    wide = np.zeros((40, 100, 3), np.uint8)
    wide[:, 60:80] = 255
    cropped = fitted(wide, (20, 20), (60, 0, 80, 40))
    assert cropped.shape == (20, 20, 3)
    assert (cropped[:, 6:14] == 255).all()
    assert fitted(wide, (40, 100), None) is wide


@pytest.fixture
def plain(studio: Studio, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Five samples, of which 0 and 1 look alike, and 2 and 4."""
    use_grey_angles(monkeypatch)
    return add_plain_samples(studio.library, 200, 205, 40, 120, 45)


def test_the_most_similar_samples_are_answered_once_the_image_is_compared(
    studio: Studio, plain: list[str]
) -> None:
    ask = asked_of(studio)
    ask.record_decisions([decision(plain[1], "reject", "1")])
    assert ask.similar_samples(plain[0]) == {
        "problem": "",
        "compared": False,
        "entries": [],
        "missing": 5,
    }
    assert ask.compare_samples(plain[0]) == {"problem": "", "missing": 0}
    answer = ask.similar_samples(plain[0])
    assert (answer["compared"], answer["missing"]) == (True, 0)
    shown = [(entry["id"], entry["state"], entry["share"], entry["near"]) for entry in answer["entries"]]
    assert shown == [
        (plain[1], "rejected", "100%", True),
        (plain[3], "pending", "88%", False),
        (plain[4], "pending", "58%", False),
        (plain[2], "pending", "55%", False),
    ]
    assert all(entry["thumbnail"].startswith("./gradio_api/file=/") for entry in answer["entries"])


def test_groups_say_how_many_samples_are_not_in_them_yet(studio: Studio, plain: list[str]) -> None:
    ask = asked_of(studio)
    first = ask.grid_page(page({"order": "groups"}))
    assert first["missing"] == 5
    assert "missing" not in ask.grid_page(page({"order": "newest"}))
    assert "missing" not in ask.grid_page(page({"order": "groups"}, after=plain[0]))
    assert ask.compare_samples(None)["missing"] == 0
    grouped = ask.grid_page(page({"order": "groups"}))
    assert grouped["missing"] == 0
    assert {entry["id"]: entry["cluster"] for entry in grouped["entries"]} == {
        plain[0]: plain[0],
        plain[1]: plain[0],
        plain[2]: plain[2],
        plain[4]: plain[2],
    }


def test_all_but_the_best_or_the_kept_ones_are_rejected_and_one_undo_takes_it_back(
    studio: Studio, plain: list[str]
) -> None:
    ask = asked_of(studio)
    ask.compare_samples(None)
    asked = {"query": {"state": "pending"}, "batch": "b", "kept": [plain[0]]}
    assert ask.keep_best(asked) == {"problem": "", "count": 1, "left": 4}
    assert studio.library.samples.get(plain[1]).review == "rejected"
    assert ask.undo_all("b")["count"] == 1
    assert ask.keep_best({"query": {}, "batch": "b2"})["count"] == 2
    assert ask.undo_all("b2")["left"] == 5


def test_who_only_looks_finds_what_is_compared_and_compares_nothing(studio: Studio, plain: list[str]) -> None:
    change_settings(studio, people="ann", hosted=True)
    ask = asked_of(studio)
    assert ask.compare_samples(plain[0])["problem"].startswith("'visitor' may not decide here")
    assert ask.similar_samples(plain[0])["compared"] is False
    assert studio.library.embeddings.count("grey angle") == 0
