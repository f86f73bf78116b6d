"""Pace and drift of reviewers."""

from __future__ import annotations

from pipeline.domain.habits import habit, review_seconds


def test_pace_leaves_breaks_out_and_drift_compares_the_halves() -> None:
    times = [
        f"2026-01-01T00:{minute:02d}:{second:02d}+00:00" for minute in (0, 30) for second in range(0, 60, 2)
    ]
    steady = habit("ann", [(at, True) for at in times])
    assert (steady.decided, steady.seconds, steady.drifts) == (60, 2.0, False)
    turned = habit("ben", [(at, index < 30) for index, at in enumerate(times)])
    assert (turned.early.rate, turned.late.rate, turned.drifts) == (1.0, 0.0, True)
    assert habit("cy", []).seconds is None


def test_the_time_between_two_decisions_of_a_person_belongs_to_the_later_one_and_breaks_count_for_nothing() -> (
    None
):
    events = [
        ("ann", "2026-01-01T00:00:00+00:00", "inpaint"),  # before the first nothing is known
        ("ben", "2026-01-01T00:00:01+00:00", "inpaint"),
        ("ann", "2026-01-01T00:00:04+00:00", "inpaint"),
        ("ann", "2026-01-01T00:00:10+00:00", "paste"),
        ("ann", "2026-01-01T00:20:00+00:00", "paste"),  # after a break
        ("ann", "2026-01-01T00:20:03+00:00", "paste"),
        ("ben", "2026-01-01T00:20:00+00:00", "controlnet"),  # after a break, and no other
    ]
    assert review_seconds(events) == {"inpaint": 4.0, "paste": 9.0}
    assert review_seconds([]) == {}
