"""The roles of people in the review."""

from __future__ import annotations

from dataclasses import dataclass

from pipeline.domain.people import Role, people_from, role_of
from pipeline.errors import NotAllowed
from pipeline.settings import Settings


@dataclass(frozen=True, slots=True)
class Roles:
    """The roles that the settings assign to people."""

    settings: Settings

    def role(self, name: str) -> Role:
        """Return the role of a person in the review."""
        owner = self.settings.owner if self.settings.hosted else None
        return role_of(people_from(self.settings.people), name, owner=owner)

    def must_review(self, name: str, what: str = "decide here") -> None:
        """Refuse a person who may only look.

        Raises:
            NotAllowed: the message names `what` they may not do.
        """
        if self.role(name) is Role.READER:
            raise NotAllowed(name, what)

    def must_lead(self, name: str, what: str) -> None:
        """Refuse a person who is not a lead.

        Raises:
            NotAllowed: the message names `what` they may not do.
        """
        if self.role(name) is not Role.LEAD:
            raise NotAllowed(name, what)
