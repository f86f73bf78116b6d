"""Wider placement ranges where a diagnosis shows that photos of a kind are recognised less often. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeVar

from pydantic import BaseModel, TypeAdapter, ValidationError

from pipeline.domain.recipe_placement import PlacementRanges, PlacementVariant, Position
from training.study.statistics import ALPHA

_SMALLER, _LARGER = 0.6, 1.3  # factors of the ends of the scales
_LEAST_SCALE, _LARGEST_SCALE = 0.05, 1.5  # that a widening reaches
_NEAR_THE_EDGE = 0.6  # least visible share of an object that may lie at the edge
_SEVERAL = 3  # objects in one image
Ranges = TypeVar("Ranges", bound=PlacementRanges)


class _Factor(BaseModel):
    """One factor of the test photos, as `study.json` holds it; unknown keys are ignored."""

    factor: str
    direction: str  # "low" or "high": the values at which photos are recognised less often
    p: float
    sentence: str = ""
    arm: str = ""  # "" in a diagnosis that does not tell it


_FACTORS = TypeAdapter(list[_Factor])


@dataclass(frozen=True, slots=True)
class Diagnosis:
    """The key `diagnosis` of study.json; None, or anything that cannot be read, explains nothing."""

    findings: object
    arm: str = ""  # whose errors count; "" for those of all arms

    @property
    def certain(self) -> list[_Factor]:
        """Return the factors that explain errors with certainty, p below 0.05, the same factor once."""
        try:
            factors = _FACTORS.validate_python(self.findings)
        except ValidationError:
            return []
        certain = [
            each for each in factors if each.p < ALPHA and (not self.arm or each.arm in ("", self.arm))
        ]
        return list({(each.factor, each.direction): each for each in certain}.values())


def widened(
    placement: PlacementRanges | list[PlacementVariant], diagnosis: Diagnosis
) -> tuple[PlacementRanges | list[PlacementVariant], tuple[str, ...]]:
    """Widen placement ranges towards what a network does not recognise; each arrangement of a mix for itself.

    Small objects: smaller scales; large ones: larger scales; objects away from the centre: positions everywhere, up to
    the edge; several objects: up to three in an image, where no arrangement has as many. Other factors do not change a
    placement.

    Returns:
        The ranges, and a sentence for each change.
    """
    sentences = []
    for finding in diagnosis.certain:
        if isinstance(placement, PlacementRanges):
            placement, change = _changed(placement, finding)
        elif finding.factor == "objects" and any(each.objects[1] >= _SEVERAL for each in placement):
            continue
        else:
            pairs = [_changed(variant, finding) for variant in placement]
            placement = [variant for variant, _ in pairs]
            change = " ".join(
                f"{change.removesuffix('.')} in '{variant.name}'." for variant, change in pairs if change
            )
        if change:
            sentences.append(f"{finding.sentence} {change}".strip())
    return placement, tuple(sentences)


def _changed(ranges: Ranges, finding: _Factor) -> tuple[Ranges, str]:
    changes, sentence = _change(ranges, finding)
    return type(ranges).model_validate({**ranges.model_dump(), **changes}), sentence


def _change(placement: PlacementRanges, finding: _Factor) -> tuple[dict[str, object], str]:
    """Return the new values of a placement and a sentence about them; none where nothing changes."""
    low, high = placement.scale
    match finding.factor, finding.direction:
        case "object_size", "low" if low > _LEAST_SCALE:
            low = round(max(_LEAST_SCALE, _SMALLER * low), 3)
            return {"scale": (low, high)}, f"So the scale begins at {low:g}."
        case "object_size", "high" if high < _LARGEST_SCALE:
            high = round(min(_LARGEST_SCALE, _LARGER * high), 3)
            return {"scale": (low, high)}, f"So the scale ends at {high:g}."
        case "off_centre", "high" if (
            placement.position is not Position.UNIFORM or placement.min_visible > _NEAR_THE_EDGE
        ):
            visible = min(placement.min_visible, _NEAR_THE_EDGE)
            changes = {"position": Position.UNIFORM, "min_visible": visible}
            return changes, f"So objects lie anywhere, also at the edge with {visible:.0%} of them visible."
        case "objects", "high" if placement.objects[1] < _SEVERAL:
            return {
                "objects": (placement.objects[0], _SEVERAL)
            }, f"So an image holds up to {_SEVERAL} objects."
    return {}, ""
