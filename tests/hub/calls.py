"""What a handler of the loopback Hub is given, and the table by which a path finds its handler."""

from __future__ import annotations

import json
import re
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from pathlib import Path
from threading import RLock
from typing import Any
from urllib.parse import unquote

from starlette.requests import Request
from starlette.responses import Response

from tests.hub.accounts import Accounts, Token
from tests.hub.answers import HubRefusal, no_repository
from tests.hub.storage import Repository


@dataclass(slots=True, kw_only=True)
class HubState:
    """Everything the loopback Hub knows; the lock is held for every change."""

    folder: Path
    address: str = ""
    part_bytes: int = 50_000_000  # an upload that is larger goes in parts of this size
    page_length: int = 1000  # entries of a tree per answer
    accounts: Accounts = field(default_factory=Accounts)
    repositories: dict[tuple[str, str], Repository] = field(default_factory=dict)  # (kind, "ns/name")
    unknown: list[str] = field(default_factory=list)  # "METHOD path" of what no handler knows
    lock: RLock = field(default_factory=RLock)

    def url(self, repository: Repository) -> str:
        """Its page."""
        prefix = "" if repository.kind == "model" else f"{repository.kind}s/"
        return f"{self.address}/{prefix}{repository.id}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """A request, who asks, and the named parts of its path, unquoted."""

    state: HubState
    request: Request
    token: Token | None
    parts: dict[str, str]

    @property
    def query(self) -> dict[str, str]:
        return dict(self.request.query_params)

    async def body(self) -> Any:
        """The JSON that was sent."""
        return json.loads(await self.request.body() or b"{}")

    def signed_in(self) -> Token:
        """Who asks.

        Raises:
            HubRefusal: 401, nobody we know.
        """
        if self.token is None:
            raise HubRefusal(401, "Invalid username or password.")
        return self.token

    def readable(self) -> Repository:
        """The repository of the path.

        Raises:
            HubRefusal: there is none, or it is private and not theirs: both look the same. 404; 401 for who is
                not signed in.
        """
        kind = self.parts.get("kind", "models").removesuffix("s")
        repository = self.state.repositories.get((kind, f"{self.parts['ns']}/{self.parts['name']}"))
        owned = self.token is not None and self.parts["ns"] in self.token.namespaces
        if repository is None or (repository.private and not owned):
            if self.token is None:
                raise HubRefusal(401, "Invalid username or password.", code="RepoNotFound")
            raise no_repository()
        return repository

    def writable(self) -> Repository:
        """The repository of the path, for a change.

        Raises:
            HubRefusal: as for `readable`; 401 not signed in; 403 the token may only read it.
        """
        repository = self.readable()
        token = self.signed_in()
        if not token.may_write(repository.id, repository.creator):
            raise HubRefusal(
                403,
                f"You don't have the rights to write to {repository.kind} {repository.id} with this token",
            )
        return repository


Handler = Callable[[Call], Awaitable[Response]]


class Routes:
    """Method and path → handler. Paths are matched as sent, so that `refs%2Fpr%2F1` stays one part."""

    def __init__(self) -> None:
        self._table: list[tuple[str, re.Pattern[str], Handler]] = []

    def on(self, methods: str, template: str) -> Callable[[Handler], Handler]:
        """`{kind}` is datasets, spaces or models, `{x}` one part, `{x*}` the rest."""

        def note(handler: Handler) -> Handler:
            self._table += [(method, _pattern(template), handler) for method in methods.split()]
            return handler

        return note

    def find(self, method: str, raw_path: str) -> tuple[Handler, dict[str, str]] | None:
        for wanted, pattern, handler in self._table:
            match = pattern.fullmatch(raw_path)
            if wanted == method and match:
                return handler, {name: unquote(text or "") for name, text in match.groupdict().items()}
        return None


def _pattern(template: str) -> re.Pattern[str]:
    text = re.escape(template).replace(r"\{", "{").replace(r"\}", "}").replace(r"\*", "*")
    text = text.replace("{kind}", "(?P<kind>datasets|spaces|models)")
    text = re.sub(r"\{(\w+)\*\}", r"(?P<\1>.*)", text)
    return re.compile(re.sub(r"\{(\w+)\}", r"(?P<\1>[^/]+)", text))
