from pathlib import Path

import numpy as np
import pytest

from pipeline.domain.images import RGB, Mask
from pipeline.segmentation import CutoutOrigin, CutoutResult
from training.diagnosis.cutouts import PhotoCutout, photo_cutouts
from training.diagnosis.squares import Squares

FULL = np.full((8, 8), 255, np.uint8)


@pytest.fixture
def cut(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Grey levels of the photos that were cut out; those above 100 have an object that fills them."""
    levels: list[int] = []

    def cut_out(rgb: RGB, *, alpha: Mask | None = None) -> CutoutResult:
        levels.append(int(rgb[0, 0, 0]))
        score = 1.0 if alpha is not None else 0.9 if levels[-1] > 100 else 0.1
        mask = FULL if alpha is None else alpha
        return CutoutResult(rgb, mask, score, (), CutoutOrigin.BACKGROUND)

    monkeypatch.setattr("training.diagnosis.cutouts.cut_out", cut_out)
    return levels


def squares(levels: list[int], masks: list[np.ndarray | None] | None = None) -> Squares:
    return Squares(
        images=np.stack([np.full((8, 8, 3), level, np.uint8) for level in levels]),
        masks=tuple(masks or [None] * len(levels)),
        names=tuple(map(str, levels)),
    )


def test_only_masks_of_a_usable_score_are_usable(cut: list[int]) -> None:
    found = photo_cutouts(squares([50, 150]), None)
    assert found.usable.tolist() == [False, True]
    assert found.note == "1 of 2 test photos have a usable mask (0 come with one)."


def test_an_empty_mask_is_not_usable() -> None:
    assert not PhotoCutout(np.zeros((8, 8), np.uint8), 1.0, 1).usable


def test_no_photo_is_cut_out_twice(cut: list[int], tmp_path: Path) -> None:
    first = photo_cutouts(squares([50, 150]), tmp_path)
    assert sorted(cut) == [50, 150]
    again = photo_cutouts(squares([150, 50, 160]), tmp_path)
    assert sorted(cut) == [50, 150, 160]
    assert np.array_equal(first.of_photos[1].alpha, again.of_photos[0].alpha)
    assert again.usable.tolist() == [True, False, True]


def test_a_file_that_is_cut_off_is_made_again(cut: list[int], tmp_path: Path) -> None:
    photo_cutouts(squares([150]), tmp_path)
    (file,) = tmp_path.iterdir()
    file.write_bytes(file.read_bytes()[:60])
    assert photo_cutouts(squares([150]), tmp_path).usable.tolist() == [True]
    assert cut == [150, 150]


def test_where_hardly_any_of_the_first_is_usable_the_others_are_not_tried(cut: list[int]) -> None:
    found = photo_cutouts(squares(list(range(80))), None)
    assert cut == list(range(0, 80, 2))
    assert sum(cutout is None for cutout in found.of_photos) == 40
    assert found.note.endswith(
        "Of 40 photos at even distances fewer than one in ten have a usable mask, so the others were not tried."
    )


def test_photos_with_a_mask_are_taken_even_where_the_others_are_hopeless(cut: list[int]) -> None:
    masks = [FULL, *[None] * 80]
    found = photo_cutouts(squares([90, *range(80)], masks), None)
    assert found.usable[0]
    assert found.usable.sum() == 1
