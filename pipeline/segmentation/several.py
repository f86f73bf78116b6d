"""Several objects in one photo: which parts of a mask stand apart, and the mask of each."""

from __future__ import annotations

import cv2
import numpy as np

from pipeline.domain.images import Mask

_INSIDE = 127  # mask values above this are object
_GAP_SHARE = 0.03  # of the longest side of all: pieces that are nearer to each other belong to one object
_LEAST_OF_LARGEST = 0.2  # a smaller piece is no object of its own
_MOST_OBJECTS = 24  # more pieces are a heap or noise: one object
_CERTAIN = 0.75  # mean probability inside an object of its own


def separate_objects(mask: np.ndarray) -> list[np.ndarray]:
    """Find the objects of a mask that stand clearly apart and are of comparable size.

    Pieces nearer to each other than 3 % of the longest side of the whole belong to one object; pieces smaller than a
    fifth of the largest object are left out. More than 24 objects count as one: a heap, or noise.

    Args:
        mask: (H, W) bool.

    Returns:
        A mask (H, W) bool of each object, the largest first; empty where the mask is empty.
    """
    left, top, width, height = cv2.boundingRect(mask.astype(np.uint8))
    if not width:
        return []
    window = (slice(top, top + height), slice(left, left + width))
    reach = max(round(_GAP_SHARE * max(width, height) / 2), 1)
    kernel = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * reach + 1, 2 * reach + 1))
    joined = cv2.dilate(mask[window].astype(np.uint8), kernel)
    _, labels = cv2.connectedComponents(joined, connectivity=8)
    labels[~mask[window]] = 0
    areas = np.bincount(labels.ravel())
    areas[0] = 0
    numbers = [number for number in np.argsort(-areas, kind="stable") if areas[number] > 0]
    large = [number for number in numbers if areas[number] >= _LEAST_OF_LARGEST * areas[numbers[0]]]
    if len(large) > _MOST_OBJECTS:
        return [mask]
    objects = []
    for number in large:
        single = np.zeros(mask.shape, bool)
        single[window] = labels == number
        objects.append(single)
    return objects


def divided_mask(alpha: Mask) -> list[Mask]:
    """Divide a soft mask among its separate objects; every pixel goes to the nearest object.

    Args:
        alpha: (H, W) uint8.

    Returns:
        A mask (H, W) uint8 of each object, the largest first, which add up to `alpha`; empty where no pixel is above
        127.
    """
    objects = separate_objects(alpha > _INSIDE)
    if not objects:
        return []
    nearest = np.zeros(alpha.shape, np.uint8)
    least = np.full(alpha.shape, np.inf, np.float32)
    for number, single in enumerate(objects):
        distance = cv2.distanceTransform((~single).astype(np.uint8), cv2.DIST_L2, 3)
        nearer = distance < least
        nearest[nearer], least[nearer] = number, distance[nearer]
    return [np.where(nearest == number, alpha, 0).astype(np.uint8) for number in range(len(objects))]


def count_of_certain_objects(mask: np.ndarray, probability: np.ndarray | None) -> int:
    """Count the separate objects of a mask (H, W) bool, if the network (H, W) is certain of each; otherwise 1."""
    objects = separate_objects(mask)
    if probability is not None and any(float(probability[single].mean()) < _CERTAIN for single in objects):
        return 1
    return len(objects)
