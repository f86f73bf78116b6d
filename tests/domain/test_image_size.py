"""Images have the size of the model, unless the objects' pixels ask for another one."""

from __future__ import annotations

import pytest

from pipeline.domain.image_size import DrawnObjects, automatic_size


@pytest.mark.parametrize(
    ("longest_px", "own", "size"),
    [
        ([100] * 10, 128, 128),
        ([40] * 10, 128, 128),  # nano draws no smaller images
        ([200] * 10, 128, 128),  # a few more pixels are no reason
        ([383] * 10, 128, 128),
        ([384] * 10, 128, 256),
        ([767] * 10, 128, 256),
        ([768] * 10, 128, 512),
        ([4_000] * 10, 128, 512),
        ([4_000] * 5 + [100] * 6, 128, 128),  # not where half of them are small
        ([4_000] * 9 + [100] * 2, 128, 128),  # nor where more than a tenth would be enlarged
        ([4_000] * 10 + [100], 128, 512),
        ([800] * 10, 1024, 1024),
        ([600] * 10, 1024, 832),
        ([100] * 10, 1024, 512),
        ([], 1024, 1024),
    ],
)
def test_the_size_follows_from_the_pixels_of_the_objects(longest_px: list[int], own: int, size: int) -> None:
    assert automatic_size(own, DrawnObjects(longest_px, scale=0.75)) == size
