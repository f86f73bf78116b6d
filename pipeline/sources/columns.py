"""Which columns of a data set hold the image, the label and the mask."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from pipeline.errors import SourceRefused, UnknownName

_IMAGE_NAMES = ("image", "img", "picture", "photo", "pixel_values")
_LABEL_NAMES = ("label", "labels", "class", "category", "target", "fine_label", "coarse_label", "y", "name")
_MASK_NAMES = ("mask", "segmentation", "annotation", "alpha")
_PACKED = ("binary", "large_binary")  # columns of encoded files


@dataclass(frozen=True, slots=True, kw_only=True)
class ColumnMap:
    """The columns that a person names; None = to be guessed."""

    image: str | None = None
    label: str | None = None
    mask: str | None = None

    def over(self, other: ColumnMap) -> ColumnMap:
        """These names, and those of another map for what is not named here."""
        return ColumnMap(
            image=self.image or other.image, label=self.label or other.label, mask=self.mask or other.mask
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Columns:
    """The columns in use; `names` are the class names where the label is a number, else empty."""

    image: str
    label: str
    mask: str | None
    names: tuple[str, ...]
    note: str  # what was guessed

    def label_of(self, value: object) -> str | None:
        """The class name that a row's label value stands for; None where it stands for no class."""
        if value is None or value == "":
            return None
        if self.names and isinstance(value, int):
            return self.names[value] if 0 <= value < len(self.names) else None  # -1: not labelled
        return str(value)


def chosen_columns(features: Mapping[str, Any], named: ColumnMap = ColumnMap()) -> Columns:
    """The named columns, and guesses for what is not named.

    Args:
        features: column name → `datasets` feature (an Image, a ClassLabel, a Value …).

    Raises:
        UnknownName: a named column does not exist.
        SourceRefused: a named column holds something else, or there is nothing to guess from.
    """
    for name in (named.image, named.label, named.mask):
        if name is not None and name not in features:
            raise UnknownName("column", name, features)
    kinds = {name: type(feature).__name__ for name, feature in features.items()}
    pictures = [name for name, kind in kinds.items() if kind == "Image"]
    for name in (named.image, named.mask):
        if name is not None and name not in pictures and not _packed(features[name]):
            raise SourceRefused(f"column '{name}' holds no pictures; the data set has {_listed(features)}")
    found_image = named.image or _first(pictures, _IMAGE_NAMES, exclude=_MASK_NAMES)
    if found_image is None:
        raise SourceRefused(f"no column holds pictures; the data set has {_listed(features)}")
    classes = [name for name, kind in kinds.items() if kind == "ClassLabel"]
    plain = [name for name in features if kinds[name] == "Value" and name.lower() in _LABEL_NAMES]
    found_label = named.label or _first(classes, _LABEL_NAMES) or _first(plain, _LABEL_NAMES)
    if found_label is None:
        raise SourceRefused(
            f"no column looks like a label; name it with ?label=COLUMN, the data set has {_listed(features)}"
        )
    guess = next((name for name in pictures if name.lower() in _MASK_NAMES and name != found_image), None)
    mask = named.mask or guess
    return Columns(
        image=found_image,
        label=found_label,
        mask=mask,
        names=tuple(getattr(features[found_label], "names", None) or ()),
        note=_note(found_image, found_label, mask, guessed=not (named.image and named.label)),
    )


def _packed(feature: Any) -> bool:
    return getattr(feature, "dtype", None) in _PACKED


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
