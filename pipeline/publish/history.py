"""The release before: what the next one goes on from, wherever it lies."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from pipeline.errors import ReleaseRefused
from pipeline.publish.folders import release_facts
from pipeline.publish.index import INDEX_NAME, Key, RowChanges, read_index

CARD_NAME = "README.md"
CHANGELOG_NAME = "CHANGELOG.md"
_CHANGELOG_HEAD = "# Releases\n"


@dataclass(frozen=True, slots=True, kw_only=True)
class Earlier:
    """What is left of the release before; all empty where there was none."""

    version: str = ""
    created_at: str = ""
    classes: tuple[str, ...] = ()
    files: Mapping[str, str] = field(default_factory=dict)  # path → SHA-256, of all but the texts
    rows: Mapping[Key, bytes] = field(default_factory=dict)
    card: str = ""  # also a person's own, where there was no release yet
    changelog: str = ""
    taken: tuple[str, ...] = ()  # names that versions have already: the tags on the Hub

    @property
    def next_version(self) -> str:
        """One more than the highest that was ever taken."""
        numbers = [int(one) for one in (self.version, *(tag[1:] for tag in self.taken)) if one.isdigit()]
        return str(max(numbers, default=0) + 1)


def earlier_release(
    folder: Path, *, where: str = "", taken: Iterable[str] = (), forgiving: bool = False
) -> Earlier:
    """The release in a folder, of which the small files are enough.

    Args:
        folder: may hold no release.
        where: what it is called, for the sentence.
        taken: tags that are there.
        forgiving: what is damaged is taken for empty.

    Raises:
        ReleaseRefused: a file is damaged.
    """
    facts = release_facts(folder) or {}
    tags = tuple(tag for tag in taken if tag.startswith("v"))
    texts = {}
    for name in (CARD_NAME, CHANGELOG_NAME):
        try:
            texts[name] = _text(folder / name)
        except ValueError as error:  # not UTF-8
            raise ReleaseRefused(f"{name} of {where or folder} is no text in UTF-8; mend it there") from error
    try:
        return Earlier(
            version=str(facts.get("version", "")),
            created_at=str(facts.get("created_at", "")),
            classes=tuple(str(one) for one in facts.get("classes", ())),
            files={str(path): str(digest) for path, digest in facts.get("files", {}).items()},
            rows=read_index(folder / INDEX_NAME) if facts else {},
            card=texts[CARD_NAME],
            changelog=texts[CHANGELOG_NAME],
            taken=tags,
        )
    except (ValueError, TypeError, AttributeError, KeyError) as error:  # ArrowInvalid is a ValueError
        if forgiving:
            return Earlier(card=texts[CARD_NAME], changelog=texts[CHANGELOG_NAME], taken=tags)
        raise ReleaseRefused(
            f"release.json or index.parquet of {where or folder} is damaged; look at it there, then say that this "
            "release replaces what others changed (--replace)"
        ) from error


def refuse_other_classes(before: Earlier, labels: tuple[str, ...], *, may_change: bool) -> None:
    """Refuse to drop or rename a class that people may have trained on, unless that is meant.

    Raises:
        ReleaseRefused: a class of the release before is gone.
    """
    gone = [label for label in before.classes if label not in labels]
    if not gone or may_change:
        return
    new = [label for label in labels if label not in before.classes]
    said = f"release {before.version} has the class{'es' * (len(gone) > 1)} {_listed(gone)}, which this library lacks"
    raise ReleaseRefused(
        f"{said}{f' ({_listed(new)} is new)' if new else ''}; bring it back, or say that "
        "classes may be missing (--classes-changed)"
    )


def changelog(before: Earlier, version: str, *, date: str, changes: RowChanges, said: str) -> str:
    """The list of releases with a new one on top; what a person wrote there stays.

    Args:
        before: the release before.
        version: of the new one.
        date: of the new one, e.g. "2026-11-25".
        changes: of the rows.
        said: what the new one holds, in a few words.
    """
    since = f"; {changes} since v{before.version}" if before.version else ""
    entry = f"## v{version}, {date}\n\n{said}{since}"
    head, mark, rest = before.changelog.partition(_CHANGELOG_HEAD)
    if not mark:
        head, rest = "", f"\n{before.changelog}" if before.changelog else ""
    return f"{head}{_CHANGELOG_HEAD}\n{entry}.\n{rest}"


def _listed(names: list[str]) -> str:
    return ", ".join(f"'{name}'" for name in names)


def _text(path: Path) -> str:
    return path.read_text(encoding="utf-8") if path.is_file() else ""
