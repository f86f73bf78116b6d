"""How an object ends and its background begins: several kinds of blending, and seams where there is no object.

A network that sees one kind of blending in every image can learn to find the seam instead of the object; several kinds,
and seams without an object, keep it from that (Dwibedi, Misra & Hebert 2017, "Cut, Paste and Learn", section 3.3).
"""

from __future__ import annotations

import math

import cv2
import numpy as np
from numpy.typing import NDArray

from pipeline.domain.images import RGB, Mask
from pipeline.domain.look import EdgeKind, EdgeSpec, FakeSeamSpec
from pipeline.domain.placement import Layer
from pipeline.rendering.composite import OPAQUE, composite

_IN_OBJECT = 127  # an alpha above this is object
_WAVES = 4  # harmonics of the outline of a fake seam
_WAVE = 0.25  # the strongest of them, as a share of the radius
_STEPS = ((0, 1), (1, 0), (0, -1), (-1, 0))  # to the neighbours of a pixel: rows, columns


def blended(layer: Layer, background: RGB, edge: EdgeSpec | None) -> RGB:
    """Put the placed objects over a background with a kind of edge.

    Args:
        layer: (H, W, 3) straight colours and (H, W) alpha; 255 = object, 0 = background.
        background: (H, W, 3) uint8.
        edge: None = as the layer's alpha has it.

    Returns:
        (H, W, 3) uint8. Where alpha is 255 it equals the layer's colours exactly, whatever the edge.
    """
    inside = layer.alpha > _IN_OBJECT
    if edge is None or not inside.any() or inside.all():
        return composite(layer, background)
    match edge.kind:
        case EdgeKind.SOFT:
            return composite(layer, background)
        case EdgeKind.HARD:
            hard = Layer(rgb=layer.rgb, alpha=np.where(inside, OPAQUE, 0).astype(np.uint8))
            return composite(hard, background)
        case EdgeKind.FEATHER:
            return composite(layer, _feathered(layer.rgb, inside, background, edge.reach_px))
        case EdgeKind.POISSON:
            return composite(layer, _toned(layer.rgb, inside, background, edge.reach_px))


def with_fake_seam(background: RGB, seam: FakeSeamSpec, edge: EdgeSpec | None, *, seed: int) -> RGB:
    """Lay a patch of a background over another place of it, with the same kind of edge as the objects.

    Args:
        background: (H, W, 3) uint8.
        seed: of the outline of the patch.
    """
    height, width = background.shape[:2]
    move = np.array([[-1, 0, (seam.x + seam.from_x) * width], [0, 1, (seam.y - seam.from_y) * height]])
    moved = cv2.warpAffine(background, move, (width, height), borderMode=cv2.BORDER_REFLECT_101)
    patch = np.clip(np.rint(moved * np.float32(seam.brightness)), 0, 255).astype(np.uint8)
    outline = _outline(seam, (height, width), seed)
    return blended(Layer(rgb=patch, alpha=outline), background, edge)


def _outline(seam: FakeSeamSpec, size: tuple[int, int], seed: int) -> Mask:
    """Draw a smooth closed outline; (H, W) alpha."""
    rng = np.random.default_rng([seed, 3])
    angle = np.linspace(0, 2 * math.pi, 180, endpoint=False)
    radius = np.ones_like(angle)
    for wave in range(1, _WAVES + 1):
        radius += rng.uniform(0, _WAVE / wave) * np.cos(wave * angle + rng.uniform(0, 2 * math.pi))
    height, width = size
    reach = seam.size * min(size) / 2 * radius
    points = np.stack(
        [seam.x * width + reach * np.cos(angle), seam.y * height + reach * np.sin(angle)], axis=1
    )
    fraction_bits = 4
    corners = np.rint((points - 0.5) * (1 << fraction_bits)).astype(np.int32)
    alpha = np.zeros(size, np.uint8)
    return np.asarray(cv2.fillPoly(alpha, [corners], OPAQUE, cv2.LINE_AA, fraction_bits), np.uint8)


def _feathered(rgb: RGB, inside: NDArray[np.bool_], background: RGB, reach_px: float) -> RGB:
    """Let the object's colours fade out over the background beside it, linearly over `reach_px`."""
    distance, labels = cv2.distanceTransformWithLabels(
        (~inside).astype(np.uint8), cv2.DIST_L2, cv2.DIST_MASK_5, labelType=cv2.DIST_LABEL_PIXEL
    )
    nearest = np.zeros((int(labels.max()) + 1, 3), np.float32)
    nearest[labels[inside]] = rgb[inside]
    weight = np.clip(1 - distance / (reach_px + 1), 0, 1)[..., None]
    return np.asarray(np.rint(weight * nearest[labels] + (1 - weight) * background), np.uint8)


def _toned(rgb: RGB, inside: NDArray[np.bool_], background: RGB, reach_px: float) -> RGB:
    """Give the background beside the object the object's tone where they touch, and keep its gradients.

    Poisson image editing (Pérez, Gangnet & Blake 2003, equation 7) on the ring of `reach_px` around the object: what is
    added to the background is harmonic in the ring, the difference to the object at its inner border, 0 beyond it.
    """
    distance = cv2.distanceTransform((~inside).astype(np.uint8), cv2.DIST_L2, cv2.DIST_MASK_5)
    ring = (distance > 0) & (distance <= reach_px)
    if not ring.any():
        return background
    difference = np.where(inside[..., None], rgb.astype(np.float64) - background, 0.0)
    toned = background.astype(np.float64)
    toned[ring] += _harmonic(ring, difference)
    return np.clip(np.rint(toned), 0, 255).astype(np.uint8)


def _harmonic(ring: NDArray[np.bool_], border: NDArray[np.float64]) -> NDArray[np.float64]:
    """Solve Laplace's equation.

    Args:
        ring: (H, W), the unknown pixels.
        border: (H, W, 3), the values of all others; beyond the image there is nothing.

    Returns:
        The values in the ring, (N, 3), in row order.
    """
    from scipy.sparse import csr_matrix  # slow to import, needed only here
    from scipy.sparse.linalg import spsolve

    rows, columns = np.nonzero(ring)
    number = np.full(ring.shape, -1)
    number[rows, columns] = np.arange(len(rows))
    neighbours = np.zeros(len(rows))
    known = np.zeros((len(rows), 3))
    first, second = [], []
    for down, right in _STEPS:
        row, column = rows + down, columns + right
        there = (row >= 0) & (row < ring.shape[0]) & (column >= 0) & (column < ring.shape[1])
        neighbours += there
        place = np.flatnonzero(there)
        other = number[row[place], column[place]]
        known[place[other < 0]] += border[row[place[other < 0]], column[place[other < 0]]]
        first.append(place[other >= 0])
        second.append(other[other >= 0])
    diagonal = np.arange(len(rows))
    pairs = np.concatenate(first), np.concatenate(second)
    matrix = csr_matrix(
        (
            np.concatenate([neighbours, -np.ones(len(pairs[0]))]),
            (np.concatenate([diagonal, pairs[0]]), np.concatenate([diagonal, pairs[1]])),
        )
    )
    return np.asarray(spsolve(matrix.tocsc(), known), np.float64).reshape(-1, 3)
