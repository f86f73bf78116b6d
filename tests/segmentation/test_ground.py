import numpy as np

from pipeline.segmentation.background import fitted_ground


def sloping(side: int = 96) -> np.ndarray:
    """Warm grey, twice as bright at the top left as at the bottom right."""
    y, x = np.mgrid[:side, :side] / side
    return (np.array((220, 210, 190)) * (1 - 0.5 * (x + y) / 2)[..., None]).astype(np.uint8)


def test_smooth_light_over_a_plain_ground_is_all_explained() -> None:
    ground = fitted_ground(sloping())
    assert np.abs(ground.light).max() < 0.03
    assert np.abs(ground.colour).max() < 0.02
    assert ground.border_share == 1.0
    assert ground.known.all()


def test_a_shadow_departs_in_light_and_not_in_colour() -> None:
    photo = sloping()
    photo[40:60, 40:60] = photo[40:60, 40:60] * 0.5
    ground = fitted_ground(photo)
    assert -0.75 < ground.light[50, 50] < -0.55  # log(0.5) is -0.69
    assert np.abs(ground.colour[50, 50]).max() < 0.03


def test_a_coloured_object_departs_in_colour() -> None:
    photo = sloping()
    photo[40:60, 40:60] = (180, 40, 40)
    ground = fitted_ground(photo)
    assert ground.colour[50, 50, 0] > 0.5
    assert not ground.known[50, 50]


def test_an_object_over_a_third_of_the_border_does_not_bend_the_model() -> None:
    photo = sloping()
    photo[:, :30] = (30, 90, 160)
    ground = fitted_ground(photo)
    assert np.abs(ground.light[:, 60:]).max() < 0.05
    assert 0.4 < ground.border_share < 0.75
