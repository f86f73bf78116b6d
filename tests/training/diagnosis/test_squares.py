from collections.abc import Callable
from dataclasses import replace
from io import BytesIO
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from training.data.release import PhotoSource, Release, load_release
from training.data.rows import PHOTO, LabelledRows, Row
from training.diagnosis.squares import SIDE_PX, read_squares


@pytest.fixture
def release(release_of: Callable[..., Path]) -> Release:
    plan = {("real", "train", "photo"): 2, ("real", "test", "photo"): 5}
    return load_release(str(release_of(plan)), None, side_px=16)


def png(pixels: np.ndarray) -> bytes:
    data = BytesIO()
    Image.fromarray(pixels).save(data, "PNG")
    return data.getvalue()


def test_test_photos_are_read_again_in_the_order_of_the_release(release: Release) -> None:
    squares = read_squares(release)
    assert squares.images.shape == (15, SIDE_PX, SIDE_PX, 3)
    assert squares.names == tuple(release.test.sources.tolist())
    assert squares.masks == (None,) * 15
    means = squares.images.mean(axis=(1, 2)).argmax(axis=1)  # red, green or blue
    assert [release.classes[label] for label in release.test.labels] == [
        ("red", "green", "blue")[mean] for mean in means
    ]


def test_the_mask_of_a_photo_is_cropped_like_the_photo(
    release: Release, monkeypatch: pytest.MonkeyPatch
) -> None:
    mask = np.zeros((30, 60), np.uint8)
    mask[:, 30:] = 255
    name = str(release.test.sources[3])
    row = Row(png(np.zeros((30, 60, 3), np.uint8)), "red", "real", PHOTO, name, mask=png(mask))
    monkeypatch.setattr("training.diagnosis.squares.rows_of", lambda *_: LabelledRows(("red",), [row]))
    squares = read_squares(release)
    read = squares.masks[3]
    assert read is not None
    assert read.shape == (SIDE_PX, SIDE_PX)
    assert read[:, : SIDE_PX // 2 - 16].max() == 0
    assert read[:, SIDE_PX // 2 + 16 :].min() == 255
    assert squares.masks[4] is None


@pytest.mark.parametrize("source", [None, PhotoSource(dataset="./gone", split="test")])
def test_what_cannot_be_read_again_is_enlarged(release: Release, source: PhotoSource | None) -> None:
    squares = read_squares(replace(release, test_source=source))
    assert squares.images.shape == (15, SIDE_PX, SIDE_PX, 3)
    assert squares.images[0].mean() == pytest.approx(release.test.images[0].mean(), abs=1)
