"""Picture files that a plan names: backgrounds and references."""

from __future__ import annotations

from pathlib import Path

from pipeline.domain.images import RGB
from pipeline.domain.photo_decoding import load_photo
from pipeline.errors import InvalidRecipe


def picture_of(path: Path) -> RGB:
    """Read a picture, (H, W, 3) uint8 of at most 2048 px.

    Raises:
        InvalidRecipe: its file cannot be read.
        UnreadableImage: it is no image.
    """
    try:
        return load_photo(path.read_bytes(), path.name).rgb
    except OSError as error:
        raise InvalidRecipe(f"{path} cannot be read: {error.strerror}; name another image") from None
