"""The starter set: machine parts rendered by the project itself, with exact masks."""

from pipeline.starter.collection import FIELD_COUNT, PER_KIND, StarterPart, backdrops, field, subjects
from pipeline.starter.parts import Kind
from pipeline.starter.views import DrawnBackground, drawn_backgrounds

__all__ = [
    "FIELD_COUNT",
    "PER_KIND",
    "DrawnBackground",
    "Kind",
    "StarterPart",
    "backdrops",
    "drawn_backgrounds",
    "field",
    "subjects",
]
