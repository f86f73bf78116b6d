"""Which trackers a person may ask for, and the packages that they need. Light to import (no torch)."""

from __future__ import annotations

from collections.abc import Iterable
from enum import StrEnum
from importlib.util import find_spec

from pipeline.errors import InvalidRequest


class Tracker(StrEnum):
    """Where training curves are logged beside the files of a run."""

    CSV = "csv"
    TENSORBOARD = "tensorboard"
    TRACKIO = "trackio"


# any of them will do; the first is the one to install
_PACKAGES: dict[Tracker, tuple[str, ...]] = {
    Tracker.CSV: (),
    Tracker.TENSORBOARD: ("tensorboard", "tensorboardX"),
    Tracker.TRACKIO: ("trackio",),
}


def refuse_missing_packages(trackers: Iterable[Tracker]) -> None:
    """Make sure that the trackers can be used.

    Raises:
        InvalidRequest: the package of one is not installed.
    """
    for tracker in trackers:
        packages = _PACKAGES[tracker]
        if packages and not any(find_spec(package) for package in packages):
            raise InvalidRequest(
                f"the tracker '{tracker}' needs a package that is not installed: pip install {packages[0]}"
            )
