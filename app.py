"""The entry point of the app and of a Hugging Face Space: settings → studio → screen."""

from __future__ import annotations

import os
import signal
import sys

os.environ.setdefault("GRADIO_ANALYTICS_ENABLED", "False")
# by default the queue sums up its last 10,000 events after each of them, for a monitoring page that is off here
os.environ.setdefault("GRADIO_ANALYTICS_CACHE_FREQUENCY", "1000000")

from pipeline.errors import StudioError
from pipeline.settings import settings_from
from pipeline.studio import Studio
from ui.app import launch


def main() -> int:
    """Open the studio and serve it until interrupted or terminated; return the exit code."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))  # how a Space stops: `with` closes the studio
    try:
        with Studio(settings_from()) as studio:
            if studio.restored:
                print(f"backlot: note: {studio.restored}", file=sys.stderr)
            launch(studio)
    except StudioError as error:
        print(f"backlot: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
