"""The perceptual embedding: images as vectors whose angle tells how alike they look."""

from pipeline.embedding.embedder import Embedder, load_embedder
from pipeline.embedding.network import FEATURES, Network, load_classifier
from pipeline.embedding.similarity import linked_groups, most_similar, nearest, normalised, shrunk
from pipeline.embedding.weights import WeightsUnusable, checked_weights

__all__ = [
    "FEATURES",
    "Embedder",
    "Network",
    "WeightsUnusable",
    "checked_weights",
    "linked_groups",
    "load_classifier",
    "load_embedder",
    "most_similar",
    "nearest",
    "normalised",
    "shrunk",
]
