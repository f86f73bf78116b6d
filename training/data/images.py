"""Decoded, labelled images as arrays."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, slots=True, kw_only=True)
class LabelledImages:
    """Decoded images with their labels; all arrays have the same length N.

    `images` is (N, side, side, 3) uint8 RGB: the largest centred square of each image, scaled to the side.
    `labels` is (N,) int64 into the release's classes; `origins`, `methods`, `recipes` and `sources` are (N,) strings.
    A source is the photo whose object the image shows: for a photo itself. `all_sources` are (N,) strings, too: the
    photos of all objects of the image, those behind the front one and distractors included, one on each line; ""
    where the release does not tell them.
    """

    images: NDArray[np.uint8]
    labels: NDArray[np.int64]
    origins: NDArray[np.str_]
    methods: NDArray[np.str_]
    recipes: NDArray[np.str_]
    sources: NDArray[np.str_]
    all_sources: NDArray[np.str_]

    def __len__(self) -> int:
        return len(self.labels)

    def where(self, keep: NDArray[np.bool_]) -> LabelledImages:
        """Select the images for which `keep`, (N,) bool, is true."""
        return self.at(np.flatnonzero(keep))

    def at(self, positions: NDArray[np.int64]) -> LabelledImages:
        """Select the images at some positions, in this order; a position may come up several times."""
        return LabelledImages(
            images=self.images[positions],
            labels=self.labels[positions],
            origins=self.origins[positions],
            methods=self.methods[positions],
            recipes=self.recipes[positions],
            sources=self.sources[positions],
            all_sources=self.all_sources[positions],
        )

    def joined(self, others: LabelledImages) -> LabelledImages:
        """Append other images to these."""
        return LabelledImages(
            images=np.concatenate([self.images, others.images]),
            labels=np.concatenate([self.labels, others.labels]),
            origins=np.concatenate([self.origins, others.origins]),
            methods=np.concatenate([self.methods, others.methods]),
            recipes=np.concatenate([self.recipes, others.recipes]),
            sources=np.concatenate([self.sources, others.sources]),
            all_sources=np.concatenate([self.all_sources, others.all_sources]),
        )
