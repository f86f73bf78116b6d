"""A state folder in a dataset of the Hub: fetched at the start, sent on each minute in one commit."""

from __future__ import annotations

import os
from collections.abc import MutableMapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pipeline.errors import ReleaseRefused
from pipeline.publish.faults import plain_faults

if TYPE_CHECKING:
    from huggingface_hub import CommitScheduler, HfApi

EVERY_MINUTES = 1.0
_DOING = "keep the state in"
_SIGN_IN = "set the Space's secret HF_TOKEN to a token that may write to it"
_TOKEN = "HF_TOKEN"


def taken_token(environment: MutableMapping[str, str] = os.environ) -> str:
    """The token that the state is kept with, out of the environment: nothing else in this process finds it there.

    Raises:
        ReleaseRefused: there is none.
    """
    token = environment.pop(_TOKEN, "").strip()
    if not token:
        raise ReleaseRefused(f"BACKLOT_STATE names a dataset, but there is no token; {_SIGN_IN}")
    return token


class DatasetState:
    """A local folder whose files lie in a private dataset, too. What is there may be a minute older than the folder.

    Args:
        name: `ns/name` of the dataset; made, private, where there is none.
        folder: fetched into; what else lies there is sent.
        token: used for this dataset and nothing else.
        every_minutes: between two commits; a round without changes makes none.

    Raises:
        ReleaseRefused: the Hub says no or cannot be reached; one sentence.
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
        with plain_faults(name, doing=_DOING, sign_in=_SIGN_IN):
            api.create_repo(name, repo_type="dataset", private=True, exist_ok=True)
            if api.dataset_info(name).private is False:
                raise ReleaseRefused(f"{name} is public, a state is not; make it private, or name another")
            api.snapshot_download(name, repo_type="dataset", local_dir=folder)
            self._scheduler = _scheduler(api, name, folder, every_minutes)

    @property
    def guard(self) -> Any:
        """A lock to be held while a file of the folder is written."""
        return self._scheduler.lock

    def send(self) -> None:
        """Send what changed now.

        Raises:
            ReleaseRefused: the Hub says no or cannot be reached.
        """
        with plain_faults(self.name, doing=_DOING, sign_in=_SIGN_IN):
            self._scheduler.trigger().result()

    def close(self) -> None:
        """Send what is left, and end."""
        try:
            self.send()
        finally:
            self._scheduler.stop()


def _scheduler(api: HfApi, name: str, folder: Path, every_minutes: float) -> CommitScheduler:
    from huggingface_hub import CommitScheduler

    root = folder.expanduser().resolve()
    there = [root / file for file in api.list_repo_files(name, repo_type="dataset")]
    fetched = {path: path.stat().st_mtime for path in there if path.is_file()}

    class Scheduler(CommitScheduler):
        """What was fetched just now is not sent back."""

        def push_to_hub(self) -> Any:
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
