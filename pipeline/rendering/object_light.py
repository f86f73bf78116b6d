"""Another light on an object than that of its photo."""

from __future__ import annotations

import numpy as np

from pipeline.domain.look import ObjectLightSpec
from pipeline.domain.placement import Cutout


def lit(cutout: Cutout, light: ObjectLightSpec) -> Cutout:
    """Return a cut-out in a brighter or darker, warmer or colder light; its alpha stays.

    Stored values are multiplied: red by brightness (1 + colour), green by brightness, blue by brightness (1 - colour);
    what exceeds 255 is cut.
    """
    gains = light.brightness * np.array([1 + light.colour, 1.0, 1 - light.colour], np.float32)
    rgb = np.clip(np.rint(cutout.rgb * gains), 0, 255).astype(np.uint8)
    return Cutout(rgb=rgb, alpha=cutout.alpha)
