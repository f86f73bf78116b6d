"""Encoded images with their labels, as the readers hand them on."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from pipeline.domain.release import Matrix
from pipeline.domain.warping import Box

PHOTO = "photo"  # the method of a real row
READ_ERRORS = (OSError, ValueError, RuntimeError)  # raised by datasets and pyarrow for broken or absent data


class Row(NamedTuple):
    """One encoded image."""

    data: bytes
    label: str
    origin: str
    method: str
    name: str
    model: str = ""  # the model that generated it
    recipe: str = ""  # the recipe that planned it
    source: str = ""  # the photo whose object it shows, in front of others; "" where none is known
    sources: tuple[str, ...] = ()  # the photos of all its objects, back to front; () where none is known
    prompt: str = ""  # "" for a photo
    box: Box | None = None  # of the front object; None where there is none, or none is known
    homography: Matrix | None = None  # of the front object: photo pixels → image pixels
    mask: bytes = b""  # encoded, of the objects; b"" where there is none


class LabelledRows(NamedTuple):
    """The class names of one configuration, and its rows, read one by one."""

    classes: tuple[str, ...]
    rows: Iterable[Row]


NO_ROWS = LabelledRows((), ())
