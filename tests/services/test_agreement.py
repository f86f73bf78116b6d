"""Agreement of reviewers."""

from __future__ import annotations

import numpy as np
import pytest

from pipeline.services.review.agreement import by_sample, cohens_kappa, krippendorffs_alpha, pairs_of


@pytest.mark.parametrize(
    ("counts", "kappa"),
    [
        ({("a", "a"): 20, ("a", "r"): 5, ("r", "a"): 10, ("r", "r"): 15}, 0.4),  # 0.7 observed, 0.5 by chance
        ({("a", "a"): 3, ("r", "r"): 2}, 1.0),
        ({("a", "r"): 2, ("r", "a"): 2}, -1.0),
        ({("a", "a"): 4, ("a", "r"): 2}, 0.0),
        ({("a", "a"): 4}, None),
        ({}, None),
    ],
)
def test_kappa_is_agreement_beyond_chance(counts: dict[tuple[str, str], int], kappa: float | None) -> None:
    pairs = [pair for pair, number in counts.items() for _ in range(number)]
    assert cohens_kappa(pairs) == (None if kappa is None else pytest.approx(kappa))


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
