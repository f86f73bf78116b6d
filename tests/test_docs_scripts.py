"""The scripts of docs/ find what they click on the pages; nothing else runs them regularly."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
PAGES = "".join(
    path.read_text(encoding="utf-8")
    for path in (ROOT / "ui").rglob("*")
    if path.suffix in (".py", ".html", ".js")
)


@pytest.mark.parametrize("script", ["walk.py", "shots.py"])
def test_every_element_that_a_script_names_is_on_a_page(script: str) -> None:
    text = (ROOT / "docs" / script).read_text(encoding="utf-8")
    ids = set(re.findall(r"[\"' ]#([a-z][\w-]*)", text))
    assert len(ids) > 5
    assert sorted(name for name in ids if not re.search(rf'id="{name}"', PAGES)) == []


def test_every_screenshot_is_used_by_a_document() -> None:
    documents = [ROOT / "README.md", *(ROOT / "docs").glob("*.md")]
    used = set(re.findall(r"screenshots/([\w-]+\.png)", "".join(map(Path.read_text, documents))))
    assert {path.name for path in (ROOT / "docs" / "screenshots").glob("*")} == used


def test_a_study_without_the_network_that_is_asked_for_is_refused_before_anything_runs(
    tmp_path: Path,
) -> None:
    script = ROOT / "docs" / "studies" / "run.py"
    arguments = ["default", "--only", "small", "--out", str(tmp_path / "out")]
    ended = subprocess.run([sys.executable, script, *arguments], capture_output=True, text=True)
    assert ended.returncode == 2
    assert ended.stderr.endswith(
        "error: the study 'default' trains the probe alone; leave out --only, or choose another study\n"
    )
    assert not (tmp_path / "out").exists()
