"""Agreement, pace and drift of reviewers."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import cohen_kappa_score

from pipeline.domain.agreement import by_sample, cohens_kappa, habit, krippendorffs_alpha, pairs_of

VERDICTS = st.sampled_from(["accept", "reject"])


@given(st.lists(st.tuples(VERDICTS, VERDICTS), min_size=2, max_size=40))
def test_kappa_is_that_of_scikit_learn(pairs: list[tuple[str, str]]) -> None:
    ours = cohens_kappa(pairs)
    first, second = zip(*pairs, strict=True)
    if len({*first, *second}) == 1:
        assert ours is None
    else:
        assert ours == pytest.approx(cohen_kappa_score(first, second))


def test_alpha_is_that_of_krippendorffs_example() -> None:
    # Krippendorff (2011), "Computing Krippendorff's Alpha-Reliability", example C: nominal data with gaps, 0.743
    rows = {
        "A": [1, 2, 3, 3, 2, 1, 4, 1, 2, None, None, None],
        "B": [1, 2, 3, 3, 2, 2, 4, 1, 2, 5, None, 3],
        "C": [None, 3, 3, 3, 2, 3, 4, 2, 2, 5, 1, None],
        "D": [1, 2, 3, 3, 2, 4, 4, 1, 2, 5, 1, None],
    }
    votes = by_sample(
        (str(unit), name, str(value))
        for name, values in rows.items()
        for unit, value in enumerate(values)
        if value is not None
    )
    assert krippendorffs_alpha(votes) == pytest.approx(0.743, abs=5e-4)


def test_alpha_is_one_for_agreement_about_nought_for_chance_and_nothing_without_two_votes() -> None:
    agreed = {str(unit): {"ann": verdict, "ben": verdict} for unit, verdict in enumerate("arar")}
    assert krippendorffs_alpha(agreed) == 1
    rng = np.random.default_rng(0)
    random = {str(unit): {name: str(rng.integers(2)) for name in "abc"} for unit in range(2000)}
    assert krippendorffs_alpha(random) == pytest.approx(0, abs=0.04)
    assert krippendorffs_alpha({"1": {"ann": "a"}}) is None
    assert krippendorffs_alpha({"1": {"ann": "a", "ben": "a"}}) is None


def test_pairs_count_what_both_saw() -> None:
    votes = {"1": {"ann": "a", "ben": "a"}, "2": {"ben": "r", "ann": "a"}, "3": {"cy": "a", "ben": "a"}}
    first, second = pairs_of(votes)
    assert (first.first, first.second, first.shared, first.agreed) == ("ann", "ben", 2, 1)
    assert (second.first, second.second, second.shared, second.kappa) == ("ben", "cy", 1, None)


def test_pace_leaves_breaks_out_and_drift_compares_the_halves() -> None:
    times = [
        f"2026-01-01T00:{minute:02d}:{second:02d}+00:00" for minute in (0, 30) for second in range(0, 60, 2)
    ]
    steady = habit("ann", [(at, True) for at in times])
    assert (steady.decided, steady.seconds, steady.drifts) == (60, 2.0, False)
    turned = habit("ben", [(at, index < 30) for index, at in enumerate(times)])
    assert (turned.early.rate, turned.late.rate, turned.drifts) == (1.0, 0.0, True)
    assert habit("cy", []).seconds is None
