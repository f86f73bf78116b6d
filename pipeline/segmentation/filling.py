"""Fill a hole of a photo with patches of the same photo, from its edge inwards."""

from __future__ import annotations

from dataclasses import dataclass, field

import cv2
import numpy as np

from pipeline.domain.images import RGB
from pipeline.segmentation.background import Field

_WORK_PX = 224  # longest side at which patches are chosen
_PATCH_SHARE = 0.1  # side of a patch, of the longest side
_LEAST_HALF = 4  # pixels of half a patch
_STRUCTURE = 20.0  # how little a gradient counts in the order of filling
_MOST_SHIFT = 15.0  # grey levels by which a patch may be made lighter or darker
_SOFT_PX = 5.0  # over which a patch fades into those that lie there already
_COARSE_PX = 2.5  # standard deviation: what is finer is grain, which never fits
_WORST = 0.9  # quantile

Place = tuple[int, int]  # top, left


@dataclass(frozen=True, slots=True)
class _Copy:
    """A patch that was copied; places are of the small photo."""

    to: Place
    source: Place
    shift: Field  # (3,) grey levels that are added
    weight: Field  # (side, side), 0 to 1


@dataclass(frozen=True, slots=True)
class Filled:
    """A photo (H, W, 3) uint8 with its hole filled; `misfit` says how badly the worst patches fit, in grey levels."""

    rgb: RGB
    misfit: float


def filled(rgb: RGB, hole: np.ndarray) -> Filled | None:
    """Fill the hole of a photo, exemplar-based (Criminisi, Pérez & Toyama 2004, without its data term).

    The pixel on the hole's edge that most known pixels and gradients surround comes first. It takes the patch of the
    photo that differs least from what is known round it, at the mean light of the place, and fades into patches that
    lie there already. Patches are chosen at 224 px and copied at full size.

    Args:
        rgb: (H, W, 3) uint8.
        hole: (H, W) bool; pixels outside it stay as they are.

    Returns:
        The photo, or None where no patch of it lies outside the hole.
    """
    scale = min(_WORK_PX / max(rgb.shape[:2]), 1.0)
    height, width = (max(round(side * scale), 1) for side in rgb.shape[:2])
    small = cv2.resize(rgb, (width, height), interpolation=cv2.INTER_AREA).astype(np.float32)
    unknown = cv2.resize(hole.astype(np.float32), (width, height), interpolation=cv2.INTER_AREA) > 0
    filling = _Filling.of(small, unknown)
    if filling is None:
        return None
    while not filling.known.all():
        filling.step()
    misfit = float(np.quantile(filling.misfits, _WORST)) if filling.misfits else 0.0
    return Filled(_replayed(rgb, hole, filling), misfit)


@dataclass(slots=True)
class _Filling:
    """A small photo that is being filled."""

    photo: Field  # (h, w, 3), as it was
    image: Field  # (h, w, 3), as far as it is filled
    unknown: np.ndarray  # (h, w) bool: the hole
    known: np.ndarray  # (h, w) bool: what is not to be filled any more
    steepness: Field  # (h, w)
    half: int  # patches have 2 · half + 1 pixels a side
    usable: np.ndarray  # (h - 2 · half, w - 2 · half) bool: top left corners of patches without a hole
    copies: list[_Copy] = field(default_factory=list)
    misfits: list[float] = field(default_factory=list)

    @classmethod
    def of(cls, photo: Field, unknown: np.ndarray) -> _Filling | None:
        height, width = unknown.shape
        half = max(round(_PATCH_SHARE * max(height, width) / 2), _LEAST_HALF)
        if min(height, width) <= 2 * half + 1:
            return None
        kernel = np.ones((2 * half + 1,) * 2, np.uint8)
        whole = cv2.erode((~unknown).astype(np.uint8), kernel) > 0
        usable = whole[half : height - half, half : width - half]
        if not usable.any():
            return None
        grey = photo.mean(-1)
        across, down = cv2.Sobel(grey, cv2.CV_32F, 1, 0), cv2.Sobel(grey, cv2.CV_32F, 0, 1)
        steepness = np.hypot(across, down) * ~unknown
        return cls(photo, photo.copy(), unknown, ~unknown, steepness, half, usable)

    def step(self) -> None:
        """Fill one patch."""
        to = self._next()
        window = self._window(to)
        known, target = self.known[window], self.image[window]
        weights = np.repeat(known[..., None], 3, axis=2).astype(np.float32)
        differences = cv2.matchTemplate(self.photo, np.ascontiguousarray(target), cv2.TM_SQDIFF, mask=weights)
        differences[~self.usable] = np.inf
        top, left = np.unravel_index(int(differences.argmin()), differences.shape)
        source = int(top), int(left)
        piece = self.photo[self._window(source)]
        shift = np.clip((target[known] - piece[known]).mean(0), -_MOST_SHIFT, _MOST_SHIFT)
        self.misfits.append(_misfit(target, piece, known))
        weight = self._weight(window)
        self.image[window] = target + weight[..., None] * (piece + shift - target)
        self.steepness[window][~known] = self.steepness[self._window(source)][~known]
        self.known[window] = True
        self.copies.append(_Copy(to, source, shift, weight))

    def _next(self) -> Place:
        """Return the patch that is filled next."""
        side = (2 * self.half + 1,) * 2
        share = cv2.boxFilter(self.known.astype(np.float32), -1, side, borderType=cv2.BORDER_CONSTANT)
        steep = cv2.boxFilter(
            (self.steepness * self.known).astype(np.float32), -1, side, borderType=cv2.BORDER_CONSTANT
        )
        edge = ~self.known & (cv2.dilate(self.known.astype(np.uint8), np.ones((3, 3), np.uint8)) > 0)
        rank = np.where(edge, share * _STRUCTURE + steep, -1)
        places = np.unravel_index(int(rank.argmax()), rank.shape)
        top, left = (
            min(max(int(place), self.half), length - self.half - 1) - self.half
            for place, length in zip(places, rank.shape, strict=True)
        )
        return top, left

    def _window(self, place: Place) -> tuple[slice, slice]:
        side = 2 * self.half + 1
        return slice(place[0], place[0] + side), slice(place[1], place[1] + side)

    def _weight(self, window: tuple[slice, slice]) -> Field:
        """1 where nothing is known, fading to 0 over what was filled before; 0 on the photo itself."""
        distance = cv2.distanceTransform(self.known[window].astype(np.uint8), cv2.DIST_L2, 3)
        return np.where(self.unknown[window], np.clip(1 - distance / _SOFT_PX, 0, 1), 0).astype(np.float32)


def _misfit(target: Field, piece: Field, known: np.ndarray) -> float:
    """Return the root mean square of coarse differences between two patches at equal light, where one is known."""
    share = cv2.GaussianBlur(known.astype(np.float32), (0, 0), _COARSE_PX)[..., None] + 1e-3
    difference = np.where(known[..., None], target - piece, 0).astype(np.float32)
    coarse = (cv2.GaussianBlur(difference, (0, 0), _COARSE_PX) / share)[known]
    return float(np.sqrt(((coarse - coarse.mean(0)) ** 2).mean()))


def _replayed(rgb: RGB, hole: np.ndarray, filling: _Filling) -> RGB:
    """Copy the chosen patches at the size of the photo."""
    scale = rgb.shape[0] / filling.photo.shape[0], rgb.shape[1] / filling.photo.shape[1]
    side = [max(round((2 * filling.half + 1) * ratio), 1) for ratio in scale]
    photo, image = rgb.astype(np.float32), rgb.astype(np.float32)
    small = cv2.resize(filling.image, rgb.shape[1::-1], interpolation=cv2.INTER_LINEAR)
    image[hole] = small[hole]  # patches are rounded to pixels, and between them the object would show
    for copy in filling.copies:
        to, source = (
            tuple(
                slice(start, start + length)
                for start, length in zip(_scaled(place, scale, side, rgb), side, strict=True)
            )
            for place in (copy.to, copy.source)
        )
        weight = cv2.resize(copy.weight, (side[1], side[0]), interpolation=cv2.INTER_LINEAR)[..., None]
        image[to] += weight * (photo[source] + copy.shift - image[to])
    image[~hole] = photo[~hole]
    return np.clip(np.rint(image), 0, 255).astype(np.uint8)


def _scaled(place: Place, scale: tuple[float, float], side: list[int], rgb: RGB) -> tuple[int, ...]:
    return tuple(
        min(round(start * ratio), whole - length)
        for start, ratio, whole, length in zip(place, scale, rgb.shape[:2], side, strict=True)
    )
