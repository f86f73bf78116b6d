"""A visitor of a Space calls every endpoint and every server function over HTTP: nothing is written."""

from __future__ import annotations

import json
import socket
import sqlite3
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any

import gradio as gr
import pytest

from pipeline.domain.review import Verdict
from pipeline.library.engine import DATABASE_NAME
from pipeline.studio import Studio
from tests.toy_library import decision, filled
from ui.app import launch
from ui.origin import TOKEN_HEADER, TOKEN_PATH

REFUSED = "'visitor' may not"
_TIMEOUT_S = 60


@pytest.fixture
def site(studio: Studio) -> Iterator[tuple[gr.Blocks, str]]:
    """The app of ann's Space with three samples, one of them accepted by ann, and its address."""
    ids = filled(studio.library, samples=3)
    studio.library.record_decision(decision(ids[0], Verdict.ACCEPT, client_id="batch:1"))
    studio.settings = replace(studio.settings, hosted=True, owner="ann", people="ann:lead, ben")
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = int(probe.getsockname()[1])
    app = launch(studio, block=False, quiet=True, server_port=port)
    try:
        yield app, f"http://127.0.0.1:{port}/gradio_api"
    finally:
        app.close()


def sent(address: str, body: dict[str, Any]) -> str:
    """What a POST is answered with, whatever the status; a browser's own cookie claims to be ann."""
    token = urllib.request.urlopen(f"{address.partition('/gradio_api')[0]}{TOKEN_PATH}").read().decode()
    headers = {"Content-Type": "application/json", "Cookie": "backlot_reviewer=ann", TOKEN_HEADER: token}
    request = urllib.request.Request(address, json.dumps(body).encode(), headers)
    try:
        with urllib.request.urlopen(request, timeout=_TIMEOUT_S) as answer:
            return str(answer.read().decode())
    except urllib.error.HTTPError as error:
        return str(error.read().decode())


def queued(address: str, fn_index: int, data: list[Any]) -> str:
    """The last message of an event that went through the queue, the only way in on a Space."""
    session = f"visitor-{fn_index}"
    sent(f"{address}/queue/join", {"fn_index": fn_index, "data": data, "session_hash": session})
    with urllib.request.urlopen(f"{address}/queue/data?session_hash={session}", timeout=_TIMEOUT_S) as stream:
        for line in stream:
            if b"process_completed" in line:
                return str(line.decode())
    raise AssertionError(f"endpoint {fn_index} never answered")


def written(studio: Studio) -> list[str]:
    """Everything that is stored: the database as text, and the files that belong to releases, runs and pictures."""
    settings = studio.settings
    with closing(sqlite3.connect(settings.library / DATABASE_NAME)) as database:
        lines = list(database.iterdump())
    folders = [settings.releases, settings.runs, settings.library / "blobs"]
    return lines + sorted(str(path) for folder in folders if folder.exists() for path in folder.rglob("*"))


def given(component: Any) -> Any:
    """A value that the component's handler would take; None where it is a file or a picture."""
    if isinstance(component, gr.File | gr.Image | gr.ImageEditor | gr.State | gr.HTML):
        return None
    return component.example_payload()


def test_every_endpoint_that_writes_refuses_a_visitor_and_none_writes(
    site: tuple[gr.Blocks, str], studio: Studio
) -> None:
    app, address = site
    before = written(studio)
    info = json.loads(urllib.request.urlopen(f"{address}/info?all_endpoints=True", timeout=_TIMEOUT_S).read())
    listed = len(info["named_endpoints"]) + len(info["unnamed_endpoints"])
    called, refused = 0, 0
    for number, function in app.fns.items():
        if function.fn is None:  # the browser's alone
            continue
        data = [given(component) for component in function.inputs]
        call = {"fn_index": number, "data": data, "session_hash": "visitor"}
        answers = [sent(f"{address}/run/predict", call), queued(address, number, data)]
        called += 1
        if hasattr(function.fn, "needs"):
            refused += 1
            assert all(REFUSED in answer for answer in answers), (function.fn.__name__, answers)
        assert written(studio) == before, f"a visitor wrote something through {function.fn.__name__}"
    assert called >= listed > 0
    assert refused >= 14


def test_named_endpoints_refuse_by_their_names_too(site: tuple[gr.Blocks, str], studio: Studio) -> None:
    app, address = site
    before = written(studio)
    names = {
        function.api_name: function
        for function in app.fns.values()
        if function.api_name and hasattr(function.fn, "needs")
    }
    assert names
    for name, function in names.items():
        data = [given(component) for component in function.inputs]
        for body in ({"data": data}, {"data": data, "oauth_token": "hf_made_up"}):
            assert REFUSED in sent(f"{address}/run/{name}", {**body, "session_hash": "visitor"}), name
    assert written(studio) == before


def test_no_server_function_of_a_component_writes_for_a_visitor(
    site: tuple[gr.Blocks, str], studio: Studio
) -> None:
    app, address = site
    pending = [row.id for row in studio.library.next_pending(limit=5)]
    accepted = studio.library.samples(review="accepted")[0].id
    verdict = {"sample_id": pending[0], "verdict": "accept", "via": "settle", "client_id": "v1"}
    asked: dict[str, list[Any]] = {
        "review_queue": [[None, 5, {}]],
        "record_decisions": [
            [verdict],
            [[verdict]],
            [{**verdict, "sample_id": accepted, "verdict": "reject"}],
        ],
        "undo_last": [None],
        "leave_review": [None],
        "photo_in_place": [pending[0]],
        "another_try": [pending[0]],
        "grid_page": [{"query": {}, "after": None, "limit": 5}],
        "count_fitting": [{}],
        "decide_all": [{"query": {}, "verdict": "accept", "batch": "b"}],
        "keep_best": [{"query": {}, "batch": "b"}],
        "undo_all": ["batch"],
        "save_queue": [{"name": "mine", "query": {}}, {"name": "mine", "query": None}],
        "make_gold": [{"ids": [accepted]}, {"photos": 2}],
    }
    before = written(studio)
    found: set[str] = set()
    for number, block in app.blocks.items():
        names = [name for name in dir(block) if getattr(getattr(block, name, None), "_is_server_fn", False)]
        for name in names:
            found.add(name)
            for data in asked.get(name, [None, [], {}]):
                body = {"component_id": number, "fn_name": name, "data": data, "session_hash": "visitor"}
                answer = sent(f"{address}/component_server", body)
                assert written(studio) == before, f"a visitor wrote something through {name}: {answer}"
    assert set(asked) <= found


def test_only_pictures_are_served_as_files(site: tuple[gr.Blocks, str], studio: Studio) -> None:
    _, address = site
    library = studio.settings.library.absolute()
    row = studio.library.samples(review="accepted")[0]
    assert urllib.request.urlopen(
        f"{address}/file={studio.picture_path(str(row.image_id)).absolute()}"
    ).read()
    for path in (library / DATABASE_NAME, Path(__file__), Path("app.py").absolute(), Path("/etc/passwd")):
        with pytest.raises(urllib.error.HTTPError, match="403"):
            urllib.request.urlopen(f"{address}/file={path}", timeout=_TIMEOUT_S)
