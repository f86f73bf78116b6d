"""Small real libraries for tests: pictures of a few pixels, everything from a number."""

from __future__ import annotations

import numpy as np

from pipeline.domain.photos import Photo
from pipeline.domain.placement import Placement
from pipeline.domain.review import Decision, Verdict
from pipeline.domain.sample_facts import SampleFacts, SeenDistractor
from pipeline.domain.spec import ControlSpec, Method, ObjectSpec, SampleSpec
from pipeline.store import Library, NewPhoto, Rendered, Replica, SampleState

SIDE_PX = 24
BOX = (6, 4, 18, 20)
IDENTITY = ((1.0, 0.0, 0.0), (0.0, 1.0, 0.0), (0.0, 0.0, 1.0))
AT = "2026-01-02T03:04:05.000+00:00"


def picture(number: int, *, side_px: int = SIDE_PX) -> np.ndarray:
    """(side, side, 3) uint8: seeded noise."""
    return np.random.default_rng(number).integers(0, 256, (side_px, side_px, 3), dtype=np.uint8)


def mask() -> np.ndarray:
    """(SIDE_PX, SIDE_PX) uint8: 255 inside BOX, one soft row above it."""
    alpha = np.zeros((SIDE_PX, SIDE_PX), np.uint8)
    x0, y0, x1, y1 = BOX
    alpha[y0:y1, x0:x1] = 255
    alpha[y0, x0:x1] = 140
    return alpha


def add_subject(
    library: Library,
    number: int,
    *,
    label: str = "bolt",
    split: str = "train",
    doubts: tuple[str, ...] = (),
    source: str = "toy",
    box: tuple[int, int, int, int] = BOX,
    name: str = "",
) -> Photo:
    """A photo with its cut-out in the library; `box` is what is stored of its object's extent."""
    image_id = library.images.put(picture(number))
    cutout_id = library.images.put(np.dstack([picture(number), mask()]))
    new = NewPhoto(
        id=image_id,
        label=label,
        name=name or f"{label}/{number}.png",
        source=source,
        split=split,
        image_id=image_id,
        height=SIDE_PX,
        width=SIDE_PX,
        cutout_id=cutout_id,
        mask_score=0.9,
        mask_doubts=doubts,
        mask_origin="given",
        box=box,
    )
    library.photos.add(new)
    return library.photos.get(image_id)


def add_several(library: Library, *, split: str = "train", alpha: np.ndarray | None = None) -> Photo:
    """A photo whose mask waits for a check: by default squares of 60 px at (10, 10) and of 40 px at (130, 30)."""
    if alpha is None:
        alpha = np.zeros((100, 200), np.uint8)
        alpha[10:70, 10:70] = alpha[30:70, 130:170] = 255
    height, width = alpha.shape
    image = np.random.default_rng(7).integers(0, 256, (height, width, 3), dtype=np.uint8)
    image_id = library.images.put(image)
    columns, rows = np.flatnonzero(alpha.any(0)), np.flatnonzero(alpha.any(1))
    new = NewPhoto(
        id=image_id,
        label="bolt",
        name="bolt/several.png",
        source="toy",
        split=split,
        image_id=image_id,
        height=height,
        width=width,
        cutout_id=library.images.put(np.dstack([image, alpha])),
        mask_score=0.4,
        mask_doubts=("There are 2 objects in this photo; choose one or use all",),
        mask_origin="ground",
        box=(int(columns[0]), int(rows[0]), int(columns[-1]) + 1, int(rows[-1]) + 1),
    )
    library.photos.add(new)
    return library.photos.get(image_id)


def spec(
    *subjects: Photo, seed: int = 0, method: Method = Method.INPAINT, backdrop_id: str | None = None
) -> SampleSpec:
    """A spec over one or several subjects."""
    return SampleSpec(
        label=subjects[0].label,
        objects=tuple(
            ObjectSpec(photo_id=photo.id, cutout_id=photo.cutout_id or "", placement=Placement())
            for photo in subjects
        ),
        prompt=f"gravel floor, take {seed}",
        negative_prompt=None,
        slots=(("surface", "gravel"),),
        method=method,
        model="nano",
        revision="r1",
        size=(SIDE_PX, SIDE_PX),
        steps=2,
        guidance_scale=3.0,
        seed=seed,
        control=ControlSpec() if method is Method.CONTROLNET else None,
        backdrop_id=backdrop_id,
    )


def render(library: Library, planned: SampleSpec, *, seconds: float = 0.25) -> str:
    """Store a picture for a planned spec; its id."""
    return record_image(library, planned, picture(1000 + planned.seed), timings={"total": seconds})


def record_image(
    library: Library,
    planned: SampleSpec,
    image: np.ndarray,
    *,
    timings: dict[str, float] | None = None,
    distractors: tuple[SeenDistractor, ...] = (),
) -> str:
    """Store an image of a planned spec with its object in BOX; its id."""
    library.samples.record(
        Rendered(
            spec_id=planned.id,
            image_id=library.images.put(image),
            mask_id=library.images.put(mask()),
            facts=SampleFacts(
                boxes=(BOX,),
                homographies=(IDENTITY,),
                visible=(1.0,),
                scores={"sharpness": 0.5},
                timings=timings or {},
                distractors=distractors,
            ),
        )
    )
    return planned.id


def pending(library: Library, *plans: str) -> list[SampleSpec]:
    """The specs without an image of some plans, or of all, in plan order."""
    names = plans or [row.name for row in library.plans.list()]
    members = [member for name in names for member in library.plans.members(name)]
    waiting = {spec.id: spec for spec, state in members if state in (SampleState.PLANNED, SampleState.FAILED)}
    return list(waiting.values())


def decision(
    sample_id: str,
    verdict: Verdict = Verdict.ACCEPT,
    *,
    reviewer: str = "ann",
    reason: str | None = None,
    via: str = "key",
    client_id: str = "",
) -> Decision:
    """A decision on a sample."""
    return Decision(
        sample_id=sample_id,
        reviewer=reviewer,
        verdict=verdict,
        reason=reason,
        comment="",
        at=AT,
        via=via,
        client_id=client_id,
        shown={},
    )


def filled(library: Library, *, subjects: int = 2, samples: int = 4) -> list[str]:
    """Subjects of one class and rendered, undecided samples of them; the samples' ids in plan order."""
    photos = [add_subject(library, number) for number in range(subjects)]
    specs = [spec(photos[seed % subjects], seed=seed) for seed in range(samples)]
    library.plans.add("toy", "name: toy", specs)
    return [render(library, sample_spec) for sample_spec in specs]


def replica_of(library: Library) -> Replica:
    """The replica of a library that has one."""
    assert library.replica is not None
    return library.replica


def die(library: Library) -> None:
    """Close a library as if its process had been killed: its replica writes nothing more."""
    replica_of(library)._over.set()
    library.replica = None
    library.close()
