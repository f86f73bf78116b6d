"""What the Create page may ask for."""

from __future__ import annotations

import pytest

from pipeline.domain.placement import Placement
from pipeline.errors import InvalidRequest
from pipeline.services.samples.create import CreateRequest


@pytest.mark.parametrize("seed", [-1, 2**53, 2**64])
def test_a_seed_that_no_generator_takes_is_refused_with_the_range(seed: int) -> None:
    with pytest.raises(InvalidRequest, match=f"the seed is {seed}; it must lie in 0 to 9007199254740991"):
        CreateRequest(photo_id="a", placement=Placement(), prompt="gravel floor", seed=seed)
