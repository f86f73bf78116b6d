"""Pace and drift of reviewers."""

from __future__ import annotations

from pipeline.domain.habits import habit


def test_pace_leaves_breaks_out_and_drift_compares_the_halves() -> None:
    times = [
        f"2026-01-01T00:{minute:02d}:{second:02d}+00:00" for minute in (0, 30) for second in range(0, 60, 2)
    ]
    steady = habit("ann", [(at, True) for at in times])
    assert (steady.decided, steady.seconds, steady.drifts) == (60, 2.0, False)
    turned = habit("ben", [(at, index < 30) for index, at in enumerate(times)])
    assert (turned.early.rate, turned.late.rate, turned.drifts) == (1.0, 0.0, True)
    assert habit("cy", []).seconds is None
