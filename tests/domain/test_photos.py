"""Photographs of every common kind come in as 8-bit RGB; what is no photograph is named with the reason."""

from __future__ import annotations

from io import BytesIO

import numpy as np
import pytest
from PIL import Image

from pipeline.domain import photos
from pipeline.domain.photos import load_photo
from pipeline.errors import UnreadableImage

SIZE = (48, 40)  # width, height


def encoded(picture: Image.Image, kind: str = "PNG", **options: object) -> bytes:
    file = BytesIO()
    picture.save(file, kind, **options)
    return file.getvalue()


def test_a_turned_photograph_is_set_upright() -> None:
    picture = Image.new("RGB", SIZE)
    picture.paste((255, 0, 0), (0, 0, 24, 40))
    exif = Image.Exif()
    exif[0x0112] = 6  # to be turned by 90 degrees clockwise
    photo = load_photo(encoded(picture, "PNG", exif=exif), "turned.png")
    assert photo.rgb.shape == (48, 40, 3)
    assert photo.rgb[0, 0].tolist() == [255, 0, 0]
    assert photo.rgb[-1, 0].tolist() == [0, 0, 0]


@pytest.mark.parametrize(
    ("picture", "colour"),
    [
        (Image.new("L", SIZE, 77), [77, 77, 77]),
        (Image.new("1", SIZE, 1), [255, 255, 255]),
        (Image.new("RGB", SIZE, (1, 2, 3)), [1, 2, 3]),
        (Image.new("I;16", SIZE, 0x8080), [128, 128, 128]),
        (Image.new("RGB", SIZE, (200, 10, 10)).convert("P", palette=Image.Palette.ADAPTIVE), [200, 10, 10]),
    ],
    ids=["grey", "bilevel", "colour", "16 bit", "palette"],
)
def test_every_kind_becomes_8_bit_rgb(picture: Image.Image, colour: list[int]) -> None:
    photo = load_photo(encoded(picture), "photo.png")
    assert photo.rgb.dtype == np.uint8
    assert photo.rgb.shape == (40, 48, 3)
    assert photo.rgb[5, 5].tolist() == colour
    assert photo.alpha is None


def test_cmyk_is_converted() -> None:
    photo = load_photo(encoded(Image.new("CMYK", SIZE, (0, 255, 255, 0)), "JPEG", quality=100), "print.jpg")
    assert np.abs(photo.rgb[20, 20].astype(int) - [255, 0, 0]).max() < 12


def test_a_transparent_picture_gives_its_alpha_as_mask() -> None:
    picture = Image.new("RGBA", SIZE, (9, 8, 7, 255))
    picture.putpixel((3, 2), (9, 8, 7, 0))
    photo = load_photo(encoded(picture), "cut.png")
    assert photo.alpha is not None
    assert photo.alpha[2, 3] == 0
    assert photo.alpha.sum() == 255 * (48 * 40 - 1)


def test_an_alpha_that_hides_nothing_is_no_mask() -> None:
    assert load_photo(encoded(Image.new("RGBA", SIZE, (9, 8, 7, 255))), "solid.png").alpha is None


def test_of_an_animation_the_first_frame_counts() -> None:
    frames = [Image.new("RGB", SIZE, colour) for colour in ((10, 20, 30), (90, 90, 90))]
    data = encoded(frames[0], "WEBP", save_all=True, append_images=frames[1:], lossless=True)
    assert load_photo(data, "moving.webp").rgb[0, 0].tolist() == [10, 20, 30]


def test_a_large_photograph_is_brought_to_the_largest_side() -> None:
    assert load_photo(encoded(Image.new("RGB", (400, 100))), "wide.png", max_side_px=200).rgb.shape == (
        50,
        200,
        3,
    )


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"", "the file is empty"),
        (b"not a picture at all", "it is no picture"),
        (encoded(Image.new("RGB", (31, 40))), "it is 31x40 px; at least 32 on each side are needed"),
    ],
)
def test_what_is_no_photograph_is_named_with_the_reason(data: bytes, reason: str) -> None:
    with pytest.raises(UnreadableImage) as refused:
        load_photo(data, "a.jpg")
    assert str(refused.value) == f"a.jpg: {reason}"


def test_a_file_that_is_cut_short_is_refused() -> None:
    noise = np.random.default_rng(0).integers(0, 256, (64, 64, 3), np.uint8)
    data = encoded(Image.fromarray(noise), "JPEG")
    with pytest.raises(UnreadableImage, match=r"half\.jpg: it is broken or cut short"):
        load_photo(data[: len(data) // 2], "half.jpg")


def test_a_decompression_bomb_is_refused_by_its_header(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(photos, "MAX_PIXELS", 1000)
    with pytest.raises(UnreadableImage, match=r"bomb\.png: it holds .* megapixels; at most 100 are read"):
        load_photo(encoded(Image.new("RGB", SIZE)), "bomb.png")
