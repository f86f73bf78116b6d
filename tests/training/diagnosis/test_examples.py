from pathlib import Path

import numpy as np
from PIL import Image

from pipeline.domain.arms import Arm
from training.diagnosis.examples import Album, confident_errors, example_pairs
from training.diagnosis.explain import Errors
from training.diagnosis.factors import Factor
from training.diagnosis.result import FactorFinding
from training.diagnosis.squares import Squares

SIZE = np.array([1.0, 1.0, 5.0, 9.0, 9.0, 5.0])
LIGHT = np.array([0.1, 0.9, 0.5, 0.8, 0.4, 0.6])


def finding(direction: str) -> FactorFinding:
    return {"factor": "object_size", "title": "object size", "direction": direction}  # type: ignore[typeddict-item]


def errors(shares: list[float], labels: list[int] | None = None, groups: list[int] | None = None) -> Errors:
    return Errors(
        arm=Arm.REAL,
        shares=np.array(shares),
        labels=np.array(labels or [0] * len(shares)),
        groups=np.array(groups or list(range(len(shares)))),
    )


def album(out: Path, count: int) -> Album:
    images = np.full((count, 64, 64, 3), 200, np.uint8)
    names = tuple(f"photo {number}" for number in range(count))
    return Album(Squares(images=images, masks=(None,) * count, names=names), out, ("a", "b", "c"))


def test_a_pair_differs_in_the_factor_and_is_as_near_as_possible_in_the_others() -> None:
    values = {Factor.OBJECT_SIZE: SIZE, Factor.LIGHT: LIGHT}
    of_arm = errors([1.0, 1.0, 0.0, 0.0, 0.0, 0.0])
    # small and wrong: 0 (dark) and 1 (bright); large and right: 3 (bright) and 4 (middling): 1 and 3 are nearest
    assert example_pairs(finding("low"), values, of_arm) == [(1, 3)]


def test_there_is_no_pair_where_the_easy_end_is_wrong_too() -> None:
    values = {Factor.OBJECT_SIZE: SIZE, Factor.LIGHT: LIGHT}
    assert example_pairs(finding("low"), values, errors([1.0, 1.0, 0.0, 1.0, 1.0, 0.0])) == []


def test_confident_errors_come_first_and_near_duplicates_once(tmp_path: Path) -> None:
    probabilities = np.array([[0.2, 0.8, 0], [0.1, 0.9, 0], [0.9, 0.1, 0], [0.3, 0.1, 0.6]])
    of_arm = errors([1.0, 1.0, 0.0, 1.0], [0, 0, 0, 1], [7, 7, 8, 9])
    shown = confident_errors(probabilities, of_arm, album(tmp_path, 4))
    assert [
        (error["photo"], error["label"], error["predicted"], error["probability"]) for error in shown
    ] == [
        ("photo 1", "a", "b", 0.9),
        ("photo 3", "b", "c", 0.6),
    ]
    with Image.open(tmp_path / shown[0]["image"]) as image:
        assert (image.format, image.size) == ("JPEG", (176, 176))
