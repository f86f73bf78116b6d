"""What the client asks to publish: create, send, commit, tag, branch, pull request."""

from __future__ import annotations

import base64
import json
import re
from typing import Any

import yaml
from starlette.responses import JSONResponse, Response

from tests.hub.answers import HubRefusal, no_entry, no_revision
from tests.hub.calls import Call, Routes
from tests.hub.storage import Change, PullRequest, Repository, StoredFile

routes = Routes()
_NAME = re.compile(r"(?!.*(--|\.\.))[A-Za-z0-9_](?:[\w.-]{0,94}[A-Za-z0-9_])?", re.ASCII)


@routes.on("POST", "/api/repos/create")
async def create(call: Call) -> Response:
    token, wanted = call.signed_in(), await call.body()
    kind, namespace = wanted.get("type") or "model", wanted.get("organization") or token.name
    name = f"{namespace}/{wanted['name']}"
    if not _NAME.fullmatch(wanted["name"]):
        raise HubRefusal(400, f"Invalid repo name: {wanted['name']}")
    if token.role == "read" or not token.may_write(name, token.number):
        raise HubRefusal(
            403, f'You don\'t have the rights to create a {kind} under the namespace "{namespace}"'
        )
    with call.state.lock:
        there = call.state.repositories.get((kind, name))
        if there is not None:
            said = {"error": f"You already created this {kind} repo", "url": call.state.url(there)}
            return JSONResponse(said, 409, {"X-Error-Message": said["error"]})
        private = wanted.get("private", wanted.get("visibility") == "private")
        made = Repository(
            kind=kind,
            id=name,
            private=bool(private),
            creator=token.number,
            folder=call.state.folder,
            sdk=wanted.get("sdk"),
            variables={one["key"]: one["value"] for one in wanted.get("variables", ())},
            secrets=[one["key"] for one in wanted.get("secrets", ())],
            hardware=wanted.get("hardware", "cpu-basic"),
        )
        call.state.repositories[kind, name] = made
    return JSONResponse({"url": call.state.url(made), "name": name, "private": made.private})


@routes.on("DELETE", "/api/repos/delete")
async def delete(call: Call) -> Response:
    wanted = await call.body()
    namespace = wanted.get("organization") or call.signed_in().name
    kind = wanted.get("type") or "model"
    parts = {"kind": f"{kind}s", "ns": namespace, "name": wanted["name"]}
    found = Call(state=call.state, request=call.request, token=call.token, parts=parts).writable()
    with call.state.lock:
        del call.state.repositories[kind, found.id]
    return Response()


@routes.on("PUT", "/api/{kind}/{ns}/{name}/settings")
async def settings(call: Call) -> Response:
    found, wanted = call.writable(), await call.body()
    found.private = bool(wanted.get("private", wanted.get("visibility", "private") == "private"))
    return JSONResponse({"private": found.private})


@routes.on("POST", "/api/validate-yaml")
async def validate_card(call: Call) -> Response:
    error = _card_error((await call.body())["content"])
    if error is None:
        return JSONResponse({"errors": [], "warnings": []})
    return JSONResponse({"errors": [{"message": error}], "warnings": []}, 400)


@routes.on("POST", "/api/{kind}/{ns}/{name}/preupload/{revision}")
async def preupload(call: Call) -> Response:
    found = _target(call)
    head = found.resolve(call.parts["revision"])
    return JSONResponse(
        {
            "commitOid": head.oid,
            "files": [
                {
                    "path": one["path"],
                    "uploadMode": "lfs" if found.wants_lfs(one["path"], one["size"]) else "regular",
                    "shouldIgnore": False,
                    "oid": head.files[one["path"]].etag if one["path"] in head.files else None,
                }
                for one in (await call.body())["files"]
            ],
        }
    )


@routes.on("POST", "/api/{kind}/{ns}/{name}/commit/{revision}")
async def commit(call: Call) -> Response:
    found, lines = _target(call), (await call.request.body()).splitlines()
    with call.state.lock:
        change, parent = _change(call, found, [json.loads(line) for line in lines if line.strip()])
        said: dict[str, Any] = {"success": True, "hookOutput": ""}
        if "create_pr" in call.query:
            pull = found.open_pull_request(change, parent=parent, base=call.parts["revision"])
            oid = found.pulls[pull.number]
            said["pullRequestUrl"] = f"{call.state.url(found)}/discussions/{pull.number}"
        else:
            oid = found.commit(call.parts["revision"], change, parent=parent).oid
    return JSONResponse({**said, "commitOid": oid, "commitUrl": f"{call.state.url(found)}/commit/{oid}"})


@routes.on("POST", "/api/{kind}/{ns}/{name}/tag/{revision}")
async def create_tag(call: Call) -> Response:
    found, wanted = call.writable(), await call.body()
    with call.state.lock:
        target = found.resolve(call.parts["revision"])
        if wanted["tag"] in found.tags:
            raise HubRefusal(409, f"Tag {wanted['tag']} already exists")
        found.tags[wanted["tag"]] = target.oid
    return JSONResponse({"tag": wanted["tag"]}, 201)


@routes.on("DELETE", "/api/{kind}/{ns}/{name}/tag/{tag}")
async def delete_tag(call: Call) -> Response:
    if call.writable().tags.pop(call.parts["tag"], None) is None:
        raise no_revision(call.parts["tag"])
    return Response(status_code=204)


@routes.on("POST", "/api/{kind}/{ns}/{name}/branch/{branch}")
async def create_branch(call: Call) -> Response:
    found, wanted = call.writable(), await call.body()
    with call.state.lock:
        start = found.resolve(wanted.get("startingPoint") or "main")
        if call.parts["branch"] in found.branches:
            raise HubRefusal(409, f"Reference refs/heads/{call.parts['branch']} already exists")
        found.branches[call.parts["branch"]] = start.oid
    return Response(status_code=201)


@routes.on("DELETE", "/api/{kind}/{ns}/{name}/branch/{branch}")
async def delete_branch(call: Call) -> Response:
    if call.parts["branch"] == "main":
        raise HubRefusal(403, "Cannot delete the default branch")
    if call.writable().branches.pop(call.parts["branch"], None) is None:
        raise no_revision(call.parts["branch"])
    return Response(status_code=204)


@routes.on("POST", "/api/{kind}/{ns}/{name}/discussions")
async def open_discussion(call: Call) -> Response:
    found, token, wanted = call.readable(), call.signed_in(), await call.body()
    with call.state.lock:
        head = found.resolve("main")
        change = Change(files={}, title=wanted["title"], description=wanted["description"], author=token.name)
        pull = found.discuss(change, head=head.oid)
    return JSONResponse({"num": pull.number, "url": f"{call.state.url(found)}/discussions/{pull.number}"})


@routes.on("GET", "/api/{kind}/{ns}/{name}/discussions")
async def discussions(call: Call) -> Response:
    found = call.readable()
    shown = [_discussion(found, pull) for pull in found.discussions]
    return JSONResponse({"discussions": shown, "count": len(shown), "start": 0})


@routes.on("GET", "/api/{kind}/{ns}/{name}/discussions/{number}")
async def discussion(call: Call) -> Response:
    found = call.readable()
    pull = _pull(found, call.parts["number"])
    changes = {"base": f"refs/heads/{pull.base}", "mergeCommitId": pull.merged_as}
    return JSONResponse(
        {**_discussion(found, pull), "changes": changes, "filesWithConflicts": False, "events": []}
    )


@routes.on("POST", "/api/{kind}/{ns}/{name}/discussions/{number}/merge")
async def merge(call: Call) -> Response:
    found = call.writable()
    await call.body()
    with call.state.lock:
        made = found.merge(_pull(found, call.parts["number"]).number, call.signed_in().name)
    return JSONResponse({"newEvent": {**_event(made.date, made.author), "data": {"status": "merged"}}})


def _target(call: Call) -> Repository:
    """The repository that is to change; a pull request needs only a token that is no read-only one."""
    if "create_pr" not in call.query:
        return call.writable()
    found, token = call.readable(), call.signed_in()
    if token.role == "read":
        raise HubRefusal(403, "You don't have the rights to open a pull request with this token")
    return found


def _change(call: Call, found: Repository, lines: list[dict[str, Any]]) -> tuple[Change, str | None]:
    """The lines of a commit, and the parent that it asks for."""
    header = next(line["value"] for line in lines if line["key"] == "header")
    head = found.resolve(header.get("parentCommit") or call.parts["revision"])
    files: dict[str, StoredFile | None] = {}
    for line in lines:
        value = line["value"]
        if line["key"] == "file":
            files[value["path"]] = _regular(found, value["path"], base64.b64decode(value["content"]))
        elif line["key"] == "lfsFile":
            files[value["path"]] = found.pointer(value["oid"])
        elif line["key"] == "deletedFile":
            files[value["path"]] = None
        elif line["key"] == "deletedFolder":
            folder = f"{value['path'].rstrip('/')}/"
            gone: dict[str, StoredFile | None] = {
                path: None for path in head.files if path.startswith(folder)
            }
            if not gone:
                raise no_entry(value["path"], head.oid)
            files |= gone
    change = Change(
        files=files,
        title=header["summary"],
        description=header.get("description", ""),
        author=call.signed_in().name,
    )
    return change, header.get("parentCommit")


def _regular(found: Repository, path: str, content: bytes) -> StoredFile:
    if content and found.wants_lfs(path, len(content)):
        raise HubRefusal(400, f"{path} has to be sent by LFS")
    error = _card_error(content.decode(errors="replace")) if path == "README.md" else None
    if error is not None:
        raise HubRefusal(400, f"Invalid metadata in README.md: {error}")
    return found.regular(content)


def _card_error(text: str) -> str | None:
    """What is wrong with the YAML at the head of a card; None when nothing is."""
    found = re.match(r"---[ \t]*\r?\n(.*?)^---[ \t]*$", text, re.DOTALL | re.MULTILINE)
    if found is None:
        return None
    try:
        facts = yaml.safe_load(found.group(1))
    except yaml.YAMLError as error:
        return f"Invalid YAML: {str(error).splitlines()[0]}"
    return None if facts is None or isinstance(facts, dict) else "The metadata must be a mapping"


def _pull(found: Repository, number: str) -> PullRequest:
    if not number.isdigit() or not 1 <= int(number) <= len(found.discussions):
        raise HubRefusal(404, f"No discussion {number}")
    return found.discussions[int(number) - 1]


def _discussion(found: Repository, pull: PullRequest) -> dict[str, Any]:
    return {
        "num": pull.number,
        "title": pull.title,
        "status": pull.status,
        "isPullRequest": True,
        "createdAt": pull.date,
        "author": {"name": pull.author},
        "repo": {"name": found.id, "type": found.kind},
    }


def _event(date: str, author: str) -> dict[str, Any]:
    return {"id": "1", "type": "status-change", "createdAt": date, "author": {"name": author}}
