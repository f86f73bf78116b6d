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
            answer = {"error": f"You already created this {kind} repo", "url": call.state.url(there)}
            return JSONResponse(answer, 409, {"X-Error-Message": answer["error"]})
        private = wanted.get("private", wanted.get("visibility") == "private")
        repository = Repository(
            kind=kind,
            id=name,
            private=bool(private),
            creator=token.number,
            folder=call.state.folder,
            sdk=wanted.get("sdk"),
            variables={entry["key"]: entry["value"] for entry in wanted.get("variables", ())},
            secrets=[entry["key"] for entry in wanted.get("secrets", ())],
            hardware=wanted.get("hardware", "cpu-basic"),
        )
        call.state.repositories[kind, name] = repository
    return JSONResponse({"url": call.state.url(repository), "name": name, "private": repository.private})


@routes.on("DELETE", "/api/repos/delete")
async def delete(call: Call) -> Response:
    wanted = await call.body()
    namespace = wanted.get("organization") or call.signed_in().name
    kind = wanted.get("type") or "model"
    parts = {"kind": f"{kind}s", "ns": namespace, "name": wanted["name"]}
    repository = Call(state=call.state, request=call.request, token=call.token, parts=parts).writable()
    with call.state.lock:
        del call.state.repositories[kind, repository.id]
    return Response()


@routes.on("PUT", "/api/{kind}/{ns}/{name}/settings")
async def settings(call: Call) -> Response:
    repository, wanted = call.writable(), await call.body()
    repository.private = bool(wanted.get("private", wanted.get("visibility", "private") == "private"))
    return JSONResponse({"private": repository.private})


@routes.on("POST", "/api/validate-yaml")
async def validate_card(call: Call) -> Response:
    error = _card_error((await call.body())["content"])
    if error is None:
        return JSONResponse({"errors": [], "warnings": []})
    return JSONResponse({"errors": [{"message": error}], "warnings": []}, 400)


@routes.on("POST", "/api/{kind}/{ns}/{name}/preupload/{revision}")
async def preupload(call: Call) -> Response:
    repository = _target(call)
    head = repository.resolve(call.parts["revision"])
    return JSONResponse(
        {
            "commitOid": head.oid,
            "files": [
                {
                    "path": entry["path"],
                    "uploadMode": "lfs" if repository.wants_lfs(entry["path"], entry["size"]) else "regular",
                    "shouldIgnore": False,
                    "oid": head.files[entry["path"]].etag if entry["path"] in head.files else None,
                }
                for entry in (await call.body())["files"]
            ],
        }
    )


@routes.on("POST", "/api/{kind}/{ns}/{name}/commit/{revision}")
async def commit(call: Call) -> Response:
    repository, lines = _target(call), (await call.request.body()).splitlines()
    with call.state.lock:
        change, parent = _change(call, repository, [json.loads(line) for line in lines if line.strip()])
        answer: dict[str, Any] = {"success": True, "hookOutput": ""}
        if "create_pr" in call.query:
            pull = repository.open_pull_request(change, parent=parent, base=call.parts["revision"])
            oid = repository.pulls[pull.number]
            answer["pullRequestUrl"] = f"{call.state.url(repository)}/discussions/{pull.number}"
        else:
            oid = repository.commit(call.parts["revision"], change, parent=parent).oid
    return JSONResponse(
        {**answer, "commitOid": oid, "commitUrl": f"{call.state.url(repository)}/commit/{oid}"}
    )


@routes.on("POST", "/api/{kind}/{ns}/{name}/tag/{revision}")
async def create_tag(call: Call) -> Response:
    repository, wanted = call.writable(), await call.body()
    with call.state.lock:
        target = repository.resolve(call.parts["revision"])
        if wanted["tag"] in repository.tags:
            raise HubRefusal(409, f"Tag {wanted['tag']} already exists")
        repository.tags[wanted["tag"]] = target.oid
    return JSONResponse({"tag": wanted["tag"]}, 201)


@routes.on("DELETE", "/api/{kind}/{ns}/{name}/tag/{tag}")
async def delete_tag(call: Call) -> Response:
    if call.writable().tags.pop(call.parts["tag"], None) is None:
        raise no_revision(call.parts["tag"])
    return Response(status_code=204)


@routes.on("POST", "/api/{kind}/{ns}/{name}/branch/{branch}")
async def create_branch(call: Call) -> Response:
    repository, wanted = call.writable(), await call.body()
    with call.state.lock:
        start = repository.resolve(wanted.get("startingPoint") or "main")
        if call.parts["branch"] in repository.branches:
            raise HubRefusal(409, f"Reference refs/heads/{call.parts['branch']} already exists")
        repository.branches[call.parts["branch"]] = start.oid
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
    repository, token, wanted = call.readable(), call.signed_in(), await call.body()
    with call.state.lock:
        head = repository.resolve("main")
        change = Change(files={}, title=wanted["title"], description=wanted["description"], author=token.name)
        pull = repository.discuss(change, head=head.oid)
    return JSONResponse(
        {"num": pull.number, "url": f"{call.state.url(repository)}/discussions/{pull.number}"}
    )


@routes.on("GET", "/api/{kind}/{ns}/{name}/discussions")
async def discussions(call: Call) -> Response:
    repository = call.readable()
    shown = [_discussion(repository, pull) for pull in repository.discussions]
    return JSONResponse({"discussions": shown, "count": len(shown), "start": 0})


@routes.on("GET", "/api/{kind}/{ns}/{name}/discussions/{number}")
async def discussion(call: Call) -> Response:
    repository = call.readable()
    pull = _pull(repository, call.parts["number"])
    changes = {"base": f"refs/heads/{pull.base}", "mergeCommitId": pull.merged_as}
    return JSONResponse(
        {**_discussion(repository, pull), "changes": changes, "filesWithConflicts": False, "events": []}
    )


@routes.on("POST", "/api/{kind}/{ns}/{name}/discussions/{number}/merge")
async def merge(call: Call) -> Response:
    repository = call.writable()
    await call.body()
    with call.state.lock:
        commit = repository.merge(_pull(repository, call.parts["number"]).number, call.signed_in().name)
    return JSONResponse({"newEvent": {**_event(commit.date, commit.author), "data": {"status": "merged"}}})


def _target(call: Call) -> Repository:
    """The repository that is to change; a pull request needs only a token that is no read-only one."""
    if "create_pr" not in call.query:
        return call.writable()
    repository, token = call.readable(), call.signed_in()
    if token.role == "read":
        raise HubRefusal(403, "You don't have the rights to open a pull request with this token")
    return repository


def _change(call: Call, repository: Repository, lines: list[dict[str, Any]]) -> tuple[Change, str | None]:
    """The lines of a commit, and the parent that it asks for."""
    header = next(line["value"] for line in lines if line["key"] == "header")
    head = repository.resolve(header.get("parentCommit") or call.parts["revision"])
    files: dict[str, StoredFile | None] = {}
    for line in lines:
        value = line["value"]
        if line["key"] == "file":
            files[value["path"]] = _regular(repository, value["path"], base64.b64decode(value["content"]))
        elif line["key"] == "lfsFile":
            files[value["path"]] = repository.pointer(value["oid"])
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


def _regular(repository: Repository, path: str, content: bytes) -> StoredFile:
    if content and repository.wants_lfs(path, len(content)):
        raise HubRefusal(400, f"{path} has to be sent by LFS")
    error = _card_error(content.decode(errors="replace")) if path == "README.md" else None
    if error is not None:
        raise HubRefusal(400, f"Invalid metadata in README.md: {error}")
    return repository.regular(content)


def _card_error(text: str) -> str | None:
    """What is wrong with the YAML at the head of a card; None when nothing is."""
    match = re.match(r"---[ \t]*\r?\n(.*?)^---[ \t]*$", text, re.DOTALL | re.MULTILINE)
    if match is None:
        return None
    try:
        facts = yaml.safe_load(match.group(1))
    except yaml.YAMLError as error:
        return f"Invalid YAML: {str(error).splitlines()[0]}"
    return None if facts is None or isinstance(facts, dict) else "The metadata must be a mapping"


def _pull(repository: Repository, number: str) -> PullRequest:
    if not number.isdigit() or not 1 <= int(number) <= len(repository.discussions):
        raise HubRefusal(404, f"No discussion {number}")
    return repository.discussions[int(number) - 1]


def _discussion(repository: Repository, pull: PullRequest) -> dict[str, Any]:
    return {
        "num": pull.number,
        "title": pull.title,
        "status": pull.status,
        "isPullRequest": True,
        "createdAt": pull.date,
        "author": {"name": pull.author},
        "repo": {"name": repository.id, "type": repository.kind},
    }


def _event(date: str, author: str) -> dict[str, Any]:
    return {"id": "1", "type": "status-change", "createdAt": date, "author": {"name": author}}
