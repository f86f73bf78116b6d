"""Our card into the one that is there: what a person wrote stays, above, below and in the front matter."""

from __future__ import annotations

from typing import Any

import yaml

from pipeline.errors import ReleaseRefused

BEGIN = "<!-- backlot: from here to the end mark, each release writes anew -->"
END = "<!-- backlot: end -->"
_FENCE = "---\n"
_OURS = ("configs", "dataset_info", "size_categories")  # keys that follow from the files
_UNITED = ("tags",)  # lists to which both add


def framed(title: str, block: str) -> str:
    """The text of a new card: a title of the person's own, and our block between its marks."""
    return f"# {title}\n\n{marked(block)}\n"


def marked(block: str) -> str:
    """Our block between its marks."""
    return f"{BEGIN}\n\n{block.strip()}\n\n{END}"


def merged(ours: str, theirs: str, *, where: str) -> str:
    """Our new card with what a person wrote into the one before.

    Args:
        ours: front matter and text, as `framed` makes it.
        theirs: the card that is there, "" for none.
        where: what it is called, for the sentence.

    Raises:
        ReleaseRefused: its front matter is no YAML.
    """
    if not theirs.strip():
        return ours
    front, text = _split(theirs, where)
    own_front, own_text = _split(ours, where)
    block = own_text[own_text.index(BEGIN) : own_text.index(END) + len(END)]
    if BEGIN in text and END in text:
        before, _, rest = text.partition(BEGIN)
        text = before + block + rest.partition(END)[2]
    else:
        text = f"{text.rstrip()}\n\n{block}\n" if text.strip() else own_text
    return _FENCE + _yaml(_united(own_front, front)) + _FENCE + text


def _united(ours: dict[str, Any], theirs: dict[str, Any]) -> dict[str, Any]:
    """Theirs, with what follows from the files from ours."""
    found = {**ours, **theirs}
    for key in _OURS:
        if key in ours:
            found[key] = ours[key]
    for key in ("configs", "dataset_info"):
        found[key] = [*_listed(ours.get(key)), *_further(ours.get(key), theirs.get(key))]
    for key in _UNITED:
        found[key] = list(dict.fromkeys([*_listed(theirs.get(key)), *_listed(ours.get(key))]))
    return {key: value for key, value in found.items() if value not in ([], None)}


def _further(ours: Any, theirs: Any) -> list[Any]:
    """Configurations of a person's own, beside ours and beside those that we wrote before."""
    known = {one.get("config_name") for one in _listed(ours) if isinstance(one, dict)} | {"rejected"}
    return [
        one
        for one in _listed(theirs)
        if isinstance(one, dict) and one.get("config_name") is not None and one["config_name"] not in known
    ]


def _listed(value: Any) -> list[Any]:
    if value is None:
        return []
    return list(value) if isinstance(value, list) else [value]


def _split(card: str, where: str) -> tuple[dict[str, Any], str]:
    """(front matter, text) of a card."""
    card = card.replace("\r\n", "\n").removeprefix("\ufeff")
    if not card.startswith(_FENCE):
        return {}, card
    front, mark, text = f"\n{card.removeprefix(_FENCE)}".partition(f"\n{_FENCE}")
    if not mark:
        raise ReleaseRefused(
            f"the card of {where} opens its front matter with '---' and never closes it; mend it there"
        )
    try:
        found = yaml.safe_load(front)
    except yaml.YAMLError as error:
        mark_at = getattr(error, "problem_mark", None)
        line = f" (line {mark_at.line + 2})" if mark_at else ""
        raise ReleaseRefused(
            f"the front matter of the card of {where} is no valid YAML{line}; mend it there, then publish again"
        ) from error
    if not isinstance(found, dict):
        raise ReleaseRefused(
            f"the front matter of the card of {where} is no list of names and values; mend it there"
        )
    return found, text


def _yaml(front: dict[str, Any]) -> str:
    return yaml.safe_dump(front, sort_keys=False, allow_unicode=True, width=10_000)
