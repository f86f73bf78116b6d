"""Queries of review queues: text by field name, as in the address bar and in named queues."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date

from pipeline.domain.spec import Method
from pipeline.errors import InvalidRequest, UnknownName
from pipeline.store import SampleFilter, SampleOrder, SampleState

_REVIEWED = ("pending", "accepted", "rejected", "disputed")
_PLAIN = ("label", "model", "cluster", "reviewer", "score")
Query = Mapping[str, str | None]
FIELDS = ("state", "method", "word", "since", "until", "low", "high", "order", *_PLAIN)


def filter_of(query: Query) -> SampleFilter:
    """Parse a query into a filter; empty fields are ignored.

    Args:
        query: `state`, `label`, `method`, `model`, `word` ("surface=gravel"), `cluster`, `reviewer`, `since` and
            `until` (days, both included), `score` with `low` and `high`, `order` (one of `SampleOrder`).

    Raises:
        UnknownName: no such field, state, method or order.
        InvalidRequest: a number or a day cannot be parsed.
    """
    given = {name: value.strip() for name, value in query.items() if value and value.strip()}
    for name in given:
        if name not in FIELDS:
            raise UnknownName("filter", name, FIELDS)
    return SampleFilter(
        review=_one_of("state", given.get("state"), _REVIEWED),
        method=_method(given.get("method")),
        word=_word(given.get("word")),
        since=_day(given.get("since")),
        until=_day(given.get("until"), last=True),
        low=_number("low", given.get("low")),
        high=_number("high", given.get("high")),
        order=SampleOrder(_one_of("order", given.get("order"), list(SampleOrder)) or SampleOrder.NEWEST),
        **{name: given.get(name) for name in _PLAIN},
    )


def reviewable(query: Query) -> SampleFilter:
    """Parse a query of pending or disputed samples, by default closest to failing a gate first."""
    wanted = {"order": SampleOrder.QUEUE, **{name: value for name, value in query.items() if value}}
    if wanted.get("state") != SampleState.DISPUTED:
        wanted["state"] = SampleState.PENDING
    return filter_of(wanted)


def _one_of(kind: str, name: str | None, known: list[str] | tuple[str, ...]) -> str | None:
    if name is not None and name not in known:
        raise UnknownName(kind, name, known)
    return name


def _method(name: str | None) -> Method | None:
    try:
        return Method(name) if name is not None else None
    except ValueError:
        raise UnknownName("method", str(name), list(Method)) from None


def _word(text: str | None) -> tuple[str, str] | None:
    if text is None:
        return None
    slot, equals, value = text.partition("=")
    if not equals or not slot:
        raise InvalidRequest(f"the filter 'word' is '{text}'; write slot=value, e.g. surface=gravel")
    return slot, value


def _number(name: str, text: str | None) -> float | None:
    try:
        return None if text is None else float(text)
    except ValueError:
        raise InvalidRequest(f"the filter '{name}' is '{text}'; write a number, e.g. 0.3") from None


def _day(text: str | None, *, last: bool = False) -> str | None:
    """Return the first moment of a day, or the last if the day ends a range (ISO strings sort like times)."""
    if text is None:
        return None
    try:
        day = date.fromisoformat(text).isoformat()
    except ValueError:
        raise InvalidRequest(f"'{text}' is not a day; write year-month-day, e.g. 2026-01-31") from None
    return f"{day}U" if last else day  # "U" sorts behind the "T" of any time of that day
