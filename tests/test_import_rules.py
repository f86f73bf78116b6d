"""Imports go one way, and the heavy libraries stay where they belong."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]

# who may import whom inside the product: package → packages that it may import beside itself
ALLOWED = {
    "app": {"ui", "pipeline.studio", "pipeline.settings", "pipeline.errors"},
    "ui": {
        "pipeline.studio",
        "pipeline.publish",  # the reports of what was published
        "pipeline.services",
        "pipeline.settings",
        "pipeline.errors",
        "pipeline.domain",
        "pipeline.store",  # the rows that the studio hands out
    },
    "pipeline.cli": {
        "pipeline.studio",
        "pipeline.services",
        "pipeline.publish",
        "pipeline.settings",
        "pipeline.errors",
    },
    "pipeline.studio": {"pipeline.services", "pipeline.settings", "pipeline.domain", "pipeline.errors"},
    "pipeline.services": {
        "pipeline.store",
        "pipeline.segmentation",
        "pipeline.rendering",
        "pipeline.publish",
        "pipeline.sources",
        "pipeline.starter",
        "pipeline.settings",
        "pipeline.domain",
        "pipeline.errors",
    },
    "pipeline.sources": {"pipeline.starter", "pipeline.domain", "pipeline.errors"},
    "pipeline.store": {"pipeline.domain", "pipeline.errors"},
    "pipeline.segmentation": {"pipeline.domain", "pipeline.errors"},
    "pipeline.rendering": {"pipeline.domain", "pipeline.errors"},
    "pipeline.publish": {"pipeline.store", "pipeline.domain", "pipeline.errors"},
    "pipeline.starter": {"pipeline.domain", "pipeline.errors"},
    "pipeline.domain": {"pipeline.errors"},
    "pipeline.settings": {"pipeline.domain", "pipeline.errors"},
    "pipeline.errors": set(),
    "training.nano": {
        "pipeline.domain",
        "pipeline.errors",
        "pipeline.rendering",
        "pipeline.segmentation",  # for the sheet of real objects
        "pipeline.starter",
        "training",
    },
    "training": {"pipeline.domain", "pipeline.errors"},
}

# library → the only packages that may import it
CONFINED = {
    "gradio": ("ui",),
    "torch": ("pipeline.rendering", "pipeline.nano", "training", "benchmarks"),
    "sqlalchemy": ("pipeline.store",),
    "huggingface_hub": ("pipeline.publish", "pipeline.sources", "pipeline.rendering"),
}


def module_name(path: Path) -> str:
    parts = path.relative_to(ROOT).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def product_files() -> list[Path]:
    files = [ROOT / "app.py"]
    for folder in ("ui", "pipeline", "training", "benchmarks"):
        files += (ROOT / folder).rglob("*.py")
    return sorted(path for path in files if path.is_file())


def imported_modules(path: Path) -> set[str]:
    """Every module that a file imports anywhere, also inside functions."""
    found = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            found.add(node.module)
            found |= {
                f"{node.module}.{alias.name}"
                for alias in node.names
                if node.module in ("pipeline", "training")
            }
    return found - {"pipeline", "training"}


def package_of(module: str) -> str | None:
    """The longest package in ALLOWED that holds a module."""
    fitting = [name for name in ALLOWED if module == name or module.startswith(name + ".")]
    return max(fitting, key=len, default=None)


@pytest.mark.parametrize("path", product_files(), ids=lambda path: str(path.relative_to(ROOT)))
def test_a_file_imports_only_what_its_package_may(path: Path) -> None:
    package = package_of(module_name(path))
    if package is None:
        assert module_name(path).split(".")[0] in ("benchmarks", "pipeline"), f"{path} is in no known package"
        return
    others = {package_of(module) for module in imported_modules(path)} - {None, package}
    assert others <= ALLOWED[package], f"{package} must not import {others - ALLOWED[package]}"


@pytest.mark.parametrize("library", CONFINED)
def test_a_heavy_library_is_imported_only_where_it_belongs(library: str) -> None:
    users = {
        module_name(path)
        for path in product_files()
        if any(module.split(".")[0] == library for module in imported_modules(path))
    }
    strangers = {user for user in users if not user.startswith(CONFINED[library])}
    assert users, f"nobody imports {library}"
    assert not strangers, f"{library} is imported by {strangers}"


@pytest.mark.parametrize("command", ["import ui.app", "import pipeline.cli", "import pipeline.studio"])
def test_the_doors_open_without_torch(command: str) -> None:
    check = f"import sys; {command}; sys.exit(sum(name in sys.modules for name in ('torch', 'diffusers', 'sklearn')))"
    assert subprocess.run([sys.executable, "-c", check], cwd=ROOT, check=False).returncode == 0


def test_no_modules_of_rendering_import_each_other_in_a_circle() -> None:
    modules = {module_name(path): path for path in (ROOT / "pipeline" / "rendering").rglob("*.py")}
    imports = {name: imported_names(path) & set(modules) - {name} for name, path in modules.items()}
    while free := {name for name, needed in imports.items() if not needed}:
        imports = {name: needed - free for name, needed in imports.items() if name not in free}
    assert not imports, f"these import each other: {sorted(imports)}"


def imported_names(path: Path) -> set[str]:
    """The modules that a file imports anywhere, and the names that it imports from them."""
    found = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            found |= {node.module, *(f"{node.module}.{alias.name}" for alias in node.names)}
    return found
