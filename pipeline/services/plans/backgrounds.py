"""The background pictures of a recipe: where they come from, and how they come into the library."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from itertools import takewhile
from pathlib import Path

from pipeline.domain.images import RGB, fitted, pixel_hash
from pipeline.domain.look import Ground
from pipeline.domain.recipe import BACKGROUND_SETS, Recipe, Start
from pipeline.errors import InvalidRecipe
from pipeline.services.file_access import FileAccess
from pipeline.services.plans.pictures import picture_of
from pipeline.starter import backdrops as starter_backdrops
from pipeline.starter import drawn_backgrounds
from pipeline.store import Library


def background_source(library: Library, recipe: Recipe, access: FileAccess) -> Path | str:
    """Return where the backgrounds of a recipe come from: a folder, or the name of a set or field profile.

    Raises:
        InvalidRecipe: it names none, or a folder that it may not read.
    """
    folder = recipe.backdrops.folder
    sets = " or ".join(f"'{name}'" for name in BACKGROUND_SETS)
    if folder is None:
        wanting = "start 'picture'" if recipe.start is Start.PICTURE else "method 'paste'"
        raise InvalidRecipe(
            f"{wanting} needs backgrounds; set backdrops.folder to a folder of images or to {sets}"
        )
    is_learnt = recipe.learnt is not None and recipe.learnt.backgrounds is not None
    if folder in BACKGROUND_SETS or is_learnt or folder in library.fields.names():
        return folder
    return access.path(folder, "backdrops.folder", sets)


def refuse_empty(folder: Path, access: FileAccess) -> None:
    """Check that a folder of backgrounds holds an image.

    Raises:
        InvalidRecipe: it holds none.
    """
    if next(access.images(folder), None) is None:
        fault = "holds no images; at least one is needed"
        if not folder.is_dir():
            fault = "is not a folder; name one that holds images"
        raise InvalidRecipe(f"backdrops.folder {folder} {fault}")


def learnt_backgrounds(recipe: Recipe) -> dict[str, Ground | None] | None:
    """Return the backgrounds that a recipe took from a field profile; nothing is known of their ground."""
    ids = recipe.learnt.backgrounds if recipe.learnt else None
    return None if ids is None else dict.fromkeys(ids)


def store_backgrounds(
    library: Library,
    folder: Path | str | None,
    side: int,
    access: FileAccess,
    before_each: Callable[[], None] | None,
) -> dict[str, Ground | None]:
    """Store the backgrounds as square images; return their ids and what is known of the ground in each.

    Args:
        folder: see `background_source`; None for no backgrounds.
        side: of the images, px.
        before_each: called after each image is stored; may raise to stop.

    Raises:
        InvalidRecipe: the folder holds no image, one that cannot be read, or a test photo of the library.
    """
    match folder:
        case None:
            return {}
        case Path():
            refuse_empty(folder, access)
            backgrounds = _of_folder(library, folder, side, access)
        case _:
            backgrounds = _of_set(library, folder, side)
    stored: dict[str, Ground | None] = {}
    for background, ground in backgrounds:
        stored[background] = ground
        if before_each:
            before_each()
    return stored


def _of_folder(
    library: Library, folder: Path, side: int, access: FileAccess
) -> Iterator[tuple[str, Ground | None]]:
    """Store the pictures of a folder, each as it is read; nothing is known of their ground."""
    tested = {photo.image_id: photo.name for photo in library.photos.list(split="test")}
    for path in sorted(access.images(folder)):
        yield library.images.put(_background(path, side, tested)), None


def _of_set(library: Library, name: str, side: int) -> Iterator[tuple[str, Ground | None]]:
    """Draw and store the pictures of a set that the library does not have yet, each as it is read."""
    known = library.background_sets.read(name, side)
    sound = list(takewhile(lambda each: library.images.is_sound(each[0]), known))
    yield from sound
    for number, (rgb, ground) in enumerate(_drawn(name, side, first=len(sound)), start=len(sound)):
        background = library.images.put(rgb)
        library.background_sets.note(name, side, number, background, ground)
        yield background, ground


def _drawn(name: str, side: int, *, first: int) -> Iterator[tuple[RGB, Ground | None]]:
    if name == "drawn":
        return ((drawn.rgb, drawn.ground) for drawn in drawn_backgrounds(size_px=side, first=first))
    return ((background, None) for background in starter_backdrops(size_px=side, first=first))


def _background(path: Path, side: int, tested: Mapping[str, str]) -> RGB:
    """Read a background picture, fitted to the canvas.

    Args:
        tested: image id → name of each test photo, none of which may be drawn on.
    """
    image = picture_of(path)
    if (photo := tested.get(pixel_hash(image))) is not None:
        raise InvalidRecipe(
            f"{path} is the test photo '{photo}' of the library; take it out of the folder of backgrounds"
        )
    return fitted(image, (side, side))
