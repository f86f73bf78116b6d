"""What a run was done on, for the report."""

from __future__ import annotations

import os
import platform
from pathlib import Path
from typing import TypedDict

import torch

from training.fit.networks import precision_for
from training.fit.options import OptionValues, TrainingOptions


class Machine(TypedDict):
    """Device, processor, cores and versions, in words."""

    device: str
    cpu: str
    torch: str
    python: str


class Settings(OptionValues):
    """What must be the same for runs to be comparable."""

    precision: str
    device: str


def machine_facts() -> Machine:
    """Describe this machine."""
    device = torch.cuda.get_device_name() if torch.cuda.is_available() else "cpu"
    if device == "cpu" and torch.backends.mps.is_available():
        device = "mps"
    return {
        "device": device,
        "cpu": f"{_cpu_name()}, {os.cpu_count()} cores",
        "torch": torch.__version__,
        "python": platform.python_version(),
    }


def run_settings(options: TrainingOptions) -> Settings:
    """Describe a run with these options on this machine."""
    return {
        **options.values(),
        "precision": precision_for(options.network),
        "device": machine_facts()["device"],
    }


def _cpu_name() -> str:
    cpuinfo = Path("/proc/cpuinfo")
    lines = cpuinfo.read_text().splitlines() if cpuinfo.is_file() else []
    names = [line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.machine()
