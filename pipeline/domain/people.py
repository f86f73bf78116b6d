"""Names and roles of the people who review."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum

from pipeline.errors import InvalidRequest, UnknownName


class Role(StrEnum):
    """What a person may do in the review; each role includes the one before."""

    READER = "reader"  # look
    REVIEWER = "reviewer"  # decide
    LEAD = "lead"  # settle disputes


def people_from(text: str) -> dict[str, Role]:
    """Read names and roles from a text such as "ann:lead, ben:reviewer, cy"; a name alone is a reviewer.

    Raises:
        InvalidRequest: an empty or repeated name.
        UnknownName: no such role.
    """
    people: dict[str, Role] = {}
    for part in filter(None, (entry.strip() for entry in text.split(","))):
        name, _, role = (piece.strip() for piece in part.partition(":"))
        if not name:
            raise InvalidRequest(f"'{part}' has no name; write name:role, e.g. ann:lead")
        if name in people:
            raise InvalidRequest(f"'{name}' is named twice; give each person one role")
        if role and role not in list(Role):
            raise UnknownName("role", role, list(Role))
        people[name] = Role(role) if role else Role.REVIEWER
    return people


def role_of(people: Mapping[str, Role], name: str, *, owner: str | None = None) -> Role:
    """Return the role of a name. Without a list of people everybody is a lead; with one, others are readers.

    Args:
        owner: owner of a Space, "" where unknown: there, without a list, only the owner is a lead. None elsewhere.
    """
    if people or owner is not None:
        return people.get(name, Role.LEAD if name and name == owner else Role.READER)
    return Role.LEAD
