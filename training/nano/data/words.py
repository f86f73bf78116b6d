"""The captions that nano learns: their vocabulary, and how a drawn scene is described."""

from __future__ import annotations

import colorsys
from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np

# surface word → the folders of ambientCG categories that show it
SURFACE_FOLDERS: dict[str, tuple[str, ...]] = {
    "asphalt": ("asphalt", "road"),
    "bricks": ("bricks",),
    "cardboard": ("cardboard",),
    "carpet": ("carpet",),
    "concrete": ("concrete",),
    "diamond plate": (),  # the photos hardly show the lozenges at this size
    "fabric": ("fabric",),
    "granite": ("granite",),
    "grass": ("grass",),
    "gravel": ("gravel",),
    "leaves": ("scattered_leaves",),
    "marble": ("marble",),
    "metal": ("metal",),
    "moss": ("moss",),
    "paving stones": ("paving_stones",),
    "plaster": ("plaster",),
    "rock": ("rock", "rocks"),
    "roofing tiles": ("roofing_tiles",),
    "rusty metal": ("rust",),
    "sand": (),
    "snow": ("snow",),
    "soil": ("ground",),
    "terrazzo": ("terrazzo",),
    "tiles": ("tiles",),
    "wallpaper": ("wallpaper",),
    "water": (),
    "wood": ("wood",),
    "wooden planks": ("planks", "wood_floor", "wood_siding"),
}
SURFACES = tuple(SURFACE_FOLDERS)
# Surfaces whose structure the UNet learns last, and how often they are drawn while it is focused on them; others once.
SLOW_SURFACES: Mapping[str, float] = {
    "bricks": 4, "tiles": 4, "paving stones": 4, "gravel": 4, "diamond plate": 3, "roofing tiles": 2, "wallpaper": 2,
    "terrazzo": 2, "wooden planks": 2, "cardboard": 2, "marble": 2, "water": 2, "metal": 2,
}  # fmt: skip
SKIES = ("blue", "cloudy", "sunset", "night")
COLOURS = (
    "red", "orange", "yellow", "green", "blue", "purple", "pink", "brown", "white", "grey", "black", "beige",
)  # fmt: skip
LIGHTS = ("bright light", "dim light", "warm light", "cold light", "side light", "hard shadows", "soft light")
CAMERAS = ("close up", "far away", "blurred")
CONDITIONS = ("wet", "worn", "dusty", "clean")
PLACES = (
    "{surface} seen from above",
    "{surface} floor",
    "{surface} wall",
    "{surface} floor in front of a {surface} wall",
    "{surface} table top in front of a blurred wall",
    "{surface} under a {sky} sky",
)
SYNONYMS: dict[str, tuple[str, ...]] = {
    "bricks": ("brick", "brickwork"),
    "grass": ("lawn", "meadow"),
    "paving stones": ("pavement", "cobblestones"),
    "wooden planks": ("planks", "floorboards"),
    "soil": ("earth", "dirt"),
    "tiles": ("tiled", "ceramic tiles"),
    "fabric": ("cloth", "textile"),
    "rusty metal": ("rust",),
    "leaves": ("foliage",),
    "rock": ("stone",),
    "water": ("sea",),
    "sand": ("beach",),
    "plaster": ("stucco",),
    "metal": ("steel",),
    "gravel": ("pebbles",),
    "snow": ("snowy ground",),
}
# surfaces that come in any colour, so that a colour word can be obeyed
PAINTABLE = frozenset(
    {
        "bricks",
        "carpet",
        "concrete",
        "fabric",
        "metal",
        "plaster",
        "tiles",
        "wallpaper",
        "wooden planks",
        "cardboard",
    }
)


@dataclass(frozen=True, slots=True, kw_only=True)
class SceneFacts:
    """What a caption may mention of a scene."""

    place: str  # one of PLACES
    surface: str
    wall: str = ""  # second surface of the place with a wall
    sky: str = ""
    colour: str = ""  # "" where no colour word describes the surface
    modifiers: tuple[str, ...] = field(default=())  # light, camera and condition words


def caption(facts: SceneFacts, rng: np.random.Generator) -> str:
    """Describe a scene: slots dropped and re-ordered at random, synonyms at times.

    The place is always mentioned, a colour in 3 of 5 cases, each modifier in 4 of 5.
    """
    surface = _synonym(facts.surface, rng)
    if facts.colour and rng.random() < 0.6:
        surface = f"{facts.colour} {surface}"
    place = facts.place.replace("{sky}", facts.sky).replace("{surface}", surface, 1)
    place = place.replace("{surface}", _synonym(facts.wall, rng) if facts.wall else surface)
    modifiers = [word for word in facts.modifiers if rng.random() < 0.8]
    rng.shuffle(modifiers)
    if place.endswith(" seen from above") and rng.random() < 0.3:
        place = place.removesuffix(" seen from above")
    return ", ".join([place, *modifiers])


def _synonym(surface: str, rng: np.random.Generator) -> str:
    synonyms = SYNONYMS.get(surface, ())
    return str(rng.choice(synonyms)) if synonyms and rng.random() < 0.25 else surface


def colour_word(rgb: np.ndarray) -> str:
    """Return the colour word for a mean colour, "" where it lies between two words.

    Args:
        rgb: (3,) mean colour, 0 to 255.
    """
    red, green, blue = (float(channel) / 255 for channel in rgb)
    high, low = max(red, green, blue), min(red, green, blue)
    chroma = high - low
    if chroma < 0.09:
        return "black" if high < 0.2 else "white" if low > 0.78 else "grey" if 0.28 < high < 0.7 else ""
    hue = hue_deg(red, green, blue)
    saturation = chroma / high
    if 12 <= hue <= 48 and saturation < 0.35 and high > 0.6:
        return "beige"
    if 8 <= hue <= 45 and high < 0.62:
        return "brown" if saturation > 0.25 else ""
    if saturation < 0.25:
        return ""
    if (hue >= 300 or hue < 12) and saturation < 0.55 and high > 0.65:
        return "pink"
    for word, start, end in (("red", 345, 372), ("orange", 14, 42), ("yellow", 44, 68), ("green", 75, 165),
                             ("blue", 185, 255), ("purple", 262, 310), ("pink", 315, 343)):  # fmt: skip
        if start <= hue <= end or start <= hue + 360 <= end:
            return word
    return ""


def hue_deg(red: float, green: float, blue: float) -> float:
    """Return the hue in degrees, 0 to 360, of a colour in 0 to 1; 0 for a grey."""
    return colorsys.rgb_to_hsv(red, green, blue)[0] * 360


# a typical colour to paint a surface with, 0 to 255
PAINTS: dict[str, tuple[int, int, int]] = {
    "red": (190, 45, 40), "orange": (225, 120, 35), "yellow": (225, 200, 50), "green": (60, 140, 60),
    "blue": (50, 95, 190), "purple": (120, 60, 165), "pink": (230, 130, 170), "brown": (115, 75, 45),
    "white": (232, 232, 230), "grey": (130, 130, 130), "black": (32, 32, 34), "beige": (215, 195, 160),
}  # fmt: skip


# further words that captions and product prompts use; they carry no image of their own
GLUE_WORDS = (
    "a", "an", "the", "photo", "photograph", "picture", "of", "in", "on", "and", "with", "at", "front", "seen",
    "from", "above", "under", "floor", "wall", "table", "top", "sky", "background", "surface", "ground",
)  # fmt: skip
# names of things that prompts of the product begin with ("a photo of a bolt, …"): one token each; captions do not use
# them yet, nano draws backgrounds only
OBJECT_WORDS = (
    "bolt", "nut", "washer", "gear", "spring", "part", "object", "product", "bottle", "carton", "box", "can",
    "apple", "banana", "lemon", "orange", "pear", "kiwi", "lime", "mango", "avocado", "peach", "plum", "cardboard",
    "glass", "metal", "paper", "plastic", "trash", "tool", "toy", "fruit", "cup", "shoe",
)  # fmt: skip
EXAMPLES = (
    "grass floor, bright light",
    "red bricks wall, side light",
    "wooden planks floor in front of a plaster wall, warm light",
    "marble table top in front of a blurred wall, soft light",
    "sand under a blue sky, hard shadows",
    "grey paving stones seen from above, worn",
    "snow under a cloudy sky, cold light",
    "blue tiles wall, clean, close up",
)


def drawn_words() -> list[str]:
    """List every single lower-case word that captions use, sorted."""
    phrases = [*SURFACES, *SKIES, *COLOURS, *LIGHTS, *CAMERAS, *CONDITIONS, *GLUE_WORDS]
    phrases += [synonym for synonyms in SYNONYMS.values() for synonym in synonyms]
    phrases += [place.replace("{surface}", "").replace("{sky}", "") for place in PLACES]
    return sorted({word for phrase in phrases for word in phrase.split()})


def token_words() -> list[str]:
    """List every word that is one token: those of the captions, and names of objects."""
    return [*drawn_words(), *(word for word in OBJECT_WORDS if word not in drawn_words()), ","]
