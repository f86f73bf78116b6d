"""The scripts of the widgets: ES modules in `static/`, bundled into the one script that `gr.HTML` runs.

Gradio runs `js_on_load` as the body of a function, in which `import` and `export` do not exist. The bundle needs no
further request, so it starts at once, works behind every proxy, and no browser mixes modules of two versions.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from types import MethodType
from typing import Any

import gradio as gr

from ui.theme import STATIC

_IMPORT = re.compile(r"^import \{ ([\w, ]+) \} from '(\.{1,2}/[\w./-]+\.js)';$", re.MULTILINE)
_EXPORT = re.compile(r"^export (?=(?:async )?(?:class|function|const) (\w+))", re.MULTILINE)
_UNKNOWN = re.compile(r"^(?:import|export)\b.*$", re.MULTILINE)


class UnknownModuleSyntax(SyntaxError):
    """A module imports or exports in a way that the bundler does not support."""


def widget_script(entry: str) -> str:
    """Bundle a module and what it imports; the script calls its `start` with what Gradio offers a widget.

    Each module is a function of its own that returns its exports, so equal names in two modules do not meet.

    Args:
        entry: path under `static/`, e.g. `review/main.js`; it exports `start({ element, props, trigger, server })`.

    Raises:
        UnknownModuleSyntax: other forms than `import { a, b } from './x.js';` (or `'../x.js'`) and `export` before a
            declaration, or modules that import each other.
    """
    modules: dict[Path, str] = {}
    _collect(STATIC / entry, modules, importers=())
    calls = "\n".join(modules.values())
    return f"{calls}\n{_name(STATIC / entry)}.start({{ element, props, trigger, server }});\n"


def own_event(widget: gr.HTML, name: str) -> Callable[..., Any]:
    """Return the listener method of an event that a widget's script triggers, in the form that `gr.on` takes."""
    return MethodType(getattr(widget, name).func, widget)


def _collect(path: Path, modules: dict[Path, str], importers: tuple[Path, ...]) -> None:
    """Add a module behind those that it imports."""
    if path in modules:
        return
    if path in importers:
        raise UnknownModuleSyntax(f"{path.name} imports itself through {importers[-1].name}")
    source = path.read_text(encoding="utf-8")
    for _, imported in _IMPORT.findall(source):
        _collect((path.parent / imported).resolve(), modules, (*importers, path))
    exports = _EXPORT.findall(source)
    body = _IMPORT.sub(
        lambda line: f"const {{ {line[1]} }} = {_name((path.parent / line[2]).resolve())};", source
    )
    body = _EXPORT.sub("", body)
    if unknown := _UNKNOWN.search(body):
        raise UnknownModuleSyntax(
            f"{path.name} holds {unknown[0]!r}; write import {{ a }} from './x.js'; or export before a declaration"
        )
    modules[path] = f"const {_name(path)} = (() => {{\n{body}return {{ {', '.join(exports)} }};\n}})();"


def _name(path: Path) -> str:
    """The name of a module's exports in the bundle."""
    return "module_" + re.sub(r"\W", "_", str(path.relative_to(STATIC.resolve()).with_suffix("")))
