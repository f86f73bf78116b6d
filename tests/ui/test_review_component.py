from __future__ import annotations

from typing import Any

import pytest

from pipeline.domain.review import Verdict
from pipeline.studio import Studio
from tests.toy_library import filled
from ui.review_component import server_functions


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
    return [row.id for row in studio.next_for_review("me")]


def test_the_queue_goes_on_behind_the_last_known_sample(studio: Studio, samples: list[str]) -> None:
    queue, *_ = server_functions(studio, "me")
    first = queue([None, 2])
    assert [entry["id"] for entry in first["entries"]] == samples[:2]
    assert first["left"] == 5
    assert [entry["id"] for entry in queue([samples[1], 30])["entries"]] == samples[2:]


def test_an_entry_has_what_the_pane_shows(studio: Studio, samples: list[str]) -> None:
    queue, *_ = server_functions(studio, "me")
    entry = queue([None, 1])["entries"][0]
    assert (entry["label"], entry["height"], entry["width"]) == ("bolt", 24, 24)
    assert entry["facts"]["method"] == "inpaint"
    assert entry["facts"]["sharpness"] == "0.50"
    assert entry["image"].startswith("./gradio_api/file=/")


def test_decisions_are_recorded_in_order_and_counted(studio: Studio, samples: list[str]) -> None:
    _, record, *_ = server_functions(studio, "me")
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
    _, record, *_ = server_functions(studio, "me")
    for _ in range(2):
        record([decision(samples[0], "accept", "same")])
    assert len(studio.library.decisions(samples[0])) == 1


def test_a_sample_that_is_gone_is_answered_with_a_sentence_and_the_others_are_saved(
    studio: Studio, samples: list[str]
) -> None:
    _, record, *_ = server_functions(studio, "me")
    answer = record([decision("gone", "accept", "1"), decision(samples[0], "accept", "2")])
    assert "no sample 'gone'" in answer["saved"][0]["problem"]
    assert answer["saved"][1]["problem"] == ""
    assert studio.sample(samples[0]).review == "accepted"


def test_an_earlier_sitting_s_last_decision_can_be_taken_back(studio: Studio, samples: list[str]) -> None:
    _, _, undo_last, *_ = server_functions(studio, "me")
    studio.decide(samples[3], Verdict.ACCEPT, reviewer="me")
    answer = undo_last([])
    assert answer["entry"]["id"] == samples[3]
    assert answer["left"] == 5
    assert undo_last([])["entry"] is None


def test_the_photograph_and_another_try_are_asked_for_by_sample(studio: Studio, samples: list[str]) -> None:
    *_, photo_in_place, another_try, _ = server_functions(studio, "me")
    assert photo_in_place(samples[0])["image"].startswith("data:image/jpeg;base64,")
    answer = another_try(samples[0])
    assert answer["problem"] == ""
    assert answer["entry"]["id"] not in samples
    assert answer["left"] == 6
    assert "nowhere" in photo_in_place("nowhere")["problem"]


def test_a_flag_is_an_event_that_leaves_the_state_alone(studio: Studio, samples: list[str]) -> None:
    _, record, *_ = server_functions(studio, "me")
    answer = record([decision(samples[0], "accept", "1"), decision(samples[0], "flag", "2")])
    assert [one["problem"] for one in answer["saved"]] == ["", ""]
    assert studio.sample(samples[0]).review == "accepted"
    record([decision(samples[0], "undo", "3")])
    assert studio.sample(samples[0]).review == "accepted"
    assert [str(one.verdict) for one in studio.library.decisions(samples[0])] == ["accept", "flag", "undo"]


def test_a_page_of_the_grid_is_filtered_ordered_and_goes_on(studio: Studio, samples: list[str]) -> None:
    _, record, *_, grid_page = server_functions(studio, "me")
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
