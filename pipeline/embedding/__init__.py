"""The perceptual embedding: images as vectors whose angle tells how alike they look."""

from pipeline.embedding.embedder import Embedder, load_embedder
from pipeline.embedding.similarity import linked_groups, most_similar, nearest, normalised, shrunk

__all__ = ["Embedder", "linked_groups", "load_embedder", "most_similar", "nearest", "normalised", "shrunk"]
