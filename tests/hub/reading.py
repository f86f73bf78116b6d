"""What the client asks to look around and to load: repository facts, trees, files, references."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator
from typing import Any

import yaml
from starlette.responses import JSONResponse, Response, StreamingResponse

from tests.hub.answers import HubRefusal, no_entry
from tests.hub.calls import Call, HubState, Routes
from tests.hub.storage import Commit, Repository, StoredFile

routes = Routes()
_POINTER_BYTES = 134
_CHUNK_BYTES = 256 * 1024


@routes.on("GET", "/api/whoami-v2")
async def whoami(call: Call) -> Response:
    return JSONResponse(call.signed_in().whoami())


@routes.on("GET", "/api/agent-harnesses")
async def agent_harnesses(call: Call) -> Response:
    """Asked by every fresh client, once a day."""
    return JSONResponse({"standardEnvVars": [], "harnesses": {}})


@routes.on("GET", "/api/{kind}/{ns}/{name}")
@routes.on("GET", "/api/{kind}/{ns}/{name}/revision/{revision}")
async def repository_facts(call: Call) -> Response:
    repository = call.readable()
    head = repository.resolve(call.parts.get("revision", "main"))
    return JSONResponse(_facts(call.state, repository, head, blobs="blobs" in call.query))


@routes.on("GET", "/api/{kind}/{ns}/{name}/tree/{revision}")
@routes.on("GET", "/api/{kind}/{ns}/{name}/tree/{revision}/{path*}")
async def tree(call: Call) -> Response:
    repository = call.readable()
    head = repository.resolve(call.parts["revision"])
    query = call.query
    expand, recursive = query.get("expand") == "true", query.get("recursive") == "true"
    entries = list(_entries(repository, head, folder=call.parts.get("path", ""), recursive=recursive))
    start, length = int(query.get("cursor", 0)), 50 if expand else call.state.page_length
    page = [
        _shown(repository, head, path, file, expand=expand) for path, file in entries[start : start + length]
    ]
    headers = {}
    if start + length < len(entries):
        onward = call.request.url.include_query_params(cursor=start + length).query
        path = call.request.scope["raw_path"].decode()
        headers["Link"] = f'<{call.state.address}{path}?{onward}>; rel="next"'
    return JSONResponse(page, headers=headers)


@routes.on("POST", "/api/{kind}/{ns}/{name}/paths-info/{revision}")
async def paths_info(call: Call) -> Response:
    repository = call.readable()
    head = repository.resolve(call.parts["revision"])
    form = await call.request.form()
    expand = str(form.get("expand", "")).lower() == "true"
    entries = dict(_entries(repository, head, folder="", recursive=True))
    asked = [str(path) for path in form.getlist("paths")]
    return JSONResponse(
        [_shown(repository, head, path, entries[path], expand=expand) for path in asked if path in entries]
    )


@routes.on("GET", "/api/{kind}/{ns}/{name}/refs")
async def references(call: Call) -> Response:
    repository = call.readable()
    pulls = {f"pr/{number}": oid for number, oid in repository.pulls.items()}
    return JSONResponse(
        {
            "branches": _references("refs/heads/", repository.branches),
            "converts": [],
            "tags": _references("refs/tags/", repository.tags),
            "pullRequests": _references("refs/", pulls) if call.query.get("include_prs") else [],
        }
    )


@routes.on("GET", "/api/{kind}/{ns}/{name}/commits/{revision}")
async def commits(call: Call) -> Response:
    return JSONResponse(
        [
            {
                "id": commit.oid,
                "title": commit.title,
                "message": commit.description,
                "date": commit.date,
                "authors": [{"user": commit.author}],
            }
            for commit in call.readable().history(call.parts["revision"])
        ]
    )


@routes.on("GET HEAD", "/{kind}/{ns}/{name}/resolve/{revision}/{path*}")
@routes.on("GET HEAD", "/{ns}/{name}/resolve/{revision}/{path*}")
async def resolve(call: Call) -> Response:
    head = call.readable().resolve(call.parts["revision"])
    file = head.files.get(call.parts["path"])
    if file is None:
        raise no_entry(call.parts["path"], head.oid)
    headers = {"ETag": f'"{file.etag}"', "X-Repo-Commit": head.oid, "Accept-Ranges": "bytes"}
    if file.lfs:
        headers |= {"X-Linked-ETag": f'"{file.sha256}"', "X-Linked-Size": str(file.size)}
    first, end = _range(call.request.headers.get("Range"), file.size)
    if (first, end) != (0, file.size):
        headers["Content-Range"] = f"bytes {first}-{end - 1}/{file.size}"
    headers["Content-Length"] = str(end - first)
    status = 206 if "Content-Range" in headers else 200
    if call.request.method == "HEAD":
        return Response(status_code=status, headers=headers)
    return StreamingResponse(_bytes(file, first, end), status, headers)


def _facts(state: HubState, repository: Repository, head: Commit, *, blobs: bool) -> dict[str, Any]:
    facts = {
        "_id": hashlib.sha1(repository.id.encode()).hexdigest()[:24],
        "id": repository.id,
        "author": repository.id.split("/")[0],
        "sha": head.oid,
        "private": repository.private,
        "gated": False,
        "disabled": False,
        "createdAt": repository.history("main")[-1].date,
        "lastModified": head.date,
        "downloads": 0,
        "likes": 0,
        "tags": [],
        "cardData": _card(head),
        "siblings": [_sibling(path, file, blobs=blobs) for path, file in sorted(head.files.items())],
    }
    if repository.kind == "space":
        facts |= {
            "sdk": repository.sdk,
            "subdomain": repository.id.replace("/", "-"),
            "host": state.url(repository),
        }
    return facts


def _card(head: Commit) -> dict[str, Any] | None:
    """The YAML of the card; None when there is none or it cannot be read."""
    card = head.files.get("README.md")
    match = (
        re.match(r"---\s*\n(.*?)\n---", card.place.read_text(errors="replace"), re.DOTALL) if card else None
    )
    try:
        facts = yaml.safe_load(match.group(1)) if match else None
    except yaml.YAMLError:
        return None
    return facts if isinstance(facts, dict) else None


def _sibling(path: str, file: StoredFile, *, blobs: bool) -> dict[str, Any]:
    if not blobs:
        return {"rfilename": path}
    lfs = {"sha256": file.sha256, "size": file.size, "pointerSize": _POINTER_BYTES} if file.lfs else None
    return {"rfilename": path, "size": file.size, "blobId": file.oid, "lfs": lfs}


def _entries(
    repository: Repository, head: Commit, *, folder: str, recursive: bool
) -> Iterator[tuple[str, StoredFile | None]]:
    """Paths below a folder in order; None stands for a folder."""
    start = f"{folder}/" if folder else ""
    below = {path: file for path, file in head.files.items() if path.startswith(start)}
    if folder and not below:
        raise no_entry(folder, head.oid)
    entries: dict[str, StoredFile | None] = {}
    for path, file in below.items():
        parts = path.removeprefix(start).split("/")
        entries |= {start + "/".join(parts[:depth]): None for depth in range(1, len(parts))}
        entries[path] = file
    if not recursive:
        entries = {path: file for path, file in entries.items() if "/" not in path.removeprefix(start)}
    yield from sorted(entries.items())


def _shown(
    repository: Repository, head: Commit, path: str, file: StoredFile | None, *, expand: bool
) -> dict[str, Any]:
    entry: dict[str, Any]
    if file is None:
        oid = hashlib.sha1(f"{head.oid} {path}".encode()).hexdigest()
        entry = {"type": "directory", "oid": oid, "size": 0, "path": path}
    else:
        entry = {"type": "file", "oid": file.oid, "size": file.size, "path": path}
        if file.lfs:
            entry["lfs"] = {"oid": file.sha256, "size": file.size, "pointerSize": _POINTER_BYTES}
    if expand:
        last = _last_commit(repository, head, path)
        entry["lastCommit"] = {"id": last.oid, "title": last.title, "date": last.date}
    return entry


def _last_commit(repository: Repository, head: Commit, path: str) -> Commit:
    """The youngest commit that left the file as it is."""
    for commit in repository.history(head.oid):
        before = repository.commits[commit.parent].files if commit.parent else {}
        if before.get(path) != commit.files.get(path):
            return commit
    return head


def _references(prefix: str, heads: dict[str, str]) -> list[dict[str, str]]:
    return [
        {"name": name, "ref": f"{prefix}{name}", "targetCommit": oid} for name, oid in sorted(heads.items())
    ]


def _range(asked: str | None, size: int) -> tuple[int, int]:
    """(first, end) of `bytes=a-b`, `bytes=a-` or `bytes=-n`; all of it when nothing is asked.

    Raises:
        HubRefusal: 416, nothing of the file lies there.
    """
    match = re.fullmatch(r"bytes=(\d*)-(\d*)", asked or "")
    if not match or match.groups() == ("", ""):
        return 0, size
    if not match[1]:
        return max(size - int(match[2]), 0), size
    first = int(match[1])
    if first >= size:
        raise HubRefusal(416, "Range not satisfiable", headers={"Content-Range": f"bytes */{size}"})
    return first, min(int(match[2]) + 1, size) if match[2] else size


async def _bytes(file: StoredFile, first: int, end: int) -> Any:
    with file.place.open("rb") as opened:
        opened.seek(first)
        while first < end:
            piece = opened.read(min(_CHUNK_BYTES, end - first))
            first += len(piece)
            yield piece
