"""What a run was done on, for the report."""

from __future__ import annotations

import os
import platform
from pathlib import Path

import torch


def machine_facts() -> dict[str, str]:
    """Device, processor, cores and versions, in words."""
    device = torch.cuda.get_device_name() if torch.cuda.is_available() else "cpu"
    if device == "cpu" and torch.backends.mps.is_available():
        device = "mps"
    return {
        "device": device,
        "cpu": f"{_cpu_name()}, {os.cpu_count()} cores",
        "torch": torch.__version__,
        "python": platform.python_version(),
    }


def _cpu_name() -> str:
    facts = Path("/proc/cpuinfo")
    lines = facts.read_text().splitlines() if facts.is_file() else []
    names = [line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.machine()
