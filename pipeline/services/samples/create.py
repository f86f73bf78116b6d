"""The Create page: one object, a live preview and several variants."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from pipeline.domain.images import RGB
from pipeline.domain.placement import Placement
from pipeline.domain.spec import ControlSource, ControlSpec, Method, ObjectSpec, SampleSpec
from pipeline.domain.texts import text_fault
from pipeline.errors import InvalidRequest
from pipeline.rendering import model_facts
from pipeline.services.samples.runs import cutout_id_of
from pipeline.store import Library

_CHECKER_PX = 16
_CHECKER_GREYS = (226, 242)


_SIZES_PX, _STEPS, _GUIDANCE = (32, 4096), (1, 200), (0.0, 30.0)  # as in a recipe
LARGEST_SEED = 2**53  # exclusive; a browser represents smaller integers exactly


@dataclass(frozen=True, slots=True, kw_only=True)
class CreateRequest:
    """What the Create page requests; variants have consecutive seeds, beginning with `seed`."""

    photo_id: str
    placement: Placement
    prompt: str
    method: Method = Method.INPAINT
    model: str = "nano"
    seed: int = 0
    count: int = 4
    steps: int | None = None
    guidance_scale: float | None = None
    control: ControlSpec | None = None
    size: int | None = None
    negative_prompt: str | None = None

    def __post_init__(self) -> None:
        if not 1 <= self.count <= 16:
            raise InvalidRequest(f"{self.count} variants were requested; request 1 to 16")
        if not 0 <= self.seed < LARGEST_SEED:
            raise InvalidRequest(f"the seed is {self.seed}; it must lie in 0 to {LARGEST_SEED - 1}")
        if not self.prompt.strip():
            raise InvalidRequest("the prompt is empty; describe the background, e.g. “wooden planks floor”")
        for what, text in (("prompt", self.prompt), ("negative prompt", self.negative_prompt or "")):
            if fault := text_fault(text):
                raise InvalidRequest(f"the {what} {fault}")
        for what, value, (low, high) in (
            ("size", self.size, _SIZES_PX),
            ("number of steps", self.steps, _STEPS),
            ("guidance scale", self.guidance_scale, _GUIDANCE),
        ):
            if value is not None and not low <= value <= high:
                raise InvalidRequest(f"the {what} is {value}; it must lie in {low} to {high}")
        if self.method is Method.PASTE:
            raise InvalidRequest(
                "method 'paste' is for recipes only; choose inpaint, controlnet or text_to_image"
            )


def checkerboard(size: tuple[int, int]) -> RGB:
    """Return a light checkerboard, which stands for an empty background; (H, W, 3) uint8."""
    rows, columns = np.indices(size) // _CHECKER_PX
    grey = np.asarray(_CHECKER_GREYS, np.uint8)[(rows + columns) % 2]
    return np.repeat(grey[..., None], 3, axis=2)


def variant_specs(library: Library, request: CreateRequest) -> list[SampleSpec]:
    """Return the specs of a request, one for each seed."""
    facts = model_facts(request.model)
    photo = library.photos.get(request.photo_id)
    side = request.size or facts.size
    control = request.control or ControlSpec(source=ControlSource.OBJECT)
    guidance = facts.guidance_scale if request.guidance_scale is None else request.guidance_scale
    return [
        SampleSpec(
            label=photo.label,
            objects=(
                ObjectSpec(photo_id=photo.id, cutout_id=cutout_id_of(photo), placement=request.placement),
            ),
            prompt=request.prompt.strip(),
            negative_prompt=request.negative_prompt,
            slots=(),
            method=request.method,
            model=facts.name,
            revision=facts.revision_for(request.method),
            size=(side, side),
            steps=request.steps or facts.steps,
            guidance_scale=guidance,
            seed=request.seed + variant,
            control=control if request.method is Method.CONTROLNET else None,
        )
        for variant in range(request.count)
    ]
