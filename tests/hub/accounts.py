"""Who may ask the loopback Hub for what."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from tests.hub.answers import HubRefusal

_CREATED = "2026-01-01T00:00:00.000Z"


class Role(StrEnum):
    """What a token was made for."""

    READ = "read"
    WRITE = "write"
    FINE_GRAINED = "fineGrained"  # writes only to the namespaces and repositories in `scopes`
    CONTRIBUTE = "contribute-repos"  # a sign-in's token: writes only to what it created itself


@dataclass(slots=True, kw_only=True)
class Token:
    """One token of one account. The secret itself is not in here."""

    number: int
    name: str
    role: Role
    orgs: dict[str, str] = field(default_factory=dict)  # organisation → role in it
    scopes: tuple[str, ...] = ()
    expired: bool = False

    @property
    def namespaces(self) -> tuple[str, ...]:
        """Where the account is at home: its private repositories are visible to it."""
        return (self.name, *self.orgs)

    def may_write(self, repository: str, creator: int | None) -> bool:
        """Whether it may write to `ns/name`, which the token numbered `creator` made."""
        namespace = repository.split("/")[0]
        if namespace != self.name and self.orgs.get(namespace) not in ("admin", "write", "contributor"):
            return False
        if self.role is Role.FINE_GRAINED:
            return namespace in self.scopes or repository in self.scopes
        if self.role is Role.CONTRIBUTE:
            return creator == self.number
        return self.role is Role.WRITE

    def whoami(self) -> dict[str, Any]:
        """The answer of `/api/whoami-v2`."""
        access: dict[str, Any] = {"displayName": f"token {self.number}", "role": str(self.role)}
        if self.role is Role.FINE_GRAINED:
            access["fineGrained"] = {
                "global": [],
                "scoped": [
                    {"entity": {"name": scope}, "permissions": ["repo.content.read", "repo.write"]}
                    for scope in self.scopes
                ],
            }
        signed_in = {"type": "oauth", "expiresAt": "2036-01-01T00:00:00.000Z"}
        by_token = {"type": "access_token", "accessToken": {**access, "createdAt": _CREATED}}
        return {
            "type": "user",
            "id": hashlib.sha1(self.name.encode()).hexdigest()[:24],
            "name": self.name,
            "fullname": self.name.title(),
            "email": f"{self.name}@example.test",
            "emailVerified": True,
            "canPay": False,
            "isPro": False,
            "orgs": [{"type": "org", "name": name, "roleInOrg": role} for name, role in self.orgs.items()],
            "auth": signed_in if self.role is Role.CONTRIBUTE else by_token,
        }


class Accounts:
    """All tokens, found by a digest: no secret is kept."""

    def __init__(self) -> None:
        self._tokens: dict[str, Token] = {}

    def add(
        self, name: str, role: Role, *, orgs: Mapping[str, str] | Sequence[str], scopes: Sequence[str]
    ) -> str:
        """A fresh secret for the account."""
        number = len(self._tokens) + 1
        secret = "hf_" + hashlib.sha256(f"{name} {number}".encode()).hexdigest()[:34]
        memberships = dict(orgs) if isinstance(orgs, Mapping) else dict.fromkeys(orgs, "write")
        token = Token(number=number, name=name, role=role, orgs=memberships, scopes=tuple(scopes))
        self._tokens[_digest(secret)] = token
        return secret

    def expire(self, secret: str) -> None:
        self._tokens[_digest(secret)].expired = True

    def who(self, authorization: str | None) -> Token | None:
        """The token behind an Authorization header; None when there is none.

        Raises:
            HubRefusal: 401, the token is unknown or expired.
        """
        if not authorization:
            return None
        token = self._tokens.get(_digest(authorization.removeprefix("Bearer ").strip()))
        if token is None:
            raise HubRefusal(401, "Invalid credentials in Authorization header")
        if token.expired:
            raise HubRefusal(401, f'User Access Token "token {token.number}" is expired')
        return token


def _digest(secret: str) -> str:
    return hashlib.sha256(secret.encode()).hexdigest()
