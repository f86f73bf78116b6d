"""What several photos have in common."""

from __future__ import annotations

from io import BytesIO

import cv2
import numpy as np
from PIL import Image

from pipeline.domain.camera_measures import PhotoLight
from pipeline.segmentation import ObjectCount
from pipeline.services.plans.field_photos import (
    MeasuredPhoto,
    background_notes,
    cameras_of,
    covered_of,
    light_of,
    measured_photo,
    placement_of,
)

LIGHT = PhotoLight(brightness=50, contrast=20, a=0, b=0)


def measured(objects: ObjectCount | None = None, **changes: object) -> MeasuredPhoto:
    values: dict[str, object] = {
        "name": "a.jpg", "photo_id": "1", "light": LIGHT, "camera": {}, "side_px": 200, "quality": None,
        "objects": objects, "no_background": "",
    }  # fmt: skip
    return MeasuredPhoto(**{**values, **changes})  # type: ignore[arg-type]


def count(*lengths: float, overlap: float = 0.0) -> ObjectCount:
    return ObjectCount(covered=0.2, lengths=lengths, overlap=overlap)


HEAP = ObjectCount(covered=0.8, doubt="objects fill it or touch each other")


def test_how_many_photos_show_coloured_light_is_told() -> None:
    warmths = (9.0, 4.0, 3.9, 0.0, -3.9, -4.0, -9.0, -20.0)
    lights = [PhotoLight(brightness=50, contrast=20, a=0, b=30, warmth=warmth) for warmth in warmths]
    light = light_of([measured(light=light) for light in lights])
    assert (light.warm, light.cold, light.cast) == (0.25, 0.38, (0.0, 30.0))


def test_a_tenth_on_either_side_is_left_out() -> None:
    photos = [measured(count(*[0.3] * 2)) for _ in range(18)]
    photos += [measured(count(0.9)), measured(count(*[0.05] * 20))]
    placement, notes = placement_of(photos)
    assert placement.objects == (2, 2)
    assert (placement.scale, placement.overlap, notes) == ((0.05, 0.3), 0.0, [])


def test_number_and_scale_are_told_where_most_photos_can_be_counted() -> None:
    counted = [measured(count(0.2, 0.3, overlap=0.1 * number)) for number in range(6)]
    placement, notes = placement_of([*counted, *[measured(HEAP)] * 4])
    assert placement.objects == (2, 2)
    assert placement.overlap == 0.45
    assert notes == ["objects were counted in 6 of 10 photos; objects that touch count as one"]
    unsure, notes = placement_of([*counted[:5], *[measured(HEAP)] * 5])
    assert unsure.objects is unsure.scale is unsure.overlap is None
    assert notes[0].startswith(
        "number, scale and overlap of objects cannot be told: in 5 of 10 photos objects fill"
    )


def test_without_a_network_the_profile_says_so() -> None:
    placement, notes = placement_of([measured()] * 5)
    assert placement.objects is None
    assert notes == [
        "the network that finds objects is not installed, so number, scale and overlap of objects cannot be told"
    ]


def test_covered_is_told_where_it_is_known_of_half_of_the_photos() -> None:
    assert covered_of([measured(HEAP), measured(count(0.2))]) == (0.26, 0.74)
    assert covered_of([measured(HEAP), measured(), measured(ObjectCount(doubt="no object is seen"))]) is None


def test_jpeg_is_learnt_where_its_traces_are_still_seen() -> None:
    small = [
        measured(camera={64: (1.0, None), 128: (2.0, 0.5)}, side_px=180, quality=q) for q in (70, 80, 90)
    ]
    cameras = cameras_of(small)
    at_64, at_128 = cameras[64], cameras[128]
    assert at_64 is not None
    assert at_128 is not None
    assert (at_64.noise, at_64.blur, at_64.jpeg) == ((1, 1), None, None)
    assert (at_128.noise, at_128.blur, at_128.jpeg) == ((2, 2), (0.5, 0.5), (72, 88))


def test_a_large_jpeg_shows_no_traces_though_it_was_made_smaller_to_be_read() -> None:
    file = BytesIO()
    Image.new("RGB", (4000, 3000)).save(file, "JPEG", quality=75)
    as_read = np.zeros((96, 128, 3), np.uint8)
    photo, _ = measured_photo("a.jpg", as_read, file.getvalue(), has_objects=False, network=None)
    assert (photo.side_px, photo.quality) == (3000, 75)
    broken, _ = measured_photo("a.jpg", as_read, b"", has_objects=False, network=None)
    assert (broken.side_px, broken.quality) == (96, None)


def test_a_size_that_few_photos_have_is_not_measured_and_a_clean_camera_changes_nothing() -> None:
    photos = [
        measured(camera={64: (0.1, 0.0)}),
        measured(camera={64: (0.2, 0.1), 128: (0.1, 0.0)}),
        measured(),
    ]
    assert cameras_of(photos) == {64: None}


def test_noise_never_grows_where_a_photo_is_made_smaller() -> None:
    rng = np.random.default_rng(0)
    texture = cv2.GaussianBlur(rng.normal(0, 400, (300, 300)).astype(np.float32), (0, 0), 4)
    rgb = np.clip(120 + texture + rng.normal(0, 2, (300, 300)), 0, 255).astype(np.uint8)
    photo, background = measured_photo("a.png", np.dstack([rgb] * 3), b"", has_objects=False, network=None)
    assert background is not None
    noise = {side: level for side, (level, _) in photo.camera.items()}
    assert noise[64] <= noise[128] <= noise[256] <= 2.1
    assert noise[256] > 0.5


def test_the_shorter_side_of_a_background_fills_the_largest_images() -> None:
    for size, kept in (((1100, 1467), (1024, 1366)), ((40, 90), (40, 90))):
        rgb = np.zeros((*size, 3), np.uint8)
        _, background = measured_photo("a.png", rgb, b"", has_objects=False, network=None)
        assert background is not None
        assert background.shape[:2] == kept


def test_photos_that_are_no_backgrounds_are_named_with_the_reason() -> None:
    photos = [measured(name=f"{number}.jpg", no_background="no object is seen") for number in range(5)]
    assert background_notes([measured(), *photos[:1]]) == [
        "not used as background, since no object is seen: 0.jpg"
    ]
    assert background_notes(photos) == [
        "not used as background, since no object is seen: 0.jpg, 1.jpg, 2.jpg and 2 more"
    ]
