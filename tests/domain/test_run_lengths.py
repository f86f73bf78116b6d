from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from pipeline.domain.run_lengths import mask_of_runs, run_lengths
from pipeline.errors import InvalidRequest


def test_runs_alternate_from_background_row_by_row() -> None:
    mask = np.array([[0, 200, 128, 127], [0, 0, 0, 0], [255, 0, 0, 0]], np.uint8)
    assert run_lengths(mask) == [1, 2, 5, 1, 3]
    assert run_lengths(np.zeros((3, 4), np.uint8)) == [12]
    assert run_lengths(np.full((3, 4), 255, np.uint8)) == [0, 12]


@given(arrays(np.uint8, st.tuples(st.integers(1, 9), st.integers(1, 9)), elements=st.sampled_from([0, 255])))
def test_a_mask_survives_the_way_to_the_browser_and_back(mask: np.ndarray) -> None:
    assert np.array_equal(mask_of_runs(run_lengths(mask), (mask.shape[0], mask.shape[1])), mask)


@pytest.mark.parametrize(
    "runs", [[], [11], [13], [-1, 13], [1.0, 11], [True, 11], ["12"], [10**30], [[12]], [0] * 99]
)
def test_run_lengths_of_another_mask_are_refused(runs: list[object]) -> None:
    with pytest.raises(InvalidRequest, match="the mask does not fit the photo"):
        mask_of_runs(runs, (3, 4))
