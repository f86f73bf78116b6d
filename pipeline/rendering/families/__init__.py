"""The generator families: each is one folder here and one entry of the table. Importing this loads no torch."""

from pipeline.rendering.families.family import Family
from pipeline.rendering.families.paste import PASTE
from pipeline.rendering.families.sdxl import SDXL

FAMILIES: dict[str, Family] = {family.name: family for family in (SDXL, PASTE)}

__all__ = ["FAMILIES", "Family"]
