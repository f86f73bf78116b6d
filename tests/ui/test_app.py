from __future__ import annotations

import errno
import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import gradio as gr
import pytest

from pipeline.errors import InvalidRequest
from pipeline.studio import Studio
from tests.ui.served import free_port
from ui.app import PortTakenError, launch

ROOT = Path(__file__).resolve().parents[2]


@pytest.mark.parametrize("module", ["ui.app", "app"])
def test_the_screen_starts_without_torch_and_without_diffusers(module: str) -> None:
    code = f"import sys, {module}; print([n for n in ('torch', 'diffusers', 'transformers') if n in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


@pytest.fixture
def taken() -> Iterator[int]:
    """A port that another program listens on."""
    with socket.socket() as holder:
        holder.bind(("127.0.0.1", 0))
        holder.listen()
        yield int(holder.getsockname()[1])


def test_a_taken_port_is_one_sentence(studio: Studio, taken: int) -> None:
    with pytest.raises(
        PortTakenError, match=f"port {taken} is taken; stop what listens there, or choose another"
    ):
        launch(studio, block=False, quiet=True, server_port=taken)


def test_a_taken_port_of_the_environment_is_refused_and_the_studio_does_not_move_to_the_next(
    taken: int, tmp_path: Path
) -> None:
    environment = {
        **os.environ, "GRADIO_SERVER_PORT": str(taken), "BACKLOT_LIBRARY": str(tmp_path / "library"),
        "BACKLOT_STARTER": "0",
    }  # fmt: skip
    ended = subprocess.run(
        [sys.executable, ROOT / "app.py"],
        cwd=tmp_path,
        env=environment,
        capture_output=True,
        text=True,
        timeout=400,
    )
    assert ended.returncode == 1
    assert f"backlot: port {taken} is taken" in ended.stderr
    assert "Running on" not in ended.stdout


@pytest.mark.parametrize("port", ["0", "65536", "http", "-1"])
def test_a_port_that_is_none_is_refused(studio: Studio, monkeypatch: pytest.MonkeyPatch, port: str) -> None:
    monkeypatch.setenv("GRADIO_SERVER_PORT", port)
    with pytest.raises(InvalidRequest, match=f"the port is '{port}'; it must be a number from 1 to 65535"):
        launch(studio, block=False, quiet=True)


def test_only_a_taken_port_is_called_taken(studio: Studio, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(InvalidRequest, match=r"cannot listen on 203.0.113.1 port 7860: .*assign requested"):
        launch(studio, block=False, quiet=True, server_name="203.0.113.1", server_port=7860)

    def full(*_: Any, **__: Any) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(gr.Blocks, "launch", full)
    with pytest.raises(OSError, match="No space left on device"):
        launch(studio, block=False, quiet=True, server_port=free_port())
