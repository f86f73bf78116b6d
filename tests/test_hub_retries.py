"""Which calls of the Hub are tried again, and after how long."""

from __future__ import annotations

import httpx2
import pytest
from huggingface_hub.errors import HfHubHTTPError, LocalEntryNotFoundError, OfflineModeIsEnabled

from pipeline.hub_retries import is_temporary, retried, wait_s


def answer(status: int, **headers: str) -> HfHubHTTPError:
    """The error for an answer with this status."""
    request = httpx2.Request("GET", "https://hub.invalid")
    return HfHubHTTPError("refused", response=httpx2.Response(status, headers=headers, request=request))


def failed_download(cause: Exception | None) -> LocalEntryNotFoundError:
    error = LocalEntryNotFoundError("neither here nor there")
    error.__cause__ = cause
    return error


@pytest.mark.parametrize(
    ("error", "temporary"),
    [
        *((answer(status), True) for status in (408, 429, 500, 503)),
        *((answer(status), False) for status in (401, 403, 404, 409, 412)),
        (ConnectionResetError(), True),
        (TimeoutError(), True),
        (httpx2.ConnectError("nobody answers"), True),
        (OfflineModeIsEnabled("HF_HUB_OFFLINE is set"), False),
        (ValueError("a mistake of ours"), False),
        (failed_download(answer(503)), True),
        (failed_download(answer(404)), False),
        (failed_download(None), False),
    ],
    ids=repr,
)
def test_broken_connections_and_busy_servers_are_temporary(error: Exception, temporary: bool) -> None:
    assert is_temporary(error) is temporary


def test_the_wait_doubles_unless_the_hub_asks_for_another() -> None:
    for attempt in range(5):
        assert 0.75 * 2**attempt <= wait_s(ConnectionResetError(), attempt) <= 1.25 * 2**attempt
    assert wait_s(answer(429, **{"Retry-After": "17"}), 0) == 17
    assert wait_s(answer(429, **{"Retry-After": "9999"}), 0) == 300


def test_a_call_is_tried_six_times_and_its_last_error_raised() -> None:
    errors = [ConnectionResetError(number) for number in range(6)]
    left, waits = iter(errors), []

    def call() -> None:
        raise next(left)

    with pytest.raises(ConnectionResetError) as raised:
        retried(call, temporary=is_temporary, pause=waits.append)
    assert raised.value is errors[-1]
    assert len(waits) == 5
