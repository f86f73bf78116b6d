import cv2
import numpy as np

from pipeline.sources import open_source
from pipeline.sources.starter_set import StarterSource
from pipeline.starter import subjects


def test_the_starter_set_is_a_source_of_known_length() -> None:
    opened = open_source("starter")
    first = next(opened.items())
    assert opened.count == 120
    assert "rendered" in opened.note
    assert first.mask is not None
    assert (first.label, first.name) == ("bolt", "bolt/bolt-01.png")


def test_the_field_set_brings_its_masks() -> None:
    opened = open_source("starter:field")
    assert opened.count == 100
    assert next(opened.items()).mask is not None


def test_items_decode_to_the_rendered_pixels() -> None:
    part = next(subjects())
    item = next(StarterSource(subjects, 1, "").items())
    decoded = cv2.imdecode(np.frombuffer(item.data, np.uint8), cv2.IMREAD_COLOR)
    assert np.array_equal(decoded[..., ::-1], part.rgb)
    assert item.mask is not None
    assert np.array_equal(cv2.imdecode(np.frombuffer(item.mask, np.uint8), cv2.IMREAD_GRAYSCALE), part.mask)
