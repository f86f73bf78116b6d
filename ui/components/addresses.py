"""Addresses under which the browser finds images, and links between pages.

All are relative, so that they work behind a proxy and on a Space; every page is one level below the root.
"""

from __future__ import annotations

import base64
from pathlib import Path
from urllib.parse import quote, urlencode

import cv2
import numpy as np

from pipeline.domain.images import RGB

_JPEG_QUALITY = 88


def file_address(path: Path) -> str:
    """Return the address of a file under one of the static folders (`gr.set_static_paths`)."""
    return f"./gradio_api/file={quote(str(path.absolute()))}"


def page_address(page: str, **query: str) -> str:
    """Return the address of a page, e.g. `./create?subject=ab12`."""
    return f"./{page}" + (f"?{urlencode(query)}" if query else "")


def inline_picture(rgb: RGB) -> str:
    """Return a `data:` address that holds a small (H, W, 3) image as JPEG, which saves the browser a request."""
    written, data = cv2.imencode(
        ".jpg", np.ascontiguousarray(rgb[..., ::-1]), [cv2.IMWRITE_JPEG_QUALITY, _JPEG_QUALITY]
    )
    assert written
    return "data:image/jpeg;base64," + base64.b64encode(data.tobytes()).decode()
