"""The starter set: machine parts rendered by the project itself, with exact masks."""

from pipeline.starter.collection import FIELD_COUNT, PER_KIND, StarterPart, backdrops, field, subjects
from pipeline.starter.parts import Kind

__all__ = ["FIELD_COUNT", "PER_KIND", "Kind", "StarterPart", "backdrops", "field", "subjects"]
