"""A release to the Hugging Face Hub: one commit of what changed, and a tag.

What is on the Hub is looked at first: the release there is the one before, its shards stay where they are, its card
is merged, and what somebody else changed since is never written over.
"""

from __future__ import annotations

import re
import tempfile
import time
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from pipeline.errors import InvalidRequest, ReleaseRefused
from pipeline.publish.bundle import Progress, ReleaseOptions, ReleaseReport, write_release
from pipeline.publish.faults import SIGN_IN, Pause, changed_by_others, plain_faults, retried
from pipeline.publish.folders import MARKER, release_facts
from pipeline.publish.history import CARD_NAME, CHANGELOG_NAME, Earlier, earlier_release
from pipeline.publish.index import INDEX_NAME, RowChanges
from pipeline.publish.remote import Remote, look, same_file
from pipeline.publish.source import ReleaseSource

if TYPE_CHECKING:
    from huggingface_hub import HfApi

_SCHEME = "hf://"
_PREFIX = "hf://datasets/"
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,95}/[A-Za-z0-9][A-Za-z0-9._-]{0,95}")
_KIND = "dataset"
_TEXTS = (MARKER, CARD_NAME, CHANGELOG_NAME, INDEX_NAME)
_DATA = "data/"
_ANYBODYS = (
    ".gitattributes",
    ".gitignore",
    CARD_NAME,
    "LICENSE",
    "LICENSE.md",
    "LICENSE.txt",
)  # no data set yet
_NAMED = 3  # files that a sentence names


@dataclass(frozen=True, slots=True, kw_only=True)
class PushOptions:
    """How a release goes to the Hub."""

    private: bool = True  # where the data set is made new
    dry_run: bool = False  # look and tell, send nothing
    pull_request: bool = False  # propose it instead of writing to main
    replace: bool = False  # write over files that somebody else changed
    token: str | None = field(default=None, repr=False)  # None: HF_TOKEN or the saved sign-in
    endpoint: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class PushReport:
    """What went to the Hub, or would go there in a dry run."""

    repository: str
    url: str
    files: tuple[tuple[str, int], ...]  # (path in the repository, bytes) of what is new or different
    kept: int  # files of the release that are there already
    removed: tuple[str, ...]  # shards of the release before that are not part of this one
    changes: RowChanges
    commit: str | None = None  # None where nothing was sent
    pull_request: str | None = None  # its address
    tag: str | None = None
    unseen: bool = False  # without an account a private data set looks like none

    @property
    def sent_bytes(self) -> int:
        """Size of what is new or different."""
        return sum(size for _, size in self.files)

    @property
    def changed(self) -> bool:
        """Whether there is anything to send."""
        return bool(self.files or self.removed)


def hub_name(text: str) -> str | None:
    """`ns/name` out of `hf://datasets/ns/name`; None for anything that is no Hub address.

    Raises:
        InvalidRequest: a Hub address that names no dataset.
    """
    if not text.startswith(_SCHEME):
        return None
    name = text.removeprefix(_PREFIX).rstrip("/")
    ends = any(part.endswith((".git", ".", "-")) for part in name.split("/"))
    bad = ends or "--" in name or ".." in name
    if not text.startswith(_PREFIX) or not _NAME.fullmatch(name) or bad:
        raise InvalidRequest(f"'{text}' names no dataset on the Hub; write hf://datasets/NAMESPACE/NAME")
    return name


def push_release(
    source: ReleaseSource,
    name: str,
    *,
    release: ReleaseOptions | None = None,
    options: PushOptions | None = None,
    on_progress: Progress | None = None,
    pause: Pause = time.sleep,
) -> tuple[ReleaseReport, PushReport]:
    """Write the next release of the dataset `ns/name` to a scratch folder and send what changed.

    After an interruption the same call goes on: files that arrived are not sent again. Where nothing changed nothing is
    sent and no commit made.

    Args:
        source: the library.
        name: `ns/name`.
        release: what the release holds.
        options: how it goes there.
        on_progress: called after each picture that is written to the scratch folder.
        pause: waits for so many seconds before another try.

    Raises:
        ReleaseRefused: nothing to release, not signed in, no right to write, somebody else changed the dataset, or the
            Hub cannot be reached. The dataset on the Hub is as it was.
    """
    from huggingface_hub import HfApi

    options = options or PushOptions()
    api = HfApi(endpoint=options.endpoint, token=options.token)
    with tempfile.TemporaryDirectory(prefix="backlot-release-") as scratch, plain_faults(name):
        known = retried(lambda: _refuse_account(api, name, options), pause=pause)
        there = retried(lambda: look(api, name, _KIND), pause=pause)
        before = _earlier(api, name, there, Path(scratch) / "before", options, pause)
        untagged = before.version and f"v{before.version}" not in there.tags
        if untagged and not (options.dry_run or options.pull_request or options.replace):
            _tagged(api, name, f"v{before.version}", there, pause)  # of a push that broke off, or was merged
        written = write_release(
            source,
            Path(scratch) / "release",
            name=name.split("/")[1],
            options=release,
            before=before,
            address=name,
            on_progress=on_progress,
        )
        report = replace(_compared(api, name, written, there), unseen=not known and there.head is None)
        if options.dry_run:
            return written, report
        return written, _sent(api, written, there, report, options, pause)


def _earlier(
    api: HfApi, name: str, there: Remote, folder: Path, options: PushOptions, pause: Pause
) -> Earlier:
    """The release that is there, refused where it is not as it was published."""
    folder.mkdir()
    for path in _TEXTS:
        if path in there.files:
            retried(partial(there.fetch, api, name, _KIND, path, folder), pause=pause)
    data = [path for path in there.files if path.startswith(_DATA)]
    if release_facts(folder) is None and set(there.files).difference(_ANYBODYS) and not options.replace:
        raise ReleaseRefused(f"{name} holds a data set that Backlot did not publish; choose another name")
    before = earlier_release(folder, where=name, taken=there.tags, forgiving=options.replace)
    foreign = [path for path in data if path not in before.files]
    other = [path for path, digest in before.files.items() if there.sha256(path) not in (digest, None)]
    gone = [path for path in before.files if path not in there.files]
    if before.version and (foreign or other or gone) and not options.replace:
        changed = _listed([*foreign, *other, *gone])
        raise ReleaseRefused(
            f"somebody changed {changed} on {name} since release {before.version}; look at it "
            "there, then say that this release replaces what others changed (--replace)"
        )
    return before


def _listed(paths: list[str]) -> str:
    rest = f" and {len(paths) - _NAMED} more" if len(paths) > _NAMED else ""
    return ", ".join(paths[:_NAMED]) + rest


def _compared(api: HfApi, name: str, written: ReleaseReport, there: Remote) -> PushReport:
    """What of a release is not on the Hub yet."""
    folder = written.path
    paths = sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file())
    new = [path for path in paths if not same_file(there.files.get(path), folder / path)]
    return PushReport(
        repository=name,
        url=f"{api.endpoint}/datasets/{name}",
        files=tuple((path, (folder / path).stat().st_size) for path in new),
        kept=len(paths) - len(new),
        removed=tuple(path for path in there.files if path.startswith(_DATA) and path not in paths),
        changes=written.changes,
    )


def _sent(
    api: HfApi,
    written: ReleaseReport,
    there: Remote,
    report: PushReport,
    options: PushOptions,
    pause: Pause,
) -> PushReport:
    from huggingface_hub import CommitOperationAdd, CommitOperationDelete
    from huggingface_hub.errors import HfHubHTTPError

    name, tag = report.repository, f"v{written.version}"
    if not report.changed:
        return replace(report, tag=tag)
    if there.head is None:
        retried(
            lambda: api.create_repo(name, repo_type=_KIND, private=options.private, exist_ok=True),
            pause=pause,
        )
        there = retried(lambda: look(api, name, _KIND), pause=pause)
        if set(there.files).difference(_ANYBODYS):
            raise ReleaseRefused(changed_by_others(name))
    operations: list[CommitOperationAdd | CommitOperationDelete] = [
        CommitOperationAdd(path_in_repo=path, path_or_fileobj=written.path / path) for path, _ in report.files
    ]
    operations += [CommitOperationDelete(path_in_repo=path) for path in report.removed]

    def commit() -> tuple[str, str | None]:
        if options.pull_request and (open_already := _proposed(api, name, written)):
            return open_already  # the answer to it was lost
        done = api.create_commit(
            name,
            operations,
            repo_type=_KIND,
            commit_message=_title(written),
            commit_description=str(written.changes),
            create_pr=options.pull_request,
            parent_commit=there.head,
        )
        return done.oid, done.pr_url

    try:
        oid, proposal = retried(commit, pause=pause)
    except HfHubHTTPError as error:
        now = _arrived(api, written, report, error, pause)
        if now is None:
            raise
        oid, proposal = now, None
    if not options.pull_request:
        _tagged(api, name, tag, replace(there, head=oid), pause)
    return replace(report, commit=oid, pull_request=proposal, tag=None if options.pull_request else tag)


def _arrived(
    api: HfApi, written: ReleaseReport, report: PushReport, error: object, pause: Pause
) -> str | None:
    """The head of the dataset if the commit is there although the answer to it was lost."""
    if getattr(getattr(error, "response", None), "status_code", None) not in (409, 412):
        return None
    there = retried(lambda: look(api, report.repository, _KIND), pause=pause)
    same = all(same_file(there.files.get(path), written.path / path) for path, _ in report.files)
    return there.head if same and not set(report.removed) & set(there.files) else None


def _proposed(api: HfApi, name: str, written: ReleaseReport) -> tuple[str, str] | None:
    """(commit, address) of an open pull request of this account that holds just this release."""
    proposals = api.get_repo_discussions(
        name,
        author=api.whoami()["name"],
        discussion_type="pull_request",
        discussion_status="open",
        repo_type=_KIND,
    )
    paths = [path for path in written.path.rglob("*") if path.is_file()]
    for one in proposals:
        if one.title == _title(written):
            there = look(api, name, _KIND, revision=one.git_reference)
            if there.head and all(_same(there, path, written.path) for path in paths):
                return there.head, one.url
    return None


def _same(there: Remote, path: Path, folder: Path) -> bool:
    """Whether a file of a release is there; the one with the date may differ."""
    name = path.relative_to(folder).as_posix()
    return name == MARKER or same_file(there.files.get(name), path)


def _title(written: ReleaseReport) -> str:
    return f"Release {written.version}"


def _tagged(api: HfApi, name: str, tag: str, there: Remote, pause: Pause) -> None:
    """Name the head, so that it can be loaded for ever."""
    retried(
        lambda: api.create_tag(name, tag=tag, revision=there.head, repo_type=_KIND, exist_ok=True),
        pause=pause,
    )


def _refuse_account(api: HfApi, name: str, options: PushOptions) -> bool:
    """Ask who we are before anything is written: a missing right would show only after the first upload. Whether there
    is an account; a dry run does without.
    """
    from huggingface_hub.errors import LocalTokenNotFoundError

    try:
        me = api.whoami()
    except LocalTokenNotFoundError:
        if options.dry_run:
            return False
        raise
    if options.pull_request:  # anybody may propose
        return True
    namespace = name.split("/")[0]
    own = {me["name"], *(organisation["name"] for organisation in me.get("orgs", []))}
    if namespace not in own:
        raise ReleaseRefused(
            f"{me['name']} may not write to '{namespace}'; choose one of {', '.join(sorted(own))}, "
            "or publish as a pull request"
        )
    role = me.get("auth", {}).get("accessToken", {}).get("role")
    if role == "read":
        raise ReleaseRefused(f"the token of {me['name']} may only read; {SIGN_IN}")
    return True
