"""Deploy the studio to a Space on the Hub: one commit of what changed."""

from __future__ import annotations

import hashlib
import json
import re
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING

from pipeline.errors import InvalidRequest, ReleaseRefused, UnknownName
from pipeline.hub_retries import Answer, Pause, retried
from pipeline.publish.hub_account import hub_account, refuse_without_write_access
from pipeline.publish.hub_repository import RemoteFile, RepositoryState, repository_state, same_file
from pipeline.publish.hub_write_errors import hub_errors_explained, is_temporary_upload_error

if TYPE_CHECKING:
    from huggingface_hub import CommitOperationAdd, CommitOperationDelete, HfApi, SpaceHardware

ROOT = Path(__file__).resolve().parents[2]
MANIFEST = ".backlot.json"  # in the Space: what was deployed last
MOST_BYTES = 10_000_000  # of one file; a Space's git refuses larger ones
_KIND = "space"
_FILES = ("app.py", "requirements.txt", "packages.txt", "README.md", "LICENSE")
_FOLDERS = ("ui/", "pipeline/", "training/", "recipes/")
_SHOWN = re.compile(r"""(?:\]\(|src=["'])(docs/[^)"'\s]+)""")  # images of the README
_INITIAL_FILES = {".gitattributes", "README.md"}  # what the Hub puts into a new Space
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,95}/[A-Za-z0-9][A-Za-z0-9._-]{0,95}")
_NAMED = 3  # files that a sentence names


FileHashes = Mapping[str, Sequence[str]]  # path → its SHA-256 and git's hash


@dataclass(frozen=True, slots=True, kw_only=True)
class DeployOptions:
    """How the studio is deployed to a Space."""

    dry_run: bool = False  # compare and report, send nothing
    private: bool = False  # where the Space is created, as is the hardware
    hardware: str | None = None  # one of huggingface_hub.SpaceHardware; None: the Hub's default
    replace: bool = False  # overwrite what somebody else changed there
    token: str | None = field(default=None, repr=False)  # None: HF_TOKEN or the saved sign-in
    endpoint: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class DeployReport:
    """What was sent to a Space, or would be sent in a dry run."""

    repository: str
    url: str
    files: tuple[tuple[str, int], ...]  # (path, bytes) of new and changed files
    kept: int  # files that are on the Hub already
    removed: tuple[str, ...]  # files of the last deployment that do not exist here any more
    created: bool  # whether the Space is new
    commit: str | None = None  # None where nothing was sent

    @property
    def sent_bytes(self) -> int:
        """The size of new and changed files."""
        return sum(size for _, size in self.files)


def deploy(
    name: str, *, root: Path = ROOT, options: DeployOptions | None = None, pause: Pause = time.sleep
) -> DeployReport:
    """Bring the Space `ns/name` to the tracked files of a checkout. Where nothing changed, no commit is made.

    Files of the Space that were never deployed stay.

    Raises:
        InvalidRequest: the name is not `ns/name`.
        UnknownName: there is no such hardware.
        ReleaseRefused: not a git checkout, a file is too large, not signed in, no permission to write, somebody else
            changed the Space, or the Hub cannot be reached. The Space is unchanged.
    """
    from huggingface_hub import HfApi

    if not _NAME.fullmatch(name):
        raise InvalidRequest(f"'{name}' names no Space; write NAMESPACE/NAME")
    options = options or DeployOptions()
    _hardware(options.hardware)
    local = {path: root / path for path in space_files(root)}
    _refuse_large(local)
    api = HfApi(endpoint=options.endpoint, token=options.token)
    deployment = _Deployment(api=api, name=name, options=options, pause=pause)
    with hub_errors_explained(name, action="deploy to"):
        if not options.dry_run:
            deployment.retried(lambda: refuse_without_write_access(hub_account(api), name))
        remote = deployment.state()
        deployed = deployment.deployed(remote)
        if not options.replace:
            _refuse_changed(name, remote, deployed)
        report = deployment.compared(local, remote, deployed)
        if options.dry_run or not (report.files or report.removed):
            return report
        return deployment.send(local, remote, report)


def space_files(root: Path) -> list[str]:
    """Return the tracked files that a Space needs, sorted.

    Raises:
        ReleaseRefused: the folder is not a git checkout, or lacks what a Space cannot start without.
    """
    try:
        listing = subprocess.run(
            ["git", "ls-files", "-z"], cwd=root, capture_output=True, text=True, check=True, timeout=60
        )
    except (OSError, subprocess.SubprocessError) as error:
        raise ReleaseRefused(
            f"{root} is not a git checkout; deploy from one, because only tracked files are sent"
        ) from error
    tracked = {path for path in listing.stdout.split("\0") if path and (root / path).is_file()}
    missing = {"app.py", "requirements.txt", "README.md"} - tracked
    if missing:
        raise ReleaseRefused(
            f"{', '.join(sorted(missing))} is not tracked in {root}; a Space cannot start without it"
        )
    shown = set(_SHOWN.findall((root / "README.md").read_text(encoding="utf-8")))
    return sorted(path for path in tracked if path in _FILES or path in shown or path.startswith(_FOLDERS))


@dataclass(frozen=True, slots=True, kw_only=True)
class _Deployment:
    """The steps of a deployment to one Space."""

    api: HfApi
    name: str
    options: DeployOptions
    pause: Pause

    def retried(self, call: Callable[[], Answer]) -> Answer:
        return retried(call, temporary=is_temporary_upload_error, pause=self.pause)

    def state(self) -> RepositoryState:
        return self.retried(lambda: repository_state(self.api, self.name, _KIND))

    def deployed(self, remote: RepositoryState) -> FileHashes:
        """Return what was deployed last; empty where nothing was."""
        return self.retried(lambda: _manifest(self.api, self.name, remote))

    def compared(
        self, local: Mapping[str, Path], remote: RepositoryState, deployed: FileHashes
    ) -> DeployReport:
        """Report what of the checkout is not in the Space yet."""
        new = [path for path, file in local.items() if not same_file(remote.files.get(path), file)]
        return DeployReport(
            repository=self.name,
            url=f"{self.api.endpoint}/spaces/{self.name}",
            files=tuple((path, local[path].stat().st_size) for path in new),
            kept=len(local) - len(new),
            removed=tuple(path for path in deployed if path in remote.files and path not in local),
            created=remote.head is None,
        )

    def send(self, local: Mapping[str, Path], remote: RepositoryState, report: DeployReport) -> DeployReport:
        """Send what changed in one commit."""
        from huggingface_hub.errors import HfHubHTTPError

        if remote.head is None:
            remote = self._created()
        files = {path: _hashes(file) for path, file in local.items()}
        operations = _operations(local, report, files)
        try:
            commit = self.retried(
                lambda: self.api.create_commit(
                    self.name,
                    operations,
                    repo_type=_KIND,
                    commit_message="Deploy Backlot",
                    parent_commit=remote.head,
                )
            )
        except ValueError as error:  # the client has the Hub check the front matter of README.md first
            if "README" not in str(error):
                raise
            raise ReleaseRefused(
                f"the Hub refuses the front matter of README.md: {str(error).splitlines()[-1]}"
            ) from error
        except HfHubHTTPError:
            now = self.state()
            if now.head == remote.head or self.deployed(now) != files:
                raise
            return replace(report, commit=now.head)  # it arrived, only the response was lost
        return replace(report, commit=commit.oid)

    def _created(self) -> RepositoryState:
        options = self.options
        self.retried(
            lambda: self.api.create_repo(
                self.name, repo_type=_KIND, space_sdk="gradio", private=options.private, exist_ok=True,
                space_hardware=_hardware(options.hardware),
            )
        )  # fmt: skip
        return self.state()


def _hardware(name: str | None) -> SpaceHardware | None:
    from huggingface_hub import SpaceHardware

    if name is None:
        return None
    if name not in list(SpaceHardware):
        raise UnknownName("hardware", name, [str(hardware.value) for hardware in SpaceHardware])
    return SpaceHardware(name)


def _refuse_large(local: Mapping[str, Path]) -> None:
    large = [
        f"{path} ({size:,} bytes)"
        for path, file in local.items()
        if (size := file.stat().st_size) > MOST_BYTES
    ]
    if large:
        raise ReleaseRefused(f"a Space takes no file over {MOST_BYTES:,} bytes; split {_listed(large)}")


def _manifest(api: HfApi, name: str, remote: RepositoryState) -> FileHashes:
    if MANIFEST not in remote.files:
        return {}
    with tempfile.TemporaryDirectory(prefix="backlot-deploy-") as scratch:
        remote.fetch(api, name, _KIND, MANIFEST, Path(scratch))
        text = (Path(scratch) / MANIFEST).read_text(encoding="utf-8")
    try:
        return dict(json.loads(text)["files"])
    except (ValueError, KeyError, TypeError):
        return {}


def _refuse_changed(name: str, remote: RepositoryState, deployed: FileHashes) -> None:
    """Refuse to overwrite what other people did there."""
    if not deployed and set(remote.files) - _INITIAL_FILES:
        raise ReleaseRefused(
            f"{name} holds a Space that Backlot did not deploy; choose another name, or deploy with --replace"
        )
    changed = [path for path, hashes in deployed.items() if not _is_deployed(remote.files.get(path), hashes)]
    if changed:
        raise ReleaseRefused(
            f"somebody changed {_listed(changed)} on {name} since the last deployment; look at it there, "
            "then deploy with --replace"
        )


def _is_deployed(file: RemoteFile | None, hashes: Sequence[str]) -> bool:
    return file is not None and (file.sha256 or file.blob_id) in hashes


def _operations(
    local: Mapping[str, Path], report: DeployReport, files: FileHashes
) -> list[CommitOperationAdd | CommitOperationDelete]:
    from huggingface_hub import CommitOperationAdd, CommitOperationDelete

    manifest = json.dumps({"files": files}, indent=0).encode()
    return [
        *(CommitOperationAdd(path, local[path]) for path, _ in report.files),
        CommitOperationAdd(MANIFEST, manifest),
        *(CommitOperationDelete(path) for path in report.removed),
    ]


def _hashes(file: Path) -> list[str]:
    data = file.read_bytes()
    git_hash = hashlib.sha1(b"blob %d\0" % len(data) + data, usedforsecurity=False).hexdigest()
    return [hashlib.sha256(data).hexdigest(), git_hash]


def _listed(names: Iterable[str]) -> str:
    names = list(names)
    rest = f" and {len(names) - _NAMED} more" if len(names) > _NAMED else ""
    return ", ".join(names[:_NAMED]) + rest
