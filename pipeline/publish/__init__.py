"""From an accepted selection to a published dataset: folder, card, Hub."""

from pipeline.publish.bundle import ReleaseReport, write_release
from pipeline.publish.card import release_card
from pipeline.publish.exports import Format, export
from pipeline.publish.folders import release_facts
from pipeline.publish.hub import PushReport, hub_name, push
from pipeline.publish.source import Outlook, ReleaseSource, outlook

__all__ = [
    "Format",
    "Outlook",
    "PushReport",
    "ReleaseReport",
    "ReleaseSource",
    "export",
    "hub_name",
    "outlook",
    "push",
    "release_card",
    "release_facts",
    "write_release",
]
