"""All settings in one place: read once from the environment at the entry point, then passed in."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pipeline.domain.people import people_from
from pipeline.domain.review import MOST_VOTES, Rule
from pipeline.errors import InvalidRequest, StudioError, UnknownName

_PREFIX = "BACKLOT_"
_MOST_GOLD = 0.5  # gold items beyond this share leave too little to review


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """How a studio runs. Every field is read from the environment variable `BACKLOT_<FIELD>`.

    Raises:
        InvalidRequest: a value is outside its range; the message names the variable.
    """

    library: Path = Path("libraries/starter")  # the library that the app opens
    releases: Path = Path("releases")  # where the Publish page writes
    runs: Path = Path("runs")  # where trainings write
    model: str = "nano"  # checkpoint that the pages preselect
    batch_size: int = 4  # images generated together
    cutout_network: str = ""  # ONNX file of a larger network that finds objects; empty = the installed one
    reviewer: str = "me"  # name under which decisions made on this machine are stored
    people: str = ""  # who may review, e.g. "ann:lead, ben"; empty = everybody, on a Space only its owner
    overlap: int = 0  # reviewers for each sample, 1 to 9; 0 = overlap and rule as stored in the library
    gold: float = 0.0  # share of gold items (known answers) in a reviewer's queue, 0 to 0.5
    rule: str = "majority"  # majority or unanimity: how votes decide; used only where an overlap is given
    hosted: bool = False  # on a Space: visitors are strangers, names are Hugging Face accounts
    sign_in: bool = False  # visitors can sign in (`hf_oauth: true` in the Space's README.md)
    owner: str = ""  # of the Space; a lead where `people` is empty
    starter: bool = True  # fill a new, empty library with the rendered starter set
    state: str = ""  # folder or hf://datasets/ns/name with a replica of the library that outlives the machine
    roots: str = ""  # on a Space: folders that recipes may read images and models from, separated by ":"
    visitor_variants: int = 4  # images that a visitor who has not signed in may generate at once
    visitor_pictures: int = 40  # images that this visitor may generate within an hour
    visitor_total: int = 400  # images within an hour for all visitors of a Space together
    hosts: str = ""  # further host names of the studio, e.g. "studio.example.org" behind a proxy

    def __post_init__(self) -> None:
        if not 1 <= self.batch_size <= 64:
            raise InvalidRequest(f"BACKLOT_BATCH_SIZE is {self.batch_size}; it must lie in 1 to 64")
        if self.rule not in list(Rule):
            raise InvalidRequest(f"BACKLOT_RULE is '{self.rule}'; use {' or '.join(Rule)}")
        if not 0 <= self.overlap <= MOST_VOTES:
            raise InvalidRequest(f"BACKLOT_OVERLAP is {self.overlap}; it must lie in 0 to {MOST_VOTES}")
        if not 0.0 <= self.gold <= _MOST_GOLD:
            raise InvalidRequest(f"BACKLOT_GOLD is {self.gold}; it must lie in 0 to {_MOST_GOLD}")
        for name in ("visitor_variants", "visitor_pictures", "visitor_total"):
            if getattr(self, name) < 0:
                raise InvalidRequest(f"BACKLOT_{name.upper()} is {getattr(self, name)}; it must be 0 or more")
        try:
            people_from(self.people)
        except StudioError as error:
            raise InvalidRequest(f"BACKLOT_PEOPLE: {error}") from None

    @property
    def network_file(self) -> Path | None:
        """The file of the network that finds objects; None for the one that is installed."""
        return Path(self.cutout_network) if self.cutout_network else None


def settings_from(environment: Mapping[str, str] = os.environ) -> Settings:
    """Read the settings from environment variables; those that are not set keep their defaults.

    A Space sets `SPACE_ID`, `SPACE_AUTHOR_NAME` (its owner) and, where people can sign in, `OAUTH_CLIENT_ID`.

    Raises:
        InvalidRequest: a variable cannot be parsed or is outside its range.
        UnknownName: a variable that begins with `BACKLOT_` is not a setting.
    """
    variables = [f"{_PREFIX}{name.upper()}" for name in _DEFAULTS]
    for variable in sorted(environment):
        if variable.upper().startswith(_PREFIX) and variable not in variables:
            raise UnknownName("setting", variable, variables)
    values: dict[str, Any] = {}
    for name, default in _DEFAULTS.items():
        text = environment.get(f"{_PREFIX}{name.upper()}")
        if text is not None:
            values[name] = _parsed(name, text, type(default))
    if environment.get("SPACE_ID"):
        values.setdefault("hosted", True)
        values.setdefault("sign_in", "OAUTH_CLIENT_ID" in environment)
        values.setdefault("owner", environment.get("SPACE_AUTHOR_NAME", ""))
    return Settings(**values)


def _parsed(name: str, text: str, kind: type) -> object:
    if kind is bool:
        if text.lower() not in _BOOLEANS:
            raise InvalidRequest(f"BACKLOT_{name.upper()} is '{text}'; use 1 or 0")
        return _BOOLEANS[text.lower()]
    try:
        return next(known for known in (Path, int, float, str) if issubclass(kind, known))(text)
    except ValueError:
        number = "whole number" if kind is int else "number"
        raise InvalidRequest(f"BACKLOT_{name.upper()} is '{text}'; a {number} is needed") from None


_BOOLEANS = {"1": True, "true": True, "yes": True, "0": False, "false": False, "no": False}
_DEFAULTS = {name: getattr(Settings(), name) for name in Settings.__slots__}
