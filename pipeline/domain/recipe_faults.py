"""What is wrong with a recipe, in one plain sentence: the key's path, the value, what is needed instead."""

from __future__ import annotations

import json
import re
import types
from collections.abc import Iterator, Sequence
from difflib import get_close_matches
from typing import Annotated, TypeGuard, Union, get_args, get_origin

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

_MOST_SHOWN = 60
_NEEDED = {
    "int_type": "a whole number is needed",
    "int_parsing": "a whole number is needed",
    "int_from_float": "a whole number is needed",
    "float_type": "a number is needed",
    "float_parsing": "a number is needed",
    "finite_number": "a finite number is needed",
    "string_type": "a text is needed; put it in quotes",
    "dict_type": "keys with values are needed",
    "model_type": "keys with values are needed",
    "bool_type": "true or false is needed",
    "list_type": "a list is needed",
    "too_short": "it must not be empty",
    "string_too_short": "it must not be empty",
    "invalid_key": "a key must be a text; put it in quotes",
}
_BOUNDS = {
    "greater_than": ("gt", "it must be above {}"),
    "greater_than_equal": ("ge", "it must be at least {}"),
    "less_than": ("lt", "it must be below {}"),
    "less_than_equal": ("le", "it must be at most {}"),
    "multiple_of": ("multiple_of", "it must be a multiple of {}"),
    "string_too_long": ("max_length", "it must have at most {} characters"),
    "too_long": ("max_length", "it must have at most {} entries"),
}


def fault_sentence(error: ValidationError, model: type[BaseModel]) -> str:
    """Describe the first fault of a validation, e.g. "unknown key 'placment'; did you mean 'placement'?"."""
    fault = _first_fault(error.errors())
    steps = [step for step in fault["loc"] if not _is_branch(step)]
    path = ".".join(str(step) for step in steps)
    if fault["type"] == "extra_forbidden":
        return f"unknown key '{path}'; {_nearest(str(steps[-1]), _keys_at(model, steps[:-1]))}"
    if fault["type"] == "value_error":
        message = str(fault["ctx"]["error"])
        return f"{path}: {message}" if path else message
    if fault["type"] == "missing" and isinstance(steps[-1], str):
        return f"{path} is missing; add it"
    if _pair_wanted(model, steps):
        return _pair_sentence(fault, steps, model)
    return f"{path} is {_shown(fault['input'])}; {_needed(fault)}"


def _first_fault(faults: Sequence[ErrorDetails]) -> ErrorDetails:
    """The fault that helps most: a misspelt key, else the first that does not come from a wrong branch of a union."""
    for fault in faults:
        if fault["type"] == "extra_forbidden":
            return fault
    likely = [fault for fault in faults if not _is_wrong_branch(fault)]
    return (likely or faults)[0]


def _is_wrong_branch(fault: ErrorDetails) -> bool:
    """Whether a value that may be a name, or names with weights, was read as the other of the two."""
    branch = str(fault["loc"][-1]) if fault["loc"] else ""
    if not _is_branch(branch) or branch == "[key]":
        return False
    return fault["type"] == "dict_type" or (fault["type"] == "enum" and isinstance(fault["input"], dict))


def _is_branch(step: int | str) -> bool:
    return bool(re.match(r"(dict|str-enum)\[|\[(key|ranges|variants|auto|pixels)\]$", str(step)))


def _needed(fault: ErrorDetails) -> str:
    kind, context = fault["type"], fault.get("ctx", {})
    if kind == "enum":
        known = re.findall(r"'([^']*)'", context["expected"])
        near = get_close_matches(str(fault["input"]), known, n=1, cutoff=0.5)
        return f"did you mean '{near[0]}'?" if near else f"it must be one of {', '.join(known)}"
    if kind in _BOUNDS:
        limit, sentence = _BOUNDS[kind]
        return sentence.format(context[limit])
    return _NEEDED.get(kind, str(fault["msg"]).replace("Input should", "it should"))


def _pair_wanted(model: type[BaseModel], steps: Sequence[int | str]) -> str | None:
    """What a key that holds [lowest, highest] needs; None for other keys."""
    annotation: object = model
    for step in steps:
        annotation = _held(annotation, step)
        for option in _options(annotation):
            if get_origin(option) is tuple:
                whole = next(_options(get_args(option)[0])) is int
                return f"two {'whole ' if whole else ''}numbers [lowest, highest] are needed"
    return None


def _pair_sentence(fault: ErrorDetails, steps: Sequence[int | str], model: type[BaseModel]) -> str:
    if isinstance(steps[-1], int) and fault["type"] != "missing":
        path = ".".join(str(step) for step in steps[:-1])
        end = ("lowest", "highest")[steps[-1]]
        return f"{path}: the {end} is {_shown(fault['input'])}; {_needed(fault)}"
    if isinstance(steps[-1], int):
        steps = steps[:-1]
    path = ".".join(str(step) for step in steps)
    return f"{path} is {_shown(fault['input'])}; {_pair_wanted(model, steps)}"


def _nearest(name: str, known: list[str]) -> str:
    near = get_close_matches(name, known, n=1, cutoff=0.5)
    return f"did you mean '{near[0]}'?" if near else f"known keys: {', '.join(known)}"


def _keys_at(model: type[BaseModel], steps: Sequence[int | str]) -> list[str]:
    annotation: object = model
    for step in steps:
        annotation = _held(annotation, step)
    return [key for option in _options(annotation) if _is_model(option) for key in option.model_fields]


def _held(annotation: object, step: int | str) -> object:
    """The type of what a key, or a place in a list, holds; None where it is not known."""
    for option in _options(annotation):
        if isinstance(step, int):
            if get_origin(option) is list:
                return get_args(option)[0]
        elif _is_model(option) and step in option.model_fields:
            return option.model_fields[step].annotation
    return None


def _options(annotation: object) -> Iterator[object]:
    """The types inside Optional, unions and Annotated."""
    if get_origin(annotation) is Annotated:
        yield from _options(get_args(annotation)[0])
    elif get_origin(annotation) in (Union, types.UnionType):
        for option in get_args(annotation):
            yield from _options(option)
    else:
        yield annotation


def _is_model(annotation: object) -> TypeGuard[type[BaseModel]]:
    return isinstance(annotation, type) and issubclass(annotation, BaseModel)


def _shown(value: object) -> str:
    match value:
        case None:
            text = "empty"
        case bool():
            text = json.dumps(value)
        case str():
            text = f"'{value}'"
        case _:
            text = str(value)
    return text if len(text) <= _MOST_SHOWN else f"{text[: _MOST_SHOWN - 1]}…"
