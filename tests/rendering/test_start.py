"""Diffusion that starts from a background picture, on the tiny checkpoint."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest

from pipeline.domain.look import (
    CameraSpec,
    EdgeKind,
    EdgeSpec,
    FakeSeamSpec,
    LightMatch,
    ShadowSpec,
    StartSpec,
)
from pipeline.domain.spec import Method, SampleSpec
from pipeline.rendering import Generator, Job, control_image, load
from pipeline.rendering.composite import composite, exact
from pipeline.rendering.runner import RenderedSample
from tests.rendering.jobs import SIZE, layer, noise, soft_square, spec
from tests.rendering.test_runner import Collector, Painter, run

METHODS = (Method.INPAINT, Method.CONTROLNET)
GROUND = soft_square() == 0
PICTURE = np.repeat(np.linspace(30, 220, SIZE[1], dtype=np.uint8)[None, :, None], SIZE[0], 0).repeat(3, 2)
SHADOW = ShadowSpec(azimuth=45, elevation=40, pitch=70, height=0.3, darkness=0.7)


def begun(
    seed: int = 0,
    method: Method = Method.INPAINT,
    *,
    strength: float = 0.4,
    detail: float = 0.0,
    picture: np.ndarray = PICTURE,
    steps: int = 10,
) -> Job:
    """A job that starts from a picture."""
    placed = layer()
    return Job(
        spec=spec(
            seed, method, steps=steps, backdrop_id="p", start=StartSpec(strength=strength, detail=detail)
        ),
        layer=placed,
        control=control_image(placed) if method is Method.CONTROLNET else None,
        backdrop=picture,
    )


def difference(first: np.ndarray, second: np.ndarray) -> np.ndarray:
    return np.abs(first.astype(int) - second.astype(int))


@pytest.mark.parametrize("method", METHODS)
def test_the_object_is_exact_and_the_picture_shows_in_its_surroundings(
    tiny: Generator, method: Method
) -> None:
    image = tiny.generate([begun(3, method)])[0]
    assert exact(image, layer())
    other = tiny.generate([begun(3, method, picture=255 - PICTURE)])[0]
    assert (image != other)[GROUND].mean() > 0.2
    assert difference(image, composite(layer(), PICTURE))[GROUND].mean() > 1


@pytest.mark.parametrize("method", METHODS)
def test_an_image_is_the_same_alone_and_among_others_up_to_rounding(tiny: Generator, method: Method) -> None:
    together = tiny.generate([begun(seed, method, detail=0.6) for seed in (5, 6, 7)])
    for seed, image in zip((5, 6, 7), together, strict=True):
        assert difference(image, tiny.generate([begun(seed, method, detail=0.6)])[0]).max() <= 1


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize(("strength", "run_steps"), [(0.2, 2), (0.4, 4), (1.0, 10)])
def test_only_the_share_of_the_steps_is_run(
    tiny: Generator, method: Method, strength: float, run_steps: int
) -> None:
    seen: list[tuple[int, int]] = []
    tiny.generate([begun(0, method, strength=strength)], on_step=lambda *step: seen.append(step))
    assert seen == [(step + 1, run_steps) for step in range(run_steps)]


def test_at_full_strength_nothing_of_the_picture_is_left(tiny: Generator) -> None:
    first, second = (
        tiny.generate([begun(1, strength=1.0, picture=picture)])[0] for picture in (PICTURE, 255 - PICTURE)
    )
    assert difference(first, second).max() <= 1


def test_the_detail_of_the_picture_is_given_back_outside_the_object_only(tiny: Generator) -> None:
    grainy = noise(4)
    plain = tiny.generate([begun(1, picture=grainy)])[0]
    detailed = tiny.generate([begun(1, picture=grainy, detail=0.6)])[0]
    assert exact(detailed, layer())
    changed = difference(plain, detailed)
    assert changed[GROUND].mean() > 5
    assert changed[soft_square() == 255].max() == 0


def rendered(
    specs: Sequence[SampleSpec], generator: Any, picture: np.ndarray = PICTURE
) -> list[RenderedSample]:
    collector = Collector()
    run(specs, generator, collector, load_image=lambda _id: picture)
    assert not collector.failures
    return [collector.samples[each.id] for each in specs]


def test_a_run_passes_the_picture_with_the_shadow_and_groups_by_strength() -> None:
    painter = Painter()
    specs = [
        spec(0, steps=10, backdrop_id="p", start=StartSpec(strength=strength), shadow=SHADOW)
        for strength in (0.4, 0.6, 0.4)
    ]
    specs = [*specs[:2], spec(1, steps=10, backdrop_id="p", start=StartSpec(strength=0.4))]
    rendered(specs, painter, np.full((90, 120, 3), 200, np.uint8))
    assert [[job.spec for job in batch] for batch in painter.batches] == [[specs[0], specs[2]], [specs[1]]]
    shaded, bare = (job.backdrop for job in painter.batches[0])
    assert shaded is not None
    assert bare is not None
    assert shaded.shape == bare.shape == (*SIZE, 3)
    assert (bare == 200).all()
    assert shaded.min() < 150


def test_paste_shows_the_shadow_and_keeps_the_object() -> None:
    plain, shaded = rendered(
        [
            spec(0, Method.PASTE, model="none", steps=0, shadow=shadow, match_detail=shadow is not None)
            for shadow in (None, SHADOW)
        ],
        load("none"),
    )
    assert plain.facts.exact
    assert shaded.facts.exact
    assert difference(plain.image, shaded.image)[plain.layer.alpha == 0].max() > 30


def test_a_camera_changes_the_whole_image_and_the_sample_says_so() -> None:
    plain, seen = rendered([spec(7), spec(7, camera=CameraSpec(blur_px=0.5, noise=3.0, jpeg=80))], Painter())
    assert plain.facts.exact
    assert not seen.facts.exact
    assert difference(plain.image, seen.image)[plain.layer.alpha == 255].max() > 0
    assert np.array_equal(plain.layer.alpha, seen.layer.alpha)


def test_edges_seams_and_light_change_the_image_and_only_matching_the_object_changes_the_object() -> None:
    looks: list[dict[str, object]] = [
        {},
        {"edge": EdgeSpec(kind=EdgeKind.FEATHER, reach_px=2.0)},
        {"fake_seam": FakeSeamSpec(x=0.1, y=0.2, size=0.4, from_x=0.8, from_y=0.5)},
        {"match_light": LightMatch.BACKGROUND},
        {"match_light": LightMatch.OBJECT},
    ]
    warm = (PICTURE * np.array([1.0, 0.7, 0.4])).astype(np.uint8)
    plain, *changed = rendered(
        [spec(0, Method.PASTE, model="none", steps=0, **look) for look in looks], load("none"), warm
    )
    assert all(difference(plain.image, sample.image).max() > 3 for sample in changed)
    assert [sample.facts.exact for sample in changed] == [True, True, True, False]
