"""`generate` and `runs` on the command line."""

from __future__ import annotations

from pathlib import Path

import pytest

from pipeline.cli import main
from pipeline.store import Library
from tests.toy_library import add_subject


def test_notes_on_a_plan_cannot_be_taken_for_a_refusal(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with Library.open(tmp_path / "library", create=True) as library:
        add_subject(library, 1)
        add_subject(library, 2, label="nut", doubts=("Is it the object?",))
    assert main(["generate", "--library", str(tmp_path / "library"), "--count", "1", "--dry-run"]) == 0
    assert capsys.readouterr().err.startswith(
        "backlot: note: no images of 'nut': there is no usable training photo; check the masks on the Photos page, or "
    )
