"""Merge a new card into the previous one: what a person wrote stays, above, below and in the front matter."""

from __future__ import annotations

import re

import yaml

from pipeline.errors import ReleaseRefused

BEGIN = "<!-- backlot: from here to the end mark, each release writes anew -->"
END = "<!-- backlot: end -->"
_FENCE = re.compile(r"---[ \t]*\n")
_CLOSE = re.compile(r"^(?:---|\.\.\.)[ \t]*(?:\n|\Z)", re.MULTILINE)
_KEY = re.compile(r"[^\s#\-][^:\n]*:(?:\s|\Z)")
_OURS = ("configs", "dataset_info", "size_categories")  # keys that follow from the files


def framed(title: str, block: str) -> str:
    """Return the text of a new card: a title, which people may change, and the generated block between its marks."""
    return f"# {title}\n\n{marked(block)}\n"


def marked(block: str) -> str:
    """Return the generated block between its marks."""
    return f"{BEGIN}\n\n{block.strip()}\n\n{END}"


def merged(ours: str, theirs: str, *, where: str) -> str:
    """Return the new card with everything that a person wrote into the previous one, character by character.

    Args:
        ours: front matter and text, with the text as `framed` returns it.
        theirs: the previous card, "" for none.
        where: what the previous card is called in messages.

    Raises:
        ReleaseRefused: its front matter is not valid YAML, or one of the marks of the generated block is missing.
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
            f"the card of {where} has lost the mark {END if begins else BEGIN} of the generated block; put it back, or "
            "remove the block with both marks"
        )
    else:
        text = f"{text.rstrip()}\n\n{block}\n" if text.strip() else own_text
    return f"---\n{_united(own_front, front, where)}---\n{text}"


def _united(ours: str, theirs: str, where: str) -> str:
    """Return their front matter, with ours for what depends on the files."""
    own, other = _parsed(ours, where), _parsed(theirs, where)
    wanted = own | other | {key: own[key] for key in _OURS if key in own}
    for key in ("configs", "dataset_info"):
        wanted[key] = [*_listed(own.get(key)), *_further(own.get(key), other.get(key))]
    tags = _listed(other.get("tags"))
    wanted["tags"] = tags + [tag for tag in _listed(own.get("tags")) if tag not in tags]
    changed = {
        key: value for key, value in wanted.items() if value != other.get(key) and value not in ([], None)
    }
    kept = [block for key, block in _blocks(theirs) if key not in changed]
    return "".join(kept) + (_yaml(changed) if changed else "")


def _blocks(front: str) -> list[tuple[str, str]]:
    """Return (key, text) of the top level of a front matter; the key is "" for what stands before the first key."""
    blocks: list[tuple[str, str]] = [("", "")]
    for line in front.splitlines(keepends=True):
        if _KEY.match(line):
            blocks.append((str(next(iter(yaml.safe_load(line.split(":", 1)[0] + ": 0")))), ""))
        blocks[-1] = (blocks[-1][0], blocks[-1][1] + line)
    return blocks


def _further(ours: object, theirs: object) -> list[object]:
    """Return the configurations that people added. Those that Backlot writes are left out; ours is the default."""
    written = [config.get("config_name") for config in _listed(ours) if isinstance(config, dict)]
    return [
        {key: value for key, value in config.items() if key != "default"}
        for config in _listed(theirs)
        if isinstance(config, dict) and config.get("config_name") not in (None, "rejected", *written)
    ]


def _listed(value: object) -> list[object]:
    if value is None:
        return []
    return list(value) if isinstance(value, list) else [value]


def _split(card: str, where: str) -> tuple[str, str]:
    """Return (front matter, text) of a card."""
    card = card.replace("\r\n", "\n").removeprefix("\ufeff")
    opened = _FENCE.match(card)
    if not opened:
        return "", card
    closed = _CLOSE.search(card, opened.end())
    if not closed:
        raise ReleaseRefused(
            f"the card of {where} opens its front matter with '---' and never closes it; correct it there"
        )
    return card[opened.end() : closed.start()], card[closed.end() :]


def _parsed(front: str, where: str) -> dict[str, object]:
    try:
        values = yaml.safe_load(front)
    except (yaml.YAMLError, ValueError) as error:  # ValueError: an impossible date
        mark = getattr(error, "problem_mark", None)
        line = f" (line {mark.line + 2})" if mark else f" ({error})"
        raise ReleaseRefused(
            f"the front matter of the card of {where} is not valid YAML{line}; correct it there, then publish again"
        ) from error
    if not isinstance(values, dict | None):
        raise ReleaseRefused(
            f"the front matter of the card of {where} is not a list of names and values; correct it there"
        )
    return values or {}


def _yaml(front: dict[str, object]) -> str:
    return yaml.safe_dump(front, sort_keys=False, allow_unicode=True, width=10_000)
