"""Errors of the Hub while writing: which calls are tried again, and a sentence for the rest. None shows a token."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager

from pipeline.errors import ReleaseRefused
from pipeline.hub_retries import is_temporary, request_error, status_of

SIGN_IN = "sign in with `hf auth login`, or set HF_TOKEN to a token that may write"
_UNAUTHORISED, _FORBIDDEN, _NOT_FOUND, _CONFLICT, _CHANGED = 401, 403, 404, 409, 412
_TOO_MANY, _SERVER_ERROR = 429, 500
_CHECKED = ("Invalid metadata in README.md", "LFS batch API returned errors")  # how its ValueErrors begin
_XET_REFUSED = "XetAuthenticationError"  # hf_xet's; a PermissionError
_UPLOAD_BROKE = (
    "Error while uploading"  # how huggingface_hub begins the RuntimeError of an interrupted upload
)
_RESUME = "the repository is unchanged, run the same command again to resume"


def is_temporary_upload_error(error: Exception) -> bool:
    """Return whether a call that writes may succeed later: see `is_temporary`; an interrupted upload can resume."""
    if isinstance(error, RuntimeError):
        status = status_of(error.__cause__) or _SERVER_ERROR
        return str(error).startswith(_UPLOAD_BROKE) and status >= _SERVER_ERROR
    return is_temporary(error)


@contextmanager
def hub_errors_explained(name: str, *, action: str = "publish to", sign_in: str = SIGN_IN) -> Iterator[None]:
    """Turn errors of the Hub into a `ReleaseRefused` with one sentence.

    Args:
        name: the repository, `ns/name`.
        action: what is done with it, for the sentence.
        sign_in: the remedy where an account or a permission is missing.

    Raises:
        ReleaseRefused: the Hub refused, or cannot be reached.
    """
    try:
        yield
    except Exception as error:  # httpx's errors share no narrower base with the client's
        sentence = _explanation(error, name, action, sign_in)
        if sentence is None:
            raise
        raise ReleaseRefused(sentence) from error


def changed_by_others(name: str) -> str:
    """Return the sentence for a dataset that somebody else changed at the same time."""
    return f"somebody else changed {name} at the same time; nothing was overwritten, look at it and try again"


def _explanation(error: Exception, name: str, action: str, sign_in: str) -> str | None:
    """Return the sentence for an error; None where it is not one of the Hub."""
    from huggingface_hub.errors import HFValidationError, LocalTokenNotFoundError, OfflineModeIsEnabled

    if isinstance(error, LocalTokenNotFoundError):
        return f"an account on the Hub is needed to {action} {name}; {sign_in}"
    if isinstance(error, OfflineModeIsEnabled):
        return f"HF_HUB_OFFLINE is set; unset it to {action} {name}"
    if isinstance(error, HFValidationError):
        return f"'{name}' is not a valid name on the Hub: {str(error).splitlines()[0]}"
    return _refusal(error, name, action, sign_in) or _failure(error, name, sign_in)


def _refusal(error: Exception, name: str, action: str, sign_in: str) -> str | None:
    """Return the sentence for what the Hub answered; None where there was no answer."""
    from huggingface_hub.errors import HfHubHTTPError, LocalEntryNotFoundError

    if isinstance(error, HfHubHTTPError):
        return _status_sentence(name, error, action, sign_in)
    if isinstance(error, LocalEntryNotFoundError):  # a download: its cause is the error
        request = request_error(error)
        if status_of(request) is not None:
            return _status_sentence(name, request, action, sign_in)
        return f"the Hub cannot be reached for {name}; {_RESUME}"
    text = str(error)
    if isinstance(error, ValueError) and text.startswith(_CHECKED):
        return f"the Hub refuses {name}: {' '.join(text.split())}"
    if isinstance(error, RuntimeError) and text.startswith(_UPLOAD_BROKE):
        if status_of(error.__cause__) is not None:
            return _status_sentence(name, error.__cause__, action, sign_in)
        return f"the connection broke while files were sent to {name}; {_RESUME}"
    return None


def _failure(error: Exception, name: str, sign_in: str) -> str | None:
    """Return the sentence for a broken connection or a full disk; None for any other error."""
    from huggingface_hub.errors import HTTPError

    if isinstance(error, HTTPError | ConnectionError | TimeoutError):
        return f"the Hub cannot be reached for {name} ({type(error).__name__}); {_RESUME}"
    if type(error).__name__ == _XET_REFUSED:
        return f"the token may not write to {name}, or it has expired; {sign_in}"
    if isinstance(error, OSError):
        return (
            f"the folder for temporary files, {tempfile.gettempdir()}, cannot be used ({error.strerror or error}); "
            "free some space, or set TMPDIR to another folder"
        )
    return None


def _status_sentence(name: str, error: object, action: str, sign_in: str) -> str:
    status = status_of(error)
    reason = str(getattr(error, "server_message", None) or "no reason given").splitlines()[0]
    if status == _UNAUTHORISED:
        return f"the Hub does not know the token, or it has expired; {sign_in}"
    if status == _FORBIDDEN:
        return f"the token may not write to {name} ({reason}); {sign_in}"
    if status == _NOT_FOUND:
        return f"the Hub has no {name}, or the token may not see it; check the name, or {sign_in}"
    if status in (_CONFLICT, _CHANGED):
        return changed_by_others(name)
    if status == _TOO_MANY:
        return f"the Hub accepts no more from this account for now (429); {action} {name} again in an hour"
    return f"the Hub refused {name} with status {status} ({reason}); the repository is unchanged, try again"
