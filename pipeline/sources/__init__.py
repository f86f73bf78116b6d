"""Where photographs come from: class folders, archives of them, the Hub, the starter set."""

from pipeline.sources.columns import ColumnMap
from pipeline.sources.item import Refusal, Source, SourceItem, label_fault
from pipeline.sources.opening import open_source
from pipeline.sources.release import REAL, SYNTHETIC, Release, ReleaseRecord

__all__ = [
    "REAL",
    "SYNTHETIC",
    "ColumnMap",
    "Refusal",
    "Release",
    "ReleaseRecord",
    "Source",
    "SourceItem",
    "label_fault",
    "open_source",
]
