"""Images have the size of the model, unless the objects' pixels ask for another one."""

from __future__ import annotations

import pytest

from pipeline.domain.image_size import DrawnObjects, automatic_size
from tests.toy_photos import usable_photo


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


def test_objects_that_reach_the_border_of_their_photo_are_counted() -> None:
    boxes = [
        (10, 12, 100, 80),
        (0, 12, 100, 80),
        (10, 0, 100, 80),
        (10, 12, 120, 80),
        (10, 12, 100, 90),
        (0, 12, 120, 80),  # cropped to the object
        None,
    ]
    objects = DrawnObjects.of(
        [usable_photo(id="p", label="bolt", box=box, width=120, height=90) for box in boxes], 0.75
    )
    assert (objects.cut, len(objects.longest_px)) == (4, 6)
