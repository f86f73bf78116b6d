"""A mask means the same object, however a tool wrote it."""

from __future__ import annotations

from io import BytesIO

import numpy as np
import pytest
from PIL import Image, ImageDraw, ImageFilter

from pipeline.domain.given_masks import COVERS_ALL, INVERTED, load_given_mask, mask_of_alpha

SIZE = (60, 48)  # width, height
INSIDE = np.zeros((48, 60), bool)
INSIDE[12:36, 15:45] = True
RED_AND_GREEN = [0, 0, 0, 128, 0, 0, 0, 128, 0]


def encoded(image: Image.Image, kind: str = "PNG", **options: object) -> bytes:
    file = BytesIO()
    image.save(file, kind, **options)
    return file.getvalue()


def numbers(inside: int, around: int = 0, kind: type = np.uint8) -> Image.Image:
    return Image.fromarray(np.where(INSIDE, inside, around).astype(kind))


def palette(number: int, colours: list[int]) -> Image.Image:
    image = numbers(number).copy()
    image.putpalette(colours + [0] * (768 - len(colours)))
    return image


def painted(inside: tuple[int, int, int], around: tuple[int, int, int] = (0, 0, 0)) -> Image.Image:
    return Image.fromarray(np.where(INSIDE[..., None], inside, around).astype(np.uint8))


def cut(alpha: np.ndarray) -> Image.Image:
    image = Image.new("RGBA", SIZE, (9, 8, 7, 255))
    image.putalpha(Image.fromarray(alpha.astype(np.uint8)))
    return image


@pytest.mark.parametrize(
    "image",
    [
        numbers(255),
        numbers(1),
        numbers(7),
        numbers(1, 2),  # 1 = object, 2 = background, as the Oxford pets have it
        numbers(1, kind=np.uint16),
        numbers(65535, kind=np.uint16),
        numbers(1).convert("L").point(lambda value: value * 255).convert("1"),
        palette(1, RED_AND_GREEN),
        palette(2, RED_AND_GREEN),
        palette(3, []),  # all of its colours are black
        palette(1, [0, 0, 0, 255, 255, 255]),
        painted((0, 255, 0)),
        painted((90, 200, 30)),
        painted((128, 0, 0)),
        painted((200, 30, 10), (255, 255, 255)),
        cut(INSIDE * 255),
    ],
)
def test_every_way_to_mark_an_object_gives_the_same_mask(image: Image.Image) -> None:
    given = load_given_mask(encoded(image), "mask.png")
    assert (given.alpha == INSIDE * 255).all()
    assert given.doubt == ""


def test_the_unsure_rim_of_a_class_mask_is_not_the_object() -> None:
    labels = np.where(INSIDE, 2, 0).astype(np.uint8)
    labels[11, 15:45] = 255
    assert (load_given_mask(encoded(Image.fromarray(labels)), "m.png").alpha == INSIDE * 255).all()
    rim = np.asarray(painted((0, 128, 0))).copy()
    rim[11, 15:45] = (224, 224, 192)
    assert (load_given_mask(encoded(Image.fromarray(rim)), "m.png").alpha == INSIDE * 255).all()


def test_several_classes_in_one_mask_are_all_object() -> None:
    labels = np.where(INSIDE, 38, 0).astype(np.uint8)
    labels[12:36, 30:45] = 75
    assert (load_given_mask(encoded(Image.fromarray(labels)), "m.png").alpha == INSIDE * 255).all()


def test_a_soft_mask_stays_soft_and_one_that_is_too_dark_is_stretched() -> None:
    soft = numbers(255).filter(ImageFilter.GaussianBlur(3))
    assert (load_given_mask(encoded(soft), "m.png").alpha == np.asarray(soft)).all()
    dark = soft.point(lambda value: value * 200 // 255)
    stretched = load_given_mask(encoded(dark), "m.png").alpha
    assert stretched.max() == 255
    assert np.abs(stretched.astype(int) - np.asarray(soft)).max() <= 3


def test_a_soft_mask_in_a_colour_stays_soft() -> None:
    soft = np.asarray(numbers(255).filter(ImageFilter.GaussianBlur(2)))
    coloured = np.stack([soft // 3, soft, soft // 2], axis=2)
    got = load_given_mask(encoded(Image.fromarray(coloured)), "m.png").alpha
    assert np.abs(got.astype(int) - soft).max() <= 3


def test_the_noise_of_jpeg_is_no_object() -> None:
    got = load_given_mask(encoded(numbers(255), "JPEG", quality=60), "m.jpg").alpha
    assert ((got > 127) == INSIDE).mean() > 0.99
    assert set(np.unique(got[:4])) == {0}
    coloured = load_given_mask(encoded(painted((0, 255, 0)), "JPEG", quality=90), "m.jpg").alpha
    assert ((coloured > 127) == INSIDE).mean() > 0.97


def test_a_mask_of_the_surroundings_is_inverted_and_doubted() -> None:
    for image in (numbers(0, 255), numbers(0, 1), cut(~INSIDE * 255)):
        given = load_given_mask(encoded(image), "m.png")
        assert (given.alpha == INSIDE * 255).all()
        assert given.doubt == INVERTED


def test_a_mask_of_everything_is_doubted_and_an_empty_one_stays_empty() -> None:
    assert load_given_mask(encoded(Image.new("L", SIZE, 255)), "m.png").doubt == COVERS_ALL
    assert not load_given_mask(encoded(Image.new("L", SIZE, 0)), "m.png").alpha.any()


def test_a_large_mask_is_read_before_it_is_reduced() -> None:
    labels = Image.fromarray(np.where(INSIDE, 38, 0).astype(np.uint8)).resize(
        (600, 480), Image.Resampling.NEAREST
    )
    got = load_given_mask(encoded(labels), "m.png", max_side_px=60).alpha
    assert (got == INSIDE * 255).all()


def test_an_alpha_counts_as_mask_where_it_hides_more_than_corners() -> None:
    alpha = (INSIDE * 255).astype(np.uint8)
    given = mask_of_alpha(alpha)
    assert given is not None
    assert (given.alpha == alpha).all()
    corners = Image.new("L", (320, 240), 0)
    ImageDraw.Draw(corners).rounded_rectangle([0, 0, 319, 239], 40, fill=255)
    assert mask_of_alpha(np.asarray(corners)) is None
    assert mask_of_alpha(np.full((48, 60), 254, np.uint8)) is None
    assert mask_of_alpha(None) is None
