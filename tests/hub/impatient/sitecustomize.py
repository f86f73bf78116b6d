"""On a child's path: the back-off of huggingface_hub, datasets and the downloads of weights waits no time."""

from __future__ import annotations

import sys
import time
from typing import SupportsIndex

_sleep = time.sleep


def _short(seconds: float | SupportsIndex) -> None:
    caller = sys._getframe(1).f_globals.get("__name__", "")
    _sleep(
        0.0
        if caller.startswith(
            ("huggingface_hub.", "datasets.", "pipeline.hub_retries", "pipeline.rendering.downloads")
        )
        else seconds
    )


time.sleep = _short
