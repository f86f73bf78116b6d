"""What a recipe takes from field profiles: read when its plan is begun, and kept with the plan from then on."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping

from pipeline.domain.field_profile import USUAL_PX, FieldProfile, learnt_from, profiles_named, resolved
from pipeline.domain.images import fitted
from pipeline.domain.methods import Method
from pipeline.domain.recipe import AUTO, Recipe, parse_recipe
from pipeline.domain.recipe_learnt import Learnt
from pipeline.errors import InvalidRecipe, UnknownName
from pipeline.services.plans.pictures import picture_of
from pipeline.store import Library


def same_recipe(recipe_yaml: str, recipe: Recipe) -> bool:
    """Whether a stored recipe is the same as another one, so that its plan goes on.

    The count, the budget for replacing, on which no spec of the plan depends, and what was learnt from profiles may
    differ.
    """
    try:
        earlier = parse_recipe(recipe_yaml)
    except InvalidRecipe:  # written by an earlier version, or not from a recipe
        return False
    if None in (earlier.size, recipe.size) and AUTO in (earlier.size, recipe.size):
        earlier = earlier.model_copy(update={"size": recipe.size})  # what was left out earlier is auto now
    return _lasting(earlier) == _lasting(recipe)


def _lasting(recipe: Recipe) -> dict[str, object]:
    return recipe.model_dump(exclude={"count", "learnt", "novelty"})


def taught(
    library: Library,
    recipe: Recipe,
    methods: Iterable[Method],
    side_of: Callable[[Recipe], int],
    shared: Learnt | None = None,
) -> Recipe:
    """Return a recipe with what it learns from the field profiles that it names.

    A plan that was begun goes on with what it learnt then, whatever became of the profiles.

    Args:
        methods: of the plan.
        side_of: tells the side of the images in pixels from a recipe with plain numbers.
        shared: what plans have learnt with which this one belongs together.

    Raises:
        InvalidRecipe: the recipe names a profile that is not there or cannot be read, or one without backgrounds.
    """
    begun = _begun(library, recipe, side_of) or _fitting(shared, recipe, side_of)
    if begun is not None:
        return recipe.model_copy(update={"learnt": begun})
    named = profiles_named(recipe)
    if (folder := _background_profile(library, recipe, methods)) is not None:
        named.setdefault(folder, "backdrops.folder")
    if not named:
        return recipe.model_copy(update={"learnt": None})  # whatever somebody wrote there
    profiles = {name: _profile(library, name, key) for name, key in named.items()}
    if folder is not None and not library.fields.backgrounds(folder):
        raise InvalidRecipe(
            f"field profile '{folder}' has no backgrounds, since no photo of it could be emptied of objects; set "
            "backdrops.folder to another folder of images"
        )
    versions = {name: library.fields.version(name) for name in named}
    plain = resolved(recipe.model_copy(update={"learnt": learnt_from(recipe, profiles, versions, USUAL_PX)}))
    learnt = learnt_from(recipe, profiles, versions, side_of(plain))
    return recipe.model_copy(update={"learnt": learnt})


def with_backgrounds(
    library: Library, recipe: Recipe, methods: Iterable[Method], before_each: Callable[[], None] | None
) -> Recipe:
    """Return a recipe that has learnt a profile's backgrounds, too; they are stored at the size of the images.

    A plan that was begun keeps its own. Where files of them are lost, the profile's pictures are stored again.

    Raises:
        InvalidRecipe: a background cannot be read, or its photo has become a test photo.
    """
    learnt, methods = recipe.learnt, set(methods)
    if learnt is None or not recipe.needs_backgrounds(methods):
        return recipe
    tested = {photo.id: photo.name for photo in library.photos.list(split="test")}
    _refuse_tested(recipe.name, learnt, tested)
    begun = learnt.backgrounds
    if begun is not None and all(map(library.images.is_sound, begun)):
        return recipe
    folder = _background_profile(library, recipe, methods)
    if folder is None:
        return recipe
    ids, photo_ids = [], []
    for photo_id, path in sorted(library.fields.backgrounds(folder).items(), key=lambda pair: pair[1].name):
        if photo_id in tested and begun is not None:
            continue  # of a profile that was learnt later
        if (name := tested.get(photo_id)) is not None:
            raise InvalidRecipe(
                f"a photo of field profile '{folder}' is now the test photo '{name}' of the library; learn the profile "
                f"without it, or delete {path}"
            )
        ids.append(library.images.put(fitted(picture_of(path), (learnt.size,) * 2)))
        photo_ids.append(photo_id)
        if before_each:
            before_each()
    if begun is not None:
        return recipe
    changes = {"backgrounds": list(dict.fromkeys(ids)), "background_photos": photo_ids}
    return recipe.model_copy(update={"learnt": learnt.model_copy(update=changes)})


def _refuse_tested(name: str, learnt: Learnt, tested: Mapping[str, str]) -> None:
    """Check that none of the backgrounds of a plan that goes on shows a test photo.

    Args:
        tested: test photo → its name.

    Raises:
        InvalidRecipe: one does.
    """
    photo_name = next((tested[photo] for photo in learnt.background_photos or () if photo in tested), None)
    if photo_name is not None:
        raise InvalidRecipe(
            f"'{name}' was begun with a background that is now the test photo '{photo_name}' of the library; learn the "
            "field profile without that photo and give the recipe another name"
        )


def learnt_notes(library: Library, recipe: Recipe) -> list[str]:
    """Say which profiles have changed since the plan of a recipe was begun."""
    begun = recipe.learnt.profiles if recipe.learnt else {}
    return [
        f"'{recipe.name}' was begun with field profile '{name}' as it was then and goes on with that; to take it as "
        "it is now, give the recipe another name"
        for name, version in begun.items()
        if _version(library, name) != version
    ]


def _begun(library: Library, recipe: Recipe, side_of: Callable[[Recipe], int]) -> Learnt | None:
    """Return what the stored plan of a recipe has learnt; None where there is no such plan, or nothing to learn."""
    stored = library.plans.stored(recipe.name, head=0, count=0)
    if stored is None or not same_recipe(stored.recipe_yaml, recipe):
        return None
    return _fitting(parse_recipe(stored.recipe_yaml).learnt, recipe, side_of)


def _fitting(learnt: Learnt | None, recipe: Recipe, side_of: Callable[[Recipe], int]) -> Learnt | None:
    """Return what was learnt where it is for images of the size that a recipe has with it."""
    if learnt is None:
        return None
    plain = resolved(recipe.model_copy(update={"learnt": learnt}))
    return learnt if side_of(plain) == learnt.size else None


def _background_profile(library: Library, recipe: Recipe, methods: Iterable[Method]) -> str | None:
    """Return the profile whose backgrounds a plan uses, if it uses some."""
    folder = recipe.backdrops.folder
    return folder if folder in library.fields.names() and recipe.needs_backgrounds(methods) else None


def _profile(library: Library, name: str, key: str) -> FieldProfile:
    try:
        return library.fields.read(name)
    except UnknownName as error:
        raise InvalidRecipe(
            f"{key}: {error}; `python -m pipeline field PHOTOS --library DIR` learns one"
        ) from None


def _version(library: Library, name: str) -> str:
    try:
        return library.fields.version(name)
    except (UnknownName, InvalidRecipe):
        return ""
