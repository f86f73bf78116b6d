"""Which columns of a dataset hold the image, the label and the mask."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from pipeline.errors import SourceRefused, UnknownName

_IMAGE_NAMES = ("image", "img", "picture", "photo", "pixel_values")
LABEL_NAMES = ("label", "labels", "class", "category", "target", "fine_label", "coarse_label", "y", "name")
_MASK_NAMES = ("mask", "segmentation", "annotation", "alpha")
_ENCODED = ("binary", "large_binary")  # columns of encoded files


@dataclass(frozen=True, slots=True, kw_only=True)
class ColumnMap:
    """The columns that a person names; None = guess."""

    image: str | None = None
    label: str | None = None
    mask: str | None = None

    def over(self, other: ColumnMap) -> ColumnMap:
        """Return these names, completed with those of another map."""
        return ColumnMap(
            image=self.image or other.image, label=self.label or other.label, mask=self.mask or other.mask
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Columns:
    """The columns in use."""

    image: str
    label: str
    mask: str | None
    names: tuple[str, ...]  # class names where the label is a number, else empty
    note: str  # what was guessed

    def label_of(self, value: object) -> str | None:
        """Return the class name of a row's label value; None where it has no class."""
        if value is None or value == "":
            return None
        if self.names and isinstance(value, int):
            return self.names[value] if 0 <= value < len(self.names) else None  # -1: not labelled
        return str(value)


def chosen_columns(features: Mapping[str, object], named: ColumnMap = ColumnMap()) -> Columns:
    """Return the named columns, and guesses for those that are not named.

    Args:
        features: column name → `datasets` feature (an Image, a ClassLabel, a Value …).

    Raises:
        UnknownName: a named column does not exist.
        SourceRefused: a named column holds something else, or no column looks right.
    """
    for name in (named.image, named.label, named.mask):
        if name is not None and name not in features:
            raise UnknownName("column", name, features)
    kinds = {name: type(feature).__name__ for name, feature in features.items()}
    images = [name for name, kind in kinds.items() if kind == "Image"]
    for name in (named.image, named.mask):
        if name is not None and name not in images and not _holds_files(features[name]):
            raise SourceRefused(f"column '{name}' holds no images; the dataset has {_listed(features)}")
    image = named.image or _first(images, _IMAGE_NAMES, exclude=_MASK_NAMES)
    if image is None:
        raise SourceRefused(f"no column holds images; the dataset has {_listed(features)}")
    label = named.label or _guessed_label(kinds)
    if label is None:
        raise SourceRefused(
            f"no column looks like a label; name it with ?label=COLUMN, the dataset has {_listed(features)}"
        )
    guess = next((name for name in images if name.lower() in _MASK_NAMES and name != image), None)
    mask = named.mask or guess
    return Columns(
        image=image,
        label=label,
        mask=mask,
        names=tuple(getattr(features[label], "names", None) or ()),
        note=_note(image, label, mask, guessed=not (named.image and named.label)),
    )


def _guessed_label(kinds: Mapping[str, str]) -> str | None:
    classes = [name for name, kind in kinds.items() if kind == "ClassLabel"]
    values = [name for name, kind in kinds.items() if kind == "Value" and name.lower() in LABEL_NAMES]
    return _first(classes, LABEL_NAMES) or _first(values, LABEL_NAMES)


def _holds_files(feature: object) -> bool:
    return getattr(feature, "dtype", None) in _ENCODED


def _first(names: list[str], wanted: tuple[str, ...], exclude: tuple[str, ...] = ()) -> str | None:
    """Return the name that comes first in `wanted`, or else the first name."""
    usable = [name for name in names if name.lower() not in exclude]
    ranked = sorted(
        usable, key=lambda name: wanted.index(name.lower()) if name.lower() in wanted else len(wanted)
    )
    return ranked[0] if ranked else None


def _note(image: str, label: str, mask: str | None, *, guessed: bool) -> str:
    masks = f", masks from '{mask}'" if mask else ""
    how = "guessed: " if guessed else ""
    return f"{how}images from column '{image}', labels from '{label}'{masks}"


def _listed(features: Mapping[str, object]) -> str:
    return (
        ", ".join(f"{name} ({type(feature).__name__})" for name, feature in features.items()) or "no columns"
    )
