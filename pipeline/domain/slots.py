"""Slots in braces: which a text names, and whether a grammar of them is complete."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping

from pipeline.domain.texts import LONGEST_PROMPT
from pipeline.errors import InvalidRecipe

SLOT = re.compile(r"\{(\w+)\}")


def slots_named(text: str) -> list[str]:
    """List the slots of a text, in reading order, each once."""
    return list(dict.fromkeys(SLOT.findall(text)))


def without_slots(text: str) -> str:
    """Return a text without its slots."""
    return SLOT.sub(" ", text)


def refuse_broken_slots(template: str, slots: Mapping[str, Collection[str]]) -> None:
    """Check that every slot is defined, used and free of cycles, and that no prompt becomes too long.

    Args:
        slots: slot → values.

    Raises:
        InvalidRecipe: names the first slot that is undefined, unused or in a cycle, or the length of the prompt.
    """
    reached = reached_slots(template, slots)
    for slot in slots:
        if slot not in reached:
            raise InvalidRecipe(
                f"backdrops.slots.{slot} is never used; name {{{slot}}} in the template or take it out"
            )
    longest = longest_prompt(template, slots)
    if longest > LONGEST_PROMPT:
        raise InvalidRecipe(
            f"the longest prompt of backdrops has {longest:,} characters; at most {LONGEST_PROMPT:,} are allowed; "
            "shorten the template or the values that name other slots"
        )


def longest_prompt(template: str, slots: Mapping[str, Collection[str]]) -> int:
    """Count the characters of the longest text on the way from a template to a prompt, without writing any.

    Args:
        slots: slot → values; no slot may lead back to itself.
    """
    lengths: dict[str, int] = {}

    def length(text: str) -> int:
        named = SLOT.findall(text)
        return len(text) + sum(of_slot(slot) - len(slot) - len("{}") for slot in named)

    def of_slot(slot: str) -> int:
        if slot not in lengths:
            lengths[slot] = max(len(slot) + len("{}"), *map(length, slots[slot]))
        return lengths[slot]

    return length(template)


def reached_slots(template: str, slots: Mapping[str, Collection[str]]) -> set[str]:
    """Return the slots that the template names, directly or through values of others.

    Raises:
        InvalidRecipe: a slot that is named is undefined, or leads back to itself.
    """
    named = {slot: slots_named(" ".join(values)) for slot, values in slots.items()}
    reached: set[str] = set()
    _follow("the template", slots_named(template), named, reached, ())
    return reached


def drawing_order(template: str, slots: Mapping[str, Collection[str]]) -> list[str]:
    """List the slots in the order in which they are drawn: those that a value names come right after it.

    Args:
        slots: slot → values; complete and without cycles.
    """
    order: dict[str, None] = {}

    def visit(text: str) -> None:
        for slot in slots_named(text):
            if slot not in order:
                order[slot] = None
                for value in slots[slot]:
                    visit(value)

    visit(template)
    return list(order)


def _follow(
    speaker: str,
    wanted: Collection[str],
    named: Mapping[str, list[str]],
    reached: set[str],
    path: tuple[str, ...],
) -> None:
    for slot in wanted:
        if slot not in named:
            raise InvalidRecipe(f"{speaker} names {{{slot}}}, but backdrops.slots has no '{slot}'; add it")
        if slot in path:
            circle = " → ".join((*path[path.index(slot) :], slot))
            raise InvalidRecipe(
                f"backdrops.slots.{slot} leads back to itself ({circle}); take one of them out"
            )
        if slot not in reached:
            _follow(f"slot '{slot}'", named[slot], named, reached, (*path, slot))
            reached.add(slot)


def shown_value(value: str) -> str:
    """Return a slot value for people: "…" in place of the slots that it holds, "not set" where it is empty."""
    return SLOT.sub("…", value) or "not set"
