"""From a background to the finished image: fine detail, then the object itself, exactly."""

from __future__ import annotations

from pipeline.domain.images import RGB
from pipeline.rendering.composite import composite
from pipeline.rendering.detail import matched_detail
from pipeline.rendering.generator import Job


def finished(job: Job, background: RGB) -> RGB:
    """Put the object over its background, whose sharpness and grain are matched to it where the spec says so."""
    if job.spec.match_detail:
        background = matched_detail(background, job.layer, seed=job.spec.seed)
    return composite(job.layer, background)
