"""The placement of an object: position, scale, rotation, yaw and pitch as one homography for all its layers.

Coordinates are pixels with centres at whole numbers, as `cv2.warpPerspective` takes them.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from pipeline.domain.images import RGB, Mask
from pipeline.domain.warping import SHRINKS, Box, Homography, scale_at, shift, warp
from pipeline.errors import InvalidRequest, SizeMismatch

_DECIMALS = 6
FOCAL = 2.0  # focal length of the pinhole camera, in longest sides of the object
_OPAQUE = 255
_SURELY_OPAQUE = 1.0 - 1e-5  # a warped alpha above this saw opaque pixels only
_IN_MASK = 127
_EDGE_PX = 2  # canvas pixels around an object that its soft edge may reach
_RANGES = (
    ("x", -1.0, 2.0), ("y", -1.0, 2.0), ("scale", 0.02, 4.0), ("rotation", -360.0, 360.0), ("yaw", -60.0, 60.0),
    ("pitch", -60.0, 60.0),
)  # fmt: skip


def canonical(value: float) -> float:
    """Round a number of a spec to the 6 decimals that its id is made of, so that what is hashed is what is rendered."""
    if isinstance(value, np.generic):
        value = value.item()
    if not isinstance(value, float):
        return value
    return round(float(value), _DECIMALS) + 0.0  # no negative zero


@dataclass(frozen=True, slots=True, kw_only=True)
class Placement:
    """A pose of an object on a canvas."""

    x: float = 0.5  # centre of the object's box, share of the canvas width
    y: float = 0.5  # the same, share of the canvas height
    scale: float = 0.6  # longest side of the un-tilted object's box, share of the canvas' shorter side
    rotation: float = 0.0  # degrees in the image plane, counter-clockwise
    yaw: float = 0.0  # degrees about the vertical axis; its right side moves away when positive
    pitch: float = 0.0  # degrees about the horizontal axis; its upper side moves away when positive
    flip: bool = False  # mirrored left to right, before all else

    def __post_init__(self) -> None:
        for name, low, high in _RANGES:
            value = getattr(self, name)
            if not low <= value <= high:
                raise InvalidRequest(f"the placement's {name} is {value}; it must lie in {low:g} to {high:g}")
            if type(value) is not float or round(value, _DECIMALS) != value or not value:  # -0.0 equals zero
                object.__setattr__(self, name, canonical(value))


@dataclass(frozen=True, slots=True)
class Cutout:
    """An object without its background.

    `rgb` (H, W, 3) uint8 holds the object's colours, those of the photo where `alpha` (H, W) uint8 is 255.
    """

    rgb: RGB
    alpha: Mask

    def __post_init__(self) -> None:
        if self.rgb.shape[:2] != self.alpha.shape:
            raise SizeMismatch(colours=self.rgb.shape[:2], alpha=self.alpha.shape)


@dataclass(frozen=True, slots=True)
class Layer:
    """Objects on a transparent canvas: straight (not premultiplied) colours (H, W, 3) and alpha (H, W), uint8."""

    rgb: RGB
    alpha: Mask


@dataclass(frozen=True, slots=True)
class Placed:
    """Placed objects. The tuples have one entry per object, back to front."""

    layer: Layer
    masks: tuple[Mask, ...]  # the visible part of each object
    boxes: tuple[Box, ...]  # extent of each visible mask; (0, 0, 0, 0) where nothing is seen
    homographies: tuple[Homography, ...]
    visible: tuple[float, ...]  # share of each object's area that lies inside the canvas and is not covered


def object_box(alpha: Mask) -> Box:
    """Return the extent of the pixels of a mask above 127 (more object than background); (0, 0, 0, 0) without any."""
    rows, columns = (np.flatnonzero((alpha > _IN_MASK).any(axis=axis)) for axis in (1, 0))
    if not rows.size:
        return (0, 0, 0, 0)
    return (int(columns[0]), int(rows[0]), int(columns[-1]) + 1, int(rows[-1]) + 1)


def is_empty(box: Box) -> bool:
    """Whether a box (left, top, right, bottom) in pixels has no extent, as that of an empty mask."""
    return box[2] <= box[0] or box[3] <= box[1]


def box_centre(box: Box) -> tuple[float, float]:
    """Return the centre (x, y) of a box, in pixel coordinates."""
    return ((box[0] + box[2] - 1) / 2, (box[1] + box[3] - 1) / 2)


def homography(placement: Placement, box: Box, canvas_size: tuple[int, int]) -> Homography:
    """Return the 3 x 3 matrix that maps photo pixels to canvas pixels, for homogeneous coordinates (x, y, 1).

    A pinhole camera looks at the plane of the photo from `FOCAL` longest sides away (Hartley & Zisserman, Multiple
    View Geometry, eq. 8.1, for the plane Z = 0). The centre of the box always lands at (x, y).

    Args:
        box: the object's extent in the photo.
        canvas_size: (height, width) of the canvas.

    Raises:
        InvalidRequest: the box is empty.
    """
    longest = max(box[2] - box[0], box[3] - box[1])
    if longest <= 0:
        raise InvalidRequest("the object's mask is empty; edit it on the Photos page")
    centre = box_centre(box)
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
    matrix = shift(*target) @ np.diag([size_px, size_px, 1.0]) @ camera @ unit @ shift(-centre[0], -centre[1])
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


def place(cutouts: Sequence[Cutout], placements: Sequence[Placement], size: tuple[int, int]) -> Placed:
    """Warp each object and compose them back to front on a canvas of `size` (height, width)."""
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
    """Warp a cut-out in premultiplied colours, so that no colour of the old background bleeds in.

    Where the layer's alpha is 255, only opaque pixels were seen, and its colours equal bit for bit those of
    `warp(photo, at=box_centre(object_box(alpha)))`.
    """
    at = box_centre(object_box(cutout.alpha))
    reach = _reach(cutout.alpha, matrix, size, at)
    part = _slices(reach)
    share = cutout.alpha.astype(np.float32)[..., None] / _OPAQUE
    premultiplied = np.concatenate([cutout.rgb * share, share], axis=2)
    warped = warp(premultiplied, matrix, size, at=at, within=reach)[part]
    seen = warped[..., 3]
    layer = Layer(rgb=np.zeros((*size, 3), np.uint8), alpha=np.zeros(size, np.uint8))
    rgb, alpha = layer.rgb[part], layer.alpha[part]
    np.rint(np.minimum(seen * _OPAQUE, _OPAQUE - 1), out=alpha, casting="unsafe")
    opaque = seen >= _SURELY_OPAQUE
    alpha[opaque] = _OPAQUE
    np.copyto(rgb, warp(cutout.rgb, matrix, size, at=at, within=reach)[part], where=opaque[..., None])
    soft = (alpha > 0) & ~opaque
    straight = warped[soft][:, :3] / np.maximum(seen[soft], 1e-6)[:, None]
    rgb[soft] = np.clip(np.rint(straight), 0, 255)
    return layer


def _reach(alpha: Mask, matrix: Homography, size: tuple[int, int], at: tuple[float, float]) -> Box:
    """The box of the canvas outside which a warped cut-out is empty."""
    height, width = size
    rows, columns = (np.flatnonzero(alpha.any(axis=axis)) for axis in (1, 0))
    if not rows.size:
        return (0, 0, 0, 0)
    share = scale_at(matrix, at, size)
    soft = 1 + (math.ceil(1 / share) if share < SHRINKS else 0)  # photo pixels that filters mix into one
    box = (columns[0] - soft, rows[0] - soft, columns[-1] + 1 + soft, rows[-1] + 1 + soft)
    corners = np.array([[x, y, 1.0] for x in box[::2] for y in box[1::2]]) @ matrix.T
    if corners[:, 2].min() < 1e-3:  # reaches behind the camera
        return (0, 0, width, height)
    on_canvas = corners[:, :2] / corners[:, 2:]
    (x0, y0), (x1, y1) = np.floor(on_canvas.min(axis=0)) - _EDGE_PX, np.ceil(on_canvas.max(axis=0)) + _EDGE_PX
    return (
        int(np.clip(x0, 0, width)), int(np.clip(y0, 0, height)),
        int(np.clip(x1 + 1, 0, width)), int(np.clip(y1 + 1, 0, height)),
    )  # fmt: skip


def _slices(box: Box) -> tuple[slice, slice]:
    """Rows and columns of a box."""
    return slice(box[1], box[3]), slice(box[0], box[2])


def _extent(alpha: Mask) -> tuple[slice, slice]:
    """Rows and columns outside which a mask is empty."""
    rows, columns = (np.flatnonzero(alpha.any(axis=axis)) for axis in (1, 0))
    if not rows.size:
        return slice(0, 0), slice(0, 0)
    return slice(rows[0], rows[-1] + 1), slice(columns[0], columns[-1] + 1)


def _over(layers: Sequence[Layer], size: tuple[int, int]) -> Layer:
    """Layers over one another (Porter & Duff 1984, "over"); opaque and empty pixels are taken as they are."""
    if len(layers) == 1:
        return layers[0]
    whole = Layer(rgb=np.zeros((*size, 3), np.uint8), alpha=np.zeros(size, np.uint8))
    for layer in layers:
        part = _extent(layer.alpha)
        above, rgb, alpha = layer.alpha[part], whole.rgb[part], whole.alpha[part]
        front = above.astype(np.float32) / np.float32(_OPAQUE)
        behind = alpha.astype(np.float32) / np.float32(_OPAQUE) * (1 - front)
        total = np.maximum(front + behind, 1e-6)[..., None]
        mixed = (layer.rgb[part] * front[..., None] + rgb * behind[..., None]) / total
        solid, nothing = (above == _OPAQUE)[..., None], (above == 0)[..., None]
        rgb[...] = np.where(solid, layer.rgb[part], np.where(nothing, rgb, np.rint(mixed)))
        alpha[...] = np.where(
            (above == _OPAQUE) | (alpha == _OPAQUE), _OPAQUE, np.rint((front + behind) * _OPAQUE)
        )
    return whole


def _visible_masks(layers: Sequence[Layer]) -> tuple[Mask, ...]:
    clear = np.ones(layers[0].alpha.shape, np.float32)
    masks: list[Mask] = []
    for layer in reversed(layers):
        part = _extent(layer.alpha)
        mask = np.zeros_like(layer.alpha)
        mask[part] = np.rint(layer.alpha[part] * clear[part])
        clear[part] *= 1 - layer.alpha[part].astype(np.float32) / np.float32(_OPAQUE)
        masks.append(mask)
    return tuple(reversed(masks))


def _warped_area(alpha: Mask, matrix: Homography) -> float:
    """The canvas pixels that the object would cover on an unlimited canvas: the Jacobian summed over its pixels."""
    rows, columns = _extent(alpha)
    ys, xs = np.arange(rows.start, rows.stop)[:, None], np.arange(columns.start, columns.stop)
    depth = np.abs(matrix[2, 0] * xs + matrix[2, 1] * ys + matrix[2, 2])
    shares = alpha[rows, columns] / (depth * depth * depth)
    return float(shares.sum()) * abs(float(np.linalg.det(matrix))) / _OPAQUE


def box_corners(box: Box, matrix: Homography) -> NDArray[np.float32]:
    """Return the corners of a photo box on the canvas: (4, 2) float32, in order around the box."""
    x0, y0, x1, y1 = box
    edge = 0.5  # a box ends at the outer edge of its pixels
    corners = np.array(
        [[x0 - edge, y0 - edge], [x1 - edge, y0 - edge], [x1 - edge, y1 - edge], [x0 - edge, y1 - edge]],
        np.float64,
    )
    return cv2.perspectiveTransform(corners[None], matrix)[0].astype(np.float32)
