"""From a background to the finished image: light, fake seam, fine detail, then the object itself, exactly."""

from __future__ import annotations

from pipeline.domain.images import RGB
from pipeline.domain.look import LightMatch
from pipeline.domain.placement import Layer
from pipeline.rendering.detail import matched_detail
from pipeline.rendering.edges import blended, with_fake_seam
from pipeline.rendering.generator import Job
from pipeline.rendering.light import background_light, relit


def finished(job: Job, background: RGB) -> RGB:
    """Put the object over its background, after what the spec says of light, fake seam, detail and edge."""
    spec, layer = job.spec, job.layer
    if spec.match_light:
        layer, background = _in_one_light(job, background, spec.match_light)
    if spec.fake_seam:
        background = with_fake_seam(background, spec.fake_seam, spec.edge, seed=spec.seed)
    if spec.match_detail:
        background = matched_detail(background, layer, objects=job.objects, seed=spec.seed)
    return blended(layer, background, spec.edge)


def _in_one_light(job: Job, background: RGB, changed: LightMatch) -> tuple[Layer, RGB]:
    assert job.light is not None
    behind = background_light(background, job.layer.alpha)
    match changed:
        case LightMatch.BACKGROUND:
            return job.layer, relit(background, behind, job.light)
        case LightMatch.OBJECT:
            return Layer(relit(job.layer.rgb, job.light, behind), job.layer.alpha), background
