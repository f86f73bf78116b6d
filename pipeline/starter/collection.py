"""The starter set and its field test set, rendered on the fly: the same seed gives the same pixels."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from pipeline.errors import InvalidRequest
from pipeline.starter.parts import Kind
from pipeline.starter.scenes import RenderedImage, bench_image, field_image
from pipeline.starter.surfaces import drawn_surface, photographed_surface, surface_photos

PER_KIND = 24
FIELD_COUNT = 100
_ALBEDO_PX = 384
_BENCH, _FIELD, _BACKDROPS = 1, 2, 3  # keep the sets' random numbers apart
_BACKDROP_COUNT = 39  # three of each kind of ground


@dataclass(frozen=True, slots=True)
class StarterPart:
    """One rendered image of a machine part.

    `rgb` is (192, 192, 3) uint8; `mask` (192, 192) uint8 is exact: the share of each
    pixel that the part covers.
    """

    label: str
    name: str
    rgb: np.ndarray
    mask: np.ndarray


def subjects(seed: int = 0, *, per_kind: int = PER_KIND) -> Iterator[StarterPart]:
    """Render parts on one grey bench, `per_kind` of each of the five kinds, kind after kind.

    Raises:
        InvalidRequest: `per_kind` is below 1.
    """
    if per_kind < 1:
        raise InvalidRequest(f"per_kind is {per_kind}; it must be at least 1")
    for position, kind in enumerate(Kind):
        for number in range(per_kind):
            rng = np.random.default_rng([seed, _BENCH, position, number])
            yield _named(kind, number, bench_image(kind, rng))


def field(count: int = FIELD_COUNT, seed: int = 0, surfaces: Path | None = None) -> Iterator[StarterPart]:
    """Render the same kinds elsewhere: on varied surfaces, in varied light, from near and far; kinds take turns.

    Args:
        surfaces: a folder of surface photos to lie on; drawn surfaces without it.

    Raises:
        InvalidRequest: `count` is below 1.
        SourceRefused: the folder of surfaces holds no readable images.
    """
    if count < 1:
        raise InvalidRequest(f"the field set's count is {count}; it must be at least 1")
    folders = _by_folder(surface_photos(surfaces)) if surfaces else []
    kinds = tuple(Kind)
    for number in range(count):
        rng = np.random.default_rng([seed, _FIELD, number])
        if folders:
            paths = folders[int(rng.integers(len(folders)))]
            albedo = photographed_surface(paths[int(rng.integers(len(paths)))], _ALBEDO_PX, rng)
        else:
            albedo = drawn_surface(number, _ALBEDO_PX, rng)
        kind = kinds[number % len(kinds)]
        yield _named(kind, number // len(kinds), field_image(kind, albedo, rng), prefix="field-")


def backdrops(
    *, size_px: int, count: int = _BACKDROP_COUNT, seed: int = 0, first: int = 0
) -> Iterator[np.ndarray]:
    """Draw grounds with nothing on them: (size_px, size_px, 3) uint8 each.

    They are of the same kinds as the grounds of the field set (other pieces of them), which flatters whatever
    is pasted on them when the field set is the test.

    Args:
        first: the number of the first that is drawn, from 0; those before it are left out.
    """
    for number in range(first, count):
        rng = np.random.default_rng([seed, _BACKDROPS, number])
        yield np.rint(drawn_surface(number, size_px, rng) ** (1 / 2.2) * 255).astype(np.uint8)


def _by_folder(paths: list[Path]) -> list[list[Path]]:
    groups: dict[Path, list[Path]] = {}
    for path in paths:
        groups.setdefault(path.parent, []).append(path)
    return list(groups.values())


def _named(kind: Kind, number: int, image: RenderedImage, prefix: str = "") -> StarterPart:
    return StarterPart(str(kind), f"{prefix}{kind}-{number + 1:02d}.png", image.rgb, image.mask)
