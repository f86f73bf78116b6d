"""Which calls of the Hub are tried again, and after how long."""

from __future__ import annotations

import random
import time
from collections.abc import Callable
from typing import TypeVar

TRIES = 6
LONGEST_WAIT_S = 300.0
_TIMEOUT, _TOO_MANY, _SERVER_ERROR = 408, 429, 500

Answer = TypeVar("Answer")
Pause = Callable[[float], None]  # waits so many seconds


def is_temporary(error: BaseException) -> bool:
    """Return whether a call that failed may succeed later: a broken connection, 408, 429 or 5xx."""
    from huggingface_hub.errors import (
        HfHubHTTPError,
        HTTPError,
        LocalEntryNotFoundError,
        OfflineModeIsEnabled,
    )

    error = request_error(error)
    if isinstance(error, OfflineModeIsEnabled | LocalEntryNotFoundError):
        return False
    if isinstance(error, HfHubHTTPError):
        status = status_of(error)
        return status is None or status in (_TIMEOUT, _TOO_MANY) or status >= _SERVER_ERROR
    return isinstance(error, HTTPError | ConnectionError | TimeoutError)


def request_error(error: BaseException) -> BaseException:
    """Return the error of the request behind a failed download; any other error as it is."""
    from huggingface_hub.errors import LocalEntryNotFoundError

    if isinstance(error, LocalEntryNotFoundError) and error.__cause__ is not None:
        return error.__cause__
    return error


def retried(
    call: Callable[[], Answer],
    *,
    temporary: Callable[[Exception], bool],
    pause: Pause = time.sleep,
) -> Answer:
    """Call until it succeeds, at most six times, waiting `wait_s` in between. The last error is raised unchanged.

    Args:
        temporary: whether the call may succeed after an error; other errors are raised at once.
    """
    for attempt in range(TRIES - 1):
        try:
            return call()
        except Exception as error:
            if not temporary(error):
                raise
            pause(wait_s(error, attempt))
    return call()


def wait_s(error: BaseException, attempt: int) -> float:
    """Return the seconds to wait after a failed attempt (from 0): as the Hub asks, or 1, 2, 4 … with jitter."""
    headers = getattr(getattr(error, "response", None), "headers", {})
    asked = str(headers.get("Retry-After", ""))
    if asked.isdigit():
        return min(float(asked), LONGEST_WAIT_S)
    return min(2.0**attempt * random.uniform(0.75, 1.25), LONGEST_WAIT_S)


def status_of(error: object) -> int | None:
    """Return the HTTP status that an error of the Hub's client carries; None where there was no answer."""
    status = getattr(getattr(error, "response", None), "status_code", None)
    return int(status) if status is not None else None
