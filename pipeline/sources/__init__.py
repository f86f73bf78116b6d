"""Where photos come from: class folders, archives of them, the Hub, the starter set. `openers.OPENERS` lists them."""

from pipeline.sources.columns import ColumnMap
from pipeline.sources.item import Refusal, Source, SourceItem, label_fault
from pipeline.sources.openers import open_source, sources_help
from pipeline.sources.published_release import REAL, SYNTHETIC, Release, ReleaseRecord

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
    "sources_help",
]
