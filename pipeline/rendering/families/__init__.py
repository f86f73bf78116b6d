"""The generator families: one folder and one row each. Importing this loads no torch."""

from pipeline.rendering.families.family import Family
from pipeline.rendering.families.sdxl import SDXL

FAMILIES: dict[str, Family] = {family.name: family for family in (SDXL,)}

__all__ = ["FAMILIES", "Family"]
