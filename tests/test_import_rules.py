"""Imports go one way, and the heavy libraries stay where they belong."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]

# packages from the top floor to the lowest; one imports only what lies on floors below its own
FLOORS: tuple[tuple[str, ...], ...] = (
    ("app",),
    ("ui", "pipeline.cli"),
    ("pipeline.studio",),
    ("pipeline.services",),
    (
        "pipeline.store",
        "pipeline.segmentation",
        "pipeline.embedding",
        "pipeline.rendering",
        "pipeline.sources",
        "pipeline.publish",
    ),
    ("pipeline.starter", "pipeline.settings", "pipeline.hub_retries"),
    ("pipeline.domain",),
    ("pipeline.errors", "pipeline.entry_point"),
)

# package → the only packages that may import it; the others are open to every floor above
ONLY_FOR = {
    "pipeline.store": {"pipeline.services", "ui"},  # ui: the rows that it draws
    "pipeline.segmentation": {"pipeline.services", "training", "training.nano"},
    "pipeline.rendering": {"pipeline.services", "training.nano"},
    "pipeline.sources": {
        "pipeline.services",
        "pipeline.cli",
        "ui",
    },  # cli, ui: help and labels name every source
    "pipeline.publish": {"pipeline.services", "pipeline.cli", "ui"},  # cli: deploy; ui: the report of a push
    "pipeline.starter": {"pipeline.services", "pipeline.sources", "training.nano"},
    "pipeline.hub_retries": {"pipeline.publish", "pipeline.rendering"},
    "pipeline.entry_point": {"pipeline.__main__", "training"},
    "pipeline.settings": {"app", "ui", "pipeline.cli", "pipeline.studio", "pipeline.services"},
}

# training reads releases and never the library; nano/ builds the embedded checkpoint
TRAINING = {
    "training": {
        "pipeline.domain",
        "pipeline.embedding",
        "pipeline.entry_point",
        "pipeline.errors",
        "pipeline.segmentation",  # for the objects of test photos, see training/diagnosis
    },
    "training.nano": {
        "pipeline.domain",
        "pipeline.errors",
        "pipeline.rendering",
        "pipeline.segmentation",  # for the sheet of real objects
        "pipeline.starter",
        "training",
    },
}
PACKAGES = (*TRAINING, *(package for floor in FLOORS for package in floor))
UNBOUND = {"benchmarks", "pipeline", "pipeline.__main__", "pipeline.nano"}  # they may import everything

# library → the only packages that may import it
CONFINED = {
    "gradio": ("ui",),
    "torch": ("pipeline.embedding", "pipeline.rendering", "pipeline.nano", "training", "benchmarks"),
    "sqlalchemy": ("pipeline.store",),
    "huggingface_hub": ("pipeline.publish", "pipeline.sources", "pipeline.rendering", "pipeline.hub_retries"),
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
    modules = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            modules |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            modules.add(node.module)
            modules |= {
                f"{node.module}.{alias.name}"
                for alias in node.names
                if node.module in ("pipeline", "training")
            }
    return modules - {"pipeline", "training"}


def package_of(module: str) -> str | None:
    """The longest package in PACKAGES that holds a module."""
    holding = [name for name in PACKAGES if module == name or module.startswith(name + ".")]
    return max(holding, key=len, default=None)


def allowed_imports(package: str) -> set[str]:
    """The packages that a package may import."""
    if package in TRAINING:
        return TRAINING[package]
    own = next(number for number, floor in enumerate(FLOORS) if package in floor)
    below = {name for floor in FLOORS[own + 1 :] for name in floor}
    return {name for name in below if package in ONLY_FOR.get(name, {package})}


@pytest.mark.parametrize("path", product_files(), ids=lambda path: str(path.relative_to(ROOT)))
def test_a_file_imports_only_what_its_package_may(path: Path) -> None:
    package = package_of(module_name(path))
    if package is None:
        name = module_name(path)
        assert name in UNBOUND or name.rpartition(".")[0] in UNBOUND - {"pipeline"}, (
            f"{path} is in no known package"
        )
        return
    others = {name for module in imported_modules(path) if (name := package_of(module))} - {package}
    assert others <= allowed_imports(package), (
        f"{package} must not import {others - allowed_imports(package)}"
    )


def test_packages_of_one_floor_do_not_import_each_other() -> None:
    assert "pipeline.publish" not in allowed_imports("pipeline.store")
    assert "pipeline.store" not in allowed_imports("pipeline.publish")
    assert allowed_imports("pipeline.domain") == {"pipeline.errors"}


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
def test_the_entry_points_load_no_torch(command: str) -> None:
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
    names = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            names |= {node.module, *(f"{node.module}.{alias.name}" for alias in node.names)}
    return names
