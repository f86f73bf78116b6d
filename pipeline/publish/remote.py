"""A repository of the Hub as it stands, and whether a file there is the one here."""

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
    """One file on the Hub: large ones are named by SHA-256, small ones by git."""

    size: int
    sha256: str | None
    blob_id: str


@dataclass(frozen=True, slots=True)
class Remote:
    """All files of a repository at its newest commit; no head where there is no such repository."""

    head: str | None = None
    files: Mapping[str, RemoteFile] = field(default_factory=dict)
    tags: Mapping[str, str] = field(default_factory=dict)  # name → commit

    def sha256(self, path: str) -> str | None:
        """Of a large file; None where the Hub does not tell."""
        return self.files[path].sha256 if path in self.files else None

    def fetch(self, api: HfApi, name: str, kind: str, path: str, folder: Path) -> None:
        """Copy a file of this very commit into a folder."""
        api.hf_hub_download(name, path, repo_type=kind, revision=self.head, local_dir=folder)


def look(api: HfApi, name: str, kind: str, revision: str | None = None) -> Remote:
    """A repository `ns/name` as it stands, or at a revision; an empty `Remote` where there is none, or none that may be
    seen.
    """
    from huggingface_hub.errors import GatedRepoError, RepositoryNotFoundError
    from huggingface_hub.hf_api import RepoFile

    try:
        head = api.repo_info(name, repo_type=kind, revision=revision).sha
        tags = {one.name: one.target_commit for one in api.list_repo_refs(name, repo_type=kind).tags}
    except GatedRepoError:
        raise
    except RepositoryNotFoundError:
        return Remote()
    entries = api.list_repo_tree(name, recursive=True, revision=head, repo_type=kind)
    files = {
        entry.path: RemoteFile(entry.size, entry.lfs.sha256 if entry.lfs else None, entry.blob_id)
        for entry in entries
        if isinstance(entry, RepoFile)
    }
    return Remote(head, files, tags)


def same_file(there: RemoteFile | None, here: Path) -> bool:
    """Whether a file on the Hub has the content of a file here."""
    if there is None or there.size != here.stat().st_size:
        return False
    if there.sha256 is not None:
        return there.sha256 == _digest(here, hashlib.sha256())
    return there.blob_id == _digest(here, hashlib.sha1(b"blob %d\0" % there.size, usedforsecurity=False))


def _digest(path: Path, digest: hashlib._Hash) -> str:
    with path.open("rb") as file:
        while block := file.read(_BLOCK):
            digest.update(block)
    return digest.hexdigest()
