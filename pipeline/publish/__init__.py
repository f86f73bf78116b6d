"""From an accepted selection to a published dataset: folder, card, Hub."""

from pipeline.publish.bundle import ReleaseOptions, ReleaseReport, write_release
from pipeline.publish.card import Study, release_card
from pipeline.publish.exports import Format, export
from pipeline.publish.folders import refuse_foreign, release_facts
from pipeline.publish.history import earlier_release
from pipeline.publish.hub import PushOptions, PushReport, hub_name, push_release
from pipeline.publish.index import released_photos
from pipeline.publish.source import Outlook, ReleaseSource, outlook

__all__ = [
    "Format",
    "Outlook",
    "PushOptions",
    "PushReport",
    "ReleaseOptions",
    "ReleaseReport",
    "ReleaseSource",
    "Study",
    "earlier_release",
    "export",
    "hub_name",
    "outlook",
    "push_release",
    "refuse_foreign",
    "release_card",
    "release_facts",
    "released_photos",
    "write_release",
]
