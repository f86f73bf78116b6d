"""How long a GPU needs for images, so that no more of a visitor's quota is requested than needed.

The work is counted in TFLOP of SDXL at 1024 x 1024, measured once, and grows with the pixels. The
rate is far below the 790 TFLOP/s that one H200 multiplies at: 30 steps with guidance are 421 TFLOP, for which public
measurements say 2.43 s on an A100 and 1.47 s on an H100 with TensorRT; here they count 3.5 s.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

from pipeline.domain.spec import SampleSpec

UNET_TFLOP = 6.76  # one row, one step
CONTROLNET_TFLOP = 3.02  # the same
ENCODE_TFLOP = 4.88  # one image through the VAE
DECODE_TFLOP = 10.47
TEXT_TFLOP = 0.11  # one prompt through both encoders
RATE_TFLOP_S = 120.0
START_UP_S = 15.0  # until the weights, 7 GB, lie on the card
MOST_S = 120  # what a visitor may ask for at once
_PIXELS = 1024 * 1024


def image_seconds(spec: SampleSpec) -> float:
    """Return the GPU seconds for one image, without the start."""
    rows = 2 if spec.guidance_scale > 1.0 else 1
    step = UNET_TFLOP + (CONTROLNET_TFLOP if spec.method.facts.needs_control else 0.0)
    encodings = 2 if spec.method.facts.places_object else 0  # the image and the masked image
    work = rows * spec.steps * step + encodings * ENCODE_TFLOP + DECODE_TFLOP
    share = spec.size[0] * spec.size[1] / _PIXELS
    return (work * max(share, share**2) + rows * TEXT_TFLOP) / RATE_TFLOP_S  # attention grows with the square


def call_seconds(specs: Sequence[SampleSpec]) -> int:
    """Return the whole seconds to request for images in one call, start included; at most `MOST_S`."""
    return min(MOST_S, math.ceil(START_UP_S + sum(map(image_seconds, specs))))


def calls(specs: Sequence[SampleSpec]) -> list[slice]:
    """Split images into calls that each fit into `MOST_S`; an image that does not fit alone is a call of its own."""
    cuts, seconds = [0], START_UP_S
    for place, spec in enumerate(specs):
        seconds += image_seconds(spec)
        if seconds > MOST_S and place > cuts[-1]:
            cuts.append(place)
            seconds = START_UP_S + image_seconds(spec)
    return [slice(start, end) for start, end in zip(cuts, [*cuts[1:], len(specs)], strict=True)]
