from __future__ import annotations

from dataclasses import replace
from types import SimpleNamespace
from typing import Any
from urllib.parse import quote

import pytest

from pipeline.domain.review import Policy, Verdict
from pipeline.studio import Studio
from tests.toy_library import filled
from ui.review_component import NAME_COOKIE, server_functions


def decision(sample_id: str, verdict: str, client_id: str, reason: str | None = None) -> dict[str, Any]:
    return {
        "sample_id": sample_id,
        "verdict": verdict,
        "client_id": client_id,
        "reason": reason,
        "via": "key",
    }


@pytest.fixture
def samples(studio: Studio) -> list[str]:
    filled(studio.library, samples=5)
    return [row.id for row in studio.library.next_pending()]


def test_the_queue_goes_on_behind_the_last_known_sample(studio: Studio, samples: list[str]) -> None:
    queue, *_ = server_functions(studio)
    first = queue([None, 2])
    assert [entry["id"] for entry in first["entries"]] == samples[:2]
    assert first["left"] == 5
    assert [entry["id"] for entry in queue([samples[1], 30])["entries"]] == samples[2:]


def test_an_entry_has_what_the_pane_shows(studio: Studio, samples: list[str]) -> None:
    queue, *_ = server_functions(studio)
    entry = queue([None, 1])["entries"][0]
    assert (entry["label"], entry["height"], entry["width"]) == ("bolt", 24, 24)
    assert entry["facts"]["method"] == "inpaint"
    assert entry["facts"]["sharpness"] == "0.50"
    assert entry["image"].startswith("./gradio_api/file=/")


def test_decisions_are_recorded_in_order_and_counted(studio: Studio, samples: list[str]) -> None:
    _, record, *_ = server_functions(studio)
    answer = record(
        [
            decision(samples[0], "accept", "1"),
            decision(samples[1], "reject", "2", "seam"),
            decision(samples[0], "undo", "3"),
            decision(samples[2], "skip", "4"),
        ]
    )
    assert [(one["client_id"], one["problem"]) for one in answer["saved"]] == [(n, "") for n in "1234"]
    assert answer["left"] == 4
    assert [studio.sample(one).review for one in samples[:3]] == ["pending", "rejected", "pending"]
    assert [one.reason for one in studio.library.decisions(samples[1])] == ["seam"]


def test_a_decision_that_is_sent_again_counts_once(studio: Studio, samples: list[str]) -> None:
    _, record, *_ = server_functions(studio)
    for _ in range(2):
        record([decision(samples[0], "accept", "same")])
    assert len(studio.library.decisions(samples[0])) == 1


def test_a_sample_that_is_gone_is_answered_with_a_sentence_and_the_others_are_saved(
    studio: Studio, samples: list[str]
) -> None:
    _, record, *_ = server_functions(studio)
    answer = record([decision("gone", "accept", "1"), decision(samples[0], "accept", "2")])
    assert "no sample 'gone'" in answer["saved"][0]["problem"]
    assert answer["saved"][1]["problem"] == ""
    assert studio.sample(samples[0]).review == "accepted"


def test_an_earlier_sitting_s_last_decision_can_be_taken_back(studio: Studio, samples: list[str]) -> None:
    _, _, undo_last, *_ = server_functions(studio)
    studio.decide(samples[3], Verdict.ACCEPT, reviewer="me")
    answer = undo_last([])
    assert answer["entry"]["id"] == samples[3]
    assert answer["left"] == 5
    assert undo_last([])["entry"] is None


def test_the_photograph_and_another_try_are_asked_for_by_sample(studio: Studio, samples: list[str]) -> None:
    *_, photo_in_place, another_try, _ = server_functions(studio)
    assert photo_in_place(samples[0])["image"].startswith("data:image/jpeg;base64,")
    answer = another_try(samples[0])
    assert answer["problem"] == ""
    assert answer["entry"]["id"] not in samples
    assert answer["left"] == 6
    assert "nowhere" in photo_in_place("nowhere")["problem"]


def test_a_flag_is_an_event_that_leaves_the_state_alone(studio: Studio, samples: list[str]) -> None:
    _, record, *_ = server_functions(studio)
    answer = record([decision(samples[0], "accept", "1"), decision(samples[0], "flag", "2")])
    assert [one["problem"] for one in answer["saved"]] == ["", ""]
    assert studio.sample(samples[0]).review == "accepted"
    record([decision(samples[0], "undo", "3")])
    assert studio.sample(samples[0]).review == "accepted"
    assert [str(one.verdict) for one in studio.library.decisions(samples[0])] == ["accept", "flag", "undo"]


def test_a_page_of_the_grid_is_filtered_ordered_and_goes_on(studio: Studio, samples: list[str]) -> None:
    _, record, *_, grid_page = server_functions(studio)
    record([decision(samples[0], "accept", "1")])
    asked = {"state": "pending", "label": "", "method": "", "order": "queue", "after": None, "limit": 3}
    first = grid_page(asked)
    assert [entry["id"] for entry in first["entries"]] == samples[1:4]
    assert (first["labels"], first["problem"]) == (["bolt"], "")
    assert "inpaint" in first["methods"]
    assert [entry["id"] for entry in grid_page({**asked, "after": samples[3]})["entries"]] == samples[4:]
    (accepted,) = grid_page({**asked, "state": "accepted", "order": "newest"})["entries"]
    assert (accepted["id"], accepted["state"]) == (samples[0], "accepted")
    assert accepted["thumbnail"].startswith("./gradio_api/file=/")
    assert grid_page({**asked, "label": "nut"})["entries"] == []


def asked_by(name: str) -> Any:
    """A request of a browser that signed in."""
    return SimpleNamespace(cookies={NAME_COOKIE: quote(name)})


def test_decisions_are_kept_under_the_name_of_the_browser(studio: Studio, samples: list[str]) -> None:
    queue, record, undo_last, *_ = server_functions(studio)
    assert (queue([None, 1])["reviewer"], queue([None, 1])["role"]) == ("me", "lead")
    assert queue([None, 1], asked_by("Ann Ö"))["reviewer"] == "Ann Ö"
    record([decision(samples[0], "accept", "1")], asked_by("Ann Ö"))
    assert [one.reviewer for one in studio.library.decisions()] == ["Ann Ö"]
    assert undo_last(None, asked_by("ben"))["entry"] is None
    assert undo_last(None, asked_by("Ann Ö"))["entry"]["id"] == samples[0]


def test_who_is_not_on_the_list_looks_and_does_not_decide(studio: Studio, samples: list[str]) -> None:
    studio.settings = replace(studio.settings, people="ann:lead, ben")
    queue, record, undo_last, _, _, another_try, _ = server_functions(studio)
    assert queue([None, 5], asked_by("cy"))["role"] == "reader"
    assert len(queue([None, 5], asked_by("cy"))["entries"]) == 5
    (answer,) = record([decision(samples[0], "accept", "1")], asked_by("cy"))["saved"]
    assert answer["problem"] == "'cy' may not decide here; a lead can add the name to BACKLOT_PEOPLE"
    assert undo_last(None, asked_by("cy"))["entry"] is None
    assert studio.library.decisions() == []
    refused = another_try(samples[0], asked_by("cy"))
    assert refused["problem"].startswith("'cy' may not have pictures drawn here")
    assert record([decision(samples[0], "accept", "2")], asked_by("ben"))["saved"][0]["problem"] == ""


def test_two_reviewers_disagree_blindly_and_a_lead_settles_it(studio: Studio, samples: list[str]) -> None:
    studio.settings = replace(studio.settings, people="ann, ben, lea:lead")
    studio.library.set_review_policy(Policy(overlap=2))
    queue, record, *_, grid_page = server_functions(studio)
    asked = {"state": "", "label": "", "method": "", "order": "newest", "after": None, "limit": 30}

    def shown(name: str) -> Any:
        return next(one for one in grid_page({**asked})["entries"] if one["id"] == name)

    record([decision(samples[0], "accept", "1")], asked_by("ann"))
    assert shown(samples[0])["doubts"] == []
    assert queue([None, 30], asked_by("ann"))["left"] == 4
    assert queue([None, 30], asked_by("ben"))["entries"][0]["id"] == samples[0]
    record([decision(samples[0], "reject", "2", "seam")], asked_by("ben"))
    assert shown(samples[0])["state"] == "disputed"
    assert shown(samples[0])["doubts"] == ["ann: accept", "ben: reject seam"]
    (refused,) = record([decision(samples[0], "reject", "3")], asked_by("ann"))["saved"]
    assert refused["problem"].startswith("'ann' may not settle what others disagree on")
    (settled,) = record([decision(samples[0], "reject", "4")], asked_by("lea"))["saved"]
    assert settled["problem"] == ""
    assert studio.sample(samples[0]).review == "rejected"
    assert studio.library.decisions(samples[0])[-1].via == "settle"
    assert studio.verify() == []
