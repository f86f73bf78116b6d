"""What an hf:// address asks for: a data set, its version, and the part of it that is wanted."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from urllib.parse import parse_qs, quote, unquote, urlencode

from pipeline.errors import SourceRefused, UnknownName
from pipeline.sources.columns import ColumnMap

PREFIX = "hf://datasets/"
Token = str | bool | None  # of who asks; None: HF_TOKEN or the saved sign-in, False: nobody's
_KEYS = ("config", "image", "label", "mask", "revision", "split")
_MOST_PARTS = 2  # owner/name
_SPECIAL = "refs/"  # the one kind of revision whose slashes the Hub takes unquoted


@dataclass(frozen=True, slots=True, kw_only=True)
class HubAddress:
    """`hf://datasets/owner/name@revision?config=…&split=…&image=…&label=…&mask=…`; all but the name may be missing."""

    repository: str
    revision: str | None = None  # a tag, a branch or a commit
    config: str | None = None
    split: str | None = None
    columns: ColumnMap = field(default_factory=ColumnMap)

    @property
    def whole(self) -> bool:
        """Whether it asks for the data set as it is, not for a part of it or for columns by name."""
        return self.config is None and self.split is None and self.columns == ColumnMap()

    @property
    def name(self) -> str:
        """How a person calls it: owner/name@revision."""
        return self.repository + (f"@{self.revision}" if self.revision else "")

    def at(self, commit: str) -> str:
        """The address of what was read: with the commit instead of a name that may move."""
        asked = {"config": self.config, "split": self.split}
        query = urlencode({key: value for key, value in asked.items() if value})
        return f"{PREFIX}{self.repository}@{quote(commit, safe='')}" + (f"?{query}" if query else "")


def hub_address(source: str) -> HubAddress:
    """The parts of an address.

    Raises:
        SourceRefused: it is no such address, or names two revisions.
        UnknownName: it asks for something that there is not.
    """
    path, _, query = source.removeprefix(PREFIX).partition("?")
    repository, _, revision = path.strip("/").partition("@")
    parts = repository.split("/")
    if not source.startswith(PREFIX) or len(parts) > _MOST_PARTS or not all(parts):
        raise SourceRefused(f"'{source}' is no data set address; it looks like hf://datasets/owner/name")
    asked = parse_qs(query)
    for key in asked:
        if key not in _KEYS:
            raise UnknownName("part of a data set address", key, _KEYS)
    given = {key: values[-1] for key, values in asked.items()}
    return HubAddress(
        repository=repository,
        revision=_revision(source, revision, given),
        config=given.get("config"),
        split=given.get("split"),
        columns=ColumnMap(image=given.get("image"), label=given.get("label"), mask=given.get("mask")),
    )


def _revision(source: str, in_path: str, given: Mapping[str, str]) -> str | None:
    if "/" in in_path and not in_path.startswith(_SPECIAL):
        raise SourceRefused(
            f"'{source}' names a file or a folder; a data set as a whole is needed "
            "(a slash in a revision is written %2F)"
        )
    named = unquote(in_path) or None
    asked = given.get("revision")
    if named and asked and named != asked:
        raise SourceRefused(f"'{source}' names two revisions, '{named}' and '{asked}'; keep one")
    return named or asked
