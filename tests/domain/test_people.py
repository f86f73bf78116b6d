from __future__ import annotations

import pytest

from pipeline.domain.people import Role, people_from, role_of
from pipeline.errors import InvalidRequest, UnknownName


def test_names_with_and_without_a_role_are_read() -> None:
    people = people_from("ann:lead, ben : reviewer,cy, ")
    assert people == {"ann": Role.LEAD, "ben": Role.REVIEWER, "cy": Role.REVIEWER}
    assert role_of(people, "ben") is Role.REVIEWER


def test_without_a_list_everybody_leads_and_with_one_others_look() -> None:
    assert role_of({}, "anybody") is Role.LEAD
    assert role_of(people_from("ann"), "ben") is Role.READER


def test_where_strangers_come_by_only_the_owner_leads_unless_people_are_named() -> None:
    assert role_of({}, "ann", owner="ann") is Role.LEAD
    assert role_of({}, "ben", owner="ann") is Role.READER
    assert role_of({}, "", owner="") is Role.READER
    assert role_of(people_from("ben"), "ben", owner="ann") is Role.REVIEWER
    assert role_of(people_from("ann:reviewer"), "ann", owner="ann") is Role.REVIEWER


def test_what_does_not_parse_is_named_with_the_mend() -> None:
    with pytest.raises(InvalidRequest, match="':lead' has no name"):
        people_from(":lead")
    with pytest.raises(InvalidRequest, match="'ann' is named twice"):
        people_from("ann, ann:lead")
    with pytest.raises(UnknownName, match="no role 'leader'; did you mean 'reader'"):
        people_from("ann:leader")
