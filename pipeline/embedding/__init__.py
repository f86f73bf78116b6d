"""The perceptual embedding: images as vectors whose angle tells how alike they look."""

from pipeline.embedding.embedder import Embedder, load_embedder
from pipeline.embedding.similarity import most_similar, nearest, normalised, shrunk

__all__ = ["Embedder", "load_embedder", "most_similar", "nearest", "normalised", "shrunk"]
