"""Checkpoints of the Hub at pinned commits: what is on this machine, fetching the rest, replacing what is damaged."""

from __future__ import annotations

import errno
import hashlib
import logging
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pipeline.errors import ModelUnavailable
from pipeline.hub_retries import TRIES, is_temporary, request_error, retried, wait_s
from pipeline.rendering.checkpoints import HubPart

_TIMEOUT_S = 10
_CHUNK_BYTES = 1 << 20
_SHA256_DIGITS = 64  # the ETag of a large file; that of a small one is its git hash
_PARTIAL_CONTENT = 206

_log = logging.getLogger(__name__)
_current: DownloadProgress | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class DownloadProgress:
    """The state of the download in progress."""

    model: str
    repo: str
    done_bytes: int
    total_bytes: int
    seconds: float  # since it began

    @property
    def seconds_left(self) -> float | None:
        """Return the seconds left at the rate so far; None before the first byte."""
        if not self.done_bytes:
            return None
        return self.seconds / self.done_bytes * (self.total_bytes - self.done_bytes)

    def __str__(self) -> str:
        left = (
            "" if self.seconds_left is None else f", about {max(1, round(self.seconds_left / 60))} min left"
        )
        done, total = self.done_bytes / 1e9, self.total_bytes / 1e9
        return f"downloading {self.repo}: {done:.2f} of {total:.2f} GB{left}"


def download_progress() -> DownloadProgress | None:
    """Return the state of this process's download; None while nothing is downloaded."""
    return _current


def cached_folder(part: HubPart) -> Path | None:
    """Return where a part lies on this machine; None when one of its files is missing. Uses no network."""
    places = [_cached(part, file) for file in part.files]
    if not all(places):
        return None
    first = places[0]
    assert first is not None
    return first.parents[part.files[0].count("/")]


def fetched(name: str, part: HubPart) -> Path:
    """Return the folder of a part, after downloading the files of it that are missing.

    Broken connections, 408, 429 and 5xx are tried again with back-off; large files resume where they stopped, also
    in a later process.

    Args:
        name: the model's name, for error messages.

    Raises:
        ModelUnavailable: it is not on this machine, and the Hub cannot be reached or refuses.
    """
    if folder := cached_folder(part):
        return folder
    with _plain_faults(name, part):
        _download(name, part, [file for file in part.files if _cached(part, file) is None])
    folder = cached_folder(part)
    assert folder is not None
    return folder


def repaired(name: str, part: HubPart) -> bool:
    """Compare a part's files with the Hub's, download damaged ones again, and return whether there were any.

    Raises:
        ModelUnavailable: the Hub cannot be reached, or refuses.
    """
    with _plain_faults(name, part, state="is damaged on this machine"):
        damaged = []
        for file in part.files:
            place = _cached(part, file)
            if place is None or not _is_intact(place, _metadata(part, file)):
                damaged.append(file)
                if place is not None:
                    place.resolve().unlink()
                    place.unlink(missing_ok=True)
        if damaged:
            _log.warning(
                "%s: damaged files of %s are downloaded again: %s", name, part.repo, ", ".join(damaged)
            )
            _download(name, part, damaged)
    return bool(damaged)


def _cached(part: HubPart, file: str) -> Path | None:
    from huggingface_hub import try_to_load_from_cache

    place = try_to_load_from_cache(part.repo, file, revision=part.revision)
    return Path(place) if isinstance(place, str) else None


def _download(name: str, part: HubPart, files: Sequence[str]) -> None:
    global _current
    from huggingface_hub.utils import tqdm

    facts = {file: _metadata(part, file) for file in files}
    total = sum(fact.size or 0 for fact in facts.values())
    _log.info("%s: downloading %.2f GB from %s", name, total / 1e9, part.repo)
    started, done = time.monotonic(), 0
    bar = tqdm(total=total, unit="B", unit_scale=True, desc=f"{name}: {part.repo}")

    def report(count: int) -> None:
        global _current
        nonlocal done
        done += count
        bar.update(count)
        _current = DownloadProgress(
            model=name, repo=part.repo, done_bytes=done, total_bytes=total, seconds=time.monotonic() - started
        )

    report(0)
    try:
        for file, fact in facts.items():
            _fetch(part, file, fact, report)
    finally:
        bar.close()
        _current = None


def _fetch(part: HubPart, file: str, fact: Any, report: Callable[[int], None]) -> None:
    """Put a file into the Hub's cache; large files are downloaded here, so that they can resume."""
    from huggingface_hub import hf_hub_download

    if len(fact.etag) == _SHA256_DIGITS:
        _fetch_blob(part, file, fact, report)
    else:
        report(fact.size or 0)
    retried(  # links the blob to the snapshot
        lambda: hf_hub_download(part.repo, file, revision=part.revision), temporary=_is_worth_retrying
    )


def _fetch_blob(part: HubPart, file: str, fact: Any, report: Callable[[int], None]) -> None:
    from filelock import FileLock
    from huggingface_hub import constants
    from huggingface_hub.file_download import repo_folder_name

    blobs = Path(constants.HF_HUB_CACHE) / repo_folder_name(repo_id=part.repo, repo_type="model") / "blobs"
    blobs.mkdir(parents=True, exist_ok=True)
    blob, incomplete = blobs / fact.etag, blobs / f"{fact.etag}.backlot.incomplete"
    with FileLock(f"{incomplete}.lock"):  # two processes that want one model
        if not blob.exists():
            _resume(part, file, fact, incomplete, report)
            if not _is_intact(incomplete, fact):
                incomplete.unlink()
                raise OSError(f"{file} of {part.repo} arrived damaged; start again to download it once more")
            incomplete.replace(blob)
    Path(f"{incomplete}.lock").unlink(missing_ok=True)


def _resume(part: HubPart, file: str, fact: Any, incomplete: Path, report: Callable[[int], None]) -> None:
    """Append the missing bytes of a file, with retries for as long as bytes arrive."""
    if incomplete.exists() and incomplete.stat().st_size > fact.size:
        incomplete.unlink()
    with incomplete.open("ab") as target:
        report(target.tell())
        failures = 0
        while target.tell() < fact.size:
            before = target.tell()
            try:
                _stream(part, file, target, report)
                if target.tell() == before:
                    raise ConnectionError(f"{part.repo} sends no more of {file}")
            except Exception as error:
                target.flush()
                failures = 1 if target.tell() > before else failures + 1
                if failures >= TRIES or not _is_worth_retrying(error):
                    raise
                time.sleep(wait_s(error, failures - 1))


def _stream(part: HubPart, file: str, target: Any, report: Callable[[int], None]) -> None:
    from huggingface_hub import get_session, hf_hub_url
    from huggingface_hub.utils import build_hf_headers, hf_raise_for_status

    start = target.tell()
    headers = {**build_hf_headers(), "Range": f"bytes={start}-", "Accept-Encoding": "identity"}
    url = hf_hub_url(part.repo, file, revision=part.revision)
    with get_session().stream("GET", url, headers=headers, follow_redirects=True) as response:
        hf_raise_for_status(response)
        if start and response.status_code != _PARTIAL_CONTENT:  # it sends the file from its beginning
            target.truncate(0)
            report(-start)
        for chunk in response.iter_bytes():
            target.write(chunk)
            report(len(chunk))


def _metadata(part: HubPart, file: str) -> Any:
    """Return size and ETag of a file on the Hub; an unreachable Hub is reported without retries."""
    from huggingface_hub import get_hf_file_metadata, hf_hub_url

    url = hf_hub_url(part.repo, file, revision=part.revision)
    return retried(lambda: get_hf_file_metadata(url, timeout=_TIMEOUT_S), temporary=_is_worth_retrying)


def _is_intact(place: Path, fact: Any) -> bool:
    """Whether a file has the size and the hash that the Hub names."""
    size = place.stat().st_size
    if fact.size is not None and size != fact.size:
        return False
    is_large = len(fact.etag) == _SHA256_DIGITS
    digest = hashlib.sha256() if is_large else hashlib.sha1(f"blob {size}\0".encode())
    with place.open("rb") as file:
        while chunk := file.read(_CHUNK_BYTES):
            digest.update(chunk)
    return bool(digest.hexdigest() == fact.etag)


def _is_worth_retrying(error: Exception) -> bool:
    """Return whether a retry may succeed; where nobody answers, the person should learn it at once."""
    nobody_answers = type(request_error(error)).__name__ == "ConnectError"  # no network, or no such address
    return is_temporary(error) and not nobody_answers


@contextmanager
def _plain_faults(name: str, part: HubPart, *, state: str = "is not on this machine") -> Iterator[None]:
    """Turn download errors into `ModelUnavailable` with one sentence."""
    from huggingface_hub.errors import HfHubHTTPError, OfflineModeIsEnabled

    try:
        yield
    except HfHubHTTPError as error:
        reason = (error.server_message or str(error)).strip().splitlines()[0]
        raise ModelUnavailable(f"model '{name}' {state} and the Hub refuses {part.repo}: {reason}") from error
    except Exception as error:  # the client's transport errors are those of whichever HTTP library it uses
        if isinstance(error, OSError) and error.errno == errno.ENOSPC:
            raise ModelUnavailable(f"model '{name}' does not fit on this disk; free some space") from error
        reason = "HF_HUB_OFFLINE is set" if isinstance(error, OfflineModeIsEnabled) else str(error)
        raise ModelUnavailable(
            f"model '{name}' {state} and the Hub cannot be reached ({reason}); "
            f"connect once to download {part.repo}, or choose model 'nano'"
        ) from error
