"""What people named, as text of a Markdown card: a class called `<img …>` is shown, never interpreted."""

from __future__ import annotations

import re
from html import escape

_PUNCTUATION = re.compile(r"([\\`*\[\]|~!#$]|(?<!\w)_|_(?!\w))")  # an underscore within a word is no emphasis
_BACKTICKS = re.compile(r"`+")


def plain(text: str) -> str:
    """One line of text with every sign escaped that Markdown or HTML would interpret; also valid in a table cell."""
    return _PUNCTUATION.sub(r"\\\1", html_text(text))


def html_text(text: str) -> str:
    """One line of text inside an HTML element."""
    return escape(" ".join(text.split()), quote=False)


def code(text: str) -> str:
    """Text in backticks, on one line and without backticks of its own."""
    return f"`{' '.join(text.replace('`', ' ').split()).replace('|', ' ')}`"


def fenced(text: str, language: str) -> str:
    """A code block that no line of the text can end; an HTML comment, such as the mark of a card, is broken up."""
    longest = max((len(run) for run in _BACKTICKS.findall(text)), default=0)
    fence = "`" * max(3, longest + 1)
    body = text.strip("\n").replace("<!--", "<! --")
    return f"{fence}{language}\n{body}\n{fence}"
