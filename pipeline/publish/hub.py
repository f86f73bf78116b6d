"""A release to the Hugging Face Hub: one commit, private unless asked otherwise."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from pipeline.errors import InvalidRequest, ReleaseRefused
from pipeline.publish.folders import release_facts

if TYPE_CHECKING:
    from huggingface_hub import HfApi

_SCHEME = "hf://"
_PREFIX = "hf://datasets/"
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,95}/[A-Za-z0-9][A-Za-z0-9._-]{0,95}")
_UNAUTHORISED, _FORBIDDEN = 401, 403
_SIGN_IN = "sign in with `hf auth login`, or set HF_TOKEN to a token that may write"


@dataclass(frozen=True, slots=True, kw_only=True)
class PushReport:
    """What went to the Hub, or would go there in a dry run."""

    repository: str
    url: str
    files: tuple[tuple[str, int], ...]  # (path in the repository, bytes)
    removed: tuple[str, ...] = ()  # shards of the release before that are not part of this one
    commit: str | None = None  # None after a dry run


def hub_name(text: str) -> str | None:
    """`ns/name` out of `hf://datasets/ns/name`; None for anything that is no Hub address.

    Raises:
        InvalidRequest: a Hub address that names no dataset.
    """
    if not text.startswith(_SCHEME):
        return None
    name = text.removeprefix(_PREFIX).rstrip("/")
    if not text.startswith(_PREFIX) or not _NAME.fullmatch(name):
        raise InvalidRequest(f"'{text}' names no dataset on the Hub; write hf://datasets/NAMESPACE/NAME")
    return name


def push(
    folder: Path,
    name: str,
    *,
    private: bool = True,
    dry_run: bool = False,
    token: str | None = None,
    endpoint: str | None = None,
) -> PushReport:
    """Send a release to the dataset `ns/name`, in one commit.

    A dry run tells the files and sends nothing, not even a question.

    Raises:
        ReleaseRefused: no release there, not signed in, no right to write, or the Hub cannot be reached. The
            dataset on the Hub is as it was.
    """
    from huggingface_hub import HfApi

    facts = release_facts(folder)
    if facts is None:
        raise ReleaseRefused(f"{folder} is no release; publish to a folder first")
    files = tuple(
        (path.relative_to(folder).as_posix(), path.stat().st_size)
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    )
    api = HfApi(endpoint=endpoint, token=token)
    url = f"{api.endpoint}/datasets/{name}"
    if dry_run:
        return PushReport(repository=name, url=url, files=files)
    with _plain_faults(name):
        _refuse_foreign_namespace(api, name)
        api.create_repo(name, repo_type="dataset", private=private, exist_ok=True)
        removed = _outdated(api, name, {path for path, _ in files})
        commit = _commit(api, folder, name, files, removed, f"Release {facts.get('version', '')}".strip())
    return PushReport(repository=name, url=url, files=files, removed=removed, commit=commit)


def _commit(
    api: HfApi,
    folder: Path,
    name: str,
    files: tuple[tuple[str, int], ...],
    removed: tuple[str, ...],
    message: str,
) -> str:
    from huggingface_hub import CommitOperationAdd, CommitOperationDelete

    operations: list[CommitOperationAdd | CommitOperationDelete] = [
        CommitOperationAdd(path_in_repo=path, path_or_fileobj=folder / path) for path, _ in files
    ]
    operations += [CommitOperationDelete(path_in_repo=path) for path in removed]
    return api.create_commit(name, operations, repo_type="dataset", commit_message=message).oid


def _outdated(api: HfApi, name: str, kept: set[str]) -> tuple[str, ...]:
    """Shards on the Hub that the release no longer has."""
    there = api.list_repo_files(name, repo_type="dataset")
    return tuple(path for path in there if path.startswith("data/") and path not in kept)


def _refuse_foreign_namespace(api: HfApi, name: str) -> None:
    """Ask who we are before anything is sent: a missing right would show only after the first upload."""
    me = api.whoami()
    namespace = name.split("/")[0]
    own = {me["name"], *(organisation["name"] for organisation in me.get("orgs", []))}
    if namespace not in own:
        raise ReleaseRefused(
            f"{me['name']} may not write to '{namespace}'; choose one of {', '.join(sorted(own))}"
        )
    role = me.get("auth", {}).get("accessToken", {}).get("role")
    if role == "read":
        raise ReleaseRefused(f"the token of {me['name']} may only read; {_SIGN_IN}")


@contextmanager
def _plain_faults(name: str) -> Iterator[None]:
    """The Hub's faults in one sentence. The token appears in none of them."""
    from huggingface_hub.errors import (
        HfHubHTTPError,
        HTTPError,
        LocalTokenNotFoundError,
        OfflineModeIsEnabled,
    )

    try:
        yield
    except LocalTokenNotFoundError as error:
        raise ReleaseRefused(f"publishing to {name} needs an account of the Hub; {_SIGN_IN}") from error
    except OfflineModeIsEnabled as error:
        raise ReleaseRefused(f"HF_HUB_OFFLINE is set; unset it to publish to {name}") from error
    except HfHubHTTPError as error:
        raise ReleaseRefused(_sentence(name, error)) from error
    except (HTTPError, OSError) as error:  # connection refused, reset, timed out, no such host
        raise ReleaseRefused(
            f"the Hub cannot be reached for {name} ({type(error).__name__}); try again later"
        ) from error


def _sentence(name: str, error: object) -> str:
    response = getattr(error, "response", None)
    status = getattr(response, "status_code", None)
    said = getattr(error, "server_message", None) or "no reason given"
    if status == _UNAUTHORISED:
        return f"the Hub does not know the token; {_SIGN_IN}"
    if status == _FORBIDDEN:
        return f"the token may not write to {name} ({said}); {_SIGN_IN}"
    return f"the Hub refused {name} with status {status} ({said}); the dataset there is as it was, try again"
