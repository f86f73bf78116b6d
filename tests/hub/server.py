"""A Hub on this machine for tests: what huggingface_hub and datasets ask for, over real HTTP, with faults on demand.

    with LoopbackHub(tmp_path / "hub") as hub:
        token = hub.account("ann", orgs=("lab",))
        hub.fail("POST .*/commit/", 429, times=2, headers={"Retry-After": "0"})
        hub.before("POST .*/commit/", lambda: hub.commit_as("bob", "lab/parts", {"note.txt": b"hi"}))
        run_python(hub.environment(token, tmp_path / "home"), "import datasets; ...")
        assert hub.files("lab/parts")["note.txt"] == b"hi"

Tests get it as the fixture `hub`. A fault strikes the next request that
matches (`times=-1`: every one), the first rule that is due wins, and `heal` forgets them all.

As on the real Hub a new data set starts with one commit that holds `.gitattributes` (a Space: README.md too), large
files go by LFS as its rules say, every revision is kept, and what is private looks like what is not there.
"""

from __future__ import annotations

import os
import re
import socket
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from threading import Thread
from types import TracebackType

import uvicorn
from starlette.requests import Request
from starlette.types import ASGIApp, Receive, Scope, Send

from tests.hub import objects, reading, spaces, writing
from tests.hub.accounts import Role
from tests.hub.answers import HubRefusal
from tests.hub.calls import Call, Handler, HubState
from tests.hub.faults import (
    Before,
    CutAnswer,
    CutUpload,
    Exchange,
    Fault,
    FaultyApp,
    LoseAnswer,
    Refuse,
    Rule,
    Slow,
)
from tests.hub.storage import Change, Commit, PullRequest, Repository

_START_S = 120.0  # reached only where it does not start
_OF_THE_PERSON = re.compile(r"(HF_|HUGGING|TRANSFORMERS_|BACKLOT_|.*_proxy$)", re.IGNORECASE)
_IMPATIENT = Path(__file__).parent / "impatient"


class LoopbackHub:
    """The server in a thread on a free port of 127.0.0.1, and what a test says to it and asks of it.

    Repositories are named `ns/name` and are data sets unless `kind` says `space` or `model`.

    Args:
        folder: where the bytes are kept; made when it is not there.
    """

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.state = HubState(folder=folder)
        self._app = FaultyApp(_application(self.state))
        # the protocol is named because asyncio sends without delay only then
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
        self._socket.bind(("127.0.0.1", 0))
        self.address = self.state.address = f"http://127.0.0.1:{self._socket.getsockname()[1]}"
        config = uvicorn.Config(
            self._app,
            http="h11",
            loop="asyncio",
            lifespan="off",
            ws="none",
            log_config=None,
            log_level="critical",
            timeout_graceful_shutdown=1,
        )
        self._server = uvicorn.Server(config)
        self._thread = Thread(target=self._server.run, args=([self._socket],), daemon=True)

    def __enter__(self) -> LoopbackHub:
        self._thread.start()
        deadline = time.monotonic() + _START_S
        while not self._server.started:
            if time.monotonic() > deadline or not self._thread.is_alive():
                raise RuntimeError("the loopback Hub did not start")
            time.sleep(0.005)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._server.should_exit = True
        self._thread.join(_START_S)
        self._socket.close()

    # people

    def account(
        self,
        name: str,
        role: str = "write",
        *,
        orgs: Mapping[str, str] | Sequence[str] = (),
        scopes: Sequence[str] = (),
    ) -> str:
        """A new token of an account: role write, read, fineGrained (writes to `scopes`) or contribute-repos."""
        return self.state.accounts.add(name, Role(role), orgs=orgs, scopes=scopes)

    def expire(self, token: str) -> None:
        """From now on the token is answered with 401."""
        self.state.accounts.expire(token)

    def environment(self, token: str | None, home: Path, *, patient: bool = True) -> dict[str, str]:
        """The environment of a child process whose Hub is this one, with nothing of the person's own settings.

        Args:
            token: signed in with it; None = not signed in.
            home: its HF_HOME; a fresh folder is a fresh cache.
            patient: False shortens the waits of huggingface_hub's own back-off to nothing.
        """
        kept = {name: value for name, value in os.environ.items() if not _OF_THE_PERSON.match(name)}
        paths = [] if patient else [str(_IMPATIENT)]
        return {
            **kept,
            "HF_ENDPOINT": self.address,
            "HF_HOME": str(home),
            "HF_DATASETS_CACHE": str(home / "datasets"),
            "HF_HUB_DISABLE_XET": "1",
            "HF_HUB_ETAG_TIMEOUT": "120",
            "HF_HUB_DOWNLOAD_TIMEOUT": "120",
            "HF_HUB_DISABLE_TELEMETRY": "1",
            "HF_HUB_DISABLE_PROGRESS_BARS": "1",
            "NO_PROXY": "127.0.0.1",
            "PYTHONPATH": os.pathsep.join([*paths, str(Path(__file__).parents[2])]),
            **({"HF_TOKEN": token} if token else {}),
        }

    # faults; `match` is a regular expression searched in "METHOD /path?query"

    def fail(
        self,
        match: str,
        status: int = 500,
        *,
        times: int = 1,
        headers: Mapping[str, str] | None = None,
        after: bool = False,
    ) -> Rule:
        """Answer the next `times` requests with a status; `after`: they are carried out all the same."""
        return self._rule(match, Refuse(status=status, headers=headers or {}, after=after), times=times)

    def cut(self, match: str, after_bytes: int, *, times: int = 1, skip: int = 0) -> Rule:
        """Reset the connection in the middle of what the client sends."""
        return self._rule(match, CutUpload(after_bytes), times=times, skip=skip)

    def cut_answer(self, match: str, after_bytes: int, *, times: int = 1, skip: int = 0) -> Rule:
        """Close the connection in the middle of what the client receives."""
        return self._rule(match, CutAnswer(after_bytes), times=times, skip=skip)

    def lose_answer(self, match: str, *, times: int = 1, skip: int = 0) -> Rule:
        """Carry the request out and reset the connection instead of answering."""
        return self._rule(match, LoseAnswer(), times=times, skip=skip)

    def slow(self, match: str, *, piece_bytes: int = 1024, pause_s: float = 0.01, times: int = 1) -> Rule:
        """Answer in small pieces."""
        return self._rule(match, Slow(piece_bytes=piece_bytes, pause_s=pause_s), times=times)

    def before(self, match: str, action: Callable[[], object], *, times: int = 1, skip: int = 0) -> Rule:
        """Run the action before a request is looked at: somebody else's push, a kill, a wait for an event."""
        return self._rule(match, Before(action), times=times, skip=skip)

    def heal(self) -> None:
        """Forget all faults."""
        self._app.rules.clear()

    def _rule(self, match: str, fault: Fault, *, times: int, skip: int = 0) -> Rule:
        rule = Rule(match=re.compile(match), fault=fault, skip=skip, times=times)
        self._app.rules.append(rule)
        return rule

    # records

    @property
    def requests(self) -> tuple[Exchange, ...]:
        """Every request since the start or the last `forget`."""
        return tuple(self._app.exchanges)

    def seen(self, match: str) -> tuple[Exchange, ...]:
        """The requests that match "METHOD /path?query"."""
        wanted = re.compile(match)
        return tuple(
            request for request in self.requests if wanted.search(f"{request.method} {request.path}")
        )

    @property
    def received_bytes(self) -> int:
        """Bytes of all bodies that clients sent."""
        return sum(request.received for request in self.requests)

    @property
    def sent_objects(self) -> tuple[Exchange, ...]:
        """The large files (or their parts) that arrived whole."""
        return tuple(request for request in self.seen("PUT /storage/") if request.status == 200)

    @property
    def mistakes(self) -> tuple[str, ...]:
        """What went wrong in the loopback Hub itself, and requests it does not know: a fixture asserts none."""
        return (*self._app.errors, *self.state.unknown)

    def forget(self) -> None:
        """Empty the record of requests."""
        self._app.exchanges.clear()

    # repositories

    def repository(self, name: str, *, kind: str = "dataset") -> Repository:
        """The repository; KeyError when there is none."""
        return self.state.repositories[kind, name]

    def names(self, *, kind: str = "dataset") -> list[str]:
        """Every repository there is."""
        return sorted(name for of_kind, name in self.state.repositories if of_kind == kind)

    def head(self, name: str, revision: str = "main", *, kind: str = "dataset") -> str:
        """The commit id of a revision."""
        return self.repository(name, kind=kind).resolve(revision).oid

    def files(self, name: str, revision: str = "main", *, kind: str = "dataset") -> dict[str, bytes]:
        """Every file of a revision, `.gitattributes` among them."""
        files = self.repository(name, kind=kind).resolve(revision).files
        return {path: file.place.read_bytes() for path, file in sorted(files.items())}

    def tags(self, name: str, *, kind: str = "dataset") -> dict[str, str]:
        """Tag → commit id."""
        return dict(self.repository(name, kind=kind).tags)

    def branches(self, name: str, *, kind: str = "dataset") -> dict[str, str]:
        """Branch → commit id."""
        return dict(self.repository(name, kind=kind).branches)

    def commits(self, name: str, revision: str = "main", *, kind: str = "dataset") -> list[Commit]:
        """Newest first, down to the `initial commit` that every repository is born with."""
        return self.repository(name, kind=kind).history(revision)

    def pull_requests(self, name: str, *, kind: str = "dataset") -> list[PullRequest]:
        """Oldest first; number N has its files at revision `refs/pr/N`."""
        return list(self.repository(name, kind=kind).discussions)

    def create(self, name: str, *, kind: str = "dataset", private: bool = False) -> Repository:
        """A repository that is there before the test begins."""
        with self.state.lock:
            repository = Repository(
                kind=kind, id=name, private=private, creator=None, folder=self.state.folder
            )
            self.state.repositories[kind, name] = repository
        return repository

    def commit_as(
        self,
        author: str,
        name: str,
        files: Mapping[str, bytes | None],
        message: str = "somebody else's push",
        *,
        kind: str = "dataset",
        oid: str | None = None,
    ) -> str:
        """Somebody else's push to main, without HTTP; None takes a file away. Returns the commit id.

        Args:
            oid: the commit's id; None = a hash of what is in it.
        """
        repository = self.repository(name, kind=kind)
        with self.state.lock:
            stored = {
                path: None if content is None else repository.stored(path, content)
                for path, content in files.items()
            }
            return repository.commit("main", Change(files=stored, title=message, author=author, oid=oid)).oid


def _application(state: HubState) -> ASGIApp:
    tables = (reading.routes, writing.routes, spaces.routes, objects.routes)

    def handler_of(method: str, path: str) -> tuple[Handler, dict[str, str]]:
        for table in tables:
            if (match := table.find(method, path)) is not None:
                return match
        state.unknown.append(f"{method} {path}")
        raise HubRefusal(404, "the loopback Hub does not know this address")

    async def application(scope: Scope, receive: Receive, send: Send) -> None:
        request = Request(scope, receive)
        try:
            handler, parts = handler_of(request.method, scope["raw_path"].decode())
            token = state.accounts.who(request.headers.get("Authorization"))
            response = await handler(Call(state=state, request=request, token=token, parts=parts))
        except HubRefusal as refusal:
            response = refusal.response()
        await response(scope, receive, send)

    return application
