"""A state folder that is replicated to a dataset on the Hub: fetched at the start, sent every minute in one commit."""

from __future__ import annotations

import os
from collections.abc import MutableMapping
from contextlib import AbstractContextManager
from pathlib import Path
from typing import TYPE_CHECKING

from pipeline.errors import ReleaseRefused
from pipeline.publish.hub_write_errors import hub_errors_explained

if TYPE_CHECKING:
    from huggingface_hub import CommitInfo, CommitScheduler, HfApi

EVERY_MINUTES = 1.0
_ACTION = "keep the state in"
_SIGN_IN = "set the Space's secret HF_TOKEN to a token that may write to it"
_TOKEN = "HF_TOKEN"


def take_token(environment: MutableMapping[str, str] = os.environ) -> str:
    """Remove the token for the state from the environment and return it, so that nothing else in this process uses it.

    Raises:
        ReleaseRefused: there is none.
    """
    token = environment.pop(_TOKEN, "").strip()
    if not token:
        raise ReleaseRefused(f"BACKLOT_STATE names a dataset, but there is no token; {_SIGN_IN}")
    return token


class DatasetState:
    """A local folder that is replicated to a private dataset, which may be a minute older than the folder.

    Args:
        name: `ns/name` of the dataset; created as a private one where it does not exist.
        folder: where the dataset is downloaded to; other files in it are sent.
        token: used for this dataset only.
        every_minutes: between two commits; where nothing changed, no commit is made.

    Raises:
        ReleaseRefused: the Hub refused or cannot be reached.
    """

    def __init__(
        self,
        name: str,
        folder: Path,
        *,
        token: str,
        endpoint: str | None = None,
        every_minutes: float = EVERY_MINUTES,
    ) -> None:
        from huggingface_hub import HfApi

        self.name = name
        api = HfApi(endpoint=endpoint, token=token)
        with hub_errors_explained(name, action=_ACTION, sign_in=_SIGN_IN):
            api.create_repo(name, repo_type="dataset", private=True, exist_ok=True)
            if api.dataset_info(name).private is False:
                raise ReleaseRefused(
                    f"{name} is public, but the state is private; make the dataset private, or name another"
                )
            api.snapshot_download(name, repo_type="dataset", local_dir=folder)
            self._scheduler = _scheduler(api, name, folder, every_minutes)

    @property
    def guard(self) -> AbstractContextManager[object]:
        """The lock to hold while a file of the folder is written."""
        return self._scheduler.lock

    def send(self) -> None:
        """Send what changed now.

        Raises:
            ReleaseRefused: the Hub refused or cannot be reached.
        """
        with hub_errors_explained(self.name, action=_ACTION, sign_in=_SIGN_IN):
            self._scheduler.trigger().result()

    def close(self) -> None:
        """Send what is left, and stop."""
        try:
            self.send()
        finally:
            self._scheduler.stop()


def _scheduler(api: HfApi, name: str, folder: Path, every_minutes: float) -> CommitScheduler:
    from huggingface_hub import CommitScheduler

    root = folder.expanduser().resolve()
    remote = [root / file for file in api.list_repo_files(name, repo_type="dataset")]
    fetched = {path: path.stat().st_mtime for path in remote if path.is_file()}

    class Scheduler(CommitScheduler):
        """Does not send back what was fetched at the start."""

        def push_to_hub(self) -> CommitInfo | None:
            while fetched:
                self.last_uploaded.setdefault(*fetched.popitem())
            return super().push_to_hub()

    return Scheduler(
        repo_id=name,
        repo_type="dataset",
        folder_path=root,
        every=every_minutes,
        private=True,
        hf_api=api,
        ignore_patterns=["tmp/*"],
    )
