"""What the overview of the photos asks the server, and what that stores."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any
from unittest.mock import Mock

import pytest

from pipeline.studio import Studio
from tests.studios import change_settings
from tests.toy_library import add_subject, decision, render, spec
from ui.pages.photos.overview import OverviewServer
from ui.pages.photos.starter_job import StarterJob


@pytest.fixture
def server(studio: Studio) -> OverviewServer:
    return OverviewServer(studio, StarterJob(studio))


def test_doubtful_photos_come_first_and_excluded_ones_last(studio: Studio, server: OverviewServer) -> None:
    first = add_subject(studio.library, 1)
    out = add_subject(studio.library, 2)
    doubtful = add_subject(studio.library, 3, doubts=("touches the border",))
    studio.library.photos.set_excluded(out.id, True)
    answer = server.photo_page({"filter": {}, "page": 1})
    assert [(entry["id"], entry["doubts"], entry["excluded"]) for entry in answer["entries"]] == [
        (doubtful.id, "touches the border", False),
        (first.id, "", False),
        (out.id, "", True),
    ]
    assert (answer["first"], answer["count"], answer["page"], answer["pages"]) == (0, 3, 1, 1)


def test_a_photo_in_which_nothing_was_found_is_shown_whole(studio: Studio, server: OverviewServer) -> None:
    photo = add_subject(studio.library, 1)
    assert photo.cutout_id is not None

    def shown() -> str:
        return str(server.photo_page({})["entries"][0]["thumbnail"])

    assert studio.photos.thumbnail_path(photo.cutout_id).name in shown()
    studio.library.photos.record_cutout(
        photo.id, cutout_id=photo.cutout_id, score=0, doubts=("none",), origin="ground", box=(0, 0, 0, 0)
    )
    assert studio.photos.thumbnail_path(photo.image_id).name in shown()


def test_an_empty_library_has_one_empty_page(server: OverviewServer) -> None:
    answer = server.photo_page({})
    assert (answer["entries"], answer["count"], answer["total"], answer["pages"]) == ([], 0, 0, 1)
    assert (answer["demo"], answer["filling"], answer["may_change"]) == (0, False, True)


def test_sixty_photos_are_on_a_page_and_a_page_too_far_is_the_last(
    studio: Studio, server: OverviewServer
) -> None:
    ids = [
        add_subject(studio.library, number, label="gear" if number < 61 else "nut").id for number in range(63)
    ]
    pages = [server.photo_page({"filter": {}, "page": page}) for page in (1, 2, 9)]
    assert [(len(page["entries"]), page["page"], page["first"]) for page in pages] == [
        (60, 1, 0),
        (3, 2, 60),
        (3, 2, 60),
    ]
    assert {entry["id"] for page in pages for entry in page["entries"]} == set(ids)
    filtered = server.photo_page({"filter": {"class": "gear"}, "page": 2})
    assert (len(filtered["entries"]), filtered["count"]) == (1, 61)
    assert filtered["choices"]["label"] == {"gear": 61, "nut": 2}
    assert set(server.photo_ids({"class": "gear"})["ids"]) == set(ids[:61])
    assert len(server.photo_ids(None)["ids"]) == 63


def test_the_demo_set_is_counted_and_removed(studio: Studio, server: OverviewServer) -> None:
    demo = add_subject(studio.library, 1, source="starter")
    assert server.photo_page({})["demo"] == 1
    own = add_subject(studio.library, 2)
    planned = spec(demo, seed=1)
    studio.library.plans.add("toy", "name: toy", [planned])
    render(studio.library, planned)
    answer = server.photo_page({})
    assert (answer["demo"], answer["total"]) == (1, 2)
    assert server.remove_demo(None) == {
        "problem": "", "said": "1 photo deleted. 1 synthetic image that came of them stays.",
    }  # fmt: skip
    assert studio.library.photos.list() == [own]


def test_photos_are_excluded_included_relabelled_moved_and_deleted(
    studio: Studio, server: OverviewServer
) -> None:
    library = studio.library
    first, second = add_subject(library, 1), add_subject(library, 2)
    ids = [first.id, second.id]
    assert (
        server.exclude_photos({"ids": ids, "excluded": True})["said"]
        == "2 photos excluded from plans and releases."
    )
    assert library.counts().excluded == 2
    assert server.exclude_photos({"ids": ids[:1], "excluded": False})["said"] == "1 photo included again."
    assert library.counts().excluded == 1
    assert server.label_photos({"ids": ids, "label": " gear "})["said"] == "2 photos moved to class gear."
    assert library.counts().classes == {"gear": 2}
    assert server.move_photos({"ids": ids, "split": "test"})["said"] == "2 photos moved to test."
    assert {photo.split for photo in library.photos.list()} == {"test"}
    assert server.cut_out_photos({"ids": ids}) == {"problem": "", "left": 0}
    assert server.samples_of_photos({"ids": ids}) == {"problem": "", "samples": 0}
    assert server.delete_photos({"ids": ids})["said"] == "2 photos deleted."
    assert library.photos.list() == []
    assert server.exclude_photos({"ids": ids, "excluded": True})["problem"].endswith(
        "it may have been deleted"
    )


def test_a_photo_with_images_is_deleted_with_a_word_on_them_but_not_moved(
    studio: Studio, server: OverviewServer
) -> None:
    photos = [add_subject(studio.library, number) for number in (1, 2)]
    specs = [spec(photos[0], seed=1), spec(*photos, seed=2)]
    studio.library.plans.add("toy", "name: toy", specs)
    for planned in specs:
        studio.library.review.record(decision(render(studio.library, planned), client_id=planned.id))
    ids = [photo.id for photo in photos]
    assert server.move_photos({"ids": ids, "split": "test"})["problem"] == (
        "2 photos have 2 synthetic images, which would leak into the other split; "
        "leave out photos that images were made from"
    )
    assert {photo.split for photo in studio.library.photos.list()} == {"train"}
    assert server.samples_of_photos({"ids": ids})["samples"] == 2
    assert server.delete_photos({"ids": ids[:1]})["said"] == (
        "1 photo deleted. 2 synthetic images that came of them stay."
    )


@pytest.mark.parametrize(
    ("name", "question"),
    [
        ("photo_page", {"page": 0}),
        ("photo_page", {"page": "x"}),
        ("photo_page", []),
        ("photo_page", {"filter": {"split": "both"}}),
        ("photo_ids", [1]),
        ("samples_of_photos", {"ids": "abc"}),
        ("exclude_photos", {"ids": []}),
        ("exclude_photos", {"ids": ["a"], "excluded": "perhaps"}),
        ("label_photos", {"ids": ["a"]}),
        ("label_photos", {"ids": [7], "label": "x"}),
        ("move_photos", {"ids": ["a"], "split": "both"}),
        ("cut_out_photos", None),
        ("delete_photos", {"ids": [""]}),
    ],
)
def test_an_unreadable_question_is_answered_with_its_problem(
    studio: Studio, server: OverviewServer, name: str, question: Any
) -> None:
    photo = add_subject(studio.library, 1)
    problem = getattr(server, name)(question)["problem"]
    assert "cannot be read" in problem
    assert "reload the page" in problem
    assert studio.library.photos.list() == [photo]


def test_only_leads_of_a_space_are_offered_changes(studio: Studio, server: OverviewServer) -> None:
    add_subject(studio.library, 1)
    change_settings(studio, hosted=True, owner="ann")
    by_name = {
        name: SimpleNamespace(
            scope={"session": {"oauth_info": {"userinfo": {"preferred_username": name}}}}, cookies={}
        )
        for name in ("ann", "ben")
    }
    assert [server.photo_page({}, request)["may_change"] for request in by_name.values()] == [True, False]  # type: ignore[arg-type]
    functions = {function.__name__: function for function in server.functions()}
    refused = {
        name: functions[name](question, by_name["ben"])["problem"]
        for name, question in (
            ("exclude_photos", {"ids": ["a"], "excluded": True}),
            ("delete_photos", {"ids": ["a"]}),
            ("remove_demo", None),
        )
    }
    assert refused["exclude_photos"].startswith("'ben' may not change masks here")
    assert refused["delete_photos"].startswith("'ben' may not import photos here")
    assert refused["remove_demo"].startswith("'ben' may not import photos here")


def test_while_the_demo_set_is_rendered_the_page_says_so(studio: Studio) -> None:
    job = Mock(StarterJob, running=True)
    assert OverviewServer(studio, job).photo_page({})["filling"] is True
