"""Where photos come from: folders, archives, YOLO and COCO datasets, the Hub … `openers.OPENERS` lists them."""

from pipeline.sources.columns import ColumnMap
from pipeline.sources.item import AnnotatedBox, Refusal, Source, SourceItem, label_fault
from pipeline.sources.openers import open_source, source_names, sources_help
from pipeline.sources.published_release import REAL, SYNTHETIC, Release, ReleaseRecord

__all__ = [
    "REAL",
    "SYNTHETIC",
    "AnnotatedBox",
    "ColumnMap",
    "Refusal",
    "Release",
    "ReleaseRecord",
    "Source",
    "SourceItem",
    "label_fault",
    "open_source",
    "source_names",
    "sources_help",
]
