"""`config.yaml`: everything that a command was asked for, which `--config` reads back. Light to import (no torch)."""

from __future__ import annotations

import argparse
import platform
from collections.abc import Mapping, Sequence
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import TypeVar

import yaml

from pipeline.errors import InvalidRequest, UnknownName
from training.fit.options import TrainingOptions

_COMMAND, _VERSIONS = "command", "versions"  # keys that are no options
_ELSEWHERE = {
    "config",
    "help",
    "json",
    "out",
    "plan_missing",
    "propose",
    "run",
    "tracker",
}  # change no result
_BY_NETWORK = {"batch", "image_size", "lr", "steps", "weight_decay"}  # may be a mapping: network → value
_PACKAGES = ("torch", "torchvision", "lightning", "torchmetrics", "numpy", "timm")

Value = TypeVar("Value", int, float)


def config_text(command: str, options: argparse.Namespace, trainings: Sequence[TrainingOptions]) -> str:
    """Write the configuration of a command as YAML.

    Args:
        command: its name.
        options: of the command line.
        trainings: the hyper-parameters of every network, which fill in what the command line left out.
    """
    values = {name: _plain(value) for name, value in vars(options).items() if name not in _ELSEWHERE}
    by_network = {str(training.network): training for training in trainings}
    for name in _BY_NETWORK | {"augmentation"}:
        of_each = {network: _plain(getattr(training, name)) for network, training in by_network.items()}
        values[name] = of_each if len(set(of_each.values())) > 1 else next(iter(of_each.values()))
    comment = (
        f"# python -m training {command} --config THIS_FILE --out DIR repeats it; "
        "options on the command line go before those in here\n"
    )
    content = {_COMMAND: command, **dict(sorted(values.items())), _VERSIONS: _versions()}
    return comment + yaml.safe_dump(content, sort_keys=False, allow_unicode=True)


def parse_with_config(
    parser: argparse.ArgumentParser,
    commands: Mapping[str, argparse.ArgumentParser],
    arguments: Sequence[str],
) -> argparse.Namespace:
    """Parse a command line; what it leaves out is taken from the file that `--config` names, if any.

    Args:
        parser: of the whole command line.
        commands: the parsers of its commands, with `--config`.

    Raises:
        InvalidRequest: the file cannot be read, or has unknown keys or values that the options do not take.
    """
    only_config = argparse.ArgumentParser(add_help=False)
    only_config.add_argument("--config", type=Path, help=argparse.SUPPRESS)
    path = only_config.parse_known_args(arguments)[0].config
    command = commands.get(arguments[0]) if arguments else None
    if path is not None and command is not None:
        _fill_in(command, _read(path, arguments[0]), path)
    return parser.parse_args(arguments)


def chosen(value: Value | dict[str, Value] | None, network: str) -> Value | None:
    """Return the value of an option for a network; a file may give one for each."""
    return value.get(network) if isinstance(value, dict) else value


def _read(path: Path, command: str) -> dict[str, object]:
    try:
        content = yaml.safe_load(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise InvalidRequest(
            f"{path} cannot be read: {error.strerror}; name a config.yaml with --config"
        ) from None
    except (yaml.YAMLError, ValueError) as error:
        reason = " ".join(str(error).split())
        raise InvalidRequest(f"{path} is not YAML: {reason}; correct it or name another file") from None
    if not isinstance(content, dict):
        raise InvalidRequest(f"{path} is not a configuration; it must be a list of keys and values")
    content.pop(_VERSIONS, None)
    of = content.pop(_COMMAND, command)
    if of != command:
        raise InvalidRequest(f"{path} is a configuration of '{of}'; use it with python -m training {of}")
    return {str(name): value for name, value in content.items()}


def _fill_in(command: argparse.ArgumentParser, values: Mapping[str, object], path: Path) -> None:
    """Make the values of a file the defaults of a command."""
    known = {action.dest: action for action in command._actions if action.dest not in _ELSEWHERE}
    for name, value in values.items():
        if name not in known:
            raise InvalidRequest(f"{path}: {UnknownName('option', name, known)}")
        if value is None:
            continue
        try:
            known[name].default = _value(known[name], value)
        except (ValueError, argparse.ArgumentTypeError) as error:
            raise InvalidRequest(f"{path}: the value of '{name}' is wrong: {error}") from None
        known[name].required = False


def _value(action: argparse.Action, value: object) -> object:
    """Convert a value as the command line would; raises ValueError or ArgumentTypeError."""
    if action.nargs == 0:
        if not isinstance(value, bool):
            raise ValueError(f"'{value}' is not true or false")
        return value
    if isinstance(value, dict) and action.dest in _BY_NETWORK:
        return {str(network): _scalar(action, of_network) for network, of_network in value.items()}
    if action.nargs == "+":
        return [_scalar(action, item) for item in (value if isinstance(value, list) else [value])]
    return _scalar(action, value)


def _scalar(action: argparse.Action, value: object) -> object:
    if isinstance(value, (dict, list)):
        raise ValueError(f"'{value}' is not a single value")
    convert = action.type if callable(action.type) else str
    converted: object = convert(str(value))
    if action.choices is not None and converted not in action.choices:
        raise ValueError(f"'{value}' is none of {', '.join(map(str, action.choices))}")
    return converted


def _plain(value: object) -> object:
    """Turn paths and names into text."""
    if isinstance(value, (list, tuple)):
        return [_plain(item) for item in value]
    return value if value is None or type(value) in (bool, int, float, str) else str(value)


def _versions() -> dict[str, str]:
    versions = {"python": platform.python_version()}
    for package in _PACKAGES:
        try:
            versions[package] = version(package)
        except PackageNotFoundError:
            continue
    return versions
