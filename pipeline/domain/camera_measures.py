"""What a photo tells of its camera and its light: noise, blur, JPEG quality, brightness, contrast, colour cast."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from io import BytesIO

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image

from pipeline.domain.images import RGB

Grey = NDArray[np.float32]  # (H, W), grey levels 0 to 255

_SECOND_DIFFERENCES = np.array([[1, -2, 1], [-2, 4, -2], [1, -2, 1]], np.float32)
_GAIN = 6.0  # by which these multiply the standard deviation of white noise
_BLOCK_PX = 16
_FLATTEST = 0.2  # share of the blocks: texture only adds to what is measured
_DARK, _BRIGHT = 8.0, 247.0  # mean of a block beyond which its noise is cut off

_FIRST_BLUR_PX, _REBLUR_PX = 1.0, 1.5  # standard deviations: against noise; for the comparison
_EDGE_SHARE = 0.1  # of the pixels: the steepest ones
_LEAST_STEP = 4.0  # grey levels a pixel; flatter places are no edge
_LEAST_EDGES = 30  # pixels
_IN_FOCUS = 0.2  # share of the edges: shadows and what is out of focus only add
_EDGE_ITSELF = 0.46  # variance, px², that the method finds at an edge that is only averaged over pixels

_QUALITIES = range(1, 101)

_LIGHT_PX = 256  # longest side at which the colour of the light is estimated
_LIGHT_BLUR_PX = 1.0
_CUT_OFF = 250.0  # level from which the colour of a pixel is cut off
_LEAST_LIGHT = 1e-3  # linear level, or its change a pixel; less is rounding
_MINKOWSKI = 6.0  # order of the norm
_MIDDLE_GREY = 0.184  # luminance where L* is 50
_LUMINANCE = np.array([0.2126, 0.7152, 0.0722])  # of linear sRGB


@dataclass(frozen=True, slots=True, kw_only=True)
class PhotoLight:
    """Light and colour of one photo, in CIE L*a*b*."""

    brightness: float  # mean of L*, 0 to 100
    contrast: float  # standard deviation of L*
    a: float  # mean; below 0 green, above 0 magenta
    b: float  # mean; below 0 blue, above 0 yellow
    warmth: float = 0.0  # see `light_warmth`


def photo_light(rgb: RGB) -> PhotoLight:
    """Measure light and colour of a photo (H, W, 3) uint8."""
    lab = cv2.cvtColor(rgb.astype(np.float32) / 255, cv2.COLOR_RGB2LAB).reshape(-1, 3)
    light, a, b = (float(value) for value in lab.mean(0))
    return PhotoLight(brightness=light, contrast=float(lab[:, 0].std()), a=a, b=b, warmth=light_warmth(rgb))


def light_warmth(rgb: RGB) -> float:
    """Estimate the colour of the light in a photo (H, W, 3) uint8, whatever the colour of the ground.

    Two estimates of van de Weijer, Gevers and Gijsenij 2007, "Edge-based color constancy", that err in opposite ways
    where one coloured surface fills most of a photo: the Minkowski norm of the pixels (shades of grey) takes after that
    surface, the norm of the gradients (grey edge) after what differs from it.

    Returns:
        b* of a middle grey in that light, above 0 warm, below 0 cold: the smaller of the two estimates, 0 where they
        disagree on the side.
    """
    height, width = rgb.shape[:2]
    shrunk = min(1.0, _LIGHT_PX / max(height, width))
    size = max(1, round(width * shrunk)), max(1, round(height * shrunk))
    small = np.asarray(cv2.resize(rgb, size, interpolation=cv2.INTER_AREA), np.float32)
    usable = small.max(2) < _CUT_OFF
    linear = _linear(small / np.float32(255))
    smooth = cv2.GaussianBlur(linear, (0, 0), _LIGHT_BLUR_PX)
    steep = np.hypot(
        cv2.Sobel(smooth, cv2.CV_32F, 1, 0, scale=0.125), cv2.Sobel(smooth, cv2.CV_32F, 0, 1, scale=0.125)
    )
    beside_usable = cv2.erode(usable.astype(np.uint8), np.ones((5, 5), np.uint8)) > 0
    estimates = _grey_warmth(linear[usable]), _grey_warmth(steep[beside_usable])
    if estimates[0] * estimates[1] <= 0:
        return 0.0
    return min(estimates, key=abs)


def _grey_warmth(values: NDArray[np.float32]) -> float:
    """Return b* of a middle grey in the light that the Minkowski norm of values (N, 3), linear, estimates."""
    if not len(values) or values.max() < _LEAST_LIGHT:
        return 0.0
    light = np.power(np.mean((values / values.max()) ** _MINKOWSKI, 0), 1 / _MINKOWSKI)
    grey = np.clip(light * (_MIDDLE_GREY / float(light @ _LUMINANCE)), 0, 1).astype(np.float32)
    encoded = np.where(grey <= 0.0031308, 12.92 * grey, 1.055 * grey ** (1 / 2.4) - 0.055)
    return float(cv2.cvtColor(encoded.astype(np.float32).reshape(1, 1, 3), cv2.COLOR_RGB2LAB)[0, 0, 2])


def _linear(encoded: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return linear levels of sRGB, 0 to 1 (IEC 61966-2-1)."""
    steep = ((encoded + 0.055) / 1.055) ** 2.4
    return np.where(encoded <= 0.04045, encoded / 12.92, steep).astype(np.float32)


def grey_of(rgb: RGB) -> Grey:
    """Return the luma of an image (H, W, 3) uint8."""
    return np.asarray(cv2.cvtColor(rgb, cv2.COLOR_RGB2GRAY), np.float32)


def noise_deviation(grey: Grey) -> float:
    """Estimate the standard deviation of an image's noise, in grey levels.

    Second differences of both directions (Immerkaer 1996, "Fast noise variance estimation"), whose root mean square is
    taken block by block; the flattest fifth of the blocks that are neither black nor white counts. Images under 32 px,
    and those without such a block, give 0.
    """
    height, width = (side // _BLOCK_PX * _BLOCK_PX for side in grey.shape)
    if min(height, width) < 2 * _BLOCK_PX:
        return 0.0
    residual = np.asarray(cv2.filter2D(grey, cv2.CV_32F, _SECOND_DIFFERENCES), np.float32)[:height, :width]
    power, level = _block_means(residual**2), _block_means(grey[:height, :width])
    usable = power[(level > _DARK) & (level < _BRIGHT)]
    return float(np.sqrt(np.quantile(usable, _FLATTEST)) / _GAIN) if usable.size else 0.0


def _block_means(values: Grey) -> Grey:
    rows, columns = (side // _BLOCK_PX for side in values.shape)
    return np.asarray(values.reshape(rows, _BLOCK_PX, columns, _BLOCK_PX).mean((1, 3)), np.float32)


def blur_deviation(grey: Grey) -> float | None:
    """Estimate the blur of the sharpest edges as the standard deviation of a Gaussian, in pixels.

    The image is blurred once more; from the ratio of gradients at its edges follows how blurred they were (Zhuo & Sim
    2011, "Defocus map estimation from a single image", eq. 3 to 6). 0 = as sharp as pixels can be.

    Returns:
        0 to about 5; None where the image has too few edges.
    """
    smooth = np.asarray(cv2.GaussianBlur(grey, (0, 0), _FIRST_BLUR_PX), np.float32)
    again = np.asarray(cv2.GaussianBlur(smooth, (0, 0), _REBLUR_PX), np.float32)
    steep, softer = _gradient(smooth), _gradient(again)
    ridge = steep >= cv2.dilate(steep, np.ones((3, 3), np.uint8)) - 1e-3
    edges = ridge & (steep > max(_LEAST_STEP, float(np.quantile(steep, 1 - _EDGE_SHARE))))
    if edges.sum() < _LEAST_EDGES:
        return None
    ratio = np.maximum(steep[edges] / np.maximum(softer[edges], 1e-3), 1.001) ** 2
    variance = float(np.quantile(_REBLUR_PX**2 / (ratio - 1), _IN_FOCUS)) - _FIRST_BLUR_PX**2 - _EDGE_ITSELF
    return float(np.sqrt(max(variance, 0.0)))


def _gradient(grey: Grey) -> Grey:
    across, down = (
        cv2.Sobel(grey, cv2.CV_32F, 1, 0, scale=0.125),
        cv2.Sobel(grey, cv2.CV_32F, 0, 1, scale=0.125),
    )
    return np.asarray(np.hypot(across, down), np.float32)


def jpeg_quality(data: bytes) -> int | None:
    """Read with which quality, 1 to 100, a JPEG file was written last; None for other files.

    The scale is that of the IJG library: the quality whose luminance table is nearest to that of the file.
    """
    try:
        with Image.open(BytesIO(data), formats=("JPEG", "MPO")) as image:
            tables: dict[int, list[int]] = getattr(image, "quantization", {})
    except Exception:  # Pillow's readers raise some twenty types for what is no JPEG
        return None
    table = np.array(tables.get(0, ()), np.int64)
    if table.size != 64:
        return None
    distances = {quality: int(np.abs(known - table).sum()) for quality, known in _luminance_tables().items()}
    return min(distances, key=lambda quality: (distances[quality], -quality))


def jpeg_side_px(data: bytes) -> int | None:
    """Read the shorter side of a JPEG file in pixels, as it is stored; None for other files."""
    try:
        with Image.open(BytesIO(data), formats=("JPEG", "MPO")) as image:
            return min(image.size)
    except Exception:  # see `jpeg_quality`
        return None


@cache
def _luminance_tables() -> dict[int, NDArray[np.int64]]:
    tables = {}
    for quality in _QUALITIES:
        file = BytesIO()
        Image.new("L", (8, 8)).save(file, "JPEG", quality=quality)
        with Image.open(file) as written:
            tables[quality] = np.array(getattr(written, "quantization")[0], np.int64)  # noqa: B009
    return tables
