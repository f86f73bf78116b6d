"""The studio itself to a Space of the Hub: one commit of what changed."""

from __future__ import annotations

import hashlib
import json
import re
import subprocess
import tempfile
import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pipeline.errors import InvalidRequest, ReleaseRefused, UnknownName
from pipeline.publish.faults import SIGN_IN, Pause, plain_faults, retried
from pipeline.publish.remote import Remote, RemoteFile, look, same_file

if TYPE_CHECKING:
    from huggingface_hub import HfApi, SpaceHardware

ROOT = Path(__file__).resolve().parents[2]
MANIFEST = ".backlot.json"  # in the Space: what was deployed last, path → SHA-256 and git's own hash
MOST_BYTES = 10_000_000  # of one file; a Space's git refuses larger ones
_KIND, _DOING = "space", "deploy to"
_FILES = ("app.py", "requirements.txt", "packages.txt", "README.md", "LICENSE")
_FOLDERS = ("ui/", "pipeline/", "training/", "recipes/")
_SHOWN = re.compile(r"""(?:\]\(|src=["'])(docs/[^)"'\s]+)""")  # pictures of the README
_BORN_WITH = {".gitattributes", "README.md"}  # what the Hub puts into a new Space
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,95}/[A-Za-z0-9][A-Za-z0-9._-]{0,95}")
_NAMED = 3  # files that a sentence names


@dataclass(frozen=True, slots=True, kw_only=True)
class DeployOptions:
    """How the studio goes to a Space."""

    dry_run: bool = False  # look and tell, send nothing
    private: bool = False  # where the Space is made new, as is the hardware
    hardware: str | None = None  # one of huggingface_hub.SpaceHardware; None: what the Hub gives
    replace: bool = False  # write over what somebody else changed there
    token: str | None = field(default=None, repr=False)  # None: HF_TOKEN or the saved sign-in
    endpoint: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class DeployReport:
    """What went to a Space, or would go there in a dry run."""

    repository: str
    url: str
    files: tuple[tuple[str, int], ...]  # (path, bytes) of what is new or different
    kept: int  # files that are there already
    removed: tuple[str, ...]  # files of the last deployment that are gone here
    created: bool  # whether the Space is new
    commit: str | None = None  # None where nothing was sent

    @property
    def sent_bytes(self) -> int:
        """Size of what is new or different."""
        return sum(size for _, size in self.files)


def deploy(
    name: str, *, root: Path = ROOT, options: DeployOptions | None = None, pause: Pause = time.sleep
) -> DeployReport:
    """Bring the Space `ns/name` to the tracked files of a checkout. Where nothing changed no commit is made.

    Files of the Space that were never deployed stay.

    Raises:
        InvalidRequest: that is no name of a Space.
        UnknownName: there is no such hardware.
        ReleaseRefused: no checkout, a file is too large, not signed in, no right to write, somebody else changed the
            Space, or the Hub cannot be reached. The Space is as it was.
    """
    from huggingface_hub import HfApi

    if not _NAME.fullmatch(name):
        raise InvalidRequest(f"'{name}' names no Space; write NAMESPACE/NAME")
    options = options or DeployOptions()
    _hardware(options.hardware)
    here = {path: root / path for path in space_files(root)}
    _refuse_large(here)
    api = HfApi(endpoint=options.endpoint, token=options.token)
    with plain_faults(name, doing=_DOING):
        if not options.dry_run:
            retried(lambda: _refuse_foreign_namespace(api, name), pause=pause)
        there = retried(lambda: look(api, name, _KIND), pause=pause)
        before = retried(lambda: _deployed(api, name, there), pause=pause)
        if not options.replace:
            _refuse_changed(name, there, before)
        report = _compared(api, name, here, there, before)
        if options.dry_run or not (report.files or report.removed):
            return report
        return _sent(api, here, there, report, options, pause)


def space_files(root: Path) -> list[str]:
    """The tracked files that a Space needs, sorted.

    Raises:
        ReleaseRefused: the folder is no checkout, or lacks what a Space cannot do without.
    """
    try:
        told = subprocess.run(
            ["git", "ls-files", "-z"], cwd=root, capture_output=True, text=True, check=True, timeout=60
        )
    except (OSError, subprocess.SubprocessError) as error:
        raise ReleaseRefused(
            f"{root} is no checkout of git; deploy from one: only tracked files go out"
        ) from error
    tracked = {path for path in told.stdout.split("\0") if path and (root / path).is_file()}
    missing = {"app.py", "requirements.txt", "README.md"} - tracked
    if missing:
        raise ReleaseRefused(
            f"{', '.join(sorted(missing))} is not tracked in {root}; a Space cannot start without"
        )
    shown = set(_SHOWN.findall((root / "README.md").read_text(encoding="utf-8")))
    return sorted(path for path in tracked if path in _FILES or path in shown or path.startswith(_FOLDERS))


def _hardware(name: str | None) -> SpaceHardware | None:
    from huggingface_hub import SpaceHardware

    if name is None:
        return None
    if name not in list(SpaceHardware):
        raise UnknownName("hardware", name, [str(one.value) for one in SpaceHardware])
    return SpaceHardware(name)


def _refuse_large(here: Mapping[str, Path]) -> None:
    large = [
        f"{path} ({size:,} bytes)"
        for path, file in here.items()
        if (size := file.stat().st_size) > MOST_BYTES
    ]
    if large:
        raise ReleaseRefused(f"a Space takes no file over {MOST_BYTES:,} bytes; split {_listed(large)}")


def _refuse_foreign_namespace(api: HfApi, name: str) -> None:
    me = api.whoami()
    own = {me["name"], *(organisation["name"] for organisation in me.get("orgs", []))}
    if name.split("/")[0] not in own:
        raise ReleaseRefused(f"{me['name']} may not write to {name}; choose one of {', '.join(sorted(own))}")
    if me.get("auth", {}).get("accessToken", {}).get("role") == "read":
        raise ReleaseRefused(f"the token of {me['name']} may only read; {SIGN_IN}")


def _deployed(api: HfApi, name: str, there: Remote) -> dict[str, list[str]]:
    """What was deployed last: path → [SHA-256, git's hash]; empty where nothing was."""
    if MANIFEST not in there.files:
        return {}
    with tempfile.TemporaryDirectory(prefix="backlot-deploy-") as scratch:
        there.fetch(api, name, _KIND, MANIFEST, Path(scratch))
        text = (Path(scratch) / MANIFEST).read_text(encoding="utf-8")
    try:
        return dict(json.loads(text)["files"])
    except (ValueError, KeyError, TypeError):
        return {}


def _refuse_changed(name: str, there: Remote, before: Mapping[str, list[str]]) -> None:
    """Refuse to write over what others did there."""
    if not before and set(there.files) - _BORN_WITH:
        raise ReleaseRefused(
            f"{name} holds a Space that Backlot did not deploy; choose another name, or deploy with --replace"
        )
    changed = [path for path, hashes in before.items() if not _as_deployed(there.files.get(path), hashes)]
    if changed:
        raise ReleaseRefused(
            f"somebody changed {_listed(changed)} on {name} since the last deployment; look at it there, "
            "then deploy with --replace"
        )


def _as_deployed(file: RemoteFile | None, hashes: list[str]) -> bool:
    return file is not None and (file.sha256 or file.blob_id) in hashes


def _compared(
    api: HfApi, name: str, here: Mapping[str, Path], there: Remote, before: Mapping[str, Any]
) -> DeployReport:
    new = [path for path, file in here.items() if not same_file(there.files.get(path), file)]
    return DeployReport(
        repository=name,
        url=f"{api.endpoint}/spaces/{name}",
        files=tuple((path, here[path].stat().st_size) for path in new),
        kept=len(here) - len(new),
        removed=tuple(path for path in before if path in there.files and path not in here),
        created=there.head is None,
    )


def _sent(
    api: HfApi,
    here: Mapping[str, Path],
    there: Remote,
    report: DeployReport,
    options: DeployOptions,
    pause: Pause,
) -> DeployReport:
    from huggingface_hub import CommitOperationAdd, CommitOperationDelete
    from huggingface_hub.errors import HfHubHTTPError

    name = report.repository
    if there.head is None:
        retried(
            lambda: api.create_repo(
                name, repo_type=_KIND, space_sdk="gradio", private=options.private, exist_ok=True,
                space_hardware=_hardware(options.hardware),
            ),
            pause=pause,
        )  # fmt: skip
        there = retried(lambda: look(api, name, _KIND), pause=pause)
    files = {path: _hashes(file) for path, file in here.items()}
    manifest = json.dumps({"files": files}, indent=0).encode()
    operations: list[CommitOperationAdd | CommitOperationDelete] = [
        CommitOperationAdd(path_in_repo=path, path_or_fileobj=here[path]) for path, _ in report.files
    ]
    operations.append(CommitOperationAdd(path_in_repo=MANIFEST, path_or_fileobj=manifest))
    operations += [CommitOperationDelete(path_in_repo=path) for path in report.removed]
    try:
        done = retried(
            lambda: api.create_commit(
                name,
                operations,
                repo_type=_KIND,
                commit_message="Deploy Backlot",
                parent_commit=there.head,
            ),
            pause=pause,
        )
    except ValueError as error:  # the client has the Hub check the head of README.md first
        if "README" not in str(error):
            raise
        raise ReleaseRefused(
            f"the Hub refuses the head of README.md: {str(error).splitlines()[-1]}"
        ) from error
    except HfHubHTTPError:
        now = retried(lambda: look(api, name, _KIND), pause=pause)
        if now.head == there.head or _deployed(api, name, now) != files:
            raise
        return replace(report, commit=now.head)  # it is there, only the answer was lost
    return replace(report, commit=done.oid)


def _hashes(file: Path) -> list[str]:
    data = file.read_bytes()
    git = hashlib.sha1(b"blob %d\0" % len(data) + data, usedforsecurity=False).hexdigest()
    return [hashlib.sha256(data).hexdigest(), git]


def _listed(names: Iterable[str]) -> str:
    names = list(names)
    rest = f" and {len(names) - _NAMED} more" if len(names) > _NAMED else ""
    return ", ".join(names[:_NAMED]) + rest
