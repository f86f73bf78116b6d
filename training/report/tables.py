"""Tables as HTML and as Markdown, and the style sheet, which the parts of a report share."""

from __future__ import annotations

import re
from collections.abc import Sequence
from html import escape
from pathlib import Path

_STYLE = Path(__file__).with_name("page.css")
_MARKUP = re.compile(r"([\\`*_\[\]|#~])")  # what Markdown reads as its own signs


def style() -> str:
    """Read the style sheet of the pages: light, dark, narrow and printed."""
    return _STYLE.read_text(encoding="utf-8")


def html_table(head: Sequence[str], rows: Sequence[Sequence[str]], *, slanted: bool = False) -> str:
    """Build a table; rows are cells in HTML already, the head is text."""
    kind = ' class="slanted"' if slanted else ""
    titles = "".join(f"<th><span>{escape(title)}</span></th>" for title in head) if any(head) else ""
    body = "".join(f"<tr>{''.join(row)}</tr>" for row in rows)
    inside = f"<thead><tr>{titles}</tr></thead><tbody>{body}</tbody>"
    return f'<div class="scroll"><table{kind}>{inside}</table></div>'


def html_cell(text: str) -> str:
    """Build a cell of text."""
    return f"<td>{escape(text)}</td>"


def html_number(text: str) -> str:
    """Build a cell of a number, whose digits stand below each other."""
    return f'<td class="number">{escape(text)}</td>'


def markdown_table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Build a table; head and rows are text."""
    lines = ["| " + " | ".join(markdown_text(title) for title in head) + " |", "|" + "---|" * len(head)]
    lines += ["| " + " | ".join(markdown_text(cell) for cell in row) + " |" for row in rows]
    return "\n".join(lines)


def markdown_text(value: str) -> str:
    """Escape a text and put it on one line, so that neither Markdown nor HTML reads a part of it as markup."""
    return _MARKUP.sub(r"\\\1", escape(" ".join(value.split()), quote=False))
