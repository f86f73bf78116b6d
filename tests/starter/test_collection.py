from collections import Counter
from pathlib import Path

import cv2
import numpy as np
import pytest

from pipeline.errors import InvalidRequest, SourceRefused
from pipeline.starter import Kind, backdrops, field, subjects


def test_the_set_holds_each_kind_as_often_as_asked() -> None:
    labels = Counter(part.label for part in subjects(per_kind=2))
    assert labels == {str(kind): 2 for kind in Kind}


def test_names_are_unique_and_say_the_kind() -> None:
    names = [part.name for part in subjects(per_kind=2)]
    assert names[:2] == ["bolt-01.png", "bolt-02.png"]
    assert len(set(names)) == len(names)


def test_the_same_seed_gives_the_same_pixels() -> None:
    for first, second in zip(subjects(3, per_kind=1), subjects(3, per_kind=1), strict=True):
        assert np.array_equal(first.rgb, second.rgb)
        assert np.array_equal(first.mask, second.mask)


def test_another_seed_gives_other_pixels() -> None:
    first, second = next(subjects(0, per_kind=1)), next(subjects(1, per_kind=1))
    assert not np.array_equal(first.rgb, second.rgb)


def test_a_larger_set_begins_with_the_smaller_one() -> None:
    small = [part.rgb for part in subjects(per_kind=1)]
    large = [part.rgb for part in subjects(per_kind=2)][::2]
    assert all(np.array_equal(a, b) for a, b in zip(small, large, strict=True))


def test_parts_lie_wholly_on_the_bench_and_are_of_a_useful_size() -> None:
    for part in subjects(per_kind=6):
        rim = np.concatenate([part.mask[0], part.mask[-1], part.mask[:, 0], part.mask[:, -1]])
        assert part.rgb.shape == (192, 192, 3)
        assert part.mask.shape == (192, 192)
        assert not rim.any(), part.name
        assert 0.03 < (part.mask > 127).mean() < 0.45, part.name


def test_nuts_washers_and_gears_show_the_bench_through_their_hole() -> None:
    for part in subjects(per_kind=2):
        if part.label not in ("nut", "washer", "gear"):
            continue
        count, _ = cv2.connectedComponents((part.mask < 128).astype(np.uint8), connectivity=4)
        assert count >= 3, part.name  # the label 0, the bench round the part, the bench in the hole


def test_the_bench_is_the_same_in_every_image() -> None:
    corners = np.array([part.rgb[:12, :12].mean((0, 1)) for part in subjects(per_kind=3)])
    assert corners.std(0).max() < 4.0


def test_field_images_differ_far_more_than_bench_images() -> None:
    corners = np.array([part.rgb[:12, :12].mean((0, 1)) for part in field(15)])
    assert corners.std(0).min() > 20.0


def test_field_kinds_take_turns() -> None:
    assert [part.label for part in field(6)] == ["bolt", "gear", "nut", "spring", "washer", "bolt"]


def test_field_images_lie_on_the_photos_of_a_folder(tmp_path: Path) -> None:
    (tmp_path / "red").mkdir()
    red = np.full((64, 64, 3), (0, 0, 200), np.uint8)
    (tmp_path / "red" / "a.png").write_bytes(cv2.imencode(".png", red)[1].tobytes())
    part = next(iter(field(1, surfaces=tmp_path)))
    ground = part.rgb[part.mask == 0].astype(float).mean(0)
    assert ground[0] > 2.5 * max(ground[1], ground[2])


def test_a_folder_without_surfaces_is_refused(tmp_path: Path) -> None:
    with pytest.raises(SourceRefused, match="holds no surface photos"):
        next(iter(field(1, surfaces=tmp_path)))


def test_counts_below_one_are_refused() -> None:
    with pytest.raises(InvalidRequest, match="per_kind is 0"):
        next(subjects(per_kind=0))
    with pytest.raises(InvalidRequest, match="count is 0"):
        next(field(0))


def test_backdrops_have_the_asked_size_and_differ() -> None:
    drawn = list(backdrops(size_px=64, count=13))
    assert {image.shape for image in drawn} == {(64, 64, 3)}
    assert len({image.tobytes() for image in drawn}) == 13
