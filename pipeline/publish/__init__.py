"""From an accepted selection to a published dataset: folder, card, Hub."""

from pipeline.publish.bundle import ReleaseOptions, ReleaseReport, write_release
from pipeline.publish.card import Study, card, release_card
from pipeline.publish.exports import ExportReport, Format, export
from pipeline.publish.folders import refuse_foreign, release_facts
from pipeline.publish.history import earlier_release
from pipeline.publish.hub import PushOptions, PushReport, hub_name, push_release
from pipeline.publish.index import INDEX_NAME, read_index, released_ids
from pipeline.publish.source import Outlook, ReleaseSource, Survey, outlook, outlook_of, survey

__all__ = [
    "INDEX_NAME",
    "ExportReport",
    "Format",
    "Outlook",
    "PushOptions",
    "PushReport",
    "ReleaseOptions",
    "ReleaseReport",
    "ReleaseSource",
    "Study",
    "Survey",
    "card",
    "earlier_release",
    "export",
    "hub_name",
    "outlook",
    "outlook_of",
    "push_release",
    "read_index",
    "refuse_foreign",
    "release_card",
    "release_facts",
    "released_ids",
    "survey",
    "write_release",
]
