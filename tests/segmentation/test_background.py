import numpy as np

from pipeline.segmentation.background import fitted_background


def sloping(side: int = 96) -> np.ndarray:
    """Warm grey, twice as bright at the top left as at the bottom right."""
    y, x = np.mgrid[:side, :side] / side
    return (np.array((220, 210, 190)) * (1 - 0.5 * (x + y) / 2)[..., None]).astype(np.uint8)


def test_smooth_light_over_a_plain_background_is_all_explained() -> None:
    background = fitted_background(sloping())
    assert np.abs(background.light).max() < 0.03
    assert np.abs(background.colour).max() < 0.02
    assert background.border_share == 1.0
    assert background.known.all()


def test_a_shadow_departs_in_light_and_not_in_colour() -> None:
    photo = sloping()
    photo[40:60, 40:60] = photo[40:60, 40:60] * 0.5
    background = fitted_background(photo)
    assert -0.75 < background.light[50, 50] < -0.55  # log(0.5) is -0.69
    assert np.abs(background.colour[50, 50]).max() < 0.03


def test_a_coloured_object_departs_in_colour() -> None:
    photo = sloping()
    photo[40:60, 40:60] = (180, 40, 40)
    background = fitted_background(photo)
    assert background.colour[50, 50, 0] > 0.5
    assert not background.known[50, 50]


def test_an_object_over_a_third_of_the_border_does_not_bend_the_model() -> None:
    photo = sloping()
    photo[:, :30] = (30, 90, 160)
    background = fitted_background(photo)
    assert np.abs(background.light[:, 60:]).max() < 0.05
    assert 0.4 < background.border_share < 0.75
