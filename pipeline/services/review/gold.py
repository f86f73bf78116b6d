"""Gold items as a reviewer meets them: in every field a sample among samples, so that nothing gives the check away.

The answer to a gold item measures attention only if the item cannot be told from its neighbours without looking at the
image. A sample that became a gold item is shown, moved in place and drawn again as the sample that it is. A real
photograph has no prompt, method or seed, so it borrows those of a sample that was made from it (its cover), is brought
to that sample's size, and carries scores computed from its own pixels. B shows the photograph itself: a reviewer who
compares the two and finds no difference has looked closely, which is what is being measured. R draws the cover again.
Marking photographs instead would be honest too, but a marked check measures nothing.
"""

from __future__ import annotations

from dataclasses import replace

import cv2
import numpy as np
from numpy.typing import NDArray

from pipeline.domain.images import RGB
from pipeline.domain.quality import gates_failed, scores
from pipeline.errors import NotFound
from pipeline.store import GoldItem, Library, SampleRow

Box = tuple[int, int, int, int]


def gold_row(library: Library, item: GoldItem) -> SampleRow:
    """What a gold item shows, in the form of a sample; only the id is not the item's own.

    Raises:
        NotFound: the sample, the photograph, its mask or a sample made from it is missing.
    """
    if item.sample_id is not None:
        return library.samples.get(item.sample_id)
    assert item.subject_id is not None, "a gold item is a sample or a photograph"
    subject = library.photos.get(item.subject_id)
    if subject.mask_id is None:
        raise NotFound("mask of photo", subject.id)
    cover = library.gold.cover(subject.id)
    size, box = cover.spec.size, subject.box
    image = fitted(library.images.read(subject.photo_id)[..., :3], size, box)
    mask = fitted(library.images.read(subject.mask_id), size, box)
    computed = scores(image, mask)
    shown = {name: computed.get(name, value) for name, value in cover.scores.items()}
    return replace(
        cover,
        spec=replace(
            cover.spec, label=subject.label, seed=cover.spec.seed + 1
        ),  # no two entries share a seed
        image_id=library.images.put(image),
        mask_id=library.images.put(mask),
        scores=shown,
        failed_gates=tuple(str(failure) for failure in gates_failed(shown)),
    )


def photo_of_gold(library: Library, item: GoldItem) -> RGB:
    """The photograph of a gold item that is one, as its entry shows it; (H, W, 3) uint8."""
    row = gold_row(library, item)
    assert row.image_id is not None
    return library.images.read(row.image_id)


def sample_behind(library: Library, item: GoldItem) -> str:
    """The id of the sample that is drawn again where a reviewer asks for another try of a gold item."""
    if item.sample_id is not None:
        return item.sample_id
    assert item.subject_id is not None
    return library.gold.cover(item.subject_id).id


def fitted(pixels: NDArray[np.uint8], size: tuple[int, int], box: Box | None) -> NDArray[np.uint8]:
    """Scale an image until it covers a size, then crop it around its object.

    Args:
        pixels: (H, W) or (H, W, 3) uint8.
        size: (height, width) of the result.
        box: (x0, y0, x1, y1) of the object; the centre of the image without one.
    """
    (height, width), (wanted_h, wanted_w) = pixels.shape[:2], size
    if (height, width) == size:
        return pixels
    scale = max(wanted_h / height, wanted_w / width)
    scaled_w, scaled_h = max(round(width * scale), wanted_w), max(round(height * scale), wanted_h)
    method = cv2.INTER_AREA if scale < 1 else cv2.INTER_CUBIC
    scaled = cv2.resize(np.ascontiguousarray(pixels), (scaled_w, scaled_h), interpolation=method)
    x0, y0, x1, y1 = box or (0, 0, width, height)
    left = int(np.clip((x0 + x1) / 2 * scale - wanted_w / 2, 0, scaled_w - wanted_w))
    top = int(np.clip((y0 + y1) / 2 * scale - wanted_h / 2, 0, scaled_h - wanted_h))
    return np.ascontiguousarray(scaled[top : top + wanted_h, left : left + wanted_w]).astype(np.uint8)
