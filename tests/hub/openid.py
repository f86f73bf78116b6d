"""An OpenID provider on this machine: what Gradio's sign-in asks of huggingface.co, over real HTTP.

    with OpenIdProvider() as provider:
        provider.people["ben"] = "hf_access_token_of_ben"
        provider.who = "ben"  # who sits before the browser: the consent page is answered at once
        environment |= provider.environment()

The client is held to its own promises: a code is good once, for the redirect address that it was asked for, and for
who knows the client's secret.
"""

from __future__ import annotations

import base64
import secrets
import socket
import time
from dataclasses import dataclass, field
from threading import Thread
from types import TracebackType
from typing import Any
from urllib.parse import urlencode

import uvicorn
from joserfc import jwt
from joserfc.jwk import RSAKey
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, RedirectResponse, Response
from starlette.routing import Route

_START_S = 120.0  # reached only where it does not start
_VALID_S = 8 * 60 * 60
_KEY_BITS = 2048
CLIENT_ID, CLIENT_SECRET = "backlot-client", "backlot-client-secret"
SCOPES = "openid profile contribute-repos"


@dataclass(frozen=True, slots=True, kw_only=True)
class _Consent:
    """What a code stands for until it is used."""

    name: str
    redirect_uri: str
    nonce: str
    scope: str


@dataclass(slots=True)
class OpenIdProvider:
    """The provider in a thread on a free port of 127.0.0.1.

    Args:
        people: account name → access token that a sign-in gives; a new one is made for who has none.
        who: the account that signs in next; "" refuses.
        valid_s: how long a sign-in holds.
    """

    people: dict[str, str] = field(default_factory=dict)
    who: str = ""
    valid_s: int = _VALID_S
    address: str = ""
    asked_scopes: list[str] = field(default_factory=list)
    _codes: dict[str, _Consent] = field(default_factory=dict)
    _key: RSAKey = field(default_factory=lambda: RSAKey.generate_key(_KEY_BITS, {"kid": "one", "use": "sig"}))
    _server: uvicorn.Server | None = None
    _thread: Thread | None = None

    def environment(self) -> dict[str, str]:
        """What a Space with `hf_oauth: true` finds in its environment."""
        return {
            "OAUTH_CLIENT_ID": CLIENT_ID,
            "OAUTH_CLIENT_SECRET": CLIENT_SECRET,
            "OAUTH_SCOPES": SCOPES,
            "OPENID_PROVIDER_URL": self.address,
        }

    def __enter__(self) -> OpenIdProvider:
        listening = socket.socket()
        listening.bind(("127.0.0.1", 0))
        self.address = f"http://127.0.0.1:{listening.getsockname()[1]}"
        self._server = uvicorn.Server(uvicorn.Config(self._application(), log_level="error"))
        self._thread = Thread(target=self._server.run, kwargs={"sockets": [listening]}, daemon=True)
        self._thread.start()
        until = time.monotonic() + _START_S
        while not self._server.started:
            assert time.monotonic() < until, "the OpenID provider did not start"
            time.sleep(0.01)  # between two looks at another thread
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        assert self._server is not None
        assert self._thread is not None
        self._server.should_exit = True
        self._thread.join(_START_S)

    def _application(self) -> Starlette:
        return Starlette(
            routes=[
                Route("/.well-known/openid-configuration", self._configuration),
                Route("/oauth/authorize", self._authorize),
                Route("/oauth/token", self._token, methods=["POST"]),
                Route("/oauth/userinfo", self._userinfo),
                Route("/oauth/jwks", self._keys),
            ]
        )

    async def _configuration(self, _request: Request) -> Response:
        return JSONResponse(
            {
                "issuer": self.address,
                "authorization_endpoint": f"{self.address}/oauth/authorize",
                "token_endpoint": f"{self.address}/oauth/token",
                "userinfo_endpoint": f"{self.address}/oauth/userinfo",
                "jwks_uri": f"{self.address}/oauth/jwks",
                "response_types_supported": ["code"],
                "id_token_signing_alg_values_supported": ["RS256"],
                "token_endpoint_auth_methods_supported": ["client_secret_basic"],
            }
        )

    async def _authorize(self, request: Request) -> Response:
        asked = request.query_params
        if asked.get("client_id") != CLIENT_ID or asked.get("response_type") != "code":
            return JSONResponse({"error": "invalid_request"}, 400)
        self.asked_scopes.append(asked.get("scope", ""))
        answer = {"state": asked["state"]}
        if self.who:
            code = secrets.token_urlsafe(16)
            self._codes[code] = _Consent(
                name=self.who,
                redirect_uri=asked["redirect_uri"],
                nonce=asked.get("nonce", ""),
                scope=asked.get("scope", ""),
            )
            answer["code"] = code
        else:
            answer["error"] = "access_denied"
        joint = "&" if "?" in asked["redirect_uri"] else "?"
        return RedirectResponse(asked["redirect_uri"] + joint + urlencode(answer), 302)

    async def _token(self, request: Request) -> Response:
        sent = {key: str(value) for key, value in (await request.form()).items()}
        known = "Basic " + base64.b64encode(f"{CLIENT_ID}:{CLIENT_SECRET}".encode()).decode()
        if request.headers.get("Authorization") != known:
            return JSONResponse({"error": "invalid_client"}, 401)
        consent = self._codes.pop(sent.get("code", ""), None)
        if consent is None or consent.redirect_uri != sent.get("redirect_uri"):
            return JSONResponse({"error": "invalid_grant"}, 400)
        access = self.people.setdefault(consent.name, f"hf_oauth_{secrets.token_urlsafe(24)}")
        claims = {**self._claims(consent.name), "nonce": consent.nonce}
        return JSONResponse(
            {
                "access_token": access,
                "token_type": "bearer",
                "expires_in": self.valid_s,
                "scope": consent.scope,
                "id_token": jwt.encode({"alg": "RS256", "kid": "one"}, claims, self._key),
            }
        )

    async def _userinfo(self, request: Request) -> Response:
        token = request.headers.get("Authorization", "").removeprefix("Bearer ")
        names = {access: name for name, access in self.people.items()}
        if token not in names:
            return JSONResponse({"error": "invalid_token"}, 401)
        return JSONResponse(self._claims(names[token]))

    async def _keys(self, _request: Request) -> Response:
        return JSONResponse({"keys": [self._key.as_dict(private=False)]})

    def _claims(self, name: str) -> dict[str, Any]:
        now = int(time.time())
        return {
            "iss": self.address,
            "aud": CLIENT_ID,
            "sub": f"account-{name}",
            "iat": now,
            "exp": now + _VALID_S,
            "name": name.title(),
            "preferred_username": name,
            "profile": f"https://huggingface.co/{name}",
            "picture": f"https://huggingface.co/avatars/{name}.svg",
        }
