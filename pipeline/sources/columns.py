"""Which columns of a data set hold the picture, the label and the mask."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from pipeline.errors import SourceRefused

_IMAGE_NAMES = ("image", "img", "picture", "photo", "pixel_values")
_LABEL_NAMES = ("label", "labels", "class", "category", "target", "fine_label", "coarse_label", "y", "name")
_MASK_NAMES = ("mask", "segmentation", "annotation", "alpha")


@dataclass(frozen=True, slots=True, kw_only=True)
class Columns:
    """The columns in use; `names` are the class names where the label is a number, else empty."""

    image: str
    label: str
    mask: str | None
    names: tuple[str, ...]
    note: str  # what was guessed

    def label_of(self, value: object) -> str:
        """The class name that a row's label value stands for."""
        if isinstance(value, int) and 0 <= value < len(self.names):
            return self.names[value]
        return str(value)


def chosen_columns(features: Mapping[str, Any], *, image: str | None, label: str | None) -> Columns:
    """The named columns, and guesses for what is not named.

    Args:
        features: column name → `datasets` feature (an Image, a ClassLabel, a Value …).

    Raises:
        SourceRefused: a named column does not exist, or there is nothing to guess from.
    """
    for name in (image, label):
        if name is not None and name not in features:
            raise SourceRefused(f"there is no column '{name}'; the data set has {_listed(features)}")
    kinds = {name: type(feature).__name__ for name, feature in features.items()}
    pictures = [name for name, kind in kinds.items() if kind == "Image"]
    found_image = image or _first(pictures, _IMAGE_NAMES, exclude=_MASK_NAMES)
    if found_image is None:
        raise SourceRefused(f"no column holds pictures; the data set has {_listed(features)}")
    classes = [name for name, kind in kinds.items() if kind == "ClassLabel"]
    plain = [name for name in features if kinds[name] == "Value" and name.lower() in _LABEL_NAMES]
    found_label = label or _first(classes, _LABEL_NAMES) or _first(plain, _LABEL_NAMES)
    if found_label is None:
        raise SourceRefused(f"no column looks like a label; name it, the data set has {_listed(features)}")
    mask = next((name for name in pictures if name.lower() in _MASK_NAMES and name != found_image), None)
    return Columns(
        image=found_image,
        label=found_label,
        mask=mask,
        names=tuple(getattr(features[found_label], "names", None) or ()),
        note=_note(found_image, found_label, mask, guessed=not (image and label)),
    )


def _first(names: list[str], wanted: tuple[str, ...], exclude: tuple[str, ...] = ()) -> str | None:
    """The name that comes first in `wanted`; else the first of all."""
    usable = [name for name in names if name.lower() not in exclude]
    ranked = sorted(
        usable, key=lambda name: wanted.index(name.lower()) if name.lower() in wanted else len(wanted)
    )
    return ranked[0] if ranked else None


def _note(image: str, label: str, mask: str | None, *, guessed: bool) -> str:
    masks = f", masks from '{mask}'" if mask else ""
    how = "guessed: " if guessed else ""
    return f"{how}pictures from column '{image}', labels from '{label}'{masks}"


def _listed(features: Mapping[str, Any]) -> str:
    return (
        ", ".join(f"{name} ({type(feature).__name__})" for name, feature in features.items()) or "no columns"
    )
