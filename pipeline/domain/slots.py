"""Slots in braces: which ones a text names, and whether a grammar of them holds together."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping

from pipeline.errors import InvalidRecipe

SLOT = re.compile(r"\{(\w+)\}")


def slots_named(text: str) -> list[str]:
    """The slots of a text, in reading order, each once."""
    return list(dict.fromkeys(SLOT.findall(text)))


def without_slots(text: str) -> str:
    """The words of a text itself."""
    return SLOT.sub(" ", text)


def refuse_broken_slots(template: str, slots: Mapping[str, Collection[str]]) -> None:
    """Check that every slot which is named is there, every slot is reachable, and none leads back to itself.

    Args:
        slots: slot → values.

    Raises:
        InvalidRecipe: the first slot that does not hold, by name.
    """
    reached = reached_slots(template, slots)
    for slot in slots:
        if slot not in reached:
            raise InvalidRecipe(
                f"backdrops.slots.{slot} is never used; name {{{slot}}} in the template or take it out"
            )


def reached_slots(template: str, slots: Mapping[str, Collection[str]]) -> set[str]:
    """The slots that the template leads to, directly or through values of others.

    Raises:
        InvalidRecipe: a slot is named that is not there, or leads back to itself.
    """
    named = {slot: slots_named(" ".join(values)) for slot, values in slots.items()}
    reached: set[str] = set()
    _follow("the template", slots_named(template), named, reached, ())
    return reached


def _follow(
    speaker: str,
    wanted: Collection[str],
    named: Mapping[str, list[str]],
    reached: set[str],
    path: tuple[str, ...],
) -> None:
    for slot in wanted:
        if slot not in named:
            raise InvalidRecipe(
                f"{speaker} speaks of {{{slot}}}, but backdrops.slots has no '{slot}'; add it"
            )
        if slot in path:
            circle = " → ".join((*path[path.index(slot) :], slot))
            raise InvalidRecipe(
                f"backdrops.slots.{slot} leads back to itself ({circle}); take one of them out"
            )
        if slot not in reached:
            _follow(f"slot '{slot}'", named[slot], named, reached, (*path, slot))
            reached.add(slot)
