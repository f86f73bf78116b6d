"""The split of a photo, decided by its content, so that it never changes and nothing leaks into the test set."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping

DEFAULT_SHARES = {"train": 0.8, "test": 0.2}


def split_of(photo_id: str, shares: Mapping[str, float] = DEFAULT_SHARES) -> str:
    """Return the split of a photo, the same on every machine.

    Args:
        photo_id: the content hash of the photo.
        shares: split → share of all photos; the shares add up to 1.
    """
    assert abs(sum(shares.values()) - 1) < 1e-9
    point = int(hashlib.sha256(f"split:{photo_id}".encode()).hexdigest()[:13], 16) / 16**13
    reached = 0.0
    for split, share in shares.items():
        reached += share
        if point < reached:
            return split
    return next(reversed(dict(shares)))
