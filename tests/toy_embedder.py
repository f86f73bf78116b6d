"""An embedder whose vectors can be told in advance, and samples that it can tell apart."""

from __future__ import annotations

import numpy as np
import pytest

from pipeline.domain.sample_facts import SampleFacts
from pipeline.embedding import Embedder
from pipeline.services.review import auto_reviewer, measures, similar
from pipeline.services.samples import embeddings, novelty
from pipeline.store import Library, Rendered
from tests.toy_library import BOX, IDENTITY, SIDE_PX, add_subject, mask, spec

NEAR_DEGREES = 5


class GreyAngle:
    """Features of a plain image: a direction, from 0 degrees for black to 90 for white. Counts the images."""

    def __init__(self) -> None:
        self.count = 0

    def __call__(self, images: np.ndarray) -> np.ndarray:
        self.count += len(images)
        angles = np.radians(90 * images.mean(axis=(1, 2, 3)) / 255)
        return np.stack([np.cos(angles), np.sin(angles)], axis=1).astype(np.float32)


def use_grey_angles(monkeypatch: pytest.MonkeyPatch) -> GreyAngle:
    """Compare images by their grey: near-duplicates differ by at most 5 degrees, which is 14 of 255."""
    features = GreyAngle()
    embedder = Embedder(
        name="grey angle",
        side_px=8,
        size=2,
        near_duplicate=0.9,
        near_duplicate_sample=float(np.cos(np.radians(NEAR_DEGREES))),
        is_network=True,
        features=features,
    )
    for module in (embeddings, novelty, similar, auto_reviewer, measures):
        monkeypatch.setattr(module, "load_embedder", lambda: embedder)
    return features


def add_plain_samples(library: Library, *greys: int, first_seed: int = 0) -> list[str]:
    """Plain samples of one photo in plan order; their ids."""
    photo = library.photos.list()[0] if first_seed else add_subject(library, 1)
    specs = [spec(photo, seed=first_seed + number) for number in range(len(greys))]
    library.plans.add(f"toy {first_seed}", "", specs)
    for planned, grey in zip(specs, greys, strict=True):
        library.samples.record(
            Rendered(
                spec_id=planned.id,
                image_id=library.images.put(np.full((SIDE_PX, SIDE_PX, 3), grey, np.uint8)),
                mask_id=library.images.put(mask()),
                facts=SampleFacts(
                    boxes=(BOX,), homographies=(IDENTITY,), visible=(1.0,), scores={"sharpness": 0.5}
                ),
                cluster=specs[0].id,  # by colours and edges all look alike
            )
        )
    return [planned.id for planned in specs]
