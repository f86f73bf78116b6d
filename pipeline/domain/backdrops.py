"""What the background shall be: a small grammar of slots and values, and choices from it that keep their shares."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from difflib import get_close_matches

from pipeline.domain.balance import Balance, stream
from pipeline.errors import InvalidRecipe

Choice = tuple[tuple[str, str], ...]  # (slot, value) in the order in which the template names the slots

_SLOT = re.compile(r"\{([^{}]*)\}")
_WORD = re.compile(r"[^\W\d_]+")
_SPLIT_LABEL = re.compile(r"[\s_\-]+")
_LITTLE_WORDS = frozenset(
    {"a", "an", "and", "at", "by", "for", "from", "in", "of", "on", "or", "the", "to", "with"}
)


@dataclass(frozen=True, slots=True, kw_only=True)
class BackdropGrammar:
    """A template such as "{place}, {light}" over slots of weighted values; values may name further slots.

    An exclusion holds slots with values that must not come together. A value "" says nothing.
    """

    template: str
    slots: Mapping[str, Mapping[str, float]]
    exclude: Sequence[Mapping[str, Collection[str]]] = ()

    def __post_init__(self) -> None:
        for slot, values in self.slots.items():
            if not values:
                raise InvalidRecipe(f"backdrops.slots.{slot} is empty; give it at least one value")
        used = set(_reached(self.template, self.slots, ()))
        if unused := [slot for slot in self.slots if slot not in used]:
            raise InvalidRecipe(
                f"backdrops.slots.{unused[0]} is never used; put {{{unused[0]}}} into backdrops.template"
            )
        for number, rule in enumerate(self.exclude):
            _check_exclusion(rule, number, self.slots)

    def choices(self, n: int, seed: int, forbidden_words: Collection[str] = ()) -> list[Choice]:
        """`n` choices in which each value's count is within one of its share (see `BackdropStream`).

        Args:
            forbidden_words: values that hold one of these words, in singular or plural, are left out.

        Raises:
            InvalidRecipe: nothing is left to choose from.
        """
        chooser = BackdropStream(self, seed)
        return [chooser.next(forbidden_words=forbidden_words) for _ in range(n)]

    def allowed(self, forbidden_words: Collection[str]) -> dict[str, list[str]]:
        """The values of each slot that hold none of the words."""
        forbidden = _forms(forbidden_words)
        return {
            slot: [value for value in values if not forbidden & _forms(_WORD.findall(value))]
            for slot, values in self.slots.items()
        }


class BackdropStream:
    """Choices one after the other; the first ones do not depend on how many follow.

    Counts are kept over the steps in which a slot is named at all. Without exclusions each value's count is within
    one of its share after every step; an excluded combination makes a value wait for the next step where it fits.
    Among values that are equally due, a group (a class) gets the one that it had least.
    """

    def __init__(self, grammar: BackdropGrammar, seed: int) -> None:
        self._grammar = grammar
        self._rng = stream(seed, "backdrops")
        self._balances = {slot: Balance(values) for slot, values in grammar.slots.items()}
        self._allowed: dict[tuple[str, ...], dict[str, list[str]]] = {}

    def next(self, *, forbidden_words: Collection[str] = (), group: str = "") -> Choice:
        """The next choice for a group whose own words must not appear."""
        words = tuple(sorted(forbidden_words))
        if words not in self._allowed:
            self._allowed[words] = self._grammar.allowed(words)
            _check_template(self._grammar.template, words)
        allowed = self._allowed[words]
        chosen = self._completed({}, allowed, group)
        if chosen is None:
            raise InvalidRecipe(
                f"no backdrop is left{_for_words(words)}: every value is excluded; loosen backdrops.exclude or add values"
            )
        for slot, value in chosen.items():
            self._balances[slot].take(value, allowed=allowed[slot], group=group)
        return tuple(chosen.items())

    def _completed(
        self, chosen: dict[str, str], allowed: Mapping[str, list[str]], group: str
    ) -> dict[str, str] | None:
        """The choice filled up slot by slot, the values that are most due first; None when nothing fits."""
        slot = next((one for one in _named(self._grammar.template, chosen) if one not in chosen), None)
        if slot is None:
            return chosen
        if not allowed[slot]:
            return None
        for value in self._balances[slot].ranked(self._rng, allowed=allowed[slot], group=group):
            attempt = {**chosen, slot: value}
            if not self._excluded(attempt):
                found = self._completed(attempt, allowed, group)
                if found is not None:
                    return found
        return None

    def _excluded(self, chosen: Mapping[str, str]) -> bool:
        return any(
            all(chosen.get(slot) in values for slot, values in rule.items()) for rule in self._grammar.exclude
        )


def prompt(template: str, choice: Choice) -> str:
    """The template with its slots filled in; parts that say nothing and doubled commas and spaces are dropped."""
    values = dict(choice)
    text = template
    while _SLOT.search(text):
        text = _SLOT.sub(lambda found: values[found.group(1)], text)
    parts = (" ".join(part.split()) for part in text.split(","))
    return ", ".join(part for part in parts if part)


def words_of(label: str) -> tuple[str, ...]:
    """The words of a class name that a backdrop must not say: split at _, - and spaces, little words left out."""
    words = (word.lower() for word in _SPLIT_LABEL.split(label))
    return tuple(word for word in words if word and word not in _LITTLE_WORDS)


def _forms(words: Collection[str]) -> frozenset[str]:
    """The words with what they may be the plural of (leaves → leaf), so that two sets meet where a word is shared."""
    return frozenset(form for word in words for form in _singulars(word.lower()))


def _singulars(word: str) -> Iterator[str]:
    yield word
    if word.endswith("ies") and len(word) > 4:
        yield word[:-3] + "y"
    if word.endswith("ves") and len(word) > 4:
        yield word[:-3] + "f"
        yield word[:-3] + "fe"
    if word.endswith("es") and len(word) > 4:
        yield word[:-2]
    if word.endswith("s") and not word.endswith(("ss", "us", "is")) and len(word) > 2:
        yield word[:-1]


def _named(template: str, chosen: Mapping[str, str]) -> Iterator[str]:
    """The slots that a template names, with those named by the values chosen so far, from left to right."""
    for slot in _SLOT.findall(template):
        yield slot
        if slot in chosen:
            yield from _named(chosen[slot], chosen)


def _reached(text: str, slots: Mapping[str, Mapping[str, float]], path: tuple[str, ...]) -> Iterator[str]:
    """Every slot that a text can lead to.

    Raises:
        InvalidRecipe: a slot does not exist, or leads back to itself.
    """
    where = f"backdrops.slots.{path[-1]}" if path else "backdrops.template"
    for slot in _SLOT.findall(text):
        if slot not in slots:
            raise InvalidRecipe(f"{where} names an unknown slot '{{{slot}}}'; {_nearest(slot, slots)}")
        if slot in path:
            raise InvalidRecipe(f"{where} leads back to slot '{slot}'; a value must not name its own slot")
        yield slot
        for value in slots[slot]:
            yield from _reached(value, slots, (*path, slot))
    if set("{}") & set(_SLOT.sub("", text)):
        raise InvalidRecipe(f"{where} has a brace that belongs to no slot: '{text}'")


def _check_exclusion(
    rule: Mapping[str, Collection[str]], number: int, slots: Mapping[str, Mapping[str, float]]
) -> None:
    where = f"backdrops.exclude.{number}"
    if not rule:
        raise InvalidRecipe(f"{where} is empty; name slots with the values that must not come together")
    for slot, values in rule.items():
        if slot not in slots:
            raise InvalidRecipe(f"{where} names an unknown slot '{slot}'; {_nearest(slot, slots)}")
        for value in values:
            if value not in slots[slot]:
                raise InvalidRecipe(
                    f"{where}.{slot}: there is no value '{value}'; {_nearest(value, slots[slot])}"
                )


def _check_template(template: str, words: Sequence[str]) -> None:
    said = _forms(_WORD.findall(_SLOT.sub(" ", template)))
    if _forms(words) & said:
        raise InvalidRecipe(
            f"backdrops.template says a word of the class '{' '.join(words)}'; a background must not name the class"
        )


def _nearest(name: str, known: Collection[str]) -> str:
    near = get_close_matches(name, list(known), n=1, cutoff=0.5)
    return f"did you mean '{near[0]}'?" if near else f"known: {', '.join(known) or 'none'}"


def _for_words(words: Sequence[str]) -> str:
    return f" for class '{' '.join(words)}'" if words else ""
