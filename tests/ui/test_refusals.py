"""A refusal on a served page: one sentence, and every output stays as it is."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from pipeline.studio import Studio
from tests.ui.served import Site, served


def stays(output: object) -> bool:
    """Whether an answer leaves an output as it is; None is that of a gr.State."""
    return output is None or (
        isinstance(output, dict) and "value" not in {**output, **output.get("props", {})}
    )


@pytest.fixture
def site(studio: Studio) -> Iterator[Site]:
    with served(studio) as opened:
        yield opened


def test_a_refusal_is_one_sentence_and_marks_no_output(site: Site) -> None:
    number = site.endpoint("Training.start")
    (answer,) = site.queued(number, site.values(number), "s1")
    assert answer["success"] is True
    *outputs, line = answer["output"]["data"]
    assert len(outputs) == len(site.app.fns[number].outputs) - 1
    assert all(map(stays, outputs))
    assert line.startswith('<p class="said bad" role="alert">no release is chosen;')


def test_a_refusal_has_a_line_of_its_own_where_the_page_has_one(site: Site) -> None:
    number = site.endpoint("created")
    (answer,) = site.queued(number, site.values(number), "s1")
    outputs = answer["output"]["data"]
    assert answer["success"] is True
    assert '<p class="said bad">choose an object first; there is none in this library yet</p>' in outputs
    assert [output for output in outputs if not stays(output)][1:] == [""]  # the line of the page


def test_what_a_refusal_quotes_is_shown_as_text(site: Site) -> None:
    number = site.endpoint("Generating.start")
    counts = [component.elem_id == "count" for component in site.app.fns[number].inputs]
    values = [
        "<img src=x onerror=alert(1)>" if is_count else value
        for is_count, value in zip(counts, site.values(number), strict=True)
    ]
    (answer,) = site.queued(number, values, "s1")
    sentence, page_line = [output for output in answer["output"]["data"] if not stays(output)]
    assert page_line == ""
    assert sentence.startswith('<p class="said bad">the number of images is &#x27;&lt;img src=x')
    assert "<img" not in sentence


def test_a_call_past_the_queue_is_answered_with_an_error(site: Site) -> None:
    number = site.endpoint("Training.start")
    body = {"fn_index": number, "data": site.values(number), "session_hash": "s1"}
    answer = site.post("run/predict", body)
    assert answer.status == 500
    assert answer.json["error"].startswith("no release is chosen;")
