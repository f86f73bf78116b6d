"""The state of a repository on the Hub, and whether a file there equals a local one."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from huggingface_hub import HfApi

_BLOCK = 1 << 20


@dataclass(frozen=True, slots=True)
class RemoteFile:
    """One file on the Hub: large files are identified by SHA-256, small ones by git's hash."""

    size: int
    sha256: str | None
    blob_id: str


@dataclass(frozen=True, slots=True)
class RepositoryState:
    """All files of a repository at one commit; `head` is None where there is no such repository."""

    head: str | None = None
    files: Mapping[str, RemoteFile] = field(default_factory=dict)
    tags: Mapping[str, str] = field(default_factory=dict)  # name → commit

    def sha256(self, path: str) -> str | None:
        """Return the hash of a large file; None where the Hub does not know it."""
        return self.files[path].sha256 if path in self.files else None

    def fetch(self, api: HfApi, name: str, kind: str, path: str, folder: Path) -> None:
        """Download a file of this commit into a folder."""
        api.hf_hub_download(name, path, repo_type=kind, revision=self.head, local_dir=folder)


def repository_state(api: HfApi, name: str, kind: str, revision: str | None = None) -> RepositoryState:
    """Read the state of a repository.

    Args:
        api: the client.
        name: `ns/name`.
        kind: "dataset" or "space".
        revision: a branch, tag or commit; by default the newest commit.

    Returns:
        An empty state where there is no such repository, or none that the token may see.
    """
    from huggingface_hub.errors import GatedRepoError, RepositoryNotFoundError
    from huggingface_hub.hf_api import RepoFile

    try:
        head = api.repo_info(name, repo_type=kind, revision=revision).sha
        tags = {tag.name: tag.target_commit for tag in api.list_repo_refs(name, repo_type=kind).tags}
    except GatedRepoError:
        raise
    except RepositoryNotFoundError:
        return RepositoryState()
    entries = api.list_repo_tree(name, recursive=True, revision=head, repo_type=kind)
    files = {
        entry.path: RemoteFile(entry.size, entry.lfs.sha256 if entry.lfs else None, entry.blob_id)
        for entry in entries
        if isinstance(entry, RepoFile)
    }
    return RepositoryState(head, files, tags)


def same_file(remote: RemoteFile | None, local: Path) -> bool:
    """Whether a file on the Hub has the content of a local file."""
    if remote is None or remote.size != local.stat().st_size:
        return False
    if remote.sha256 is not None:
        return remote.sha256 == _digest(local, hashlib.sha256())
    header = b"blob %d\0" % remote.size
    return remote.blob_id == _digest(local, hashlib.sha1(header, usedforsecurity=False))


def _digest(path: Path, digest: hashlib._Hash) -> str:
    with path.open("rb") as file:
        while block := file.read(_BLOCK):
            digest.update(block)
    return digest.hexdigest()
