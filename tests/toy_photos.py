"""Photos as a plan sees them, without a library."""

from __future__ import annotations

from pipeline.domain.photos import Photo


def usable_photo(
    *,
    id: str,
    label: str,
    cutout_id: str | None = "c",
    height: int = 96,
    width: int = 120,
    box: tuple[int, int, int, int] | None = (10, 12, 100, 80),
) -> Photo:
    """A training photo with a good mask."""
    return Photo(
        id=id,
        label=label,
        name=f"{label}/{id}.png",
        source="toy",
        split="train",
        image_id=id,
        height=height,
        width=width,
        cutout_id=cutout_id,
        mask_id=None,
        mask_score=1.0,
        mask_doubts=(),
        mask_origin="given",
        box=box,
        excluded=False,
        added_at="2026-01-02T03:04:05.000+00:00",
    )
