"""What the prompts of the synthetic images tell about their class, as a release tells it."""

from __future__ import annotations

from typing import TypedDict

from pydantic import TypeAdapter

from pipeline.domain.contexts import context_tables
from training.similarity.release_facts import release_fact

_CONTEXTS = TypeAdapter(dict[str, dict[str, dict[str, int]]])


class SlotLink(TypedDict):
    """How far one slot of the prompts is linked to the class."""

    slot: str
    values: int
    bits: float  # mutual information of class and value, over the synthetic images of the release
    chance: float  # what values drawn without regard to the class would share on average
    empty: int  # pairs of a class and a value without an image
    pairs: int


class ClassContextFindings(TypedDict):
    """The slots, those that exceed chance most first."""

    slots: list[SlotLink]


def class_context_findings(dataset: str) -> ClassContextFindings | None:
    """Read which class comes in which context; None where the data set does not tell.

    Args:
        dataset: a release folder, or any other data set.
    """
    contexts = release_fact(dataset, "contexts", _CONTEXTS)
    if contexts is None:
        return None
    slots: list[SlotLink] = [
        {
            "slot": table.slot,
            "values": len(table.values),
            "bits": round(table.bits, 4),
            "chance": round(table.chance, 4),
            "empty": sum(count == 0 for _, counts in table.rows for count in counts),
            "pairs": len(table.values) * len(table.labels),
        }
        for table in context_tables(contexts)
    ]
    return {"slots": sorted(slots, key=lambda slot: slot["chance"] - slot["bits"])} if slots else None
