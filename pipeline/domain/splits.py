"""Which split a photograph belongs to: decided by its content, so that it never moves and never leaks."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping

from pipeline.errors import InvalidRequest

DEFAULT_SHARES: Mapping[str, float] = {"train": 0.8, "test": 0.2}


def split_of(subject_id: str, shares: Mapping[str, float] = DEFAULT_SHARES) -> str:
    """The split of a subject, by a hash of its id: the same on every machine, whatever else is in the library.

    Raises:
        InvalidRequest: the shares are negative or do not add up to 1.
    """
    if min(shares.values(), default=-1.0) < 0 or abs(sum(shares.values()) - 1) > 1e-6:
        raise InvalidRequest(
            f"the shares of the splits are {dict(shares)}; they must be positive and add up to 1"
        )
    drawn = int(hashlib.sha256(f"split/{subject_id}".encode()).hexdigest()[:13], 16) / 16**13
    edge = 0.0
    for name, share in shares.items():
        edge += share
        if drawn < edge:
            return name
    return [name for name, share in shares.items() if share > 0][-1]
