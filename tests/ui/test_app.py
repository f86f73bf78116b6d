from __future__ import annotations

import socket
import subprocess
import sys
from pathlib import Path

import pytest

from pipeline.studio import Studio
from ui.app import PortTakenError, launch

ROOT = Path(__file__).resolve().parents[2]


@pytest.mark.parametrize("module", ["ui.app", "app"])
def test_the_screen_starts_without_torch_and_without_diffusers(module: str) -> None:
    code = f"import sys, {module}; print([n for n in ('torch', 'diffusers', 'transformers') if n in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_a_taken_port_is_one_sentence(studio: Studio) -> None:
    with socket.socket() as holder:
        holder.bind(("127.0.0.1", 0))
        holder.listen()
        port = holder.getsockname()[1]
        with pytest.raises(
            PortTakenError, match=f"port {port} is taken; stop what listens there, or choose another"
        ):
            launch(studio, block=False, quiet=True, server_port=port)
