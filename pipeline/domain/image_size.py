"""The size of a plan's images: the model's own, unless the objects' pixels ask for another one.

Images are square; a size is a side in pixels.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from statistics import median

from pipeline.domain.photos import Photo

_STEP = 64  # every supported model draws multiples of it
_SMALLEST, _LARGEST = 128, 512  # that are chosen for a model whose own size lies between them
_FEW = 0.1  # share of the objects that may be enlarged before a smaller size is chosen
_SHRUNK = 4.0  # from so many times the pixels that an image shows of an object, along one side, it gets a larger one
_NOTICEABLE = 1.05  # times enlarged; less cannot be seen


@dataclass(frozen=True, slots=True)
class DrawnObjects:
    """The objects that a recipe draws: how large they are in their photos, and in images at most."""

    longest_px: Sequence[int]  # the longest side of each in its photo
    scale: float  # the largest of the recipe: longest side as a share of the image's
    cut: int = 0  # how many reach a border of their photo and not the opposite one, which may cut them

    @classmethod
    def of(cls, photos: Iterable[Photo], scale: float) -> DrawnObjects:
        """Return the objects of photos; photos without one are left out.

        An object that reaches from border to border is in a photo that was cropped to it, and is not counted as cut.
        """
        boxes = [(photo.box, photo.width, photo.height) for photo in photos if photo.box is not None]
        longest_px = [max(box[2] - box[0], box[3] - box[1]) for box, _, _ in boxes]
        cut = (
            (x0 <= 0) != (x1 >= width) or (y0 <= 0) != (y1 >= height)
            for (x0, y0, x1, y1), width, height in boxes
        )
        return cls(longest_px, scale, sum(cut))

    def enlargements(self, size: int) -> list[float]:
        """Return how many times each object of those that are noticeably enlarged is at most, in images of a size."""
        times = (self.scale * size / longest for longest in self.longest_px if longest > 0)
        return [each for each in times if each > _NOTICEABLE]

    def fit(self, size: int) -> bool:
        """Whether hardly any of them is enlarged in images of a size."""
        return len(self.enlargements(size)) <= _FEW * len(self.longest_px)


def automatic_size(own: int, objects: DrawnObjects) -> int:
    """Choose the size of images.

    It is the model's own. Where more than a tenth of the objects would be enlarged, it is the next smaller multiple of
    64 at which they are not, down to half of the model's own and 128 px. Where half of the objects have at least four
    times the pixels along a side that the image would show of them, it is twice the model's own, or four times, up to
    512 px.

    Args:
        own: the model's size.
    """
    if not objects.fit(own):
        least = min(own, max(_SMALLEST, own // 2))
        smaller = range((own - 1) // _STEP * _STEP, least - 1, -_STEP)
        return next((size for size in smaller if objects.fit(size)), least)
    size = own
    while 2 * size <= _LARGEST and median(objects.longest_px or [0]) >= _SHRUNK * objects.scale * size:
        size *= 2
    return size if objects.fit(size) else own
