"""Samples whose defect is known: clean ones from the starter set and photographs, and the same ones with one defect."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import cv2
import numpy as np

from benchmarks.composites import photographed
from pipeline.domain.images import RGB, Mask, fitted
from pipeline.domain.look import EdgeKind, EdgeSpec
from pipeline.domain.photo_decoding import load_photo
from pipeline.domain.placement import Cutout, Layer, Placement, place
from pipeline.domain.quality import object_share
from pipeline.rendering.edges import blended
from pipeline.starter import drawn_backgrounds, subjects

SIZES = (128, 256)
_BOARD = 244  # grey level of a white board
_MOST_PHOTO_PX = 384
_HALVINGS = 7
_EVERY_GROUND = 6  # photographs of surfaces and places are many


@dataclass(frozen=True, slots=True, kw_only=True)
class Subject:
    """An object with an exact mask, photographed on a white board."""

    label: str
    rgb: RGB
    mask: Mask


@dataclass(frozen=True, slots=True, kw_only=True)
class Example:
    """A clean sample, and what it was made of."""

    kind: str  # of its object and its background
    subject: Subject
    placement: Placement
    ground: RGB
    edge: EdgeSpec
    layer: Layer
    visible: float

    @property
    def image(self) -> RGB:
        """The finished image."""
        return blended(self.layer, self.ground, self.edge)

    def showing(self, share: float, side: int) -> Example:
        """Return the example with its object moved out of the image until that share of it is visible.

        Args:
            share: 0 to 1.
            side: over which border: 0 right, 1 bottom, 2 left, 3 top.
        """
        axis, sign = ("x", "y")[side % 2], 1 if side < 2 else -1
        near, far = 0.0, 1.5  # how far it is moved, as a share of the image
        for _ in range(_HALVINGS):
            middle = (near + far) / 2
            moved = replace(self.placement, **{axis: getattr(self.placement, axis) + sign * middle})
            near, far = (middle, far) if self.placed(placement=moved).visible > share else (near, middle)
        moved = replace(self.placement, **{axis: getattr(self.placement, axis) + sign * near})
        return self.placed(placement=moved)

    def covering(self, share: float) -> Example:
        """Return the example with its object made smaller, so that it covers that share of the image."""
        factor = math.sqrt(share / object_share(self.layer.alpha))
        return self.placed(placement=replace(self.placement, scale=self.placement.scale * min(factor, 1.0)))

    def placed(self, *, grown_px: int = 0, placement: Placement | None = None) -> Example:
        """Return the example with its object placed otherwise, or with a mask too large by pixels of the image."""
        size = self.ground.shape[:2]
        placement = placement or self.placement
        cutout = _cutout(self.subject, grown_px, placement.scale * min(size))
        done = place([cutout], [placement], size)
        return replace(self, placement=placement, layer=done.layer, visible=done.visible[0])


@dataclass(frozen=True, slots=True, kw_only=True)
class Defect:
    """A way to spoil a clean sample, and the score that shall notice."""

    name: str
    score: str
    spoiled: Callable[
        [Example, Example], tuple[RGB, Mask]
    ]  # the sample, another one → image, mask of the sample


def examples(count: int, data: Path, *, seed: int = 0) -> Iterator[Example]:
    """Draw clean samples: kinds of object and background, sizes and kinds of edges take turns.

    Args:
        data: the folder with `objects`, `surfaces512` and `places512`; without it the starter set alone is used.
    """
    rng = np.random.default_rng(seed)
    objects, grounds = _subjects(data), _grounds(data)
    pairs = [(kind, other) for kind in objects for other in grounds]
    edges = list(EdgeKind)
    for number in range(count):
        kind, other = pairs[number % len(pairs)]
        size = SIZES[number // len(pairs) % len(SIZES)]
        subject = objects[kind][int(rng.integers(len(objects[kind])))]
        ground = grounds[other][int(rng.integers(len(grounds[other])))]
        x, y, scale, turn = rng.uniform((0.35, 0.35, 0.35, -180), (0.65, 0.65, 0.8, 180))
        empty = Layer(rgb=np.zeros((size, size, 3), np.uint8), alpha=np.zeros((size, size), np.uint8))
        reach_px = float(rng.uniform(1, 3))
        yield Example(
            kind=f"{kind} on {other}",
            subject=subject,
            placement=Placement(x=x, y=y, scale=scale, rotation=turn),
            ground=fitted(ground, (size, size)),
            edge=EdgeSpec(kind=edges[number // (len(pairs) * len(SIZES)) % len(edges)], reach_px=reach_px),
            layer=empty,
            visible=1.0,
        ).placed()


def _subjects(data: Path) -> dict[str, list[Subject]]:
    parts = [
        Subject(label=part.label, rgb=_on_board(part.rgb, part.mask), mask=part.mask)
        for part in subjects(per_kind=6)
    ]
    found = {"starter": parts}
    if (data / "objects").is_dir():
        found["photographed"] = [_photographed(*example) for example in photographed(data / "objects")]
    return found


def _photographed(name: str, rgb: np.ndarray, mask: np.ndarray) -> Subject:
    """Take an object a pixel inside its mask, whose outline is right within two."""
    share = min(1.0, _MOST_PHOTO_PX / max(rgb.shape[:2]))
    size = (round(rgb.shape[1] * share), round(rgb.shape[0] * share))
    cover = cv2.resize(mask.astype(np.float32), size, interpolation=cv2.INTER_AREA)
    inner = cv2.erode((cover > 0.5).astype(np.uint8), np.ones((3, 3), np.uint8))
    soft = cv2.GaussianBlur(inner.astype(np.float32), (0, 0), 0.7)
    small = np.asarray(cv2.resize(rgb, size, interpolation=cv2.INTER_AREA), np.uint8)
    label = "_".join(word for word in name.split("_")[1:] if word.isalpha())
    return Subject(label=label, rgb=small, mask=np.rint(soft * 255).astype(np.uint8))


def _on_board(rgb: RGB, mask: Mask) -> RGB:
    cover = mask[..., None].astype(np.float32) / 255
    return np.rint(rgb * cover + _BOARD * (1 - cover)).astype(np.uint8)


def _grounds(data: Path) -> dict[str, Sequence[RGB]]:
    found: dict[str, Sequence[RGB]] = {
        "drawn": [drawn.rgb for drawn in drawn_backgrounds(size_px=max(SIZES), count=16)]
    }
    files = sorted([*data.glob("surfaces512/*/*.*"), *data.glob("places512/*/*.*")])
    if files:
        found["photos"] = [
            load_photo(file.read_bytes(), file.name).rgb
            for file in files[::_EVERY_GROUND]
            if file.suffix.lower() in (".jpg", ".jpeg", ".png", ".webp")
        ]
    return found


def _cutout(subject: Subject, grown_px: int, size_px: float) -> Cutout:
    """Return the cut-out of an object that will be `size_px` long, its mask too large by pixels of the image."""
    if not grown_px:
        return Cutout(rgb=subject.rgb, alpha=subject.mask)
    solid = (subject.mask > 127).astype(np.uint8)
    _, _, width, height = cv2.boundingRect(solid)
    reach = max(1, round(grown_px * max(width, height) / size_px))
    kernel = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * reach + 1,) * 2)
    soft = cv2.GaussianBlur(cv2.dilate(solid, kernel).astype(np.float32), (0, 0), 0.7)
    return Cutout(rgb=subject.rgb, alpha=np.rint(soft * 255).astype(np.uint8))


# --- defects ------------------------------------------------------------------------------------------------


def _rim(grown_px: int) -> Callable[[Example, Example], tuple[RGB, Mask]]:
    def spoiled(clean: Example, _other: Example) -> tuple[RGB, Mask]:
        grown = clean.placed(grown_px=grown_px)
        return grown.image, grown.layer.alpha

    return spoiled


def _ring(alpha: Mask) -> np.ndarray:
    return cv2.distanceTransform((alpha <= 127).astype(np.uint8), cv2.DIST_L2, cv2.DIST_MASK_5)


def _glow(tone: int) -> Callable[[Example, Example], tuple[RGB, Mask]]:
    def spoiled(clean: Example, _other: Example) -> tuple[RGB, Mask]:
        weight = 0.75 * np.exp(-((_ring(clean.layer.alpha) / 2.0) ** 2))[..., None]
        ground = np.rint(clean.ground * (1 - weight) + tone * weight).astype(np.uint8)
        return replace(clean, ground=ground).image, clean.layer.alpha

    return spoiled


def _left_over(tone: int) -> Callable[[Example, Example], tuple[RGB, Mask]]:
    def spoiled(clean: Example, _other: Example) -> tuple[RGB, Mask]:
        beside = (_ring(clean.layer.alpha) <= 2)[..., None]
        ground = np.where(beside, np.uint8(tone), clean.ground).astype(np.uint8)
        return replace(clean, ground=ground).image, clean.layer.alpha

    return spoiled


def _ground(change: Callable[[RGB], RGB]) -> Callable[[Example, Example], tuple[RGB, Mask]]:
    return lambda clean, _other: (replace(clean, ground=change(clean.ground)).image, clean.layer.alpha)


def _whole(change: Callable[[RGB], RGB]) -> Callable[[Example, Example], tuple[RGB, Mask]]:
    return lambda clean, _other: (change(clean.image), clean.layer.alpha)


def _blurred(sigma: float) -> Callable[[RGB], RGB]:
    return lambda rgb: np.asarray(cv2.GaussianBlur(rgb, (0, 0), sigma), np.uint8)


def _toned(gain: float, offset: float) -> Callable[[RGB], RGB]:
    return lambda rgb: np.clip(np.rint(rgb * gain + offset), 0, 255).astype(np.uint8)


def _banded(width_px: float, tone: int) -> Callable[[Example, Example], tuple[RGB, Mask]]:
    """The background beside the object is lighter or darker, and becomes its own at once."""

    def spoiled(clean: Example, _other: Example) -> tuple[RGB, Mask]:
        beside = (_ring(clean.layer.alpha) <= width_px)[..., None]
        toned = np.clip(clean.ground.astype(np.int16) + tone, 0, 255)
        ground = np.where(beside, toned, clean.ground).astype(np.uint8)
        return replace(clean, ground=ground).image, clean.layer.alpha

    return spoiled


def _continued(share: float) -> Callable[[Example, Example], tuple[RGB, Mask]]:
    """The background goes on with the object: a larger one beneath it."""

    def spoiled(clean: Example, _other: Example) -> tuple[RGB, Mask]:
        larger = replace(clean.placement, scale=clean.placement.scale * share)
        beneath = clean.placed(placement=larger)
        return replace(clean, ground=beneath.image).image, clean.layer.alpha

    return spoiled


def _second(clean: Example, _other: Example) -> tuple[RGB, Mask]:
    """The same object again, in a corner, and both small enough to lie apart."""
    scale = min(clean.placement.scale, 0.45)
    first = clean.placed(placement=replace(clean.placement, scale=scale, x=0.3, y=0.3))
    second = clean.placed(placement=replace(clean.placement, scale=scale, x=0.74, y=0.74))
    return replace(first, ground=second.image).image, first.layer.alpha


def _of_another_class(clean: Example, other: Example) -> tuple[RGB, Mask]:
    return other.image, other.layer.alpha


DEFECTS = (
    Defect(name="1 px of the white board", score="rim", spoiled=_rim(1)),
    Defect(name="2 px of the white board", score="rim", spoiled=_rim(2)),
    Defect(name="3 px of the white board", score="rim", spoiled=_rim(3)),
    Defect(name="light glow", score="halo", spoiled=_glow(255)),
    Defect(name="dark glow", score="halo", spoiled=_glow(0)),
    Defect(name="2 px of paper beside it", score="fringe", spoiled=_left_over(240)),
    Defect(name="2 px of black beside it", score="fringe", spoiled=_left_over(10)),
    Defect(name="band of 4 px, lighter", score="band", spoiled=_banded(4, 30)),
    Defect(name="band of 7 px, darker", score="band", spoiled=_banded(7, -30)),
    Defect(name="band of 11 px, a little lighter", score="band", spoiled=_banded(11, 15)),
    Defect(name="one stop too light", score="over_exposed", spoiled=_whole(_toned(2.0, 0))),
    Defect(name="two stops too light", score="over_exposed", spoiled=_whole(_toned(3.5, 0))),
    Defect(name="shadows cut off", score="under_exposed", spoiled=_whole(_toned(1.0, -90))),
    Defect(name="nearly black", score="under_exposed", spoiled=_whole(_toned(1.0, -150))),
    Defect(name="haze", score="contrast", spoiled=_whole(_toned(0.15, 160))),
    Defect(name="blur of 1.5 px", score="sharpness", spoiled=_whole(_blurred(1.5))),
    Defect(name="blur of 3 px", score="sharpness", spoiled=_whole(_blurred(3.0))),
    Defect(name="background blurred by 1 px", score="sharpness_gap", spoiled=_ground(_blurred(1.0))),
    Defect(name="background blurred by 2 px", score="sharpness_gap", spoiled=_ground(_blurred(2.0))),
    Defect(name="background blurred by 4 px", score="sharpness_gap", spoiled=_ground(_blurred(4.0))),
)
NETWORK_DEFECTS = (
    Defect(name="continued by 20 %", score="expansion", spoiled=_continued(1.2)),
    Defect(name="continued by 50 %", score="expansion", spoiled=_continued(1.5)),
    Defect(name="the object twice", score="second_object", spoiled=_second),
    Defect(name="another class", score="recognised", spoiled=_of_another_class),
)
