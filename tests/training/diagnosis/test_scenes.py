import numpy as np
import pytest

from training.diagnosis.scenes import (
    SceneObject,
    in_front_of,
    moved,
    object_box,
    plain_background,
    scene_object,
)

SIDE = 64


def red_on_grey(*, top: int = 20, left: int = 10, height: int = 16, width: int = 32) -> SceneObject:
    """A red rectangle on plain grey."""
    rgb, alpha = np.full((SIDE, SIDE, 3), 90, np.uint8), np.zeros((SIDE, SIDE), np.uint8)
    place = slice(top, top + height), slice(left, left + width)
    rgb[place], alpha[place] = (200, 0, 0), 255
    return scene_object(rgb, alpha, label=1)


def red_box(image: np.ndarray) -> tuple[int, int, int, int]:
    return object_box((image[..., 0] > 150).astype(np.uint8))


def test_the_background_of_a_plain_photo_is_plain_where_the_object_was() -> None:
    item = red_on_grey()
    assert (item.background == 90).all()
    assert (item.plain == 90).all()
    assert item.hole.sum() == (16 + 6) * (32 + 6)  # 3 px on each side


def test_the_colours_of_the_object_do_not_run_into_the_blurred_background() -> None:
    rgb, hole = np.full((SIDE, SIDE, 3), 40, np.uint8), np.zeros((SIDE, SIDE), bool)
    rgb[:, 30:40], hole[:, 30:40] = 255, True
    assert (plain_background(rgb, hole) == 40).all()


def test_an_object_keeps_its_place_and_its_pixels_on_another_background() -> None:
    image = in_front_of(red_on_grey(), np.full((SIDE, SIDE, 3), 7, np.uint8))
    assert red_box(image) == (10, 20, 42, 36)
    assert (image[20:36, 10:42] == (200, 0, 0)).all()
    assert (image[:20] == 7).all()


def test_half_an_alpha_blends_half_of_each() -> None:
    item = red_on_grey()
    soft = SceneObject(
        label=1, colours=item.colours / 2, alpha=item.alpha / 2, background=item.background, plain=item.plain,
        hole=item.hole,
    )  # fmt: skip
    assert in_front_of(soft, np.full((SIDE, SIDE, 3), 100, np.uint8))[25, 20].tolist() == [150, 50, 50]


@pytest.mark.parametrize(
    ("at", "box"),
    [
        ((0.5, 0.5), (16, 24, 48, 40)),
        ((0.0, 0.0), (0, 0, 32, 16)),
        ((1.0, 1.0), (32, 48, 64, 64)),
    ],
)
def test_an_object_is_moved_whole(at: tuple[float, float], box: tuple[int, int, int, int]) -> None:
    assert red_box(moved(red_on_grey(), side_share=0.5, at=at)) == box


def test_the_size_is_a_share_of_the_image() -> None:
    x0, y0, x1, y1 = red_box(moved(red_on_grey(), side_share=0.25, at=(0.5, 0.5)))
    assert (x1 - x0, y1 - y0) == (16, 8)
