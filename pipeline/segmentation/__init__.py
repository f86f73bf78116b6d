"""Object masks: given with the photo, found against a plain background, or edited by a person."""

from pipeline.segmentation.cutout import CutoutOrigin, CutoutResult, cut_out, object_mask
from pipeline.segmentation.editing import edited, grabcut_box, object_in_box, region_at
from pipeline.segmentation.field_photos import FieldObjects, ObjectCount, emptied, field_objects
from pipeline.segmentation.network import warn_if_network_is_missing
from pipeline.segmentation.quality import USABLE_SCORE
from pipeline.segmentation.salience import Salience, salience_beside
from pipeline.segmentation.several import divided_mask

__all__ = [
    "USABLE_SCORE",
    "CutoutOrigin",
    "CutoutResult",
    "FieldObjects",
    "ObjectCount",
    "Salience",
    "cut_out",
    "divided_mask",
    "edited",
    "emptied",
    "field_objects",
    "grabcut_box",
    "object_in_box",
    "object_mask",
    "region_at",
    "salience_beside",
    "warn_if_network_is_missing",
]
