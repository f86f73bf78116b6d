"""Render a recipe in rounds: each round draws more of the classes that are uncertain after the round before.

Every round is a plan of its own, stored with its recipe and with what it rests on. So the same command resumes: a round
that is planned already is not decided again, whatever was rendered or reviewed since.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

from pipeline.domain.photos import Photo
from pipeline.domain.recipe import AUTO, Recipe, parse_recipe
from pipeline.domain.recipe_learnt import Learnt
from pipeline.domain.rounds import Rounds, next_weights, round_sentence
from pipeline.domain.spec import SampleSpec
from pipeline.embedding import load_embedder, shrunk
from pipeline.errors import DamagedPicture, InvalidRecipe, InvalidRequest, NotFound
from pipeline.services.file_access import FileAccess
from pipeline.services.photos.near_duplicates import photo_vectors
from pipeline.services.plans.planning import Overrides, library_notes, overridden
from pipeline.services.plans.refill import replacing_plan
from pipeline.services.reports import Progress, RunReport
from pipeline.services.samples.class_uncertainty import Examples, class_uncertainty
from pipeline.services.samples.runs import render_plan
from pipeline.store import Library, SampleState

_NOTE = re.compile(r"# rests on (?P<basis>[0-9a-f]{64})\n# (?P<sentence>[^\n]*)\n")
_USED = (SampleState.PENDING, SampleState.ACCEPTED, SampleState.DISPUTED)  # rejected samples teach nothing
_AS_WRITTEN = Overrides()
_LATER_KEYS = (  # of recipes, since rounds are stored
    "start", "strength", "shadow", "match_detail", "camera", "object", "learnt", "novelty", "match_light",
    "match_object", "edges", "fake_seams", "distractors",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class _Round:
    """The recipe of a round, and the sentence on what the round before has shown; "" for the first."""

    recipe: Recipe
    sentence: str = ""


@dataclass(slots=True)
class RoundRun:
    """One recipe in rounds over a library."""

    library: Library
    rounds: Rounds
    access: FileAccess
    batch_size: int
    on_warnings: Callable[[Sequence[str]], None] | None = None
    on_progress: Progress | None = None
    cancelled: Callable[[], bool] | None = None
    _photos: list[Photo] = field(init=False)
    _specs: list[SampleSpec] = field(default_factory=list)  # of the rounds so far
    _replacing: list[SampleSpec] = field(default_factory=list)  # in the place of those that differ least
    _vectors: dict[str, NDArray[np.float16]] = field(default_factory=dict)  # image id of a sample → (D,)

    def render(self) -> RunReport:
        """Plan and render one round after the other, while no import can change the photos.

        Raises:
            InvalidRequest: only one class has usable photos.
            LibraryBusy, Cancelled, NoUsablePhotos: see `render_plan`.
        """
        with self.library.work_lock("generate"):
            self._photos = self._usable_photos()
            total = RunReport(planned=0, already=0, rendered=0, failed=(), seconds=0.0, inexact=0)
            for place in range(1, self.rounds.number + 1):
                basis = self._basis()
                of_round = self._stored(place, basis) or self._decided(place)
                note = f"# rests on {basis}\n# {of_round.sentence}\n"
                report = render_plan(
                    self.library,
                    of_round.recipe,
                    _AS_WRITTEN,
                    self.access,
                    batch_size=self.batch_size,
                    note=note,
                    shared=self._learnt() if place > 1 else None,
                    on_warnings=self._warn if place == 1 else None,
                    on_progress=self._progress(place, total.rendered),
                    cancelled=self.cancelled,
                )
                total = _sum(total, report, of_round.sentence)
                self._learn_from(of_round.recipe)
            return total

    def _learn_from(self, recipe: Recipe) -> None:
        """Add the samples of a round to those that the next one learns from."""
        stored = self.library.plans.stored(recipe.name, head=recipe.total, count=recipe.total)
        assert stored is not None
        self._specs += stored.head.values()
        replacing = replacing_plan(self.library, recipe.name)
        self._replacing += [spec for spec, _ in self.library.plans.members(replacing)]

    def _warn(self, warnings: Sequence[str]) -> None:
        if self.on_warnings:
            self.on_warnings([*library_notes(self.library, self.rounds.recipe), *warnings])

    def _usable_photos(self) -> list[Photo]:
        wanted = self.rounds.recipe.classes
        usable = self.library.photos.list(split="train", usable=True)
        photos = [photo for photo in usable if wanted is None or photo.label in wanted]
        if len({photo.label for photo in photos}) == 1:
            raise InvalidRequest(
                f"only class '{photos[0].label}' has usable photos; rounds need at least two classes: import photos of "
                "another class, or omit --rounds"
            )
        return photos

    def _basis(self) -> str:
        """Hash what decides the next round: the recipe, the photos, and the samples that are planned so far.

        Samples that replace others are left out: which they are depends on what people decided meanwhile.
        """
        photos = sorted((photo.id, photo.cutout_id, photo.label) for photo in self._photos)
        decisive = (
            _decisive_json(self.rounds.recipe),
            self.rounds.number,
            photos,
            [spec.id for spec in self._specs],
        )
        return hashlib.sha256(repr(decisive).encode()).hexdigest()

    def _stored(self, place: int, basis: str) -> _Round | None:
        """Return a round as an earlier start decided it; None where it did not, or on another basis."""
        stored = self.library.plans.stored(self.rounds.name(place), head=0, count=0)
        note = _NOTE.match(stored.recipe_yaml) if stored else None
        if stored is None or note is None or note["basis"] != basis:
            return None
        try:
            earlier = parse_recipe(stored.recipe_yaml)
        except InvalidRecipe:  # written by another version
            return None
        recipe = self.rounds.with_counts(place, earlier.classes or {})
        return _Round(_of_size(recipe, earlier.size), note["sentence"])

    def _decided(self, place: int) -> _Round:
        """Decide the classes of a round: as the recipe has them, later ones by what is uncertain."""
        labels = sorted({photo.label for photo in self._photos})
        classes = self.rounds.recipe.classes
        plain = {label: float(classes[label]) for label in classes} if classes else dict.fromkeys(labels, 1.0)
        if place == 1 or not plain:
            return _Round(self.rounds.of_round(place, plain) if plain else self.rounds.recipe)
        uncertainty = self._uncertainty()
        recipe = self.rounds.of_round(place, next_weights(plain, uncertainty))
        recipe = _of_size(recipe, self._specs[0].size[0])  # whichever classes it draws
        sentence = round_sentence(place - 1, uncertainty, recipe.classes or {})
        return _Round(recipe, " ".join(sentence.split()))

    def _learnt(self) -> Learnt | None:
        """Return what the first round learnt from field profiles, which may have changed since."""
        stored = self.library.plans.stored(self.rounds.name(1), head=0, count=0)
        return parse_recipe(stored.recipe_yaml).learnt if stored else None

    def _uncertainty(self) -> dict[str, float]:
        embedder = load_embedder()
        of_photos = photo_vectors(self.library, embedder, self._photos, cancelled=self.cancelled)
        photos = [photo for photo in self._photos if photo.image_id in of_photos]
        images = self._sample_images()
        self._embed([image_id for image_id in images.values() if image_id not in self._vectors])
        so_far = (*self._specs, *self._replacing)
        samples = [spec for spec in so_far if images.get(spec.id) in self._vectors]
        return class_uncertainty(
            Examples(
                vectors=_stacked([of_photos[photo.image_id] for photo in photos], embedder.size),
                labels=[photo.label for photo in photos],
                photos=[frozenset({photo.id}) for photo in photos],
            ),
            Examples(
                vectors=_stacked([self._vectors[images[spec.id]] for spec in samples], embedder.size),
                labels=[spec.label for spec in samples],
                photos=[frozenset(spec.photo_ids) for spec in samples],
            ),
            near_duplicate=embedder.near_duplicate,
        )

    def _sample_images(self) -> Mapping[str, str]:
        """Return the images of the samples so far that show their object, sample id → image id."""
        shown = [spec for spec in (*self._specs, *self._replacing) if spec.method.facts.places_object]
        rows = [self.library.samples.get(spec.id) for spec in shown]
        return {row.id: row.image_id for row in rows if row.state in _USED and row.image_id is not None}

    def _embed(self, image_ids: Sequence[str]) -> None:
        """Embed images of samples, without storing: what is stored has been compared with all other samples."""
        embedder = load_embedder()
        for image_id in image_ids:
            try:
                small = shrunk(self.library.images.read(image_id)[..., :3], embedder.side_px)
            except (NotFound, DamagedPicture):
                continue
            (self._vectors[image_id],) = embedder.embed([small])

    def _progress(self, place: int, before: int) -> Progress | None:
        """Count the samples of all rounds together."""
        on_progress = self.on_progress
        if on_progress is None:
            return None
        later = sum(self.rounds.size(other) for other in range(place + 1, self.rounds.number + 1))

        def show(done: int, total: int | None, name: str) -> None:
            on_progress(before + done, None if total is None else before + total + later, name)

        return show


def rounds_of(recipe: Recipe, overrides: Overrides, number: int) -> Rounds:
    """Return the rounds of a recipe with a person's changes to it.

    Raises:
        InvalidRequest, UnknownName: see `Rounds` and `overridden`.
    """
    if overrides.refill:
        raise InvalidRequest("a refill has no rounds; leave out --rounds, or --refill")
    return Rounds(overridden(recipe, overrides), number)


def _decisive_json(recipe: Recipe) -> str:
    """Return a recipe as rounds rest on it: later keys only with a value, so that earlier rounds resume."""
    fields = Recipe.model_fields
    plain = {key for key in _LATER_KEYS if getattr(recipe, key) == fields[key].default}
    if recipe.size == AUTO:  # was null, and meant the size of the model
        recipe = recipe.model_copy(update={"size": None})
    return recipe.model_dump_json(exclude=plain)


def _of_size(recipe: Recipe, size: int | str | None) -> Recipe:
    """Return a recipe with a size that is known, where it is to be chosen."""
    return (
        recipe.model_copy(update={"size": size}) if recipe.size == AUTO and isinstance(size, int) else recipe
    )


def _stacked(vectors: Sequence[NDArray[np.float16]], size: int) -> NDArray[np.float16]:
    return np.stack(vectors) if vectors else np.zeros((0, size), np.float16)


def _sum(total: RunReport, report: RunReport, sentence: str) -> RunReport:
    return replace(
        total,
        planned=total.planned + report.planned,
        already=total.already + report.already,
        rendered=total.rendered + report.rendered,
        failed=(*total.failed, *report.failed),
        seconds=total.seconds + report.seconds,
        inexact=total.inexact + report.inexact,
        replaced=total.replaced + report.replaced,
        rounds=(*total.rounds, sentence) if sentence else total.rounds,
    )
