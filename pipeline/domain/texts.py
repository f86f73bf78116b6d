"""Limits on texts that people write: lengths, and characters that cannot be stored or shown."""

from __future__ import annotations

import unicodedata

LONGEST_NAME = 100  # characters of the name of a recipe or a class
LONGEST_VALUE = 300  # of a slot value
LONGEST_PROMPT = 2_000  # of a prompt, a template and a negative prompt
LONGEST_PATH = 1_000  # of a path or a model's name
_UNREADABLE = frozenset({"Cc", "Cs"})  # control characters and lone surrogates
_LAYOUT = "\n\t\r"


def unreadable_character(text: str) -> str | None:
    """Return the first control character or lone surrogate of a text as "U+0000"; None where there is none."""
    for character in text:
        if unicodedata.category(character) in _UNREADABLE and character not in _LAYOUT:
            return f"U+{ord(character):04X}"
    return None


def text_fault(text: str, longest: int = LONGEST_PROMPT) -> str | None:
    """Return what is wrong with a text that a person wrote, as "has …; remedy"; None where nothing is.

    Args:
        longest: the largest number of characters that is allowed.
    """
    if len(text) > longest:
        return f"has {len(text):,} characters; at most {longest:,} are allowed"
    if character := unreadable_character(text):
        return f"has the unreadable character {character}; remove it"
    return None


def duration(seconds: float) -> str:
    """Return a duration in its largest fitting unit: 8 s, 3 min, 1 h 20 min."""
    if seconds < 90:
        return f"{max(1, round(seconds))} s"
    minutes = round(seconds / 60)
    return f"{minutes} min" if minutes < 90 else f"{minutes // 60} h {minutes % 60:02d} min"
