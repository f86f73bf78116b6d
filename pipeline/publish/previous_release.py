"""The previous release, in a folder or on the Hub, which the next one builds on."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from pipeline.errors import ReleaseRefused
from pipeline.publish.release_facts import ReleaseFacts, is_release, read_facts
from pipeline.publish.row_index import INDEX_NAME, Key, RowChanges, read_index

CARD_NAME = "README.md"
CHANGELOG_NAME = "CHANGELOG.md"
_CHANGELOG_HEAD = "# Releases\n"


@dataclass(frozen=True, slots=True, kw_only=True)
class PreviousRelease:
    """What the next release needs of the previous one; everything is empty where there was none."""

    version: str = ""
    created_at: str = ""
    classes: tuple[str, ...] = ()
    files: Mapping[str, str] = field(default_factory=dict)  # path → SHA-256, of all files except the texts
    rows: Mapping[Key, bytes] = field(default_factory=dict)
    card: str = ""  # may also be a hand-written one, where there was no release yet
    changelog: str = ""
    tags: tuple[str, ...] = ()  # version tags that exist on the Hub

    @property
    def next_version(self) -> str:
        """One more than the highest version that was ever used."""
        versions = (self.version, *(tag[1:] for tag in self.tags))
        numbers = [int(version) for version in versions if version.isdigit()]
        return str(max(numbers, default=0) + 1)


def previous_release(
    folder: Path, *, where: str = "", tags: Iterable[str] = (), forgiving: bool = False
) -> PreviousRelease:
    """Read the release in a folder. Its small files are enough; the folder may hold no release.

    Args:
        folder: with release.json, README.md, CHANGELOG.md and index.parquet, as far as they exist.
        where: what the folder is called in messages.
        tags: tags of the dataset on the Hub.
        forgiving: treat damaged files as missing.

    Raises:
        ReleaseRefused: a file is damaged.
    """
    card, log = (_text(folder, name, where) for name in (CARD_NAME, CHANGELOG_NAME))
    versions = tuple(tag for tag in tags if tag.startswith("v"))
    try:
        facts = read_facts(folder) or ReleaseFacts()
        rows = read_index(folder / INDEX_NAME) if is_release(folder) else {}
    except (ValueError, TypeError, AttributeError, KeyError) as error:  # ArrowInvalid is a ValueError
        if forgiving:
            return PreviousRelease(card=card, changelog=log, tags=versions)
        raise ReleaseRefused(
            f"release.json or index.parquet of {where or folder} is damaged; look at it there, then say that this "
            "release replaces what others changed (--replace)"
        ) from error
    return PreviousRelease(
        version=facts.version,
        created_at=facts.created_at,
        classes=facts.classes,
        files=facts.files,
        rows=rows,
        card=card,
        changelog=log,
        tags=versions,
    )


def refuse_missing_classes(previous: PreviousRelease, labels: tuple[str, ...], *, may_change: bool) -> None:
    """Refuse to drop or rename a class that people may have trained on, unless that is intended.

    Raises:
        ReleaseRefused: a class of the previous release is missing.
    """
    missing = [label for label in previous.classes if label not in labels]
    if not missing or may_change:
        return
    new = [label for label in labels if label not in previous.classes]
    classes = f"the class{'es' * (len(missing) > 1)} {_listed(missing)}"
    raise ReleaseRefused(
        f"release {previous.version} has {classes}, which this library lacks"
        f"{f' ({_listed(new)} is new)' if new else ''}; bring it back, or say that "
        "classes may be missing (--classes-changed)"
    )


def changelog(
    previous: PreviousRelease, version: str, *, date: str, changes: RowChanges, contents: str
) -> str:
    """Return the list of releases with a new one on top; what a person wrote there stays.

    Args:
        previous: the previous release.
        version: of the new release.
        date: of the new release, e.g. "2026-11-25".
        changes: of the rows.
        contents: what the new release holds, e.g. "5 real, 7 synthetic".
    """
    since = f"; {changes} since v{previous.version}" if previous.version else ""
    entry = f"## v{version}, {date}\n\n{contents}{since}"
    head, mark, rest = previous.changelog.partition(_CHANGELOG_HEAD)
    if not mark:
        head, rest = "", f"\n{previous.changelog}" if previous.changelog else ""
    return f"{head}{_CHANGELOG_HEAD}\n{entry}.\n{rest}"


def _listed(names: list[str]) -> str:
    return ", ".join(f"'{name}'" for name in names)


def _text(folder: Path, name: str, where: str) -> str:
    path = folder / name
    try:
        return path.read_text(encoding="utf-8") if path.is_file() else ""
    except ValueError as error:
        raise ReleaseRefused(
            f"{name} of {where or folder} is not a UTF-8 text file; correct it there, then publish again"
        ) from error
