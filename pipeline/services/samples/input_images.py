"""The images that specs name, kept decoded while a run needs them again and again."""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass, field

from pipeline.domain.images import Pixels
from pipeline.domain.placement import Cutout
from pipeline.store import Library

_MOST_BYTES = 64 * 2**20  # of pixels: a hundred cut-outs of 400 px


@dataclass(slots=True)
class InputImages:
    """Cut-outs, photos and backgrounds of a library by id; those used last stay in memory. For one thread.

    Args:
        most_bytes: of pixels that are kept; an image larger than that is read every time.
    """

    library: Library
    most_bytes: int = _MOST_BYTES
    _kept: OrderedDict[str, Pixels] = field(default_factory=OrderedDict)
    _bytes: int = 0

    def read(self, image_id: str) -> Pixels:
        """Return the pixels of an image, (H, W), (H, W, 3) or (H, W, 4) uint8, which must not be written to.

        Raises:
            NotFound, DamagedPicture: it cannot be read.
        """
        pixels = self._kept.pop(image_id, None)
        if pixels is None:
            pixels = self.library.images.read(image_id)
            if pixels.nbytes > self.most_bytes:
                return pixels
            self._bytes += pixels.nbytes
        self._kept[image_id] = pixels
        while self._bytes > self.most_bytes:
            _, dropped = self._kept.popitem(last=False)
            self._bytes -= dropped.nbytes
        return pixels

    def cutout(self, cutout_id: str) -> Cutout:
        """Return a stored cut-out; errors are those of `read`."""
        pixels = self.read(cutout_id)
        return Cutout(rgb=pixels[..., :3], alpha=pixels[..., 3])

    def photo(self, photo_id: str) -> Pixels:
        """Return the image of a photo, (H, W, 3); errors are those of `read`."""
        return self.read(self.library.photos.get(photo_id).image_id)
