from __future__ import annotations

from types import SimpleNamespace

import pytest

from pipeline.errors import InvalidRequest
from ui.components.session_store import SessionStore, session_of


def store(*, per_session: int = 2, most_bytes: int = 6) -> SessionStore[bytes]:
    return SessionStore(per_session=per_session, most_bytes=most_bytes, size_of=len)


def test_a_session_reads_only_what_is_its_own() -> None:
    items = store()
    items.put("ann", "a", b"1")
    assert items.get("ann", "a") == b"1"
    assert items.get("ben", "a") is None


def test_new_items_of_a_session_replace_its_own_oldest_and_nobody_elses() -> None:
    items = store(per_session=2)
    items.put("ann", "a", b"1")
    for number in range(50):
        items.put("ben", str(number), b"2")
    assert items.get("ann", "a") == b"1"
    assert [number for number in range(50) if items.get("ben", str(number))] == [48, 49]


def test_an_item_that_is_put_again_counts_once_and_as_the_newest() -> None:
    items = store(per_session=2, most_bytes=4)
    for item_id in ("a", "b", "a", "c"):
        items.put("ann", item_id, b"12")
    assert [item_id for item_id in "abc" if items.get("ann", item_id)] == ["a", "c"]


def test_beyond_the_limit_of_all_the_session_that_is_idle_for_longest_is_emptied() -> None:
    items = store(most_bytes=6)
    items.put("ann", "a", b"12")
    items.put("ben", "b", b"12")
    assert items.get("ann", "a") is not None  # ann is active again
    items.put("cy", "c", b"1234")
    assert items.get("ben", "b") is None
    assert (items.get("ann", "a"), items.get("cy", "c")) == (b"12", b"1234")


def test_a_session_alone_keeps_its_items_however_large_they_are() -> None:
    items = store(per_session=2, most_bytes=1)
    items.put("ann", "a", b"123")
    items.put("ann", "b", b"123")
    assert items.get("ann", "a") == b"123"


def test_what_was_removed_frees_its_room() -> None:
    items = store(most_bytes=4)
    items.put("ann", "a", b"1234")
    items.remove("ann", "a")
    items.put("ben", "b", b"12")
    items.put("cy", "c", b"12")
    items.forget("cy")
    items.put("dee", "d", b"12")
    assert items.get("ben", "b") == b"12"
    assert items.get("cy", "c") is None


def test_a_request_without_a_session_is_refused() -> None:
    assert session_of(SimpleNamespace(session_hash="s1")) == "s1"  # type: ignore[arg-type]
    for request in (None, SimpleNamespace(session_hash=None)):
        with pytest.raises(InvalidRequest, match="the request belongs to no session"):
            session_of(request)  # type: ignore[arg-type]
