"""Who is signed in to the Hub, and where that account may write."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from pipeline.errors import ReleaseRefused
from pipeline.publish.hub_write_errors import SIGN_IN

if TYPE_CHECKING:
    from huggingface_hub import HfApi


@dataclass(frozen=True, slots=True)
class HubAccount:
    """The account of a token."""

    name: str
    namespaces: frozenset[str]  # its own and those of its organisations
    read_only: bool  # whether the token may only read


def hub_account(api: HfApi) -> HubAccount:
    """Ask the Hub whose token it is."""
    answer = api.whoami()
    organisations = (organisation["name"] for organisation in answer.get("orgs", []))
    role = answer.get("auth", {}).get("accessToken", {}).get("role")
    return HubAccount(
        name=str(answer["name"]),
        namespaces=frozenset({answer["name"], *organisations}),
        read_only=role == "read",
    )


def refuse_without_write_access(account: HubAccount, name: str, *, alternative: str = "") -> None:
    """Refuse before anything is sent: a missing permission would only show after the first upload.

    Args:
        account: who is signed in.
        name: the repository, `ns/name`.
        alternative: a further remedy, for the sentence.

    Raises:
        ReleaseRefused: the namespace belongs to somebody else, or the token may only read.
    """
    namespace = name.split("/")[0]
    if namespace not in account.namespaces:
        own = ", ".join(sorted(account.namespaces))
        raise ReleaseRefused(
            f"{account.name} may not write to '{namespace}'; choose one of {own}{alternative}"
        )
    if account.read_only:
        raise ReleaseRefused(f"the token of {account.name} may only read; {SIGN_IN}")
