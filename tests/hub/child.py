"""Processes whose Hub is the loopback one: huggingface_hub and datasets read their settings when they are imported."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

_ROOT = Path(__file__).parents[2]


def run_python(
    environment: Mapping[str, str], asked: str | Sequence[str], *, timeout_s: float = 500.0
) -> subprocess.CompletedProcess[str]:
    """Run a piece of source, or arguments such as `("-m", "pipeline", "publish", …)`, in the repository's root.

    The exit code is not checked.
    """
    arguments = ["-c", asked] if isinstance(asked, str) else list(asked)
    return subprocess.run(
        [sys.executable, *arguments],
        env=dict(environment),
        cwd=_ROOT,
        capture_output=True,
        text=True,
        timeout=timeout_s,
        check=False,
    )
