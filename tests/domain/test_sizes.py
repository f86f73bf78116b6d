from __future__ import annotations

import pytest

from pipeline.domain.sizes import file_size


@pytest.mark.parametrize(
    ("size", "said"),
    [
        (0, "0 B"),
        (999, "999 B"),
        (1_000, "1 kB"),
        (34_200, "34 kB"),
        (1_240_000, "1.2 MB"),
        (3_400_000_000, "3.4 GB"),
    ],
)
def test_sizes_are_said_in_the_unit_that_fits(size: int, said: str) -> None:
    assert file_size(size) == said
