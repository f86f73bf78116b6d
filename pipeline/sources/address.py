"""Addresses of datasets on the Hub: the dataset, its revision, and the configuration, split and columns to read."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from urllib.parse import parse_qs, quote, unquote, urlencode

from pipeline.errors import SourceRefused, UnknownName
from pipeline.sources.columns import ColumnMap

PREFIX = "hf://datasets/"
Token = str | bool | None  # None: HF_TOKEN or the saved sign-in; False: no token
_KEYS = ("config", "image", "label", "mask", "revision", "split")
_MOST_COMPONENTS = 2  # owner/name
_SPECIAL = "refs/"  # the one kind of revision whose slashes the Hub takes unquoted


@dataclass(frozen=True, slots=True, kw_only=True)
class HubAddress:
    """`hf://datasets/owner/name@revision?config=…&split=…&image=…&label=…&mask=…`; only the name is required."""

    repository: str
    revision: str | None = None  # a tag, a branch or a commit
    config: str | None = None
    split: str | None = None
    columns: ColumnMap = field(default_factory=ColumnMap)

    @property
    def whole(self) -> bool:
        """Whether the address names no configuration, split or columns."""
        return self.config is None and self.split is None and self.columns == ColumnMap()

    @property
    def name(self) -> str:
        """The short name: owner/name@revision."""
        return self.repository + (f"@{self.revision}" if self.revision else "")

    def at(self, commit: str) -> str:
        """Return the address with a commit, which never moves, instead of the revision."""
        asked = {"config": self.config, "split": self.split}
        query = urlencode({key: value for key, value in asked.items() if value})
        return f"{PREFIX}{self.repository}@{quote(commit, safe='')}" + (f"?{query}" if query else "")


def hub_address(source: str) -> HubAddress:
    """Parse an address.

    Raises:
        SourceRefused: it is not the address of a dataset, or names two revisions.
        UnknownName: it has an unknown query key.
    """
    path, _, query = source.removeprefix(PREFIX).partition("?")
    repository, _, revision = path.strip("/").partition("@")
    components = repository.split("/")
    if not source.startswith(PREFIX) or len(components) > _MOST_COMPONENTS or not all(components):
        raise SourceRefused(f"'{source}' is not the address of a dataset; write hf://datasets/owner/name")
    asked = parse_qs(query)
    for key in asked:
        if key not in _KEYS:
            raise UnknownName("query key of a dataset address", key, _KEYS)
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
            f"'{source}' names a file or a folder; name the whole dataset "
            "(write a slash in a revision as %2F)"
        )
    named = unquote(in_path) or None
    asked = given.get("revision")
    if named and asked and named != asked:
        raise SourceRefused(f"'{source}' names two revisions, '{named}' and '{asked}'; keep one")
    return named or asked
