"""Errors of the Hub while reading, in one sentence each. No message shows a token."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from pipeline.errors import SourceRefused

_UNAUTHORISED, _FORBIDDEN, _TOO_MANY, _BROKEN = 401, 403, 429, 500
_SIGN_IN = "sign in with `hf auth login`, or set HF_TOKEN to a token that may read it"


@contextmanager
def hub_errors_explained(name: str) -> Iterator[None]:
    """Turn the client's errors about a dataset into a `SourceRefused` with one sentence; other errors pass through.

    Raises:
        SourceRefused: what the Hub answered, and the remedy.
    """
    from huggingface_hub.errors import (
        GatedRepoError,
        HfHubHTTPError,
        HFValidationError,
        HTTPError,
        OfflineModeIsEnabled,
        RepositoryNotFoundError,
    )

    try:
        yield
    except GatedRepoError as error:
        raise SourceRefused(
            f"{name} is gated; ask for access on its page on the Hub, then {_SIGN_IN}"
        ) from error
    except RepositoryNotFoundError as error:
        raise SourceRefused(
            f"there is no dataset {name}, or it is private; check the name, or {_SIGN_IN}"
        ) from error
    except HFValidationError as error:
        raise SourceRefused(f"'{name}' is not a valid dataset name; write owner/name") from error
    except OfflineModeIsEnabled as error:
        raise SourceRefused(f"HF_HUB_OFFLINE is set; unset it to import {name}") from error
    except HfHubHTTPError as error:
        raise SourceRefused(_sentence(name, error)) from error
    except (HTTPError, ConnectionError, TimeoutError) as error:
        raise SourceRefused(
            f"the Hub cannot be reached for {name} ({type(error).__name__}); check the network, try again later"
        ) from error


def _sentence(name: str, error: object) -> str:
    response = getattr(error, "response", None)
    status = getattr(response, "status_code", None) or 0
    if status == _UNAUTHORISED:
        return f"the Hub does not know the token; {_SIGN_IN}"
    if status == _FORBIDDEN:
        return f"the token may not read {name}; {_SIGN_IN}"
    if status == _TOO_MANY or status >= _BROKEN:
        return f"the Hub is busy (status {status} for {name}); try again later"
    reason = getattr(error, "server_message", None) or "no reason given"
    return f"the Hub refused {name} with status {status} ({reason})"
