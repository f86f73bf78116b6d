"""The Hub's faults: which are worth another try, and what the rest say in one sentence. A token appears in none."""

from __future__ import annotations

import random
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TypeVar

from pipeline.errors import ReleaseRefused

SIGN_IN = "sign in with `hf auth login`, or set HF_TOKEN to a token that may write"
TRIES = 6
LONGEST_WAIT_S = 300.0
_UNAUTHORISED, _FORBIDDEN, _NOT_FOUND, _CONFLICT, _CHANGED = 401, 403, 404, 409, 412
_TIMEOUT, _TOO_MANY, _BROKEN = 408, 429, 500
_CHECKED = ("Invalid metadata in README.md", "LFS batch API returned errors")  # how its ValueErrors begin
_XET_REFUSED = "XetAuthenticationError"  # hf_xet's; a PermissionError
_UPLOAD_BROKE = "Error while uploading"  # how huggingface_hub begins the RuntimeError of a cut upload

Answer = TypeVar("Answer")
Pause = Callable[[float], None]


def retried(call: Callable[[], Answer], *, pause: Pause = time.sleep, tries: int = TRIES) -> Answer:
    """Call until it succeeds, waiting 1, 2, 4 ... s (with jitter) or as long as the Hub asks, at most `tries` times.

    Only 408, 429, 5xx and broken connections are tried again. The last fault is raised as it came.
    """
    for attempt in range(tries - 1):
        try:
            return call()
        except Exception as error:
            if not _passing(error):
                raise
            pause(_wait_s(error, attempt))
    return call()


def _passing(error: Exception) -> bool:
    from huggingface_hub.errors import (
        HfHubHTTPError,
        HTTPError,
        LocalEntryNotFoundError,
        OfflineModeIsEnabled,
    )

    if isinstance(error, OfflineModeIsEnabled):
        return False
    if isinstance(error, LocalEntryNotFoundError):  # a download: the fault is behind it
        return not isinstance(error.__cause__, Exception) or _passing(error.__cause__)
    if isinstance(error, HfHubHTTPError):
        status = _status(error)
        return status is None or status in (_TIMEOUT, _TOO_MANY) or status >= _BROKEN
    if isinstance(error, RuntimeError):
        return str(error).startswith(_UPLOAD_BROKE) and (_status(error.__cause__) or _BROKEN) >= _BROKEN
    return isinstance(error, HTTPError | ConnectionError | TimeoutError)


def _wait_s(error: Exception, attempt: int) -> float:
    headers = getattr(getattr(error, "response", None), "headers", {})
    asked = str(headers.get("Retry-After", ""))
    if asked.isdigit():
        return min(float(asked), LONGEST_WAIT_S)
    return min(2.0**attempt * random.uniform(0.75, 1.25), LONGEST_WAIT_S)


@contextmanager
def plain_faults(name: str, *, doing: str = "publish to", sign_in: str = SIGN_IN) -> Iterator[None]:
    """Turns the Hub's faults into a `ReleaseRefused` with one sentence.

    Args:
        name: the repository, `ns/name`.
        doing: what is done with it, for the sentence.
        sign_in: the mend where an account or a right is missing.
    """
    from huggingface_hub.errors import (
        HfHubHTTPError,
        HFValidationError,
        HTTPError,
        LocalEntryNotFoundError,
        LocalTokenNotFoundError,
        OfflineModeIsEnabled,
    )

    try:
        yield
    except LocalTokenNotFoundError as error:
        raise ReleaseRefused(f"to {doing} {name} needs an account of the Hub; {sign_in}") from error
    except OfflineModeIsEnabled as error:
        raise ReleaseRefused(f"HF_HUB_OFFLINE is set; unset it to {doing} {name}") from error
    except HfHubHTTPError as error:
        raise ReleaseRefused(_sentence(name, error, doing, sign_in)) from error
    except LocalEntryNotFoundError as error:
        raise ReleaseRefused(_behind(name, error, doing, sign_in)) from error
    except HFValidationError as error:
        raise ReleaseRefused(
            f"'{name}' is no name that the Hub takes: {str(error).splitlines()[0]}"
        ) from error
    except ValueError as error:
        if not str(error).startswith(_CHECKED):
            raise
        raise ReleaseRefused(f"the Hub refuses {name}: {' '.join(str(error).split())}") from error
    except RuntimeError as error:
        if not str(error).startswith(_UPLOAD_BROKE):
            raise
        if _status(error.__cause__) is not None:
            raise ReleaseRefused(_sentence(name, error.__cause__, doing, sign_in)) from error
        raise ReleaseRefused(
            f"the connection broke while files went to {name}; what it holds is as it was, the same command goes on"
        ) from error
    except (HTTPError, ConnectionError, TimeoutError) as error:
        raise ReleaseRefused(
            f"the Hub cannot be reached for {name} ({type(error).__name__}); what it holds is as it was, "
            "the same command goes on"
        ) from error
    except PermissionError as error:
        if type(error).__name__ != _XET_REFUSED:
            raise ReleaseRefused(_scratch(error)) from error
        raise ReleaseRefused(f"the token may not write to {name}, or it has expired; {sign_in}") from error
    except OSError as error:
        raise ReleaseRefused(_scratch(error)) from error


def changed_by_others(name: str) -> str:
    """The sentence where somebody else was quicker."""
    return f"somebody else changed {name} meanwhile; nothing was written over, look at it and try again"


def _behind(name: str, error: Exception, doing: str, sign_in: str) -> str:
    """Why a download failed."""
    if _status(error.__cause__) is not None:
        return _sentence(name, error.__cause__, doing, sign_in)
    return f"the Hub cannot be reached for {name}; what it holds is as it was, the same command goes on"


def _scratch(error: OSError) -> str:
    return (
        f"the folder for passing files, {tempfile.gettempdir()}, cannot be used ({error.strerror or error}); free some "
        "space, or set TMPDIR to another one"
    )


def _status(error: object) -> int | None:
    status = getattr(getattr(error, "response", None), "status_code", None)
    return int(status) if status is not None else None


def _sentence(name: str, error: object, doing: str, sign_in: str) -> str:
    status = _status(error)
    said = str(getattr(error, "server_message", None) or "no reason given").splitlines()[0]
    if status == _UNAUTHORISED:
        return f"the Hub does not know the token, or it has expired; {sign_in}"
    if status == _FORBIDDEN:
        return f"the token may not write to {name} ({said}); {sign_in}"
    if status == _NOT_FOUND:
        return f"the Hub has no {name}, or the token may not see it; check the name, or {sign_in}"
    if status in (_CONFLICT, _CHANGED):
        return changed_by_others(name)
    if status == _TOO_MANY:
        return f"the Hub takes no more from this account for now (429); {doing} {name} again in an hour"
    return f"the Hub refused {name} with status {status} ({said}); what it holds is as it was, try again"
