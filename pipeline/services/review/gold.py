"""Gold items as a reviewer sees them: samples in every field, so that nothing reveals the check.

The answer to a gold item measures attention only if nothing but the image distinguishes the item from its neighbours.
A sample that became a gold item is shown, moved in place and rendered again like any sample. A real photo has no
prompt, method or seed, so it borrows those of a sample that was made from it (its cover), is brought to that sample's
size, and carries scores computed from its own pixels. B shows the photo itself: a reviewer who compares the two and
finds no difference has looked closely, which is what is being measured. R renders the cover again. Marking photos
instead would be honest too, but a marked check measures nothing.
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import cv2
import numpy as np
from numpy.typing import NDArray

from pipeline.domain.images import RGB
from pipeline.domain.people import Role
from pipeline.domain.quality import gates_failed, scores
from pipeline.domain.review import ACCEPTED, LASTING, PENDING, REJECTED, Verdict
from pipeline.errors import NotFound
from pipeline.services.review.roles import Roles
from pipeline.store import GoldItem, Library, SampleRow

Box = tuple[int, int, int, int]


@dataclass(frozen=True, slots=True)
class GoldService:
    """Gold items: whose queue holds them, what they show, and how they were answered."""

    library: Library
    roles: Roles
    share: float  # share of gold items among the samples that a reviewer gets, 0 to 1
    _dealt: dict[str, set[str]] = field(default_factory=dict)  # reviewer → unanswered items in their queue

    def add(self, sample_ids: Sequence[str], reviewer: str) -> None:
        """Make decided samples gold items, which are shown to reviewers again to measure them.

        Raises:
            NotAllowed: the reviewer is not a lead.
            InvalidRequest: a sample is not decided.
        """
        self.roles.must_lead(reviewer, "make gold items")
        self.library.gold.add(sample_ids, made_by=reviewer)

    def add_photos(self, number: int, reviewer: str) -> int:
        """Make real photos gold items that must be accepted; return how many are new.

        Raises:
            NotAllowed: the reviewer is not a lead.
        """
        self.roles.must_lead(reviewer, "make gold items")
        return self.library.gold.add_photos(number, made_by=reviewer)

    def for_reviewer(self, reviewer: str, dealt: int) -> list[GoldItem]:
        """Return gold items to be mixed into a number of dealt samples, by the share of the settings.

        An item is dealt once, until the reviewer starts a new queue.
        """
        number = int(dealt * self.share + random.random())  # unbiased for small shares too
        if not self.share or not number or self.roles.role(reviewer) is Role.READER:
            return []
        dealt_before = self._dealt.setdefault(reviewer, set())
        items = self.library.gold.next_for(reviewer, number + len(dealt_before))
        return [item for item in items if item.id not in dealt_before][:number]

    def row(self, item: GoldItem, reviewer: str) -> SampleRow:
        """Return what a gold item shows, in the form of a sample, and count it as dealt to the reviewer.

        Raises:
            NotFound: the sample or photo that it shows is missing, or has no image or mask.
        """
        row = self.shown(item)
        self._dealt.setdefault(reviewer, set()).add(item.id)
        return row

    def answer(
        self, gold_id: str, verdict: Verdict, *, reviewer: str, reason: str | None, via: str, client_id: str
    ) -> str:
        """Record the answer to a gold item; return the state that a sample without other votes would have."""
        self.library.gold.answer(
            gold_id, reviewer=reviewer, verdict=str(verdict), reason=reason, via=via, client_id=client_id
        )
        dealt = self._dealt.setdefault(reviewer, set())
        (dealt.add if verdict is Verdict.UNDO else dealt.discard)(gold_id)
        if verdict in LASTING and self.library.review.policy().overlap == 1:
            return ACCEPTED if verdict is Verdict.ACCEPT else REJECTED
        return PENDING

    def unanswered(self, reviewer: str) -> int:
        """Count the unanswered gold items in a reviewer's queue."""
        return len(self._dealt.get(reviewer, ()))

    def forget(self, reviewer: str) -> None:
        """Empty a reviewer's queue of gold items."""
        self._dealt.pop(reviewer, None)

    def photo(self, item: GoldItem) -> RGB:
        """Return the photo of a gold item that is a photo, as its entry shows it; (H, W, 3) uint8."""
        row = self.shown(item)
        assert row.image_id is not None
        return self.library.images.read(row.image_id)

    def sample_behind(self, item: GoldItem) -> str:
        """Return the id of the sample that is rendered again when a reviewer requests another try of a gold item."""
        if item.sample_id is not None:
            return item.sample_id
        assert item.photo_id is not None
        return self.library.gold.cover(item.photo_id).id

    def shown(self, item: GoldItem) -> SampleRow:
        """Return what a gold item shows, in the form of a sample; only the id is not the item's own.

        Raises:
            NotFound: the sample or photo that it shows is missing, or has no image or mask.
        """
        library = self.library
        if item.sample_id is not None:
            row = library.samples.get(item.sample_id)
            if row.image_id is None:  # planned again since it was dealt
                raise NotFound("image of sample", row.id)
            return row
        assert item.photo_id is not None, "a gold item is a sample or a photo"
        photo = library.photos.get(item.photo_id)
        if photo.mask_id is None:
            raise NotFound("mask of photo", photo.id)
        cover = library.gold.cover(photo.id)
        size, box = cover.spec.size, photo.box
        image = fitted(library.images.read(photo.image_id)[..., :3], size, box)
        mask = fitted(library.images.read(photo.mask_id), size, box)
        computed = scores(image, mask)
        shown = {name: computed.get(name, value) for name, value in cover.scores.items()}
        seed = cover.spec.seed + 1  # no two entries share a seed
        return replace(
            cover,
            spec=replace(cover.spec, label=photo.label, seed=seed, distractors=()),
            image_id=library.images.put(image),
            mask_id=library.images.put(mask),
            scores=shown,
            distractors=(),
            failed_gates=gates_failed(shown),
        )


def fitted(pixels: NDArray[np.uint8], size: tuple[int, int], box: Box | None) -> NDArray[np.uint8]:
    """Scale an image until it covers a size, then crop it around its object.

    Args:
        pixels: (H, W) or (H, W, 3) uint8.
        size: (height, width) of the result.
        box: (x0, y0, x1, y1) of the object; None: crop around the centre of the image.
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
