import pytest

from pipeline.errors import InvalidRequest
from training.options import TrainingOptions


@pytest.mark.parametrize(
    ("fields", "sentence"),
    [
        ({"batch": 1}, "the batch size is 1; it must lie in 2 to 4096"),
        ({"image_size": 8}, "the image size is 8; it must lie in 16 to 512"),
        ({"lr": float("nan")}, "the learning rate is nan; it must lie in 1e-07 to 10"),
    ],
)
def test_a_value_outside_its_range_is_named_with_the_range(fields: dict, sentence: str) -> None:
    with pytest.raises(InvalidRequest) as refused:
        TrainingOptions(**fields)
    assert str(refused.value) == sentence


def test_the_facts_are_plain_values() -> None:
    assert TrainingOptions().facts() == {
        "network": "small",
        "steps": 300,
        "batch": 64,
        "lr": 0.002,
        "weight_decay": 0.05,
        "image_size": 64,
    }
