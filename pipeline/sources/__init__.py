"""Where photographs come from: class folders, archives of them, the Hub, the starter set."""

from pipeline.sources.item import Refusal, Source, SourceItem
from pipeline.sources.opening import open_source

__all__ = ["Refusal", "Source", "SourceItem", "open_source"]
