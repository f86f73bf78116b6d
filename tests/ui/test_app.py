from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]


@pytest.mark.parametrize("module", ["ui.app", "app"])
def test_the_screen_starts_without_torch_and_without_diffusers(module: str) -> None:
    code = f"import sys, {module}; print([n for n in ('torch', 'diffusers', 'transformers') if n in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
