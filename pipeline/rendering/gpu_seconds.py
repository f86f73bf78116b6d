"""How long a graphics card needs for pictures, so that no more of somebody's quota is asked for than that.

The work is counted in TFLOP of SDXL at 1024 x 1024 (measured: shared/FACTS.md, item 18) and grows with the pixels. The
rate is far below the 790 TFLOP/s that one H200 multiplies at: 30 steps with guidance are 421 TFLOP, for which public
measurements say 2.43 s on an A100 and 1.47 s on an H100 with TensorRT; here they count 3.5 s.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

from pipeline.domain.spec import SampleSpec

UNET_TFLOP = 6.76  # one row, one step
CONTROLNET_TFLOP = 3.02  # the same
ENCODE_TFLOP = 4.88  # one picture through the VAE
DECODE_TFLOP = 10.47
TEXT_TFLOP = 0.11  # one prompt through both encoders
RATE_TFLOP_S = 120.0
START_UP_S = 15.0  # until the weights, 7 GB, lie on the card
MOST_S = 120  # what a visitor may ask for at once
_PIXELS = 1024 * 1024


def picture_seconds(spec: SampleSpec) -> float:
    """Seconds on the card for one picture, without the start."""
    rows = 2 if spec.guidance_scale > 1.0 else 1
    step = UNET_TFLOP + (CONTROLNET_TFLOP if spec.method.facts.needs_control else 0.0)
    encodings = 2 if spec.method.facts.places_object else 0  # the picture and the masked picture
    work = rows * spec.steps * step + encodings * ENCODE_TFLOP + DECODE_TFLOP
    share = spec.size[0] * spec.size[1] / _PIXELS
    return (work * max(share, share**2) + rows * TEXT_TFLOP) / RATE_TFLOP_S  # attention grows with the square


def call_seconds(specs: Sequence[SampleSpec]) -> int:
    """Whole seconds to ask for, for pictures in one call, start included; never more than `MOST_S`."""
    return min(MOST_S, math.ceil(START_UP_S + sum(map(picture_seconds, specs))))


def calls(specs: Sequence[SampleSpec]) -> list[slice]:
    """The pictures cut into calls that each fit into `MOST_S`; one that does not fit alone is a call of its own."""
    cuts, seconds = [0], START_UP_S
    for place, spec in enumerate(specs):
        seconds += picture_seconds(spec)
        if seconds > MOST_S and place > cuts[-1]:
            cuts.append(place)
            seconds = START_UP_S + picture_seconds(spec)
    return [slice(start, end) for start, end in zip(cuts, [*cuts[1:], len(specs)], strict=True)]
