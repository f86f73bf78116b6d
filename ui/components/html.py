"""Small pieces of HTML that several pages show, and the numbers in their text fields."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

from pipeline.errors import InvalidRequest

MARK = (
    '<svg class="mark" viewBox="0 0 24 24" aria-hidden="true">'
    '<rect x="2.5" y="4.5" width="19" height="15" rx="3"/>'
    '<path d="M2.5 15.5 8 10l4.5 4.5 3-3 6 6"/><circle cx="15.8" cy="8.7" r="1.5"/></svg>'
)


def empty_html(title: str, sentence: str, *, link: str = "", action: str = "") -> str:
    """Return an empty state: what is missing, what to do next, and a link to it."""
    go = f'<a class="go" href="{escape(link, quote=True)}">{escape(action)}</a>' if link else ""
    return f'<div class="empty">{MARK}<h2>{escape(title)}</h2><p>{escape(sentence)}</p>{go}</div>'


def link_html(text: str, address: str, *, new_tab: bool = False) -> str:
    """Return a link that looks like a button."""
    target = ' target="_blank" rel="noopener"' if new_tab else ""
    return f'<a class="go" href="{escape(address, quote=True)}"{target}>{escape(text)}</a>'


def note_html(sentences: Sequence[str], *, kind: str = "note") -> str:
    """Return sentences under a control; "" when there are none. `kind` is note, good or bad."""
    if not sentences:
        return ""
    return "".join(f'<p class="said {kind}">{escape(sentence)}</p>' for sentence in sentences)


def capitalised(sentence: str) -> str:
    """Return a sentence with a capital first letter; the other letters stay."""
    return sentence[:1].upper() + sentence[1:]


def table_html(head: Sequence[str], rows: Sequence[Sequence[str | int]]) -> str:
    """Return a table: names in the first column, numbers in the others."""
    top = "".join(f"<th>{escape(title)}</th>" for title in head)
    body = "".join(
        f"<tr><th>{escape(str(row[0]))}</th>"
        + "".join(f"<td>{escape(_shown(cell))}</td>" for cell in row[1:])
        + "</tr>"
        for row in rows
    )
    return f'<table class="plain"><thead><tr>{top}</tr></thead><tbody>{body}</tbody></table>'


def _shown(cell: str | int) -> str:
    return cell if isinstance(cell, str) else f"{cell:,}"


def progress_html(done: int, total: int | None, sentence: str) -> str:
    """Return a progress bar with a sentence; its length is unknown when `total` is None or 0."""
    share = f"{100 * done / total:.1f}" if total else ""
    wide = f'style="width:{share}%"' if share else 'class="unknown"'
    value = f' aria-valuenow="{share}"' if share else ""
    return (
        '<div class="progress">'
        f'<div class="rail" role="progressbar" aria-valuemin="0" aria-valuemax="100"{value}>'
        f"<i {wide}></i></div><p>{escape(sentence)}</p></div>"
    )


def counted(number: int, noun: str) -> str:
    """Return a number with its noun: 1 photo, 1,200 photos."""
    return f"{number:,} {noun}{'' if number == 1 else 's'}"


_MOST_DIGITS = 20  # of a number in a text field


def whole_number(text: str | None, what: str) -> int | None:
    """Return the whole number of a text field; None when it is empty.

    Raises:
        InvalidRequest: the text is not a whole number of at least 0; `what` names the field in the message.
    """
    if text is None or not text.strip():
        return None
    if not text.strip().isdecimal() or len(text.strip()) > _MOST_DIGITS:
        raise InvalidRequest(f"{what} is '{text[:_MOST_DIGITS]}'; enter a whole number, or leave it empty")
    return int(text)
