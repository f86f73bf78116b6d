"""Our card into the one that is there: what a person wrote stays, above, below and in the front matter."""

from __future__ import annotations

import re
from typing import Any

import yaml

from pipeline.errors import ReleaseRefused

BEGIN = "<!-- backlot: from here to the end mark, each release writes anew -->"
END = "<!-- backlot: end -->"
_FENCE = re.compile(r"---[ \t]*\n")
_CLOSE = re.compile(r"^(?:---|\.\.\.)[ \t]*(?:\n|\Z)", re.MULTILINE)
_KEY = re.compile(r"[^\s#\-][^:\n]*:(?:\s|\Z)")
_OURS = ("configs", "dataset_info", "size_categories")  # keys that follow from the files


def framed(title: str, block: str) -> str:
    """The text of a new card: a title of the person's own, and our block between its marks."""
    return f"# {title}\n\n{marked(block)}\n"


def marked(block: str) -> str:
    """Our block between its marks."""
    return f"{BEGIN}\n\n{block.strip()}\n\n{END}"


def merged(ours: str, theirs: str, *, where: str) -> str:
    """Our new card with what a person wrote into the one before, letter by letter: only what follows from the release
    is written anew.

    Args:
        ours: front matter and text, as `framed` makes it.
        theirs: the card that is there, "" for none.
        where: what it is called, for the sentence.

    Raises:
        ReleaseRefused: its front matter is no YAML, or one of the marks of our part is gone.
    """
    if not theirs.strip():
        return ours
    front, text = _split(theirs, where)
    own_front, own_text = _split(ours, where)
    block = own_text[own_text.index(BEGIN) : own_text.rindex(END) + len(END)]
    before, begins, rest = text.partition(BEGIN)
    _, ends, after = rest.partition(END)
    if begins and ends:
        text = before + block + after
    elif begins or END in text:
        raise ReleaseRefused(
            f"the card of {where} has lost the mark {END if begins else BEGIN} of our part; put it back, or take our "
            "part out with both marks"
        )
    else:
        text = f"{text.rstrip()}\n\n{block}\n" if text.strip() else own_text
    return f"---\n{_united(own_front, front, where)}---\n{text}"


def _united(ours: str, theirs: str, where: str) -> str:
    """Their front matter, with what follows from the files from ours."""
    own, found = _parsed(ours, where), _parsed(theirs, where)
    wanted = own | found | {key: own[key] for key in _OURS if key in own}
    for key in ("configs", "dataset_info"):
        wanted[key] = [*_listed(own.get(key)), *_further(own.get(key), found.get(key))]
    tags = _listed(found.get("tags"))
    wanted["tags"] = tags + [tag for tag in _listed(own.get("tags")) if tag not in tags]
    changed = {
        key: value for key, value in wanted.items() if value != found.get(key) and value not in ([], None)
    }
    kept = [block for key, block in _blocks(theirs) if key not in changed]
    return "".join(kept) + (_yaml(changed) if changed else "")


def _blocks(front: str) -> list[tuple[str, str]]:
    """(key, text) of the top level of a front matter; "" for what stands before the first key."""
    blocks: list[tuple[str, str]] = [("", "")]
    for line in front.splitlines(keepends=True):
        if _KEY.match(line):
            blocks.append((str(next(iter(yaml.safe_load(line.split(":", 1)[0] + ": 0")))), ""))
        blocks[-1] = (blocks[-1][0], blocks[-1][1] + line)
    return blocks


def _further(ours: Any, theirs: Any) -> list[Any]:
    """Configurations of a person's own, beside ours and beside those that we wrote before; ours is the default."""
    known = {one.get("config_name") for one in _listed(ours) if isinstance(one, dict)} | {"rejected"}
    return [
        {key: value for key, value in one.items() if key != "default"}
        for one in _listed(theirs)
        if isinstance(one, dict) and one.get("config_name") is not None and one["config_name"] not in known
    ]


def _listed(value: Any) -> list[Any]:
    if value is None:
        return []
    return list(value) if isinstance(value, list) else [value]


def _split(card: str, where: str) -> tuple[str, str]:
    """(front matter, text) of a card."""
    card = card.replace("\r\n", "\n").removeprefix("\ufeff")
    opened = _FENCE.match(card)
    if not opened:
        return "", card
    closed = _CLOSE.search(card, opened.end())
    if not closed:
        raise ReleaseRefused(
            f"the card of {where} opens its front matter with '---' and never closes it; mend it there"
        )
    return card[opened.end() : closed.start()], card[closed.end() :]


def _parsed(front: str, where: str) -> dict[str, Any]:
    try:
        found = yaml.safe_load(front)
    except (yaml.YAMLError, ValueError) as error:  # ValueError: a date that is none
        mark = getattr(error, "problem_mark", None)
        line = f" (line {mark.line + 2})" if mark else f" ({error})"
        raise ReleaseRefused(
            f"the front matter of the card of {where} is no valid YAML{line}; mend it there, then publish again"
        ) from error
    if not isinstance(found, dict | None):
        raise ReleaseRefused(
            f"the front matter of the card of {where} is no list of names and values; mend it there"
        )
    return found or {}


def _yaml(front: dict[str, Any]) -> str:
    return yaml.safe_dump(front, sort_keys=False, allow_unicode=True, width=10_000)
