"""How a slot value joins a prompt of the form "[colour] surface place, light, camera, condition"."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

Vocabulary = Mapping[str, Sequence[str]]
_BLANK = re.compile(r"\{(\w+)\}")


def with_slot_value(prompt: str, value: str, vocabulary: Vocabulary) -> str:
    """Return the prompt with a slot value in its place; a slot has one value, so it replaces the slot's other.

    A value with blanks ("{surface} floor") becomes the head of the prompt and keeps the values that the head had.
    """
    slot = next((name for name, values in vocabulary.items() if value in values), "")
    head, *rest = [clause.strip() for clause in prompt.split(",") if clause.strip()] or [""]
    if _BLANK.search(value):
        return ", ".join([_filled(value, head, vocabulary), *rest])
    if slot in _head_slots(vocabulary):
        return ", ".join([_with_head_value(head, value, slot, vocabulary), *rest])
    kept = [clause for clause in [head, *rest] if clause and clause not in vocabulary.get(slot, ())]
    return ", ".join([*kept, value])


def _head_slots(vocabulary: Vocabulary) -> set[str]:
    """Return the slots of the head of a prompt: those that templates have blanks for, the colour, and own places."""
    blanks = {blank for values in vocabulary.values() for value in values for blank in _BLANK.findall(value)}
    return blanks | ({"colour", "site"} & vocabulary.keys() if blanks else set())


def _filled(template: str, head: str, vocabulary: Vocabulary) -> str:
    def value_of(blank: re.Match[str]) -> str:
        return _first_value(head, vocabulary[blank[1]]) or vocabulary[blank[1]][0]

    return _BLANK.sub(value_of, template)


def _with_head_value(head: str, value: str, slot: str, vocabulary: Vocabulary) -> str:
    present = _first_value(head, vocabulary[slot])
    if slot == "colour":
        bare = re.sub(rf"^{re.escape(present)} ", "", head) if present else head
        return f"{value} {bare}".strip()
    if present:
        return re.sub(rf"\b{re.escape(present)}\b", value, head, count=1)
    blank = f"{{{slot}}}"
    template = next((text for values in vocabulary.values() for text in values if blank in text), blank)
    return _filled(template.replace(blank, value), head, vocabulary)


def _first_value(text: str, values: Sequence[str]) -> str:
    """Return the value that comes first in the text, the longest if several do; "" for none."""
    matches = [
        (text.find(value), -len(value), value)
        for value in values
        if re.search(rf"\b{re.escape(value)}\b", text)
    ]
    return min(matches)[2] if matches else ""
