"""What the canvas of a photo asks the server: a photo and its neighbours, proposals, and what is stored."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from pipeline.domain.run_lengths import mask_of_runs, run_lengths
from pipeline.studio import Studio
from tests.toy_library import BOX, SIDE_PX, add_subject, mask
from ui.pages.photos.mask_canvas import MaskCanvasServer

REQUEST: Any = SimpleNamespace(cookies={})
SIZE = (SIDE_PX, SIDE_PX)


def test_a_photo_comes_with_its_mask_and_its_neighbours_under_the_filters(studio: Studio) -> None:
    bolts = [add_subject(studio.library, number) for number in (1, 2, 3)]
    nut = add_subject(studio.library, 4, label="nut")
    server = MaskCanvasServer(studio)
    answer = server.photo({"id": bolts[0].id, "query": {"class": "bolt"}}, REQUEST)
    assert answer["problem"] == ""
    assert answer["neighbours"] == {"previous": bolts[2].id, "next": bolts[1].id}
    assert np.array_equal(mask_of_runs(answer["mask"], SIZE) > 127, mask() > 127)
    shown = answer["photo"]
    assert (shown["name"], shown["label"], shown["width"], shown["editable"]) == (
        "bolt/1.png",
        "bolt",
        SIDE_PX,
        True,
    )
    assert server.photo({"id": nut.id, "query": {"class": "bolt"}}, REQUEST)["neighbours"] == {}


def test_the_neighbours_in_the_check_are_those_to_check(studio: Studio) -> None:
    doubted = [add_subject(studio.library, number, doubts=("loose",)) for number in (1, 2)]
    add_subject(studio.library, 3)
    answer = MaskCanvasServer(studio).photo({"id": doubted[0].id, "query": {"check": "1"}}, REQUEST)
    assert answer["neighbours"] == {"previous": doubted[1].id, "next": doubted[1].id}


def test_what_is_seen_is_stored(studio: Studio) -> None:
    photo = add_subject(studio.library, 1, doubts=("loose",))
    drawn = np.zeros(SIZE, np.uint8)
    drawn[2:9, 3:12] = 255
    answer = MaskCanvasServer(studio).save([photo.id, run_lengths(drawn)])
    assert answer["problem"] == ""
    assert (answer["photo"]["origin"], answer["photo"]["doubts"]) == ("outline by hand", [])
    stored = studio.photos.mask(photo.id) > 127  # with the soft edge that every outline by hand gets
    assert (stored & (drawn > 127)).sum() > 0.8 * (stored | (drawn > 127)).sum()


def test_an_outline_is_confirmed_and_a_photo_excluded_and_included(studio: Studio) -> None:
    photo = add_subject(studio.library, 1, doubts=("loose",))
    server = MaskCanvasServer(studio)
    assert server.confirm(photo.id)["photo"]["usable"] is True
    assert server.exclude([photo.id, True])["photo"]["excluded"] is True
    assert server.exclude([photo.id, False])["photo"]["excluded"] is False


def test_proposals_store_nothing(studio: Studio) -> None:
    photo = add_subject(studio.library, 1)
    server = MaskCanvasServer(studio)
    x0, y0, x1, y1 = BOX
    for answer in (
        server.region([photo.id, x0, y0, False]),
        server.box([photo.id, x0, y0, x1, y1]),
        server.automatic(photo.id),
    ):
        assert answer["problem"] == ""
        assert sum(answer["mask"]) == SIDE_PX**2
    assert studio.library.photos.get(photo.id) == photo


@pytest.mark.parametrize("name", ["photo", "region", "box", "automatic", "save", "confirm", "exclude"])
@pytest.mark.parametrize(
    "question",
    [
        None,
        "no-photo",
        [],
        {},
        ["x"],
        ["x", 1],
        ["x", "y", 2, True],
        ["x", [1], 2, 3, 4],
        {"id": 3, "query": {}},
    ],
)
def test_a_question_that_cannot_be_read_is_answered_with_a_sentence(
    studio: Studio, name: str, question: object
) -> None:
    server = MaskCanvasServer(studio)
    ask = getattr(server, name)
    answer = ask(question, REQUEST) if name == "photo" else ask(question)
    assert answer["problem"].startswith(
        ("the question about the photo cannot be read", "there is no photo", "no photo")
    )


@pytest.mark.parametrize(
    ("runs", "sentence"),
    [([SIDE_PX**2], "the mask is empty"), ([1, 2], "the mask does not fit the photo")],
)
def test_a_mask_that_cannot_be_stored_is_refused(studio: Studio, runs: list[int], sentence: str) -> None:
    photo = add_subject(studio.library, 1)
    assert MaskCanvasServer(studio).save([photo.id, runs])["problem"].startswith(sentence)
    assert studio.library.photos.get(photo.id) == photo
