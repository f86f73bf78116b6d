"""Where an object stands: position, scale, rotation, yaw and pitch as one homography, applied alike to all its layers.

Coordinates are pixels with centres at whole numbers, as `cv2.warpPerspective` takes them.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, fields

import cv2
import numpy as np
from numpy.typing import NDArray

from pipeline.domain.images import RGB, Mask
from pipeline.errors import InvalidRequest, SizeMismatch

Box = tuple[int, int, int, int]  # (x0, y0, x1, y1) in pixels, x1 and y1 exclusive
Homography = NDArray[np.float64]  # (3, 3), photo pixels → canvas pixels

FOCAL = 2.0  # focal length of the pinhole camera, in longest sides of the object
_OPAQUE = 255
_SURELY_OPAQUE = 1.0 - 1e-5  # a warped alpha above this saw opaque pixels only
_SHRINKS = 0.8  # below this scale an area filter comes before the warp
_IN_MASK = 127
_RANGES = {
    "x": (-1.0, 2.0), "y": (-1.0, 2.0), "scale": (0.02, 4.0), "rotation": (-360.0, 360.0),
    "yaw": (-60.0, 60.0), "pitch": (-60.0, 60.0),
}  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Placement:
    """A pose of an object on a canvas."""

    x: float = 0.5  # centre of the object's box, share of the canvas width
    y: float = 0.5  # the same, share of the canvas height
    scale: float = 0.6  # longest side of the un-tilted object's box, share of the canvas' shorter side
    rotation: float = 0.0  # degrees in the picture plane, counter-clockwise
    yaw: float = 0.0  # degrees about the vertical axis; its right side moves away when positive
    pitch: float = 0.0  # degrees about the horizontal axis; its upper side moves away when positive
    flip: bool = False  # mirrored left to right, before all else

    def __post_init__(self) -> None:
        for one in fields(self):
            if one.name not in _RANGES:
                continue
            value, (low, high) = getattr(self, one.name), _RANGES[one.name]
            if not low <= value <= high:
                raise InvalidRequest(
                    f"the placement's {one.name} is {value}; it must lie in {low:g} to {high:g}"
                )


@dataclass(frozen=True, slots=True)
class Cutout:
    """An object without its ground: foreground colours (the photo's own where opaque) and soft alpha."""

    rgb: RGB
    alpha: Mask

    def __post_init__(self) -> None:
        if self.rgb.shape[:2] != self.alpha.shape:
            raise SizeMismatch(colours=self.rgb.shape[:2], alpha=self.alpha.shape)


@dataclass(frozen=True, slots=True)
class Layer:
    """Objects on a transparent canvas: straight colours and alpha. Where alpha is 255, the mask is 1."""

    rgb: RGB
    alpha: Mask


@dataclass(frozen=True, slots=True)
class Placed:
    """Objects where they stand. One entry per object, back to front."""

    layer: Layer
    masks: tuple[Mask, ...]  # the visible part of each object
    boxes: tuple[Box, ...]  # extent of each visible mask; (0, 0, 0, 0) where nothing is seen
    homographies: tuple[Homography, ...]
    visible: tuple[float, ...]  # share of each object's area that lies inside the canvas and is not covered


def object_box(alpha: Mask) -> Box:
    """The extent of the pixels of a mask that are more object than ground; (0, 0, 0, 0) where there are none."""
    rows, columns = (np.flatnonzero((alpha > _IN_MASK).any(axis=axis)) for axis in (1, 0))
    if not rows.size:
        return (0, 0, 0, 0)
    return (int(columns[0]), int(rows[0]), int(columns[-1]) + 1, int(rows[-1]) + 1)


def homography(placement: Placement, box: Box, canvas_size: tuple[int, int]) -> Homography:
    """The matrix that brings an object to its place, for homogeneous pixel coordinates (x, y, 1).

    A pinhole camera looks at the plane of the photo from `FOCAL` longest sides away (Hartley & Zisserman, Multiple
    View Geometry, eq. 8.1, for the plane Z = 0). The centre of the box always lands at (x, y).

    Args:
        box: the object's extent in the photo.
        canvas_size: (height, width) of the canvas.
    """
    longest = max(box[2] - box[0], box[3] - box[1])
    if longest <= 0:
        raise InvalidRequest("the object's mask is empty; mend it on the Photos page")
    centre = ((box[0] + box[2] - 1) / 2, (box[1] + box[3] - 1) / 2)
    height, width = canvas_size
    target = (placement.x * width - 0.5, placement.y * height - 0.5)
    turn = _turn(placement)
    camera = np.array(
        [
            [FOCAL * turn[0, 0], FOCAL * turn[0, 1], 0.0],
            [FOCAL * turn[1, 0], FOCAL * turn[1, 1], 0.0],
            [turn[2, 0], turn[2, 1], FOCAL],
        ]
    )
    unit = np.diag([(-1.0 if placement.flip else 1.0) / longest, 1.0 / longest, 1.0])
    size_px = placement.scale * min(height, width)
    matrix = (
        _shift(*target) @ np.diag([size_px, size_px, 1.0]) @ camera @ unit @ _shift(-centre[0], -centre[1])
    )
    return np.asarray(matrix / matrix[2, 2], np.float64)


def _turn(placement: Placement) -> NDArray[np.float64]:
    """Rotation of the object's plane; y points down, z away from the camera."""
    roll, yaw, pitch = (math.radians(angle) for angle in (placement.rotation, placement.yaw, placement.pitch))
    about_y = np.array([[math.cos(yaw), 0, -math.sin(yaw)], [0, 1, 0], [math.sin(yaw), 0, math.cos(yaw)]])
    about_x = np.array(
        [[1, 0, 0], [0, math.cos(pitch), math.sin(pitch)], [0, -math.sin(pitch), math.cos(pitch)]]
    )
    about_z = np.array([[math.cos(roll), math.sin(roll), 0], [-math.sin(roll), math.cos(roll), 0], [0, 0, 1]])
    return np.asarray(about_z @ about_x @ about_y, np.float64)


def _shift(x: float, y: float) -> NDArray[np.float64]:
    return np.array([[1.0, 0.0, x], [0.0, 1.0, y], [0.0, 0.0, 1.0]])


def warp(pixels: np.ndarray, matrix: Homography, size: tuple[int, int]) -> np.ndarray:
    """A picture seen through a homography on a canvas of `size` (height, width); outside it is 0.

    An area filter comes first where the picture shrinks, then bilinear interpolation. The identity on the same size
    returns equal pixels. uint8 in gives uint8 out (rounded), float32 gives float32.
    """
    if pixels.shape[:2] == size and np.allclose(matrix, np.eye(3), rtol=0, atol=1e-9):
        return pixels.copy()
    work, matrix = _prefiltered(pixels.astype(np.float32), matrix, size)
    warped = cv2.warpPerspective(
        work,
        matrix,
        (size[1], size[0]),
        flags=cv2.INTER_LINEAR,
        borderMode=cv2.BORDER_CONSTANT,
        borderValue=0,
    )
    if pixels.dtype == np.uint8:
        return np.clip(np.rint(warped), 0, 255).astype(np.uint8)
    return np.asarray(warped)


def _prefiltered(
    pixels: np.ndarray, matrix: Homography, size: tuple[int, int]
) -> tuple[np.ndarray, Homography]:
    """The picture area-filtered to about the size at which it lands, and the matrix from there."""
    height, width = pixels.shape[:2]
    share = _scale_at(matrix, ((width - 1) / 2, (height - 1) / 2), size)
    if share >= _SHRINKS:
        return pixels, matrix
    small = (max(1, round(width * share)), max(1, round(height * share)))
    across, down = small[0] / width, small[1] / height
    back = np.array([[1 / across, 0, 0.5 / across - 0.5], [0, 1 / down, 0.5 / down - 0.5], [0, 0, 1]])
    return cv2.resize(pixels, small, interpolation=cv2.INTER_AREA), matrix @ back


def _scale_at(matrix: Homography, point: tuple[float, float], size: tuple[int, int]) -> float:
    """Canvas pixels per photo pixel at a point: the square root of the Jacobian's determinant there."""
    depth = float(matrix[2] @ (*point, 1.0))
    return math.sqrt(abs(float(np.linalg.det(matrix))) / max(abs(depth) ** 3, 1e-9)) if depth else max(size)


def place(cutouts: Sequence[Cutout], placements: Sequence[Placement], size: tuple[int, int]) -> Placed:
    """Warp each object and lay them over one another, back to front, on a canvas of `size` (height, width)."""
    assert len(cutouts) == len(placements)
    boxes = [object_box(cutout.alpha) for cutout in cutouts]
    matrices = tuple(homography(*pair, size) for pair in zip(placements, boxes, strict=True))
    layers = [warped_cutout(cutout, matrix, size) for cutout, matrix in zip(cutouts, matrices, strict=True)]
    masks = _visible_masks(layers)
    areas = [_warped_area(cutout.alpha, matrix) for cutout, matrix in zip(cutouts, matrices, strict=True)]
    seen = (float(mask.sum(dtype=np.float64)) / _OPAQUE for mask in masks)
    return Placed(
        layer=_over(layers, size),
        masks=masks,
        boxes=tuple(object_box(mask) for mask in masks),
        homographies=matrices,
        visible=tuple(min(1.0, part / max(area, 1e-9)) for part, area in zip(seen, areas, strict=True)),
    )


def warped_cutout(cutout: Cutout, matrix: Homography, size: tuple[int, int]) -> Layer:
    """A cut-out through a homography, in premultiplied colours so that no colour of the old ground bleeds in.

    Where the layer's alpha is 255, only opaque pixels were seen, and its colours equal `warp(photo)` bit for bit.
    """
    share = cutout.alpha.astype(np.float32)[..., None] / _OPAQUE
    premultiplied = np.concatenate([cutout.rgb * share, share], axis=2).astype(np.float32)
    warped = warp(premultiplied, matrix, size)
    alpha = warped[..., 3]
    soft = np.minimum(np.rint(alpha * _OPAQUE), _OPAQUE - 1)
    mask = np.where(alpha >= _SURELY_OPAQUE, _OPAQUE, soft).astype(np.uint8)
    straight = warped[..., :3] / np.maximum(alpha, 1e-6)[..., None]
    rgb = np.clip(np.rint(straight), 0, 255).astype(np.uint8)
    opaque = mask == _OPAQUE
    rgb[opaque] = warp(cutout.rgb, matrix, size)[opaque]
    rgb[mask == 0] = 0
    return Layer(rgb=rgb, alpha=mask)


def _over(layers: Sequence[Layer], size: tuple[int, int]) -> Layer:
    """Layers over one another (Porter & Duff 1984, "over"); opaque and empty pixels are taken as they are."""
    if len(layers) == 1:
        return layers[0]
    rgb, alpha = np.zeros((*size, 3), np.uint8), np.zeros(size, np.uint8)
    for layer in layers:
        front = layer.alpha.astype(np.float32) / _OPAQUE
        behind = alpha.astype(np.float32) / _OPAQUE * (1 - front)
        total = np.maximum(front + behind, 1e-6)[..., None]
        mixed = (layer.rgb * front[..., None] + rgb * behind[..., None]) / total
        solid, nothing = (layer.alpha == _OPAQUE)[..., None], (layer.alpha == 0)[..., None]
        rgb = np.where(solid, layer.rgb, np.where(nothing, rgb, np.rint(mixed))).astype(np.uint8)
        alpha = np.where(alpha == _OPAQUE, alpha, np.rint((front + behind) * _OPAQUE)).astype(np.uint8)
        alpha[layer.alpha == _OPAQUE] = _OPAQUE
    return Layer(rgb=rgb, alpha=alpha)


def _visible_masks(layers: Sequence[Layer]) -> tuple[Mask, ...]:
    clear = np.ones(layers[0].alpha.shape, np.float32)
    masks: list[Mask] = []
    for layer in reversed(layers):
        masks.append(np.rint(layer.alpha * clear).astype(np.uint8))
        clear = clear * (1 - layer.alpha.astype(np.float32) / _OPAQUE)
    return tuple(reversed(masks))


def _warped_area(alpha: Mask, matrix: Homography) -> float:
    """Canvas pixels that the whole object would cover on an endless canvas: the Jacobian summed over its pixels."""
    rows, columns = np.nonzero(alpha)
    depth = matrix[2, 0] * columns + matrix[2, 1] * rows + matrix[2, 2]
    jacobian = abs(float(np.linalg.det(matrix))) / np.abs(depth) ** 3
    return float((alpha[rows, columns] * jacobian).sum() / _OPAQUE)


def box_corners(box: Box, matrix: Homography) -> NDArray[np.float32]:
    """(4, 2) float32: the corners of a photo box on the canvas, in order round the box."""
    x0, y0, x1, y1 = box
    edge = 0.5  # a box ends at the outer edge of its pixels
    corners = np.array(
        [[x0 - edge, y0 - edge], [x1 - edge, y0 - edge], [x1 - edge, y1 - edge], [x0 - edge, y1 - edge]],
        np.float64,
    )
    return cv2.perspectiveTransform(corners[None], matrix)[0].astype(np.float32)
