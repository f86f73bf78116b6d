from __future__ import annotations

import io
from collections.abc import Callable

import numpy as np
import pytest
from PIL import Image

from training.data.rows import PHOTO, LabelledRows, Row
from training.fit.features import FeatureCache, View
from training.similarity.recognition import (
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
    return Row(data=data.getvalue(), label=label, origin=origin, method=method, name=f"{method}-{number}")


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
        return "toy"

    return hold


PHOTOS = [row(PHOTO, label, number) for label in COLOURS for number in range(10)]


def test_images_count_as_recognised_where_the_classifier_of_the_photos_names_their_class(
    dataset: Callable[[list[Row], list[Row]], str],
) -> None:
    good = [row("inpaint", label, number) for label in COLOURS for number in range(10)]
    wrong = [row("text_to_image", "nut", number, colour=COLOURS["bolt"]) for number in range(12)]
    findings = recognition_findings(dataset(PHOTOS, good + wrong), MeanColours())
    assert findings is not None
    assert findings["photos"] == 1.0
    shares = {
        of["method"]: (of["recognised"]["mean"], of["images"], of["per_class"]) for of in findings["methods"]
    }
    assert shares == {
        "inpaint": (1.0, 20, {"bolt": 1.0, "nut": 1.0}),
        "text_to_image": (0.0, 12, {"nut": 0.0}),
    }
    assert "'nut' with text to image, 0 %" in findings["sentence"]


def test_images_of_a_class_without_photos_are_left_out(
    dataset: Callable[[list[Row], list[Row]], str],
) -> None:
    images = [row("paste", label, number) for label in COLOURS for number in range(12)]
    assert recognition_findings(dataset(PHOTOS[:10], images), MeanColours()) is None  # one class only
    others = [image._replace(label="washer") for image in images]
    assert recognition_findings(dataset(PHOTOS, others), MeanColours()) is None


def test_each_image_is_judged_by_itself() -> None:
    photos = {"a": np.eye(2, dtype=np.float32)[[0] * 10], "b": np.eye(2, dtype=np.float32)[[1] * 10]}
    right = recognised(photos, {"paste": {"b": np.array([[0, 1], [1, 0]], np.float32)}})
    assert right["paste"]["b"].tolist() == [True, False]


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
        "A classifier of the real photos recognises 70 % of pasted as their class; of photos it has not seen, 95 %. "
        "The fewest: 'nut' with pasted, 50 %."
    )
