"""From the accepted samples to a published dataset: a folder, its card, the Hub, and exports for other tools."""

from pipeline.publish.atomic_folder import refuse_foreign
from pipeline.publish.contents import ReleaseContents, release_contents
from pipeline.publish.exports import EXPORT_FORMATS, ExportReport, export, export_formats_help
from pipeline.publish.photo_counts import released_photos
from pipeline.publish.previous_release import previous_release
from pipeline.publish.push import PushOptions, PushReport, hub_name, push_release
from pipeline.publish.release_card import CardDetails, Study, card
from pipeline.publish.release_writer import ReleaseOptions, ReleaseReport, write_release
from pipeline.publish.row_index import INDEX_NAME, read_index, released_ids

__all__ = [
    "EXPORT_FORMATS",
    "INDEX_NAME",
    "CardDetails",
    "ExportReport",
    "PushOptions",
    "PushReport",
    "ReleaseContents",
    "ReleaseOptions",
    "ReleaseReport",
    "Study",
    "card",
    "export",
    "export_formats_help",
    "hub_name",
    "previous_release",
    "push_release",
    "read_index",
    "refuse_foreign",
    "release_contents",
    "released_ids",
    "released_photos",
    "write_release",
]
