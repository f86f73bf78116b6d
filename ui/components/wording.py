"""How a chip joins a prompt of the form "[colour] surface place, light, camera, condition"."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

Vocabulary = Mapping[str, Sequence[str]]
_BLANK = re.compile(r"\{(\w+)\}")


def with_word(prompt: str, word: str, vocabulary: Vocabulary) -> str:
    """The prompt with a word of the vocabulary in its place; a slot has one value, so it replaces the slot's other.

    A word with blanks ("{surface} floor") becomes the head of the prompt and keeps what the head said before.
    """
    slot = next((name for name, words in vocabulary.items() if word in words), "")
    head, *rest = [part.strip() for part in prompt.split(",") if part.strip()] or [""]
    if _BLANK.search(word):
        return ", ".join([_filled(word, head, vocabulary), *rest])
    if slot in _head_slots(vocabulary):
        return ", ".join([_with_head_word(head, word, slot, vocabulary), *rest])
    kept = [part for part in [head, *rest] if part and part not in vocabulary.get(slot, ())]
    return ", ".join([*kept, word])


def _head_slots(vocabulary: Vocabulary) -> set[str]:
    """Slots that live in the head of a prompt: those that templates have blanks for, the colour, and own places."""
    blanks = {blank for words in vocabulary.values() for word in words for blank in _BLANK.findall(word)}
    return blanks | ({"colour", "site"} & vocabulary.keys() if blanks else set())


def _filled(template: str, head: str, vocabulary: Vocabulary) -> str:
    def value(blank: re.Match[str]) -> str:
        return _said(head, vocabulary[blank[1]]) or vocabulary[blank[1]][0]

    return _BLANK.sub(value, template)


def _with_head_word(head: str, word: str, slot: str, vocabulary: Vocabulary) -> str:
    said = _said(head, vocabulary[slot])
    if slot == "colour":
        bare = re.sub(rf"^{re.escape(said)} ", "", head) if said else head
        return f"{word} {bare}".strip()
    if said:
        return re.sub(rf"\b{re.escape(said)}\b", word, head, count=1)
    place = next((t for words in vocabulary.values() for t in words if f"{{{slot}}}" in t), f"{{{slot}}}")
    return _filled(place.replace(f"{{{slot}}}", word), head, vocabulary)


def _said(text: str, words: Sequence[str]) -> str:
    """The word that stands first in the text, the longest where several do; "" for none."""
    found = [
        (text.find(word), -len(word), word) for word in words if re.search(rf"\b{re.escape(word)}\b", text)
    ]
    return min(found)[2] if found else ""
