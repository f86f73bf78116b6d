"""The bundle of a widget's modules."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

from ui.components import scripts
from ui.components.scripts import UnknownModuleSyntax, widget_script


@pytest.fixture
def static(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty folder of modules."""
    monkeypatch.setattr(scripts, "STATIC", tmp_path)
    return tmp_path


def run(script: str) -> str:
    """What a script prints that logs through `trigger`."""
    node = shutil.which("node")
    if node is None:
        pytest.skip("node is not installed")
    body = "const element = 1, props = 2, server = 3, trigger = console.log;\n" + script
    return subprocess.run([node, "-e", body], check=True, capture_output=True, text=True).stdout


def test_a_module_runs_behind_those_that_it_imports_each_once(static: Path) -> None:
    (static / "base.js").write_text("export const NAME = 'base';\n")
    (static / "left.js").write_text(
        "import { NAME } from './base.js';\n\nexport class Left { name() { return NAME; } }\n"
    )
    (static / "main.js").write_text(
        "import { NAME } from './base.js';\nimport { Left } from './left.js';\n"
        "export function start({ trigger }) { trigger(NAME, new Left().name()); }\n"
    )
    script = widget_script("main.js")
    assert script.count("'base'") == 1
    assert run(script) == "base base\n"


def test_equal_names_in_two_modules_do_not_meet(static: Path) -> None:
    (static / "other.js").write_text("const SIZE = 1;\nexport function size() { return SIZE; }\n")
    (static / "main.js").write_text(
        "import { size } from './other.js';\nconst SIZE = 2;\n"
        "export function start({ trigger }) { trigger(SIZE, size()); }\n"
    )
    assert run(widget_script("main.js")) == "2 1\n"


@pytest.mark.parametrize(
    "line",
    [
        "import other from './other.js';",
        "import * as other from './other.js';",
        "export default function start() {}",
        "export { start };",
    ],
)
def test_a_form_that_the_bundle_does_not_know_is_refused(static: Path, line: str) -> None:
    (static / "main.js").write_text(f"{line}\n")
    with pytest.raises(UnknownModuleSyntax, match=r"main\.js holds"):
        widget_script("main.js")


def test_modules_that_import_each_other_are_refused(static: Path) -> None:
    (static / "main.js").write_text("import { a } from './a.js';\n")
    (static / "a.js").write_text("import { b } from './main.js';\n")
    with pytest.raises(UnknownModuleSyntax, match="imports itself"):
        widget_script("main.js")


@pytest.mark.parametrize("entry", ["review/main.js", "pick.js", "stage.js"])
def test_the_bundles_of_the_pages_are_valid_scripts(entry: str, tmp_path: Path) -> None:
    script = tmp_path / "script.js"
    script.write_text(f"(function (element, props, trigger, server) {{\n{widget_script(entry)}}});")
    node = shutil.which("node")
    if node is None:
        pytest.skip("node is not installed")
    subprocess.run([node, "--check", script], check=True)
