"""Limits on the size and shape of the code, so that it stays easy to find one's way in."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import networkx

ROOT = Path(__file__).resolve().parents[1]
PACKAGES = ("pipeline", "training", "ui", "benchmarks")
LONG_FUNCTION_LINES = 40
MOST_LONG_FUNCTIONS = 10
MOST_PUBLIC_METHODS = 25
MOST_ANY = 150
Function = ast.FunctionDef | ast.AsyncFunctionDef


def modules(*packages: str) -> Iterator[tuple[str, ast.Module]]:
    """(path relative to the root, syntax tree) of every module of some packages."""
    for package in packages:
        for path in sorted((ROOT / package).rglob("*.py")):
            yield str(path.relative_to(ROOT)), ast.parse(path.read_text(encoding="utf-8"))


def length(function: Function) -> int:
    """Lines of a function, signature and docstring included."""
    assert function.end_lineno is not None
    return function.end_lineno - function.lineno + 1


def functions(tree: ast.AST) -> Iterator[Function]:
    return (node for node in ast.walk(tree) if isinstance(node, Function))


def public_methods(node: ast.ClassDef) -> list[Function]:
    return [item for item in node.body if isinstance(item, Function) and not item.name.startswith("_")]


def forwarded_call(function: Function) -> bool:
    """Whether a method does nothing but pass its own parameters on to a method of one of its attributes."""
    body = function.body[1:] if ast.get_docstring(function) else function.body
    if len(body) != 1 or not isinstance(body[0], (ast.Return, ast.Expr)):
        return False
    call = body[0].value
    if not isinstance(call, ast.Call) or not isinstance(call.func, ast.Attribute):
        return False
    target = call.func.value
    if not (
        isinstance(target, ast.Attribute) and isinstance(target.value, ast.Name) and target.value.id == "self"
    ):
        return False
    parameters = {argument.arg for argument in (*function.args.args, *function.args.kwonlyargs)}
    given = [*call.args, *(keyword.value for keyword in call.keywords)]
    return all(isinstance(value, ast.Name) and value.id in parameters for value in given)


def test_few_functions_are_long() -> None:
    long = [
        f"{path}:{function.name} ({length(function)} lines)"
        for path, tree in modules(*PACKAGES)
        for function in functions(tree)
        if length(function) > LONG_FUNCTION_LINES
    ]
    assert len(long) <= MOST_LONG_FUNCTIONS, "\n".join(long)


def test_no_class_outside_the_pages_has_many_public_methods() -> None:
    large = [
        f"{path}:{node.name} ({len(public_methods(node))})"
        for path, tree in modules("pipeline", "training")
        for node in ast.walk(tree)
        if isinstance(node, ast.ClassDef) and len(public_methods(node)) > MOST_PUBLIC_METHODS
    ]
    assert not large


def test_no_method_of_services_or_store_only_forwards() -> None:
    forwarding = [
        f"{path}:{node.name}.{method.name}"
        for path, tree in modules("pipeline/services", "pipeline/store")
        for node in ast.walk(tree)
        if isinstance(node, ast.ClassDef)
        for method in public_methods(node)
        if method.name != "close" and forwarded_call(method)
    ]
    assert not forwarding, "\n".join(forwarding)


def test_every_argument_of_a_command_line_has_a_help_text_that_says_more_than_its_default() -> None:
    without = [
        f"{path}:{call.lineno}"
        for path, tree in modules(*PACKAGES, "docs")
        for call in ast.walk(tree)
        if isinstance(call, ast.Call)
        and isinstance(call.func, ast.Attribute)
        and call.func.attr == "add_argument"
        and not _says_more_than_its_default(call)
    ]
    assert not without, "\n".join(without)


def _says_more_than_its_default(call: ast.Call) -> bool:
    given = next((keyword.value for keyword in call.keywords if keyword.arg == "help"), None)
    if isinstance(given, ast.Constant):
        return not re.fullmatch(r"\(?(default: .*)?", str(given.value))
    return given is not None


def test_any_is_rare() -> None:
    count = sum(
        len(re.findall(r"\bAny\b", path.read_text(encoding="utf-8")))
        for package in PACKAGES
        for path in (ROOT / package).rglob("*.py")
    )
    assert count <= MOST_ANY


def test_no_public_signature_of_domain_services_or_store_takes_or_gives_any() -> None:
    vague = [
        f"{path}:{function.name}"
        for path, tree in modules("pipeline/domain", "pipeline/services", "pipeline/store")
        for function in functions(tree)
        if not function.name.startswith("_") and "Any" in _signature_names(function)
    ]
    assert not vague, "\n".join(vague)


def _signature_names(function: Function) -> set[str]:
    arguments = function.args
    parameters = [
        *arguments.posonlyargs,
        *arguments.args,
        *arguments.kwonlyargs,
        arguments.vararg,
        arguments.kwarg,
    ]
    annotations = [parameter.annotation for parameter in parameters if parameter] + [function.returns]
    return {
        node.id
        for annotation in annotations
        if annotation
        for node in ast.walk(annotation)
        if isinstance(node, ast.Name)
    }


def test_imports_form_no_circle() -> None:
    components = networkx.strongly_connected_components(networkx.DiGraph(_import_graph()))
    assert not [sorted(component) for component in components if len(component) > 1]


def _import_graph() -> dict[str, set[str]]:
    """Module → modules of the project that it imports, also inside functions; imports for types only are left out."""
    trees = {_module_name(path): tree for path, tree in modules(*PACKAGES)}
    graph: dict[str, set[str]] = {}
    for name, tree in trees.items():
        imported: set[str] = set()
        for node in _runtime_nodes(tree):
            if isinstance(node, ast.Import):
                imported |= {alias.name for alias in node.names}
            elif isinstance(node, ast.ImportFrom) and node.module:
                submodules = {f"{node.module}.{alias.name}" for alias in node.names} & trees.keys()
                imported |= submodules or {node.module}
        graph[name] = (imported & trees.keys()) - {name}
    return graph


def _module_name(path: str) -> str:
    return path.removesuffix(".py").removesuffix("/__init__").replace("/", ".")


def _runtime_nodes(tree: ast.AST) -> Iterator[ast.AST]:
    for node in ast.iter_child_nodes(tree):
        if isinstance(node, ast.If) and "TYPE_CHECKING" in ast.dump(node.test):
            continue
        yield node
        yield from _runtime_nodes(node)
