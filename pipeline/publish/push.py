"""Push a release to the Hugging Face Hub: one commit of what changed, and a tag.

The state of the Hub is read first: the release there is the previous one, its shards stay where they are, its card is
merged, and changes by other people are never overwritten.
"""

from __future__ import annotations

import re
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from pipeline.errors import InvalidRequest, ReleaseRefused
from pipeline.hub_retries import Answer, Pause, retried
from pipeline.publish.hub_account import hub_account, refuse_without_write_access
from pipeline.publish.hub_repository import RepositoryState, repository_state, same_file
from pipeline.publish.hub_write_errors import (
    changed_by_others,
    hub_errors_explained,
    is_temporary_upload_error,
)
from pipeline.publish.previous_release import CARD_NAME, CHANGELOG_NAME, PreviousRelease, previous_release
from pipeline.publish.release_facts import MARKER, is_release
from pipeline.publish.release_source import ReleaseSource
from pipeline.publish.release_writer import Progress, ReleaseOptions, ReleaseReport, write_release
from pipeline.publish.row_index import INDEX_NAME, RowChanges

if TYPE_CHECKING:
    from huggingface_hub import CommitOperationAdd, CommitOperationDelete, HfApi

    _Operations = Sequence[CommitOperationAdd | CommitOperationDelete]

_SCHEME = "hf://"
_PREFIX = "hf://datasets/"
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,95}/[A-Za-z0-9][A-Za-z0-9._-]{0,95}")
_KIND = "dataset"
_TEXTS = (MARKER, CARD_NAME, CHANGELOG_NAME, INDEX_NAME)
_DATA = "data/"
# a repository that holds only these files is empty: it may take a first release
_NOT_DATA = (".gitattributes", ".gitignore", CARD_NAME, "LICENSE", "LICENSE.md", "LICENSE.txt")
_NAMED = 3  # files that a sentence names
_CONFLICT, _CHANGED = 409, 412


@dataclass(frozen=True, slots=True, kw_only=True)
class PushOptions:
    """How a release is pushed to the Hub."""

    private: bool = True  # where the dataset is created
    dry_run: bool = False  # compare and report, send nothing
    pull_request: bool = False  # propose the release instead of writing to main
    replace: bool = False  # overwrite files that somebody else changed
    token: str | None = field(default=None, repr=False)  # None: HF_TOKEN or the saved sign-in
    endpoint: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class PushReport:
    """What was sent to the Hub, or would be sent in a dry run."""

    repository: str
    url: str
    files: tuple[tuple[str, int], ...]  # (path in the repository, bytes) of new and changed files
    kept: int  # files of the release that are on the Hub already
    removed: tuple[str, ...]  # shards of the previous release that are not part of this one
    changes: RowChanges
    commit: str | None = None  # None where nothing was sent
    pull_request: str | None = None  # its address
    tag: str | None = None
    unseen: bool = False  # without an account a private dataset cannot be told from a missing one

    @property
    def sent_bytes(self) -> int:
        """The size of new and changed files."""
        return sum(size for _, size in self.files)

    @property
    def changed(self) -> bool:
        """Whether there is anything to send."""
        return bool(self.files or self.removed)


def hub_name(text: str) -> str | None:
    """Return `ns/name` of `hf://datasets/ns/name`; None for anything that is not a Hub address.

    Raises:
        InvalidRequest: a Hub address that names no dataset.
    """
    if not text.startswith(_SCHEME):
        return None
    name = text.removeprefix(_PREFIX).rstrip("/")
    bad_end = any(component.endswith((".git", ".", "-")) for component in name.split("/"))
    invalid = bad_end or "--" in name or ".." in name
    if not text.startswith(_PREFIX) or not _NAME.fullmatch(name) or invalid:
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
    """Write the next release of the dataset `ns/name` to a temporary folder and send what changed.

    After an interruption the same call resumes: files that arrived are not sent again. Without changes nothing is sent.

    Args:
        source: the library.
        name: `ns/name`.
        on_progress: called after each image that is written to the temporary folder.
        pause: waits so many seconds before another attempt.

    Raises:
        ReleaseRefused: nothing to release, not signed in, no permission to write, somebody else changed the dataset,
            or the Hub cannot be reached. The dataset on the Hub is unchanged.
    """
    from huggingface_hub import HfApi

    options = options or PushOptions()
    api = HfApi(endpoint=options.endpoint, token=options.token)
    push = _Push(api=api, name=name, options=options, pause=pause)
    with tempfile.TemporaryDirectory(prefix="backlot-release-") as scratch, hub_errors_explained(name):
        signed_in = push.retried(push.refuse_without_write_access)
        remote = push.state()
        before = push.previous(remote, Path(scratch) / "before")
        push.complete_tag(remote, before)
        written = write_release(
            source, Path(scratch) / "release", name=name.split("/")[1], options=release, before=before,
            address=name, on_progress=on_progress,
        )  # fmt: skip
        report = push.compared(written, remote, signed_in=signed_in)
        return written, report if options.dry_run else push.send(written, remote, report)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Push:
    """The steps of a push to one dataset."""

    api: HfApi
    name: str
    options: PushOptions
    pause: Pause

    def retried(self, call: Callable[[], Answer]) -> Answer:
        return retried(call, temporary=is_temporary_upload_error, pause=self.pause)

    def state(self) -> RepositoryState:
        return self.retried(lambda: repository_state(self.api, self.name, _KIND))

    def refuse_without_write_access(self) -> bool:
        """Refuse an account that may not write; whether there is an account. A dry run does without one."""
        from huggingface_hub.errors import LocalTokenNotFoundError

        try:
            account = hub_account(self.api)
        except LocalTokenNotFoundError:
            if self.options.dry_run:
                return False
            raise
        if not self.options.pull_request:  # anybody may propose
            refuse_without_write_access(account, self.name, alternative=", or publish as a pull request")
        return True

    def previous(self, remote: RepositoryState, folder: Path) -> PreviousRelease:
        """Fetch the release on the Hub; refuse it where it is not as it was published."""
        folder.mkdir()
        for path in _TEXTS:
            if path in remote.files:
                self.retried(partial(remote.fetch, self.api, self.name, _KIND, path, folder))
        replacing = self.options.replace
        if not is_release(folder) and set(remote.files).difference(_NOT_DATA) and not replacing:
            raise ReleaseRefused(
                f"{self.name} holds a dataset that Backlot did not publish; choose another name"
            )
        previous = previous_release(folder, where=self.name, tags=remote.tags, forgiving=replacing)
        changed = _changed_files(remote, previous)
        if previous.version and changed and not replacing:
            raise ReleaseRefused(
                f"somebody changed {_listed(changed)} on {self.name} since release {previous.version}; look at it "
                "there, then say that this release replaces what others changed (--replace)"
            )
        return previous

    def complete_tag(self, remote: RepositoryState, previous: PreviousRelease) -> None:
        """Tag the release on the Hub where its push was interrupted, or its pull request was merged."""
        tag = f"v{previous.version}"
        if not previous.version or tag in remote.tags:
            return
        if not (self.options.dry_run or self.options.pull_request or self.options.replace):
            self._tag(tag, remote.head)

    def compared(self, written: ReleaseReport, remote: RepositoryState, *, signed_in: bool) -> PushReport:
        """Report what of a release is not on the Hub yet."""
        folder = written.path
        paths = sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file())
        new = [path for path in paths if not same_file(remote.files.get(path), folder / path)]
        return PushReport(
            repository=self.name,
            url=f"{self.api.endpoint}/datasets/{self.name}",
            files=tuple((path, (folder / path).stat().st_size) for path in new),
            kept=len(paths) - len(new),
            removed=tuple(path for path in remote.files if path.startswith(_DATA) and path not in paths),
            changes=written.changes,
            unseen=not signed_in and remote.head is None,
        )

    def send(self, written: ReleaseReport, remote: RepositoryState, report: PushReport) -> PushReport:
        """Send what changed in one commit, and tag it."""
        from huggingface_hub.errors import HfHubHTTPError

        tag = f"v{written.version}"
        if not report.changed:
            return replace(report, tag=tag)
        if remote.head is None:
            remote = self._created()
        operations = _operations(
            written, report
        )  # they remember what was uploaded when the commit is retried
        try:
            commit, proposal = self.retried(lambda: self._commit(written, remote, operations))
        except HfHubHTTPError as error:
            head = self._head_if_arrived(written, report, error)
            if head is None:
                raise
            commit, proposal = head, None
        if self.options.pull_request:
            return replace(report, commit=commit, pull_request=proposal)
        self._tag(tag, commit)
        return replace(report, commit=commit, pull_request=proposal, tag=tag)

    def _created(self) -> RepositoryState:
        private = self.options.private
        self.retried(lambda: self.api.create_repo(self.name, repo_type=_KIND, private=private, exist_ok=True))
        remote = self.state()
        if set(remote.files).difference(_NOT_DATA):
            raise ReleaseRefused(changed_by_others(self.name))
        return remote

    def _commit(
        self, written: ReleaseReport, remote: RepositoryState, operations: _Operations
    ) -> tuple[str, str | None]:
        """Return (commit, address of the pull request)."""
        if self.options.pull_request and (proposed := self._proposed(written)):
            return proposed  # the response to an earlier attempt was lost
        commit = self.api.create_commit(
            self.name,
            operations,
            repo_type=_KIND,
            commit_message=_title(written),
            commit_description=str(written.changes),
            create_pr=self.options.pull_request,
            parent_commit=remote.head,
        )
        return commit.oid, commit.pr_url

    def _head_if_arrived(self, written: ReleaseReport, report: PushReport, error: object) -> str | None:
        """Return the head of the dataset if the commit arrived although the response to it was lost."""
        if getattr(getattr(error, "response", None), "status_code", None) not in (_CONFLICT, _CHANGED):
            return None
        remote = self.state()
        same = all(same_file(remote.files.get(path), written.path / path) for path, _ in report.files)
        return remote.head if same and not set(report.removed) & set(remote.files) else None

    def _proposed(self, written: ReleaseReport) -> tuple[str, str] | None:
        """Return (commit, address) of an open pull request of this account that holds exactly this release."""
        proposals = self.api.get_repo_discussions(
            self.name,
            author=hub_account(self.api).name,
            discussion_type="pull_request",
            discussion_status="open",
            repo_type=_KIND,
        )
        paths = [path for path in written.path.rglob("*") if path.is_file()]
        for proposal in proposals:
            if proposal.title == _title(written):
                remote = repository_state(self.api, self.name, _KIND, revision=proposal.git_reference)
                if remote.head and all(_holds(remote, path, written.path) for path in paths):
                    return remote.head, proposal.url
        return None

    def _tag(self, tag: str, commit: str | None) -> None:
        """Name a commit, so that this version can always be loaded."""
        self.retried(
            lambda: self.api.create_tag(self.name, tag=tag, revision=commit, repo_type=_KIND, exist_ok=True)
        )


def _changed_files(remote: RepositoryState, previous: PreviousRelease) -> list[str]:
    """Return the files that were added, altered or removed since the previous release was published."""
    data = [path for path in remote.files if path.startswith(_DATA)]
    added = [path for path in data if path not in previous.files]
    altered = [path for path, digest in previous.files.items() if remote.sha256(path) not in (digest, None)]
    removed = [path for path in previous.files if path not in remote.files]
    return [*added, *altered, *removed]


def _operations(written: ReleaseReport, report: PushReport) -> _Operations:
    from huggingface_hub import CommitOperationAdd, CommitOperationDelete

    added = [CommitOperationAdd(path, written.path / path) for path, _ in report.files]
    return [*added, *(CommitOperationDelete(path) for path in report.removed)]


def _listed(paths: list[str]) -> str:
    rest = f" and {len(paths) - _NAMED} more" if len(paths) > _NAMED else ""
    return ", ".join(paths[:_NAMED]) + rest


def _holds(remote: RepositoryState, path: Path, folder: Path) -> bool:
    """Whether the Hub holds a file of a release; the one with the date may differ."""
    name = path.relative_to(folder).as_posix()
    return name == MARKER or same_file(remote.files.get(name), path)


def _title(written: ReleaseReport) -> str:
    return f"Release {written.version}"
