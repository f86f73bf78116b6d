"""Every handler of the app declares a capability, and the table of capabilities says who may call it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from types import SimpleNamespace
from typing import Any

import gradio as gr
import pytest
from gradio.context import LocalContext

from pipeline.domain.people import Role
from pipeline.errors import InvalidRequest, NotAllowed
from pipeline.studio import Studio
from tests.studios import change_settings
from ui.access import (
    LEAST_ROLE,
    Capability,
    StudioBlocks,
    UndeclaredHandler,
    capability_of,
    check_declared,
    handler,
    server_function,
    server_functions_of,
)
from ui.app import build_app
from ui.errors import FAULT
from ui.pages.photos.starter_job import StarterJob
from ui.pages.table import PAGES

READERS = {Capability.LOOK, Capability.TRY}
WRITING = {
    "start_files": "import", "start_source": "import", "start_starter_set": "import", "region": "masks", "box": "masks",
    "automatic": "masks", "save": "masks", "confirm": "masks", "checked": "masks", "delete_photos": "", "start": "",
    "pause": "runs", "resume": "runs", "drop": "runs", "stop": "", "publish": "publish", "compare": "publish",
    "kept": "keep",
    "comparison": "studies", "teach": "auto-reviewer", "keep": "decide for others", "preview": "",
    "apply_changes": "plan recipes", "learn": "runs", "embed_images": "runs",
}  # fmt: skip


@pytest.fixture
def app(studio: Studio) -> gr.Blocks:
    """The app of somebody's Space."""
    change_settings(studio, hosted=True, owner="ann")
    return build_app(studio, StarterJob(studio))


@pytest.fixture
def asked_by() -> Iterator[Callable[[str], None]]:
    """Say who asks from now on."""
    tokens = []

    def ask(name: str) -> None:
        tokens.append(LocalContext.request.set(request_of(name)))

    yield ask
    for token in reversed(tokens):
        LocalContext.request.reset(token)


def request_of(name: str) -> Any:
    session = {"oauth_info": {"userinfo": {"preferred_username": name}}} if name else {}
    return SimpleNamespace(scope={"session": session}, cookies={"backlot_reviewer": "ann"})


def listeners(app: gr.Blocks) -> list[Callable[..., Any]]:
    return [function.fn for function in app.fns.values() if function.fn is not None]


def test_every_listener_and_every_server_function_declares_a_capability(app: gr.Blocks) -> None:
    functions = [
        function for block in app.blocks.values() for function in server_functions_of(block).values()
    ]
    assert len(listeners(app)) > 60
    assert len(functions) >= 13
    assert [one.__qualname__ for one in [*listeners(app), *functions] if capability_of(one) is None] == []
    check_declared(app)


@pytest.mark.filterwarnings("ignore:Gradio does not support OAuth:UserWarning")
def test_gradios_own_sign_in_button_is_allowed_and_nothing_else_of_gradio(
    studio: Studio, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("gradio.oauth._get_mocked_oauth_info", dict)  # needs no provider
    change_settings(studio, hosted=True, sign_in=True, owner="ann")
    page = build_app(studio, StarterJob(studio))
    buttons = [block for block in page.blocks.values() if isinstance(block, gr.LoginButton)]
    assert len(buttons) == len(PAGES)
    of_gradio = {
        listener.__module__ for listener in listeners(page) if listener.__module__.startswith("gradio.")
    }
    assert of_gradio == {"gradio.components.login_button"}
    monkeypatch.setattr("ui.access._OF_GRADIO", frozenset())
    with pytest.raises(UndeclaredHandler, match="declares no capability"):
        check_declared(page)


def test_every_capability_has_a_least_role() -> None:
    assert set(LEAST_ROLE) == set(Capability)
    assert {one for one, role in LEAST_ROLE.items() if role is Role.READER} == READERS


def test_what_writes_needs_more_than_looking(app: gr.Blocks) -> None:
    functions = [
        function for block in app.blocks.values() for function in server_functions_of(block).values()
    ]
    declared = {
        one.__name__: str(capability_of(one))
        for one in [*listeners(app), *functions]
        if capability_of(one) not in READERS
    }
    assert set(WRITING) <= set(declared)
    assert [name for name, part in WRITING.items() if part not in declared[name]] == []


def test_one_comparison_of_studies_runs_at_a_time(app: gr.Blocks) -> None:
    (compared,) = [event for event in app.fns.values() if getattr(event.fn, "__name__", "") == "comparison"]
    assert compared.concurrency_limit == 1


def test_an_app_with_an_undeclared_handler_is_not_assembled() -> None:
    for build in (
        lambda page: page.load(lambda: "x", None, gr.HTML()),
        lambda page: gr.Button().click(lambda: None),
        lambda page: gr.Timer(1).tick(lambda: None),
        lambda page: gr.Image().select(lambda: None),
        lambda page: gr.HTML(js_on_load="1", server_functions=[undeclared]),
    ):
        with StudioBlocks() as page:
            build(page)
        with pytest.raises(UndeclaredHandler, match="declares no capability"):
            check_declared(page)


def test_an_app_whose_handler_has_no_line_for_refusals_is_not_assembled(studio: Studio) -> None:
    with StudioBlocks() as page:
        page.load(handler(studio, Capability.LOOK)(lambda: "x"), None, gr.HTML())
    with pytest.raises(UndeclaredHandler, match="has no line for refusals"):
        check_declared(page)
    page.add_refusal_lines({"": gr.HTML()})
    check_declared(page)


def test_a_fault_of_a_server_function_is_its_problem(
    studio: Studio, caplog: pytest.LogCaptureFixture
) -> None:
    def faulty(_asked: object) -> dict[str, Any]:
        return [][0]

    answer = server_function(studio, Capability.LOOK, faulty)("q", request_of(""))
    assert answer == {"problem": FAULT}
    assert "IndexError" in caplog.text


def undeclared(_asked: Any) -> dict[str, Any]:
    return {}


def test_an_undeclared_handler_is_refused_when_it_is_called_all_the_same(studio: Studio) -> None:
    called = []
    with StudioBlocks() as page:
        gr.Button().click(lambda: called.append(1))
    with pytest.raises(gr.Error, match="declares no capability, so nobody may call it"):
        asyncio.run(page.call_function(next(iter(page.fns.values())), []))
    assert called == []


@pytest.mark.parametrize("name", ["", "ben"])
def test_a_stranger_is_refused_by_all_that_writes_before_anything_is_read(
    app: gr.Blocks, asked_by: Callable[[str], None], name: str
) -> None:
    asked_by(name)
    closed = [one for one in listeners(app) if capability_of(one) not in READERS]
    assert len(closed) >= 18
    for one in closed:
        with pytest.raises(NotAllowed, match=f"'{name or 'visitor'}' may not") as refused:
            list(one() or [])  # without any argument: it is not looked at
        way_in = "" if name else "sign in with Hugging Face; "
        assert f"here; {way_in}a lead can add the name to BACKLOT_PEOPLE" in str(refused.value)


def test_roles_open_what_they_are_for_and_at_home_all_is_open(
    studio: Studio, asked_by: Callable[[str], None]
) -> None:
    change_settings(studio, hosted=True, people="ann:lead, ben")
    lead = handler(studio, Capability.PUBLISH)(lambda: "published")
    review = handler(studio, Capability.KEEP)(lambda: "kept")

    @handler(studio, Capability.REVIEW)
    def watch() -> Iterator[str]:
        yield "seen"

    asked_by("ann")
    assert (lead(), review(), list(watch())) == ("published", "kept", ["seen"])
    asked_by("ben")
    assert review() == "kept"
    with pytest.raises(NotAllowed, match="'ben' may not publish here"):
        lead()
    asked_by("cy")
    with pytest.raises(NotAllowed, match="'cy' may not decide here"):
        list(watch())
    change_settings(studio, hosted=False)
    assert (lead(), list(watch())) == ("published", ["seen"])


def test_a_server_function_refuses_with_its_problem(studio: Studio) -> None:
    change_settings(studio, hosted=True, owner="ann")
    count = server_function(studio, Capability.SETTLE, lambda asked: {"problem": "", "asked": asked})
    assert count("q", request_of("ann"))["asked"] == "q"
    assert count("q", request_of(""))["problem"].startswith(
        "'visitor' may not decide for others here; sign in"
    )
    assert "20,001 characters" in count({"query": ["x" * 20_001]}, request_of("ann"))["problem"]


def test_a_megabyte_of_text_is_refused_before_it_is_worked_on(studio: Studio) -> None:
    worked = []
    note = handler(studio, Capability.LOOK)(worked.append)
    plan = handler(studio, Capability.PLAN)(worked.append)
    for text in ("x" * 20_001, ["x" * 20_001], {"prompt": "x" * 20_001}):
        with pytest.raises(InvalidRequest, match="a text has 20,001 characters; at most 20,000 are read"):
            note(text)
    with pytest.raises(InvalidRequest, match="at most 1,000,000 are read"):
        plan("x" * 1_000_001)
    assert worked == []
