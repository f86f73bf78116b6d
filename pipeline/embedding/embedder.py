"""What turns images into vectors: EfficientNet-Lite0, or colours and edges where its weights are not installed.

Similarities of pairs, by which the limits for near-duplicates were chosen (EfficientNet-Lite0 at 160 px; in brackets
colours and edges):

- Frames of one turning fruit (Fruits-360) up to 3 numbers apart: at least 0.966 (0.998). Two of different
  classes: at most 0.874.
- 48 photos of TrashNet and the same photo at half size: 0.903 to 0.990 (at least 0.999); saved as a JPEG of quality
  50: median 0.946 (0.999); cropped by 5 % on each side: 0.943 (0.997); mirrored: 0.955 (0.933); turned by 5 degrees:
  0.947 (0.996); moved by 3 %: 0.915 (0.989).
- 114,960 pairs of 480 photos of TrashNet: two reach 0.90, and both show one object twice; the next is at 0.876, again
  one object (colours and edges: at most 0.986).
- 45 photos of single fruits on paper: 22 of 990 pairs reach 0.90, all of one kind on one sheet (none reaches 0.995).
- 499 photos of heaps of fruit in shops: 119 of 124,251 pairs reach 0.90, mostly the same crate, else the same kind
  (9 reach 0.995).
- 120 photos of the starter set, rendered on one bench: 30 of 7,140 pairs reach 0.90 (none reaches 0.995). One of them
  and one of the 100 of the field test set: at most 0.738 (0.982).

So 0.90 finds most photos of one object in one place and hardly any others. Colours and edges cannot tell two objects on
one table apart; at 0.995 copies and neighbouring frames of a video are found, and not all of them.

Samples of one class, 248 by the embedded model over the starter set: none of 6,027 pairs of different specs reaches
0.90; the most similar, one gear on two dark surfaces, is at 0.864 (15 pairs reach 0.95). 16 of them rendered again with
another seed: 0.66 to 0.97, 7 reach 0.90 (0.64 to 0.997, 7 reach 0.95).
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import cache
from itertools import islice

import numpy as np
from numpy.typing import NDArray

from pipeline.domain.descriptors import descriptor
from pipeline.domain.images import RGB
from pipeline.embedding.network import FEATURES, Network
from pipeline.embedding.similarity import shrunk
from pipeline.embedding.weights import WeightsUnusable, checked_weights

_log = logging.getLogger(__name__)
_loading = threading.Lock()
_BATCH = 16  # images; the network then takes about 200 MB


@dataclass(frozen=True, slots=True, kw_only=True)
class Embedder:
    """Turns images into vectors. Calls from several threads are safe."""

    name: str  # stored with every vector: vectors of different names cannot be compared
    side_px: int  # images are compared at this size; see `shrunk`
    size: int  # numbers of a vector
    near_duplicate: float  # photos of at least this cosine similarity are near-duplicates
    near_duplicate_sample: float  # the same for synthetic images of one class
    is_network: bool  # otherwise colours and edges
    features: Callable[[NDArray[np.uint8]], NDArray[np.float32]]  # (N, side, side, 3) → (N, size)

    def embed(self, images: Iterable[RGB]) -> NDArray[np.float16]:
        """Return the vectors of images, computed in batches; images are taken one by one.

        Args:
            images: (H, W, 3) uint8 each, of any size.

        Returns:
            (N, size) float16, not scaled to length 1.
        """
        small = (shrunk(rgb, self.side_px) for rgb in images)
        batches = [self.features(np.stack(batch)).astype(np.float16) for batch in _batches(small)]
        return np.concatenate(batches) if batches else np.zeros((0, self.size), np.float16)


def load_embedder() -> Embedder:
    """Return the embedder of this installation, loaded once.

    Where the weights are not installed or damaged, images are described by colours and edges (`descriptor`); a
    warning says so once.
    """
    with _loading:
        return _embedder()


@cache
def _embedder() -> Embedder:
    try:
        network = Network(checked_weights())
    except WeightsUnusable as fault:
        _log.warning("images are compared by colours and edges, which is less exact: %s", fault)
        return Embedder(
            name="colours-and-edges",
            side_px=64,
            size=96,
            near_duplicate=0.995,
            near_duplicate_sample=0.95,
            is_network=False,
            features=_descriptors,
        )
    return Embedder(
        name="efficientnet-lite0-160",
        side_px=160,
        size=FEATURES,
        near_duplicate=0.90,
        near_duplicate_sample=0.90,
        is_network=True,
        features=network,
    )


def _descriptors(images: NDArray[np.uint8]) -> NDArray[np.float32]:
    return np.stack([descriptor(rgb) for rgb in images])


def _batches(images: Iterator[RGB]) -> Iterator[list[RGB]]:
    while batch := list(islice(images, _BATCH)):
        yield batch
