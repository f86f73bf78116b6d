"""What is set up on a Space beside its files."""

from __future__ import annotations

from typing import Any

from starlette.responses import JSONResponse, Response

from tests.hub.answers import HubRefusal
from tests.hub.calls import Call, Routes
from tests.hub.storage import Repository

routes = Routes()


@routes.on("GET", "/api/spaces/{ns}/{name}/runtime")
async def runtime(call: Call) -> Response:
    return JSONResponse(_runtime(_space(call).readable()))


@routes.on("GET", "/api/spaces/{ns}/{name}/variables")
async def space_variables(call: Call) -> Response:
    repository = _space(call).writable()
    return JSONResponse({key: {"value": value} for key, value in repository.variables.items()})


@routes.on("POST", "/api/spaces/{ns}/{name}/{what}")
async def space_setting(call: Call) -> Response:
    repository, wanted = _space(call).writable(), await call.body()
    if call.parts["what"] == "secrets":
        repository.secrets.append(wanted["key"])
    elif call.parts["what"] == "variables":
        repository.variables[wanted["key"]] = wanted["value"]
    elif call.parts["what"] == "hardware":
        repository.hardware = wanted["flavor"]
        return JSONResponse(_runtime(repository))
    else:
        raise HubRefusal(404, f"the loopback Hub has no {call.parts['what']}")
    return JSONResponse({})


def _runtime(repository: Repository) -> dict[str, Any]:
    return {"stage": "RUNNING", "hardware": {"current": "cpu-basic", "requested": repository.hardware}}


def _space(call: Call) -> Call:
    parts = {**call.parts, "kind": "spaces"}
    return Call(state=call.state, request=call.request, token=call.token, parts=parts)
