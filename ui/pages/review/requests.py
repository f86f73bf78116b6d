"""The requests of the review as types; one of another form is refused with one sentence."""

from __future__ import annotations

import json
from typing import Annotated, Any

from pydantic import AfterValidator, BaseModel, BeforeValidator, Field

from pipeline.domain.review import RejectReason, Verdict
from pipeline.errors import InvalidRequest
from ui.requests import Id

MOST_ROWS = 200  # entries in one answer
_MOST_DECISIONS = 200  # in one request; those beyond are sent again
_MOST_SHOWN = 10_000  # characters of JSON that say what a reviewer saw


def _bounded(shown: dict[str, Any] | None) -> dict[str, Any] | None:
    try:
        length = len(json.dumps(shown))
    except RecursionError:
        raise ValueError("it is nested too deeply") from None
    if length > _MOST_SHOWN:
        raise ValueError(f"it has {length} characters; at most {_MOST_SHOWN} are kept")
    return shown


_Field = Annotated[str, Field(max_length=40)]
_Value = Annotated[str, Field(max_length=400)]
Query = Annotated[dict[_Field, _Value | None], Field(max_length=40)]
Rows = Annotated[int, Field(ge=1), AfterValidator(lambda limit: min(limit, MOST_ROWS))]
Text = Annotated[str, BeforeValidator(lambda text: "" if text is None else text)]


class QueryRequest(BaseModel):
    """Samples by filter and order."""

    query: Query


class PageRequest(BaseModel):
    """A page of samples behind a known one."""

    after: Id | None = None
    limit: Rows
    query: Query = {}


class SentDecision(BaseModel):
    """One decision of a reviewer."""

    sample_id: Id
    verdict: Verdict
    client_id: Id
    via: str | None = None
    reason: Annotated[str, Field(max_length=200)] | None = None
    comment: Text = ""
    shown: Annotated[dict[str, Any] | None, AfterValidator(_bounded)] = None


class BatchRequest(QueryRequest):
    """An action on all samples of a query; one undo takes the batch back."""

    batch: Id


class KeepRequest(BatchRequest):
    """The best of each group of near-duplicates, or some samples instead."""

    kept: Annotated[list[Id], Field(max_length=1000)] = []


class BulkRequest(BatchRequest):
    """One verdict for all samples of a query."""

    verdict: Verdict
    reason: RejectReason | None = None


class QueueRequest(BaseModel):
    """A query with a name; without a query the name is removed."""

    name: Annotated[str, Field(max_length=400)]
    query: Query | None


class GoldRequest(BaseModel):
    """Decided samples, or a number of photos, that become gold items."""

    ids: Annotated[list[Id], Field(max_length=1000)] = []
    photos: Annotated[int, Field(ge=0, le=1000)] = 0


def read_text(value: object, name: str) -> str:
    """Check an id that a browser sent.

    Raises:
        InvalidRequest: it is not a string of 1 to 80 characters.
    """
    if not isinstance(value, str) or not 0 < len(value) <= 80 or not value.isprintable():
        raise InvalidRequest(f"the {name} cannot be read: it is not an id; reload the page and try again")
    return value


def in_order(kind: type[BaseModel], question: object) -> dict[str, object]:
    """Name positional arguments after the fields of a request."""
    return dict(zip(kind.model_fields, question if isinstance(question, list) else [], strict=False))


def sent_decisions(question: object) -> list[object]:
    """Return the decisions of a request, unread; Gradio may wrap the list in another one.

    Raises:
        InvalidRequest: it is not a list.
    """
    if isinstance(question, list) and len(question) == 1 and isinstance(question[0], list):
        question = question[0]
    if not isinstance(question, list):
        raise InvalidRequest(
            "the decisions cannot be read: they are not a list; reload the page and try again"
        )
    return question[:_MOST_DECISIONS]
