"""What every part of the loopback Hub answers a fault with."""

from __future__ import annotations

from collections.abc import Mapping

from starlette.responses import JSONResponse


class HubRefusal(Exception):
    """A status, a sentence and, for missing things, the code by which the client tells them apart."""

    def __init__(
        self, status: int, message: str, *, code: str | None = None, headers: Mapping[str, str] | None = None
    ) -> None:
        super().__init__(f"{status} {message}")
        self.status, self.message, self.code = status, message, code
        self.headers = dict(headers or {})

    def response(self) -> JSONResponse:
        headers = {"X-Error-Message": self.message, **self.headers}
        if self.code is not None:
            headers["X-Error-Code"] = self.code
        return JSONResponse({"error": self.message}, self.status, headers)


def no_repository() -> HubRefusal:
    return HubRefusal(404, "Repository not found", code="RepoNotFound")


def no_revision(revision: str) -> HubRefusal:
    return HubRefusal(404, f"Invalid rev id: {revision}", code="RevisionNotFound")


def no_entry(path: str, commit: str) -> HubRefusal:
    return HubRefusal(404, "Entry not found", code="EntryNotFound", headers={"X-Repo-Commit": commit})
