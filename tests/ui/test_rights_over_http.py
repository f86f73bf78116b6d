"""A visitor of a Space calls every endpoint and every server function over HTTP, with hostile values."""

from __future__ import annotations

import json
import re
import sqlite3
import sys
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import gradio as gr
import pytest
from PIL import Image

from pipeline.domain.review import Verdict
from pipeline.settings import Settings
from pipeline.store import SampleFilter
from pipeline.store.database import DATABASE_NAME
from pipeline.studio import Studio
from tests.studios import change_settings
from tests.toy_library import decision, filled
from tests.ui.served import Answer, Site, served
from ui.access import LEAST_ROLE, Capability, Role, capability_of, server_functions_of
from ui.origin import TOKEN_HEADER

REFUSED = "'visitor' may not"
UNREADABLE = "a value of the form cannot be read"  # Gradio reads the fields before the handler is asked
CANARY = "canary-of-the-owner"
COOKIE = {"Cookie": "backlot_reviewer=ann"}  # a browser's own cookie claims to be ann
_opened: list[str] = []  # paths below the owner's folder that were opened or listed
_watched: list[str] = []


def _watch(event: str, given: tuple[Any, ...]) -> None:
    if _watched and event in ("open", "os.listdir", "os.scandir") and str(given[0]).startswith(_watched[0]):
        _opened.append(str(given[0]))


sys.addaudithook(_watch)


@pytest.fixture(scope="module")
def outside(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of the owner that is no part of the studio: pictures, a model, a text."""
    folder = tmp_path_factory.mktemp("owner") / CANARY
    (folder / "bolt").mkdir(parents=True)
    Image.new("RGB", (64, 64), (1, 2, 3)).save(folder / "bolt" / "canary.png")
    (folder / "model_index.json").write_text(json.dumps({"_class_name": CANARY}))
    return folder


@pytest.fixture(scope="module")
def studio(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Studio]:
    """Ann's Space with three samples, one of them accepted by ann; no test changes it."""
    folder = tmp_path_factory.mktemp("space")
    settings = Settings(
        library=folder / "library", releases=folder / "releases", runs=folder / "runs", starter=False
    )
    with Studio(settings) as opened:
        ids = filled(opened.library, samples=3)
        opened.library.review.record(decision(ids[0], Verdict.ACCEPT, client_id="batch:1"))
        change_settings(opened, hosted=True, owner="ann", people="ann:lead, ben")
        yield opened


@pytest.fixture(scope="module")
def site(studio: Studio) -> Iterator[Site]:
    with served(studio) as opened:
        yield opened


@contextmanager
def nothing_written_and_nothing_read(studio: Studio, outside: Path) -> Iterator[None]:
    """Everything that is stored stays as it is, and nothing in the owner's folder is opened or listed."""
    before = written(studio)
    _opened.clear()
    _watched[:] = [str(outside)]
    yield
    _watched.clear()
    assert written(studio) == before
    assert _opened == []


def written(studio: Studio) -> list[str]:
    """The database as text, and the files of releases, runs and pictures."""
    settings = studio.settings
    with closing(sqlite3.connect(settings.library / DATABASE_NAME)) as database:
        lines = list(database.iterdump())
    folders = [settings.releases, settings.runs, settings.library / "blobs"]
    return lines + sorted(str(path) for folder in folders if folder.exists() for path in folder.rglob("*"))


def hostile(outside: Path) -> list[Any]:
    """Values that no form of the studio sends."""
    recipe = "name: x\nclasses: {bolt: 2}\n"
    return [
        str(outside),
        f"{outside}-missing",
        f"../../../../../../..{outside}",
        f"{recipe}backdrops: {{folder: {outside}}}\n",
        f"{recipe}method: controlnet\ncontrol: {{reference: {outside}/bolt/canary.png}}\n",
        f"{recipe}model: {outside}\n",
        {"path": f"{outside}/bolt/canary.png", "meta": {"_type": "gradio.FileData"}},
        [{"path": f"{outside}/bolt/canary.png", "meta": {"_type": "gradio.FileData"}}],
        "<img src=x onerror=alert(1)>",
        "x" * 1_000_001,
        -1,
        10**30,
        1e308,
        True,
        None,
        [],
        {"a": [{"b": None}]},
    ]


def unhandled(answer: Answer) -> bool:
    """Whether the answer is that of a bug: Gradio answers a refusal with 500, too, but with its sentence."""
    return answer.status >= 500 and not answer.json.get("error")


def call(site: Site, number: int, value: Any, session: str = "visitor") -> Answer:
    """Call an endpoint with one value in every field but hidden numbers, and as what the event carries."""
    inputs = site.app.fns[number].inputs
    event = {"value": value, "x": value, "y": value, "index": value}
    body = {
        "fn_index": number,
        "data": [0 if isinstance(one, gr.Number) and not one.visible else value for one in inputs],
        "event_data": event,
        "session_hash": session,
    }
    return site.post("run/predict", body, COOKIE)


def said(answer: Answer) -> str:
    """What an answer says, without how long it took, and with one name for both paths."""
    text = json.dumps(answer.json.get("data") or answer.json.get("error"))
    return re.sub(r"\d+ tokens", "tokens", text.replace("canasy", "canary"))


def listening(site: Site) -> Iterator[tuple[int, Any]]:
    yield from ((number, one) for number, one in site.app.fns.items() if one.fn is not None)


def test_no_endpoint_writes_reads_or_breaks_whatever_a_visitor_sends(
    site: Site, studio: Studio, outside: Path
) -> None:
    broken = []
    for number, function in listening(site):
        with nothing_written_and_nothing_read(studio, outside):
            for value in hostile(outside):
                answer = call(site, number, value)
                if unhandled(answer):
                    broken.append((function.fn.__qualname__, str(value)[:60]))
    assert broken == []


def test_no_answer_tells_whether_a_path_exists(site: Site, outside: Path) -> None:
    missing = outside.with_name(outside.name.replace("canary", "canasy"))
    for number, function in listening(site):
        if function.fn.__qualname__ == "_wire_prompt.<locals>.<lambda>":
            continue  # a new seed by chance
        there, gone = (call(site, number, str(path), path.name) for path in (outside, missing))
        assert there.status == gone.status
        assert said(there) == said(gone), function.fn.__qualname__
    for page in ("train?release=", "create?subject=", "publish?folder=", "review?state="):
        there, gone = (site.request("GET", f"/{page}{path}") for path in (outside, missing))
        assert there.status == gone.status


def test_the_study_pages_address_tells_no_path(site: Site, outside: Path) -> None:
    (number,) = [n for n, one in listening(site) if one.fn.__qualname__ == "Training.opened"]
    query = [[key, str(outside)] for key in ("release",)]
    body = {"fn_index": number, "data": [], "session_hash": "visitor"}
    answer = site.post(f"run/predict?{query[0][0]}={query[0][1]}", body, COOKIE)
    assert CANARY not in answer.text


def test_every_endpoint_that_a_visitor_may_not_use_refuses_with_one_sentence(
    site: Site, studio: Studio, outside: Path
) -> None:
    closed = [
        (number, one)
        for number, one in listening(site)
        if LEAST_ROLE[capability_of(one.fn) or Capability.SETTLE] is not Role.READER
    ]
    assert len(closed) >= 18
    with nothing_written_and_nothing_read(studio, outside):
        for number, function in closed:
            data = [given(component) for component in function.inputs]
            body = {
                "data": data,
                "session_hash": "visitor",
                "oauth_token": "hf_made_up",
                "event_data": {"index": [1, 2], "value": 1},
            }
            answers = [site.post("run/predict", {**body, "fn_index": number}, COOKIE)]
            if function.api_name:
                answers.append(site.post(f"run/{function.api_name}", body, COOKIE))
            for answer in answers:
                assert REFUSED in answer.text or UNREADABLE in answer.text, (
                    function.fn.__qualname__,
                    answer.text,
                )


def test_a_visitor_sees_no_list_of_runs_and_neither_resumes_nor_drops_one(
    site: Site, studio: Studio, outside: Path
) -> None:
    assert [run.name for run in studio.samples.runs.listed()] == ["toy"]
    for name in ("Runs.resume", "Runs.drop"):
        with nothing_written_and_nothing_read(studio, outside):
            answer = call(site, site.endpoint(name), "toy")
        assert REFUSED in answer.text, name
    lists = [number for number, one in listening(site) if one.fn.__qualname__ == "Runs.shown"]
    assert len(lists) >= 2
    for number in lists:
        shown = call(site, number, "toy")
        assert shown.status == 200
        assert "toy" not in shown.text


def given(component: Any) -> Any:
    """A value that the component's handler would take; None where it is a file or a picture."""
    if isinstance(component, gr.File | gr.Image | gr.State | gr.HTML):
        return None
    return component.example_payload()


def test_no_server_function_of_a_component_writes_for_a_visitor(
    site: Site, studio: Studio, outside: Path
) -> None:
    pending = [row.id for row in studio.library.queue.next_pending(limit=5)]
    accepted = studio.library.samples.list(SampleFilter(review="accepted"))[0].id
    photos = [photo.id for photo in studio.library.photos.list()]
    verdict = {"sample_id": pending[0], "verdict": "accept", "via": "settle", "client_id": "v1"}
    photo = studio.library.photos.list(limit=1)[0].id
    asked: dict[str, list[Any]] = {
        "photo": [{"id": photo, "query": {}}],
        "region": [[photo, 3, 3, True]],
        "box": [[photo, 1, 1, 20, 20]],
        "automatic": [photo],
        "save": [[photo, [10, 5, 10]]],
        "confirm": [photo],
        "exclude": [[photo, True]],
        "review_queue": [[None, 5, {}]],
        "record_decisions": [
            [verdict],
            [[verdict]],
            [{**verdict, "sample_id": accepted, "verdict": "reject"}],
        ],
        "undo_last": [None],
        "leave_review": [None],
        "photo_in_place": [pending[0], str(outside)],
        "another_try": [pending[0]],
        "grid_page": [{"query": {}, "after": None, "limit": 5}],
        "count_fitting": [{}],
        "decide_all": [{"query": {}, "verdict": "accept", "batch": "b"}],
        "keep_best": [{"query": {}, "batch": "b"}, {"query": {}, "batch": "b", "kept": [pending[0]]}],
        "similar_samples": [pending[0]],
        "compare_samples": [pending[0]],
        "undo_all": ["batch"],
        "save_queue": [{"name": "mine", "query": {}}, {"name": "mine", "query": None}],
        "make_gold": [{"ids": [accepted]}, {"photos": 2}],
        "photo_page": [{"filter": {"class": "bolt", "state": "check"}, "page": 2}],
        "photo_ids": [{"split": "train"}],
        "samples_of_photos": [{"ids": photos}],
        "exclude_photos": [{"ids": photos, "excluded": True}],
        "label_photos": [{"ids": photos, "label": "gear"}],
        "move_photos": [{"ids": photos, "split": "test"}],
        "cut_out_photos": [{"ids": photos}],
        "delete_photos": [{"ids": photos}],
        "remove_demo": [None],
    }
    found: set[str] = set()
    for number, block in site.app.blocks.items():
        for name in server_functions_of(block):
            found.add(name)
            for data in [*asked.get(name, []), None, [], {}, *hostile(outside)]:
                body = {"component_id": number, "fn_name": name, "data": data, "session_hash": "visitor"}
                with nothing_written_and_nothing_read(studio, outside):
                    answer = site.post("component_server", body, COOKIE)
                assert answer.status < 500, (name, data)
                if data in asked.get(name, []):
                    assert answer.status == 200, (name, data)
    assert set(asked) <= found


def test_an_unreadable_call_of_a_server_function_is_answered_with_a_sentence(site: Site) -> None:
    review = site.component("grid_page")
    call = {"component_id": review, "fn_name": "grid_page", "data": {}, "session_hash": "s"}
    unreadable = [
        None, [], {}, "x", 7, {**call, "component_id": 10**9}, {**call, "component_id": -1},
        {**call, "component_id": True}, {**call, "component_id": "x"}, {**call, "component_id": None},
        {**call, "fn_name": "__init__"}, {**call, "fn_name": 7}, {**call, "fn_name": None},
        {**call, "fn_name": ["grid_page"]}, {**call, "session_hash": [1]}, {**call, "session_hash": {}},
        {"component_id": review, "fn_name": "grid_page"},
    ]  # fmt: skip
    answers = [(body, site.post("component_server", body)) for body in unreadable]
    assert [(body, answer.status) for body, answer in answers if answer.status != 400] == []
    assert all(answer.json["detail"] for _, answer in answers)
    assert site.post("component_server/", call).status == 200


@pytest.mark.parametrize("body", [b"", b"{", b"[" * 100_000, b"\xff\xfe", b'{"data": 1e999}'])
def test_a_body_that_is_not_json_is_answered_with_a_sentence(site: Site, body: bytes) -> None:
    headers = {"Content-Type": "application/json", "Origin": site.origin, TOKEN_HEADER: site.token}
    answer = site.request("POST", "/gradio_api/component_server", body, headers)
    assert (answer.status, bool(answer.json["detail"])) == (400, True)


@pytest.mark.parametrize("part", ['name="a"', 'name="file"; filename="a.png"', 'name="component_id"'])
def test_a_form_that_cannot_be_read_is_no_server_error(
    site: Site, studio: Studio, monkeypatch: pytest.MonkeyPatch, part: str
) -> None:
    monkeypatch.setattr(studio, "settings", replace(studio.settings, hosted=False))
    body = f"--x\r\nContent-Disposition: form-data; {part}\r\n\r\nPNG\r\n--x--\r\n".encode()
    headers = {
        "Content-Type": "multipart/form-data; boundary=x", "Origin": site.origin, TOKEN_HEADER: site.token,
    }  # fmt: skip
    answer = site.request("POST", "/gradio_api/component_server", body, headers)
    assert (answer.status, bool(answer.json["detail"])) == (400, True)


def test_a_visitor_sends_no_files_and_no_megabytes(site: Site, studio: Studio) -> None:
    body = b'--x\r\nContent-Disposition: form-data; name="files"; filename="a.png"\r\n\r\nPNG\r\n--x--\r\n'
    form = {"Content-Type": "multipart/form-data; boundary=x", "Origin": site.origin}
    refused = site.request("POST", "/gradio_api/upload", body, form)
    assert (refused.status, refused.json["error"]) == (
        403,
        "'visitor' may not send files here; sign in with Hugging Face; a lead can add the name to BACKLOT_PEOPLE",
    )
    large = site.post("run/predict", {"data": ["x" * 5_000_000], "fn_index": 0, "session_hash": "s"})
    assert (large.status, large.json["error"]) == (
        413,
        "the request is larger than 4.0 MB; send less in one request",
    )


def test_only_pictures_are_served_as_files(site: Site, studio: Studio) -> None:
    library = studio.settings.library.absolute()
    row = studio.library.samples.list(SampleFilter(review="accepted"))[0]
    picture = studio.library.images.path(str(row.image_id)).absolute()
    assert site.request("GET", f"/gradio_api/file={picture}").status == 200
    for path in (library / DATABASE_NAME, Path(__file__), Path("app.py").absolute(), Path("/etc/passwd")):
        assert site.request("GET", f"/gradio_api/file={path}").status == 403
