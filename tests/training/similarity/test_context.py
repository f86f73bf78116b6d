from __future__ import annotations

import io
from collections.abc import Callable

import numpy as np
import pytest
from PIL import Image

from pipeline.domain.release import IDENTITY
from training.data.rows import PHOTO, LabelledRows, Row
from training.fit.features import FeatureCache, View
from training.similarity.context import (
    SIDE_PX,
    ContextGroup,
    context_findings,
    context_sentence,
    masked_square,
    returned,
)
from training.similarity.result import Band

RED, BLUE, GREEN = (200, 0, 0), (0, 0, 200), (0, 200, 0)
BOX = (2, 2, 10, 10)


class MeanColours(FeatureCache):
    """Takes the mean colour of an image for its features."""

    def features(self, images: np.ndarray, view: View) -> np.ndarray:
        """(N, 1, 3) float16."""
        return images.mean(axis=(1, 2))[:, None].astype(np.float16)


def row(method: str, number: int, *, background: tuple[int, ...], thing: tuple[int, ...] = RED) -> Row:
    """An image of 40 × 40 px with a coloured square in its corner."""
    pixels = np.full((40, 40, 3), background, np.uint8)
    if method != "text_to_image":
        pixels[2:10, 2:10] = thing
    mask = np.zeros((40, 40), np.uint8)
    mask[2:10, 2:10] = 255
    return Row(
        data=encoded(pixels),
        label="bolt",
        origin="real" if method == PHOTO else "synthetic",
        method=method,
        name=f"{method}-{number}",
        source="" if method == PHOTO else f"photo-{number}",
        prompt="" if method == PHOTO else f"grass, {number // 2}",
        box=None if method == "text_to_image" else BOX,
        homography=IDENTITY,
        mask=encoded(mask),
    )


def encoded(pixels: np.ndarray) -> bytes:
    data = io.BytesIO()
    Image.fromarray(pixels).save(data, "PNG")
    return data.getvalue()


@pytest.fixture
def dataset(monkeypatch: pytest.MonkeyPatch) -> Callable[..., str]:
    """Lets a data set hold some synthetic and real rows."""

    def hold(synthetic: list[Row], real: list[Row]) -> str:
        rows = {"synthetic": synthetic, "real": real}
        monkeypatch.setattr(
            "training.similarity.context.rows_of",
            lambda _dataset, config, _split: LabelledRows(("bolt",), rows[config]),
        )
        monkeypatch.setattr("training.similarity.context.checked_weights", lambda: None)
        return "toy"

    return hold


def test_an_object_fills_the_square_on_grey() -> None:
    rgb, mask = np.full((40, 60, 3), 200, np.uint8), np.zeros((40, 60), np.uint8)
    mask[10:20, 40:60] = 255  # half as high as wide, at the edge of the image
    square = masked_square(rgb, mask, (40, 10, 60, 20))
    assert square.shape == (SIDE_PX, SIDE_PX, 3)
    assert (square[SIDE_PX // 2] == 200).all()
    assert (square[: SIDE_PX // 4 - 8] == 128).all()
    assert (square[3 * SIDE_PX // 4 + 8 :] == 128).all()


def test_an_object_is_brought_back_to_where_its_photo_shows_it() -> None:
    sample = np.zeros((50, 50, 3), np.uint8)
    sample[20:30, 30:40] = RED
    moved = ((1.0, 0.0, 25.0), (0.0, 1.0, 15.0), (0.0, 0.0, 1.0))  # 25 px to the right, 15 px down
    back = returned(sample, moved, (40, 30))
    assert back.shape == (40, 30, 3)
    assert (back[5:15, 5:15] == RED).all()
    assert (back[:, 25:] == 128).all()  # beyond the edge of the sample
    assert back[4, 5].tolist() == [0, 0, 0]


def test_a_kept_object_resembles_its_photo_and_a_drawn_one_does_not(dataset: Callable[..., str]) -> None:
    photos = [row(PHOTO, number, background=(90, 90, 90)) for number in range(12)]
    kept = [row("inpaint", number, background=GREEN) for number in range(12)]
    drawn = [row("text_to_image", number, background=BLUE) for number in range(12)]
    findings = context_findings(dataset(kept + drawn, photos), MeanColours())
    assert findings is not None
    ours, plain = findings["methods"]
    assert (ours["method"], ours["objects"], plain["method"]) == ("inpaint", 12, "text_to_image")
    assert ours["object_kept"] == pytest.approx({"mean": 1.0, "low": 1.0, "high": 1.0}, abs=1e-3)
    assert plain["object_kept"] is not None
    assert plain["object_kept"]["mean"] < 0.6
    assert findings["other_photo"] is not None
    assert findings["other_photo"]["mean"] == pytest.approx(1.0, abs=1e-3)


def test_images_of_one_prompt_are_compared_with_each_other_only(dataset: Callable[..., str]) -> None:
    # the two images of each prompt are alike, those of neighbouring prompts are not
    samples = [
        row("text_to_image", number, background=(GREEN, BLUE)[number // 2 % 2]) for number in range(20)
    ]
    findings = context_findings(dataset(samples, []), MeanColours())
    assert findings is not None
    (plain,) = findings["methods"]
    assert plain["prompts"] == 10
    assert plain["same_prompt"] == pytest.approx({"mean": 1.0, "low": 1.0, "high": 1.0}, abs=1e-3)
    assert plain["object_kept"] is None


def test_few_images_tell_nothing(dataset: Callable[..., str]) -> None:
    photos = [row(PHOTO, number, background=GREEN) for number in range(4)]
    samples = [row("inpaint", number, background=GREEN) for number in range(4)]
    assert context_findings(dataset(samples, photos), MeanColours()) is None


def group(title: str, mean: float) -> ContextGroup:
    return {
        "method": "paste",
        "title": title,
        "object_kept": band(mean),
        "objects": 10,
        "same_prompt": None,
        "prompts": 0,
    }


def band(mean: float) -> Band:
    return {"mean": mean, "low": mean - 0.02, "high": mean + 0.02}


def test_an_object_counts_as_kept_where_it_is_more_alike_than_another_photo_of_its_class() -> None:
    groups = [group("inpaint", 0.8), group("text to image", 0.4)]
    assert context_sentence(groups, band(0.6)) == (
        "The photographed object is kept by inpaint (0.80), but not kept by text to image (0.40): similarity to the "
        "source photo, where two photos of one class reach 0.60."
    )
    assert context_sentence(groups, band(0.9)).startswith(
        "The photographed object is not kept by inpaint (0.80) and text to image (0.40): "
    )
    assert context_sentence([group("inpaint", 0.61), group("paste", 0.6)], band(0.6)).startswith(
        "The photographed object is not told from another object of its class with inpaint (0.61) and paste (0.60): "
    )
    assert "is not known" in context_sentence(groups, None)
