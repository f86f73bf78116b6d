"""Marks of what a page shows, by which its timer learns whether anything is new.

The page holds its mark in a hidden text box, so that the mark comes with the answer that it is of: where an older
answer comes last, its mark is the older one, too, and the next tick brings the page up to date.
"""

from __future__ import annotations

import hashlib

_BYTES = 12


def mark_of(*facts: object) -> str:
    """Return a short text that is another one where the `repr` of a fact is; it is never ""."""
    return hashlib.blake2b(repr(facts).encode(), digest_size=_BYTES).hexdigest()
