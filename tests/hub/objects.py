"""Large files: the LFS batch, and the storage that it sends the client to (whose addresses ask for no token)."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from math import ceil
from pathlib import Path
from typing import Any
from uuid import uuid4

from starlette.responses import JSONResponse, Response

from tests.hub.answers import HubRefusal, no_repository
from tests.hub.calls import Call, Routes
from tests.hub.storage import Repository

routes = Routes()
_COPY_BYTES = 1024 * 1024


@routes.on("POST", "/{kind}/{ns}/{name}.git/info/lfs/objects/batch")
@routes.on("POST", "/{ns}/{name}.git/info/lfs/objects/batch")
async def batch(call: Call) -> Response:
    repository, asked = call.readable(), await call.body()
    if call.signed_in().role == "read" or ("ref" in asked and not call.writable()):
        raise HubRefusal(403, "You don't have the rights to upload with this token")
    objects = [_instructions(call, repository, one["oid"], one["size"]) for one in asked["objects"]]
    return JSONResponse({"transfer": "basic", "objects": objects})


@routes.on("POST", "/{kind}/{ns}/{name}.git/info/lfs/verify")
@routes.on("POST", "/{ns}/{name}.git/info/lfs/verify")
async def verify(call: Call) -> Response:
    asked = await call.body()
    if call.readable().objects.get(asked["oid"]) != asked["size"]:
        raise HubRefusal(404, f"Object {asked['oid']} is not there")
    return JSONResponse({"ok": True})


@routes.on("PUT", "/storage/{kind}/{ns}/{name}/{oid}")
async def put_object(call: Call) -> Response:
    repository, oid = _stored(call), call.parts["oid"]
    sent = await _received(call)
    _keep(call, repository, oid, [sent])
    return Response(headers={"ETag": f'"{oid}"'})


@routes.on("PUT", "/storage/{kind}/{ns}/{name}/{oid}/{part}")
async def put_part(call: Call) -> Response:
    _stored(call)
    sent = await _received(call)
    sent.replace(_part(call, int(call.parts["part"])))
    return Response(headers={"ETag": f'"{call.parts["part"]}"'})


@routes.on("POST", "/storage/{kind}/{ns}/{name}/{oid}/complete")
async def complete(call: Call) -> Response:
    repository, asked = _stored(call), await call.body()
    places = [_part(call, part["partNumber"]) for part in asked["parts"]]
    if not all(place.exists() for place in places):
        raise HubRefusal(400, "A part is missing")
    _keep(call, repository, call.parts["oid"], places)
    return JSONResponse({})


def _instructions(call: Call, repository: Repository, oid: str, size: int) -> dict[str, Any]:
    """What to send of one object: nothing when it is there."""
    if oid in repository.objects:
        return {"oid": oid, "size": size}
    href = f"{call.state.address}/storage/{repository.kind}s/{repository.id}/{oid}"
    upload: dict[str, Any] = {"href": href, "header": {}}
    parts = ceil(size / call.state.part_bytes)
    if parts > 1:
        numbered = {str(number): f"{href}/{number}" for number in range(1, parts + 1)}
        upload = {
            "href": f"{href}/complete",
            "header": {"chunk_size": str(call.state.part_bytes), **numbered},
        }
    return {
        "oid": oid,
        "size": size,
        "authenticated": True,
        "actions": {
            "upload": upload,
            "verify": {"href": f"{call.state.url(repository)}.git/info/lfs/verify"},
        },
    }


def _stored(call: Call) -> Repository:
    kind, name = call.parts["kind"].removesuffix("s"), f"{call.parts['ns']}/{call.parts['name']}"
    repository = call.state.repositories.get((kind, name))
    if repository is None:
        raise no_repository()
    return repository


def _part(call: Call, number: int) -> Path:
    return call.state.folder / f"{call.parts['oid']}.part{number}"


async def _received(call: Call) -> Path:
    """The request's body, on the disk; nothing is left there when the connection breaks."""
    place = call.state.folder / f"incoming-{uuid4().hex}"
    try:
        with place.open("wb") as file:
            async for piece in call.request.stream():
                file.write(piece)
    except BaseException:
        place.unlink()
        raise
    return place


def _keep(call: Call, repository: Repository, oid: str, places: Sequence[Path]) -> None:
    """Join what was sent into the object.

    Raises:
        HubRefusal: 400, the bytes are not those of the name.
    """
    whole, digest = call.state.folder / f"whole-{uuid4().hex}", hashlib.sha256()
    with whole.open("wb") as file:
        for place in places:
            with place.open("rb") as piece:
                while chunk := piece.read(_COPY_BYTES):
                    digest.update(chunk)
                    file.write(chunk)
            place.unlink()
    if digest.hexdigest() != oid:
        whole.unlink()
        raise HubRefusal(400, f"The bytes sent are not those of {oid}")
    with call.state.lock:
        repository.objects[oid] = whole.stat().st_size
        whole.replace(call.state.folder / oid)
