"""How varied the images of each recipe and method are, and whether more of them are worth their time."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from pipeline.domain.recipe import AGAIN_PLAN, CREATE_PLAN
from pipeline.domain.review import recipe_of_plan
from pipeline.domain.variety import FEWEST, MOST_COMPARED, SetVariety, VarietyCurve, variety_curve
from pipeline.embedding import normalised
from pipeline.services.samples.embeddings import SampleEmbeddings
from pipeline.store import Library, SampleSet

_SINGLE_IMAGES = (CREATE_PLAN, AGAIN_PLAN)  # of no recipe


@dataclass(slots=True)
class SampleVariety:
    """The variety of a library's samples. Curves are kept: one is measured again only when its images change."""

    library: Library
    embeddings: SampleEmbeddings
    _curves: dict[str, VarietyCurve] = field(default_factory=dict)  # of the last call, by their images

    @property
    def mark(self) -> str:
        """A text that changes when there are other images or embeddings."""
        stored = self.library.embeddings.count(self._embedder)
        return f"{sorted(self.library.counts().samples.items())} {stored}"

    @property
    def _embedder(self) -> str:
        """The name under which vectors are stored; "" where there are none yet, so that no weights are read."""
        return "" if self.library.embeddings.is_empty() else self.embeddings.embedder_name

    def measured(self) -> list[SetVariety]:
        """Return the variety of each recipe and method, from the embeddings that are stored; nothing is embedded.

        Rejected samples do not count, and neither do single images that were kept on the Create page.
        """
        curves: dict[str, VarietyCurve] = {}
        measured = [self._of_recipe(*key, classes, curves) for key, classes in self._sets().items()]
        self._curves = curves  # those of images that are no longer compared are forgotten
        return measured

    def uncompared(self) -> set[str]:
        """Return the ids of the images that curves would be drawn of and that have no embedding yet."""
        return {
            image
            for classes in self._sets().values()
            for sets in classes.values()
            for image, has_vector in self._first_images(sets)
            if not has_vector
        }

    def _sets(self) -> dict[tuple[str, str], dict[str, list[SampleSet]]]:
        """Return the sets of each recipe and method by class: one for the plan, others for what goes with it."""
        by_recipe: dict[tuple[str, str], dict[str, list[SampleSet]]] = {}
        for of_plan in self.library.embeddings.sets(self._embedder, each=MOST_COMPARED):
            if of_plan.plan not in _SINGLE_IMAGES:
                recipe = recipe_of_plan(of_plan.plan) or of_plan.plan
                classes = by_recipe.setdefault((recipe, of_plan.method), {})
                classes.setdefault(of_plan.label, []).append(of_plan)
        return by_recipe

    def _of_recipe(
        self,
        recipe: str,
        method: str,
        classes: Mapping[str, list[SampleSet]],
        kept: dict[str, VarietyCurve],
    ) -> SetVariety:
        """Measure the classes of one recipe and method.

        Args:
            kept: gets the curves by their images.
        """
        wanted = compared = 0
        curves: dict[str, VarietyCurve] = {}
        for label, sets in classes.items():
            images = self._first_images(sets)
            with_vector = [image for image, has_vector in images if has_vector]
            wanted, compared = wanted + len(images), compared + len(with_vector)
            curve = self._curve(with_vector, sum(of_plan.total for of_plan in sets), kept)
            if curve is not None:
                curves[label] = curve
        return SetVariety(
            recipe=recipe,
            method=method,
            images=sum(of_plan.total for sets in classes.values() for of_plan in sets),
            compared=compared,
            wanted=wanted,
            curves=curves,
        )

    def _curve(
        self, image_ids: Sequence[str], total: int, kept: dict[str, VarietyCurve]
    ) -> VarietyCurve | None:
        if len(image_ids) < FEWEST:
            return None
        key = hashlib.sha256(" ".join(image_ids).encode()).hexdigest()
        curve = self._curves.get(key)
        if curve is None:
            vectors = self.embeddings.vectors_of(image_ids)
            rows = np.stack([vectors[image] for image in image_ids])
            curve = variety_curve(normalised(rows), total)
        if curve is None:
            return None
        kept[key] = curve
        return replace(curve, total=total)

    def _first_images(self, sets: Sequence[SampleSet]) -> list[tuple[str, bool]]:
        """Return the images that the curve of a class is drawn of, without those that cannot be read."""
        images = [pair for of_plan in sets for pair in of_plan.images][:MOST_COMPARED]
        return [pair for pair in images if pair[1] or not self.embeddings.is_unreadable(pair[0])]
