"""The requests of widgets as types; one of another form is refused with one sentence."""

from __future__ import annotations

from typing import Annotated, TypeVar

from pydantic import BaseModel, Field, ValidationError

from pipeline.errors import InvalidRequest

Id = Annotated[str, Field(min_length=1, max_length=80)]
Request = TypeVar("Request", bound=BaseModel)


def read(kind: type[Request], question: object) -> Request:
    """Parse what a browser sent.

    Raises:
        InvalidRequest: it has another form.
    """
    try:
        return kind.model_validate(question)
    except ValidationError as error:
        fault = error.errors(include_url=False, include_input=False)[0]
        where = ".".join(map(str, fault["loc"])) or "the request"
        raise InvalidRequest(
            f"{where} cannot be read: {fault['msg']}; reload the page and try again"
        ) from None
