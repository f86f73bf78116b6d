"""Light and colour of the photos of a place, and the words of the prompt grammar that fit them."""

from __future__ import annotations

import math
from collections.abc import Sequence

from pydantic import BaseModel, ConfigDict

from pipeline.domain.backdrops import excluding_choice
from pipeline.domain.recipe import Recipe
from pipeline.domain.recipe_values import Number
from pipeline.domain.slots import shown_value

_BRIGHTEST_DIM, _DARKEST_BRIGHT = 40.0, 65.0  # L*
_COLOURED = 4.0  # a cast from which a photo, or its light, counts as coloured
_MOST = 0.6  # share of the photos that must agree on the colour of the light
_SLOT = "light"


class FieldLight(BaseModel):
    """Light and colour of the photos, in CIE L*a*b*: means over the photos.

    The cast is that of all that is seen, a coloured ground too; `warm` and `cold` are of the light alone; None in
    profiles of earlier versions, which do not tell them.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    brightness: Number  # mean of L*, 0 to 100
    spread: Number  # standard deviation of the photos' means
    contrast: Number  # standard deviation of L* in a photo
    cast: tuple[Number, Number]  # a* (green to magenta), b* (blue to yellow)
    warm: Number | None = None  # share of the photos in warm light, 0 to 1
    cold: Number | None = None


def coloured_shares(warmths: Sequence[float]) -> tuple[float, float]:
    """Return the shares of photos in warm and in cold light.

    Args:
        warmths: of each photo, see `camera_measures.light_warmth`.
    """
    warm = sum(warmth >= _COLOURED for warmth in warmths) / len(warmths)
    cold = sum(warmth <= -_COLOURED for warmth in warmths) / len(warmths)
    return warm, cold


def cast_word(a: float, b: float) -> str:
    """Name the colour of a cast in CIE L*a*b*."""
    if math.hypot(a, b) < _COLOURED:
        return "neutral"
    if abs(b) >= abs(a):
        return "yellowish" if b > 0 else "bluish"
    return "reddish" if a > 0 else "greenish"


def light_words(light: FieldLight) -> dict[str, bool]:
    """Return the words for a light that a place decides, and whether each fits it.

    A word of brightness fits where a photo within one standard deviation of the mean has that light, one of colour
    where most photos have it. Words of colour are left out where that is not known.
    """
    coloured = {"warm light": light.warm, "cold light": light.cold}
    return {
        "dim light": light.brightness - light.spread <= _BRIGHTEST_DIM,
        "bright light": light.brightness + light.spread >= _DARKEST_BRIGHT,
        **{word: share >= _MOST for word, share in coloured.items() if share is not None},
    }


def in_light_of(recipe: Recipe, light: FieldLight) -> tuple[Recipe, str]:
    """Return a recipe whose slot `light` holds only words that fit a place.

    Words that say nothing of brightness or colour stay. The whole slot stays where no word would be left, or none
    beside some values of other slots, since such a recipe cannot be planned.

    Returns:
        The recipe, and why its words stay although they do not all fit, as a clause; "" where they need not change or
        have changed.
    """
    fits = light_words(light)
    slots = recipe.backdrops.slots
    if _SLOT not in slots:
        return recipe, f"the recipe has no slot '{_SLOT}' for the words for the light"
    kept = {word: weight for word, weight in slots[_SLOT].items() if fits.get(word, True)}
    if not kept:
        return recipe, f"none of the words in slot '{_SLOT}' fits the light, so they stay"
    if len(kept) == len(slots[_SLOT]):
        return recipe, ""
    changes = {
        "slots": slots | {_SLOT: kept},
        "exclude": [
            excluded for excluded in recipe.backdrops.exclude if excluded.get(_SLOT) in (None, *kept)
        ],
    }
    backdrops = recipe.backdrops.model_copy(update=changes)
    excluding = excluding_choice(backdrops, _SLOT)
    if excluding is None:
        return recipe.model_copy(update={"backdrops": backdrops}), ""
    beside = " and ".join(f"{slot} '{value}'" for slot, value in excluding.items())
    left = f"with {beside} it excludes" if beside else "it excludes"
    fitting = ", ".join(map(shown_value, kept))
    return recipe, (
        f"the recipe keeps all words in slot '{_SLOT}', since {left} each one that fits: {fitting}"
    )
