"""Repositories as the Hub keeps them: commits that never change, and what points to them."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from fnmatch import fnmatch
from pathlib import Path

from tests.hub.answers import HubRefusal, no_entry, no_revision

_LFS_TYPES = (
    "*.7z *.arrow *.bin *.bz2 *.ckpt *.gz *.h5 *.model *.npy *.npz *.onnx *.parquet *.pickle *.pkl *.pt *.pth *.rar "
    "*.safetensors *.tar *.tar.* *.tflite *.tgz *.wasm *.xz *.zip *.zst"
)
_DATASET_TYPES = "*.bmp *.gif *.png *.tiff *.jpg *.jpeg *.webp *.mp4 *.wav *.flac *.mp3 *.webm"
_LFS_BYTES = 10_000_000
_COMMIT = re.compile(r"[0-9a-f]{7,40}")


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredFile:
    """A file of a revision; its bytes lie on the disk under their sha256."""

    sha256: str
    size: int
    oid: str  # the git blob: of the content, or of the pointer for an LFS file
    lfs: bool
    place: Path

    @property
    def etag(self) -> str:
        return self.sha256 if self.lfs else self.oid


@dataclass(frozen=True, slots=True, kw_only=True)
class Commit:
    """One revision, whole."""

    oid: str
    parent: str | None
    files: Mapping[str, StoredFile]
    title: str
    description: str
    author: str
    date: str  # ISO 8601, UTC


@dataclass(slots=True, kw_only=True)
class PullRequest:
    """`refs/pr/N`; its head lies in the repository's `pulls`."""

    number: int
    title: str
    description: str
    author: str
    status: str  # draft, open, merged, closed
    date: str
    base: str = "main"
    merged_as: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """What a commit does: files to put (None = take away), with who and why."""

    files: Mapping[str, StoredFile | None]
    title: str
    description: str = ""
    author: str
    oid: str | None = None  # the commit's id, where a test needs a certain one


@dataclass(slots=True, kw_only=True)
class Repository:
    """One data set, Space or model."""

    kind: str  # dataset, space, model
    id: str  # ns/name
    private: bool
    creator: int | None  # the number of the token that made it
    folder: Path  # where all objects lie
    sdk: str | None = None
    commits: dict[str, Commit] = field(default_factory=dict)
    branches: dict[str, str] = field(default_factory=dict)
    tags: dict[str, str] = field(default_factory=dict)
    pulls: dict[int, str] = field(default_factory=dict)
    discussions: list[PullRequest] = field(default_factory=list)
    objects: dict[str, int] = field(default_factory=dict)  # sha256 of what was sent by LFS → bytes
    variables: dict[str, str] = field(default_factory=dict)
    secrets: list[str] = field(default_factory=list)  # names only
    hardware: str = "cpu-basic"

    def __post_init__(self) -> None:
        types = _LFS_TYPES + (f" {_DATASET_TYPES}" if self.kind == "dataset" else "")
        rules = "".join(f"{name} filter=lfs diff=lfs merge=lfs -text\n" for name in types.split())
        first: dict[str, StoredFile | None] = {".gitattributes": self.regular(rules.encode())}
        if self.kind == "space":
            first["README.md"] = self.regular(f"---\ntitle: New\nsdk: {self.sdk}\n---\n".encode())
        self.branches["main"] = self._append(
            None, Change(files=first, title="initial commit", author="system")
        ).oid

    def regular(self, content: bytes) -> StoredFile:
        """Keep a small file."""
        sha256 = hashlib.sha256(content).hexdigest()
        place = self.folder / sha256
        if not place.exists():
            place.write_bytes(content)
        return StoredFile(sha256=sha256, size=len(content), oid=_git_oid(content), lfs=False, place=place)

    def pointer(self, sha256: str) -> StoredFile:
        """An LFS file whose bytes were sent before.

        Raises:
            HubRefusal: 400, they were not.
        """
        size = self.objects.get(sha256)
        if size is None:
            raise HubRefusal(400, f"LFS pointer pointed to a file that does not exist: {sha256}")
        text = f"version https://git-lfs.github.com/spec/v1\noid sha256:{sha256}\nsize {size}\n"
        oid = _git_oid(text.encode())
        return StoredFile(sha256=sha256, size=size, oid=oid, lfs=True, place=self.folder / sha256)

    def stored(self, path: str, content: bytes) -> StoredFile:
        """Keep a file the way the Hub's rules want it."""
        if not self.wants_lfs(path, len(content)):
            return self.regular(content)
        file = self.regular(content)
        self.objects[file.sha256] = file.size
        return self.pointer(file.sha256)

    def wants_lfs(self, path: str, size: int) -> bool:
        """Whether a file has to be sent by LFS: by the head's `.gitattributes`, or by its size."""
        rules = self.commits[self.branches["main"]].files.get(".gitattributes")
        lines = rules.place.read_text().splitlines() if rules else []
        patterns = [line.split()[0] for line in lines if "filter=lfs" in line]
        names = (path, path.rsplit("/", 1)[-1])
        return size >= _LFS_BYTES or any(fnmatch(name, rule) for rule in patterns for name in names)

    def resolve(self, revision: str) -> Commit:
        """A branch, a tag, `refs/pr/N`, or (the start of) a commit id.

        Raises:
            HubRefusal: 404, there is none of that name.
        """
        short = revision.removeprefix("refs/heads/").removeprefix("refs/tags/")
        oid = self.branches.get(short) or self.tags.get(short)
        if oid is None and revision.startswith("refs/pr/") and revision[8:].isdigit():
            oid = self.pulls.get(int(revision[8:]))
        if oid is None and _COMMIT.fullmatch(revision):
            oid = next((known_oid for known_oid in self.commits if known_oid.startswith(revision)), None)
        if oid is None:
            raise no_revision(revision)
        return self.commits[oid]

    def history(self, revision: str) -> list[Commit]:
        """Newest first."""
        commits = [self.resolve(revision)]
        while (parent := commits[-1].parent) is not None:
            commits.append(self.commits[parent])
        return commits

    def commit(self, branch: str, change: Change, *, parent: str | None = None) -> Commit:
        """Move a branch (or a pull request's head) on.

        Raises:
            HubRefusal: 404 no such branch or no such file to take away; 412 the head is not `parent`; 400 a tag or
                a commit id cannot be moved.
        """
        head = self.resolve(branch)
        name = branch.removeprefix("refs/heads/")
        pull = int(branch[8:]) if branch.startswith("refs/pr/") else None
        if pull is None and name not in self.branches:
            raise HubRefusal(400, f"{branch} is no branch")
        if parent is not None and not head.oid.startswith(parent):
            raise HubRefusal(412, "A commit has happened since. Please refresh and try again.")
        commit = self._append(head, change)
        if pull is None:
            self.branches[name] = commit.oid
        else:
            self.pulls[pull] = commit.oid
        return commit

    def open_pull_request(self, change: Change, *, parent: str | None, base: str = "main") -> PullRequest:
        """A change that waits at `refs/pr/N`."""
        commit = self._append(self.resolve(parent or base), change)
        return self.discuss(change, head=commit.oid, base=base)

    def discuss(self, change: Change, *, head: str, base: str = "main") -> PullRequest:
        """Note a pull request whose head is there already."""
        number = len(self.discussions) + 1
        request = PullRequest(
            number=number,
            title=change.title,
            description=change.description,
            author=change.author,
            status="open" if change.files else "draft",
            date=_now(),
            base=base,
        )
        self.discussions.append(request)
        self.pulls[number] = head
        return request

    def merge(self, number: int, author: str) -> Commit:
        """Put what a pull request changed onto its base."""
        request, head = self.discussions[number - 1], self.commits[self.pulls[number]]
        old = self.commits[head.parent].files if head.parent else {}
        changed: dict[str, StoredFile | None] = {
            path: file for path, file in head.files.items() if old.get(path) != file
        }
        changed |= {path: None for path in old if path not in head.files}
        commit = self.commit(
            request.base, Change(files=changed, title=f"{request.title} (#{number})", author=author)
        )
        request.status, request.merged_as = "merged", commit.oid
        return commit

    def _append(self, head: Commit | None, change: Change) -> Commit:
        files = dict(head.files) if head else {}
        for path, file in change.files.items():
            if file is not None:
                files[path] = file
            elif files.pop(path, None) is None:
                raise no_entry(path, head.oid if head else "")
        facts = [self.id, str(len(self.commits)), head.oid if head else "", change.title]
        facts += [f"{path} {file.sha256}" for path, file in sorted(files.items())]
        commit = Commit(
            oid=change.oid or hashlib.sha1("\n".join(facts).encode()).hexdigest(),
            parent=head.oid if head else None,
            files=files,
            title=change.title,
            description=change.description,
            author=change.author,
            date=_now(),
        )
        self.commits[commit.oid] = commit
        return commit


def _git_oid(content: bytes) -> str:
    return hashlib.sha1(b"blob %d\0" % len(content) + content).hexdigest()


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
