import pytest

from pipeline.errors import InvalidRequest
from training.fit.options import TrainingOptions


@pytest.mark.parametrize(
    ("fields", "sentence"),
    [
        ({"batch": 1}, "the batch size is 1; it must be between 2 and 4096"),
        ({"image_size": 8}, "the image size is 8; it must be between 16 and 512"),
        ({"lr": float("nan")}, "the learning rate is nan; it must be between 1e-07 and 10"),
    ],
)
def test_a_value_outside_its_range_is_named_with_the_range(fields: dict, sentence: str) -> None:
    with pytest.raises(InvalidRequest) as refused:
        TrainingOptions(**fields)
    assert str(refused.value) == sentence


def test_the_values_are_plain_values() -> None:
    assert TrainingOptions().values() == {
        "network": "small",
        "steps": 300,
        "batch": 64,
        "lr": 0.002,
        "weight_decay": 0.05,
        "image_size": 64,
        "augmentation": "light",
    }
