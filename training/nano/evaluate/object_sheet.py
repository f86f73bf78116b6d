"""Real and rendered objects before nano's backgrounds, made as the product does: cut out, place, paint."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import islice
from pathlib import Path

import cv2
import numpy as np

from pipeline.domain.photo_decoding import load_photo
from pipeline.domain.placement import Cutout, Layer, Placement, place
from pipeline.domain.spec import Method, ObjectSpec, SampleSpec
from pipeline.rendering import Generator, Job, load
from pipeline.rendering.composite import composite
from pipeline.segmentation import cut_out
from pipeline.starter import Kind, subjects

PROMPTS = (
    "grass floor, bright light",
    "red bricks wall, side light",
    "wooden planks floor in front of a plaster wall, warm light",
    "marble table top in front of a blurred wall, soft light",
    "sand under a blue sky, hard shadows",
    "grey paving stones seen from above, wet",
)
PLACEMENT = Placement(x=0.5, y=0.55, scale=0.6)
SURE_SCORE = 0.85  # of a mask: the sheet shows what is painted, not what is cut badly
NOTHING = (225, 225, 222)  # behind the objects alone
SEED = 11
JOBS_AT_ONCE = 4


def object_rows(model: Path, photos: Path | None, *, each: int = 8) -> list[tuple[str, np.ndarray]]:
    """Render rows of (title, (N, S, S, 3) uint8): the objects alone, then before each of `PROMPTS`.

    Args:
        model: the checkpoint folder.
        photos: class folders of photos of objects; None or missing = rendered parts only.
        each: rendered parts, and photographed objects.
    """
    generator = load(str(model))
    cutouts = [*_rendered(each), *_photographed(photos, each)]
    side = generator.facts.size
    layers = [place([cutout], [PLACEMENT], (side, side)).layer for cutout in cutouts]
    plain = np.full((side, side, 3), NOTHING, np.uint8)
    rows = [("objects, rendered and photographed", np.stack([composite(layer, plain) for layer in layers]))]
    for prompt in PROMPTS:
        rows.append((prompt, np.stack(_painted(generator, layers, prompt))))
    return rows


def painted_objects(
    model: Path, prompts: Sequence[str], photos: Path | None
) -> tuple[list[Layer], list[np.ndarray]]:
    """Place an object for each prompt, half of them photographed where available, and render the images."""
    generator = load(str(model))
    half = -(-len(prompts) // 2)
    cutouts = [*_photographed(photos, half)]
    cutouts += _rendered(len(prompts) - len(cutouts))
    side = generator.facts.size
    layers = [place([cutout], [PLACEMENT], (side, side)).layer for cutout in cutouts]
    jobs = [
        Job(spec=_spec(generator, prompt, SEED + index), layer=layer)
        for index, (prompt, layer) in enumerate(zip(prompts, layers, strict=True))
    ]
    return layers, _generated(generator, jobs)


def _painted(generator: Generator, layers: list[Layer], prompt: str) -> list[np.ndarray]:
    jobs = [
        Job(spec=_spec(generator, prompt, SEED + index), layer=layer) for index, layer in enumerate(layers)
    ]
    return _generated(generator, jobs)


def _generated(generator: Generator, jobs: list[Job]) -> list[np.ndarray]:
    starts = range(0, len(jobs), JOBS_AT_ONCE)
    return [image for start in starts for image in generator.generate(jobs[start : start + JOBS_AT_ONCE])]


def _spec(generator: Generator, prompt: str, seed: int) -> SampleSpec:
    facts = generator.facts
    return SampleSpec(
        label="object",
        objects=(ObjectSpec(photo_id="sheet", cutout_id="sheet", placement=PLACEMENT),),
        prompt=prompt,
        negative_prompt=None,
        slots=(),
        method=Method.INPAINT,
        model=facts.name,
        revision=facts.revision,
        size=(facts.size, facts.size),
        steps=facts.steps,
        guidance_scale=facts.guidance_scale,
        seed=seed,
    )


def _rendered(count: int) -> list[Cutout]:
    per_kind = -(-count // len(Kind))
    parts = list(subjects(per_kind=per_kind))
    chosen = [part for turn in range(per_kind) for part in parts[turn::per_kind]][:count]
    return [Cutout(rgb=part.rgb, alpha=part.mask) for part in chosen]


def _photographed(folder: Path | None, count: int) -> list[Cutout]:
    """Cut out objects of all classes in turns, where the mask is certain."""
    folders = sorted(path for path in folder.iterdir() if path.is_dir()) if folder and folder.is_dir() else []
    by_class = [islice(_sure_cutouts(class_folder), count) for class_folder in folders]
    in_turns = [cutout for turn in zip(*by_class, strict=False) for cutout in turn]
    return in_turns[:count]


def _sure_cutouts(folder: Path) -> Iterator[Cutout]:
    for file in sorted(folder.glob("*.jpg")):
        photo = load_photo(file.read_bytes(), file.name).rgb
        scale = 256 / max(photo.shape[:2])
        small = cv2.resize(photo, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
        result = cut_out(np.asarray(small, np.uint8))
        if result.score >= SURE_SCORE:
            yield Cutout(rgb=result.rgb, alpha=result.alpha)
