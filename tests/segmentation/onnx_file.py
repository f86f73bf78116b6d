"""A small ONNX network, written field by field: the package `onnx` is not a dependency."""

from __future__ import annotations

from collections.abc import Sequence

_FLOAT, _INT, _INTS = 1, 2, 7  # of TensorProto and AttributeProto


def brightest_channel(shape: Sequence[int | None], *, axis: int = 1) -> bytes:
    """A network that returns the maximum of its input over an axis, by default the channels.

    Args:
        shape: of the input; None for a side of open size.
    """
    axes = _text(1, "axes") + _number(8, axis) + _number(20, _INTS)
    keep = _text(1, "keepdims") + _number(3, 1) + _number(20, _INT)
    node = _text(1, "photo") + _text(2, "map") + _text(4, "ReduceMax") + _part(5, axes) + _part(5, keep)
    reduced: list[int | None] = [1 if place == axis else side for place, side in enumerate(shape)]
    graph = (
        _part(1, node)
        + _text(2, "graph")
        + _part(11, _value("photo", shape))
        + _part(12, _value("map", reduced))
    )
    return _number(1, 8) + _part(7, graph) + _part(8, _number(2, 13))


def _value(name: str, shape: Sequence[int | None]) -> bytes:
    sides = b"".join(_part(1, _text(2, "side") if side is None else _number(1, side)) for side in shape)
    return _text(1, name) + _part(2, _part(1, _number(1, _FLOAT) + _part(2, sides)))


def _number(field: int, value: int) -> bytes:
    return _varint(field << 3) + _varint(value)


def _text(field: int, value: str) -> bytes:
    return _part(field, value.encode())


def _part(field: int, content: bytes) -> bytes:
    return _varint(field << 3 | 2) + _varint(len(content)) + content


def _varint(value: int) -> bytes:
    encoded = bytearray()
    while value > 127:
        encoded.append(value & 127 | 128)
        value >>= 7
    return bytes([*encoded, value])
