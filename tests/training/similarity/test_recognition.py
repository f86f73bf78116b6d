from __future__ import annotations

import io
from collections.abc import Callable

import numpy as np
import pytest
from PIL import Image

from training.data.rows import PHOTO, LabelledRows, Row
from training.fit.features import FeatureCache, View
from training.similarity.recognition import (
    Images,
    RecognisedMethod,
    recognised,
    recognition_findings,
    recognition_sentence,
)

COLOURS = {"bolt": (200, 20, 20), "nut": (20, 20, 200)}


class MeanColours(FeatureCache):
    """Takes the mean colour of an image for its features."""

    def features(self, images: np.ndarray, view: View) -> np.ndarray:
        """(N, 1, 3) float16."""
        return images.mean(axis=(1, 2))[:, None].astype(np.float16)


def row(method: str, label: str, number: int, *, colour: tuple[int, ...] | None = None) -> Row:
    data = io.BytesIO()
    noise = np.random.default_rng(number).integers(0, 20, 3)
    pixels = np.full((16, 16, 3), np.array(colour or COLOURS[label]) + noise, np.uint8)
    Image.fromarray(pixels).save(data, "PNG")
    origin = "real" if method == PHOTO else "synthetic"
    return Row(
        data=data.getvalue(), label=label, origin=origin, method=method, name=f"{method} {label} {number}"
    )


@pytest.fixture
def dataset(monkeypatch: pytest.MonkeyPatch) -> Callable[[list[Row], list[Row]], str]:
    """Lets a data set hold some real and synthetic rows."""

    def hold(real: list[Row], synthetic: list[Row]) -> str:
        rows = {"real": real, "synthetic": synthetic}
        monkeypatch.setattr(
            "training.similarity.recognition.rows_of",
            lambda _dataset, config, _split: LabelledRows(tuple(COLOURS), rows[config]),
        )
        monkeypatch.setattr("training.similarity.recognition.checked_weights", lambda: None)
        monkeypatch.setattr(
            "training.similarity.recognition.linked_groups", lambda vectors, _: np.arange(len(vectors))
        )
        return "toy"

    return hold


PHOTOS = [row(PHOTO, label, number) for label in COLOURS for number in range(10)]


def test_images_count_as_recognised_where_the_photos_of_their_class_are_most_like_them(
    dataset: Callable[[list[Row], list[Row]], str],
) -> None:
    good = [row("inpaint", label, number) for label in COLOURS for number in range(10)]
    wrong = [row("text_to_image", "nut", number, colour=COLOURS["bolt"]) for number in range(12)]
    one_bolt = [row("text_to_image", "bolt", 0)]  # tells nothing of its class
    findings = recognition_findings(dataset(PHOTOS, good + wrong + one_bolt), MeanColours())
    assert findings is not None
    assert findings["photos"] == 1.0
    shares = {
        of["method"]: (round(of["recognised"]["mean"], 3), of["images"], of["per_class"])
        for of in findings["methods"]
    }
    assert shares == {
        "inpaint": (1.0, 20, {"bolt": 1.0, "nut": 1.0}),
        "text_to_image": (round(1 / 13, 3), 13, {"nut": 0.0}),
    }
    assert "'nut' with text to image, 0 %" in findings["sentence"]


def test_too_few_photos_or_images_tell_nothing(dataset: Callable[[list[Row], list[Row]], str]) -> None:
    images = [row("paste", label, number) for label in COLOURS for number in range(12)]
    assert recognition_findings(dataset(PHOTOS[:10], images), MeanColours()) is None  # one class only
    others = [image._replace(label="washer") for image in images]
    assert recognition_findings(dataset(PHOTOS, others), MeanColours()) is None


def test_an_image_is_judged_without_the_photos_of_its_objects_and_their_near_duplicates() -> None:
    east, almost_east, north = (
        np.eye(3, dtype=np.float32)[0],
        np.array([0.99, 0, 0.14], np.float32),
        np.eye(3)[1],
    )
    photos = Images(
        np.array([east, almost_east, north, north], np.float32),
        ["a", "a", "a", "b"],
        [("1",), ("2",), ("3",), ("4",)],
    )

    def right(sources: tuple[str, ...]) -> list[bool]:
        return recognised(photos, Images(east[None], ["a"], [sources]), 0.9).tolist()

    assert right(()) == [True]
    assert right(("3",)) == [True]
    assert right(("1",)) == [False]  # 2 looks like 1; 3 alone is no more like it than b
    assert recognised(photos, Images(east[None], ["b"], [("4",)]), 0.9).tolist() == [False]  # no photo left


def test_the_sentence_names_the_class_that_is_recognised_least() -> None:
    methods: list[RecognisedMethod] = [
        {
            "method": "paste",
            "title": "pasted",
            "images": 20,
            "recognised": {"mean": 0.7, "low": 0.6, "high": 0.8},
            "per_class": {"bolt": 0.9, "nut": 0.5},
        }
    ]
    assert recognition_sentence(methods, 0.95) == (
        "By the real photos of other objects, 70 % of pasted are recognised as their class; of the photos themselves, "
        "95 %. The fewest: 'nut' with pasted, 50 %."
    )
    methods[0]["per_class"] = {}
    assert "fewest" not in recognition_sentence(methods, 0.95)
