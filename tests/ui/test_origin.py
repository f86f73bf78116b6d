"""A page of another origin, or one that reaches the studio under another name, changes nothing."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import fields, replace
from typing import Any

import pytest

from pipeline.settings import Settings
from pipeline.studio import Studio
from tests.studios import change_settings
from tests.toy_library import filled
from tests.ui.served import Site, served
from ui.origin import TOKEN_HEADER, TOKEN_PATH, hosts_of

EVIL = "http://evil.example"


@pytest.fixture(scope="module")
def studio(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Studio]:
    """A studio at home with three undecided samples; a refusal leaves it as it is, so that tests can share it."""
    folder = tmp_path_factory.mktemp("home")
    settings = Settings(
        library=folder / "library", releases=folder / "releases", runs=folder / "runs", starter=False
    )
    with Studio(settings) as opened:
        filled(opened.library, samples=3)
        yield opened


@pytest.fixture(scope="module")
def site(studio: Studio) -> Iterator[Site]:
    """Its pages."""
    with served(studio) as opened:
        yield opened


@pytest.fixture
def restored(studio: Studio) -> Iterator[None]:
    """Give the shared studio its settings back."""
    before = studio.settings
    yield
    change_settings(studio, **{field.name: getattr(before, field.name) for field in fields(before)})


def bulk(site: Site) -> dict[str, Any]:
    """The call that rejects every sample."""
    return {
        "component_id": site.component("decide_all"),
        "fn_name": "decide_all",
        "data": {"query": {}, "verdict": "reject", "batch": "b"},
        "session_hash": "s",
    }


@pytest.mark.parametrize(
    ("headers", "sentence"),
    [
        ({"Origin": EVIL}, f"a page of {EVIL} may not use this studio; open the studio's own page"),
        ({"Origin": "null"}, "a page of null may not use this studio; open the studio's own page"),
        (
            {"Origin": "http://127.0.0.1:1"},
            "a page of http://127.0.0.1:1 may not use this studio; open the studio's own page",
        ),
        (
            {"Sec-Fetch-Site": "cross-site"},
            "a page of another site may not use this studio; open the studio's own page",
        ),
        (
            {"Sec-Fetch-Site": "same-site"},
            "a page of another site may not use this studio; open the studio's own page",
        ),
        (
            {"Host": "evil.example", "Origin": EVIL},
            "this studio is not called 'evil.example'; add the name to BACKLOT_HOSTS if it should be",
        ),
        ({"Content-Type": "text/plain"}, "the body is 'text/plain'; send it as application/json"),
        (
            {"Content-Type": "application/x-www-form-urlencoded"},
            "the body is 'application/x-www-form-urlencoded'; send it as application/json",
        ),
        ({"Content-Type": ""}, "the body is ''; send it as application/json"),
        ({TOKEN_HEADER: "made up"}, "the page is out of date; reload it"),
        ({TOKEN_HEADER: ""}, "the page is out of date; reload it"),
    ],
)
def test_a_bulk_decision_of_a_foreign_page_is_refused_with_one_sentence_and_decides_nothing(
    site: Site, studio: Studio, headers: dict[str, str], sentence: str
) -> None:
    answer = site.post("component_server", bulk(site), headers)
    assert (answer.status, answer.json["error"]) == (403, sentence)
    assert [row.review for row in studio.library.samples.list()] == ["pending"] * 3


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "[::1]"])
def test_the_studios_own_page_decides_in_bulk_under_every_name_of_the_loopback(
    site: Site, studio: Studio, host: str
) -> None:
    place = f"{host}:{site.port}"
    own = {"Host": place, "Origin": f"http://{place}", "Sec-Fetch-Site": "same-origin"}
    call = bulk(site)
    batch = call["data"]["batch"] = f"from-{sum(map(ord, host))}"
    answer = site.post("component_server", call, own)
    assert (answer.status, answer.json["count"]) == (200, 3)
    assert studio.review.decisions.undo_all(batch, reviewer="me") == 3


@pytest.mark.parametrize("headers", [{"Origin": EVIL}, {"Host": "evil.example"}], ids=["origin", "host"])
@pytest.mark.parametrize(
    "path",
    [
        "queue/join",
        "run/predict",
        "call/x",
        "cancel",
        "reset",
        "upload",
        "component_server",
        "process_recording",
    ],
)
def test_every_way_to_write_is_closed_to_foreign_pages(
    site: Site, path: str, headers: dict[str, str]
) -> None:
    assert site.post(path, {"data": [], "session_hash": "s", "fn_index": 0}, headers).status == 403


@pytest.mark.parametrize("method", ["PUT", "PATCH", "DELETE"])
def test_no_method_goes_round_the_guard(site: Site, method: str) -> None:
    assert site.request(method, "/gradio_api/queue/join", b"{}", {"Origin": EVIL}).status == 403


def test_a_foreign_page_or_name_reads_no_answer_and_no_token(site: Site) -> None:
    for headers in ({"Origin": EVIL}, {"Origin": "http://localhost:1"}, {"Host": "evil.example"}):
        for path in (TOKEN_PATH, "/config", "/", "/gradio_api/queue/data?session_hash=s"):
            assert site.request("GET", path, headers=headers).status == 403, (headers, path)
    assert site.request("GET", TOKEN_PATH).headers["cache-control"] == "no-store"
    assert site.token == site.token != ""


def test_files_are_taken_from_the_studios_own_page_only(site: Site) -> None:
    body = b'--x\r\nContent-Disposition: form-data; name="files"; filename="a.png"\r\n\r\nPNG\r\n--x--\r\n'
    form = {"Content-Type": "multipart/form-data; boundary=x"}
    for headers in (
        form,
        {**form, "Origin": EVIL},
        {**form, "Origin": site.origin, "Sec-Fetch-Site": "same-site"},
    ):
        assert site.request("POST", "/gradio_api/upload", body, headers).status == 403
    assert (
        site.request("POST", "/gradio_api/run/predict", body, {**form, "Origin": site.origin}).status == 403
    )
    assert site.request("POST", "/gradio_api/upload", body, {**form, "Origin": site.origin}).status == 200


def test_scripts_without_a_browser_may_use_the_api_but_the_server_functions(site: Site) -> None:
    json_only = {"Content-Type": "application/json"}
    assert site.request("POST", "/gradio_api/reset", b'{"event_id": "x"}', json_only).status == 200
    refused = site.request("POST", "/gradio_api/component_server", b"{}", json_only)
    assert (refused.status, refused.json["error"]) == (403, "the page is out of date; reload it")


def settings(**given: Any) -> Settings:
    return replace(Settings(), **given)


@pytest.mark.parametrize(
    ("given", "environment", "own", "foreign"),
    [
        (
            {},
            {},
            ["localhost:7860", "127.0.0.1", "[::1]:7860", "LOCALHOST"],
            ["10.0.0.5:7860", "studio.lan", ""],
        ),
        ({}, {"GRADIO_SERVER_NAME": "10.0.0.5"}, ["10.0.0.5:7860"], ["10.0.0.6", "evil.example"]),
        (
            {},
            {"GRADIO_SERVER_NAME": "0.0.0.0"},
            ["10.0.0.5:7860", "[fe80::1]:7860"],
            ["evil.example", "a.hf.space"],
        ),
        ({"hosts": "studio.lan, other.lan"}, {}, ["studio.lan:80", "Other.lan"], ["third.lan"]),
        (
            {"hosted": True},
            {"SPACE_HOST": "ann-backlot.hf.space,backlot.example.org"},
            ["ann-backlot.hf.space", "backlot.example.org", "huggingface.co"],
            ["evil.example", "hf.space.evil.example"],
        ),
    ],
    ids=["loopback", "one address", "all addresses", "named", "space"],
)
def test_the_names_of_a_studio(
    given: dict[str, Any], environment: dict[str, str], own: list[str], foreign: list[str]
) -> None:
    hosts = hosts_of(settings(**given), environment=environment)
    assert [name for name in own if not hosts.include(name)] == []
    assert [name for name in foreign if hosts.include(name)] == []


def test_on_a_space_pages_of_other_spaces_are_foreign_and_the_health_check_is_not(
    studio: Studio, restored: None
) -> None:
    change_settings(studio, hosted=True, owner="ann")
    body = {"data": [], "session_hash": "s", "fn_index": 0}
    with served(studio) as site:
        host = {"Host": "ann-backlot.hf.space"}
        own = site.post("reset", {"event_id": "x"}, {**host, "Origin": "https://ann-backlot.hf.space"})
        assert own.status == 200
        proxied = {"X-Forwarded-Host": "backlot.example.org", "Origin": "https://backlot.example.org"}
        assert site.post("reset", {"event_id": "x"}, {**host, **proxied}).status == 200
        for origin in ("https://evil.hf.space", "https://huggingface.co"):
            assert site.post("queue/join", body, {**host, "Origin": origin}).status == 403
        assert site.request("GET", "/", headers={"Host": "10.0.0.5:7860"}).status == 200


def test_behind_a_proxy_the_name_that_the_owner_gave_counts(studio: Studio, restored: None) -> None:
    change_settings(studio, hosts="studio.example.org")
    with served(studio) as site:
        own = {"Origin": "https://studio.example.org"}
        assert site.post("reset", {"event_id": "x"}, own).status == 200
        assert site.post("reset", {"event_id": "x"}, {"Origin": "https://evil.example.org"}).status == 403
