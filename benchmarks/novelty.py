"""What replacing similar images is worth: cosine-Vendi at equal n with and without it, and of text to image.

`python -m benchmarks.novelty [--source starter] [--classes 2] [--count 48] [--seeds 2] [--methods paste inpaint]
[--budget 0.5] [--out DIR]` prints one JSON line. The source is one of `python -m pipeline import`. The acceptance of
the gate asks for `--count 256 --seeds 6`, which takes hours; a stopped run of `--out` resumes.

Each seed renders the recipe once, with the budget: the images of its plan, rejected or not, are the recipe without the
gate, and those that are left with what took the place of others are the recipe with it, n of each class in both. Other
rules choose n of the same images, so that they cost as much as the gate. Scores are means over the classes.
`recognised` is the share of images that a linear probe on the photos takes for their class.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from pipeline.domain.contexts import context_tables, contexts_of
from pipeline.domain.methods import Method
from pipeline.domain.novelty import least_novel
from pipeline.domain.recipe import Recipe, parse_recipe, to_yaml
from pipeline.domain.variety import cosine_vendi, mean_cosine, nearest_other
from pipeline.embedding import load_embedder, normalised
from pipeline.services.file_access import FileAccess
from pipeline.services.plans.refill import replacing_plan
from pipeline.services.reports import Progress
from pipeline.services.review.measures import recognition_of
from pipeline.services.review.recognition import Recognition
from pipeline.settings import Settings
from pipeline.store import PlanMember
from pipeline.studio import Studio
from training.similarity.draws import bootstrap_band

_RECIPE = Path(__file__).resolve().parents[1] / "recipes" / "surfaces.yaml"
_EMBEDDED_AT_ONCE = 64
_GATE, _WITHOUT, _TEXT = "gate", "without", "text_to_image"
Units = NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Trial:
    """The images of one class of one recipe and seed; (N, D) units each."""

    label: str
    planned: Units  # of the plan, in order
    replacing: Units  # those that took the place of others
    kept: Units  # as many as `planned`


def main(arguments: list[str] | None = None) -> int:
    """Print the figures."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.novelty", description=__doc__)
    parser.add_argument(
        "--source", default="starter", help="as of `python -m pipeline import` (default: %(default)s)"
    )
    parser.add_argument(
        "--recipe", type=Path, default=_RECIPE, help="a YAML file (default: recipes/surfaces.yaml)"
    )
    parser.add_argument(
        "--methods",
        nargs="+",
        default=["paste", "inpaint"],
        help="that are compared (default: paste inpaint)",
    )
    parser.add_argument("--classes", type=int, default=2, help="the first so many (default: %(default)s)")
    parser.add_argument("--count", type=int, default=48, help="images of a class (default: %(default)s)")
    parser.add_argument("--seeds", type=int, default=2, help="runs of the recipe (default: %(default)s)")
    parser.add_argument(
        "--budget",
        type=float,
        default=0.5,
        help="of novelty in the recipe: further images for each planned one (default: %(default)s)",
    )
    parser.add_argument(
        "--no-text-to-image", action="store_true", help="leave out the comparison with text to image"
    )
    parser.add_argument("--out", type=Path, help="folder of the library; it stays")
    given = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory() as folder:
        out = given.out or Path(folder)
        settings = Settings(library=out / "library", starter=False)
        with Studio(settings, access=FileAccess()) as studio:
            print(json.dumps(figures(studio, given)))
    return 0


def figures(
    studio: Studio, given: argparse.Namespace, on_progress: Progress | None = None
) -> dict[str, object]:
    """Render what is missing, and measure."""
    if not studio.library.counts().classes:
        studio.photos.import_source(given.source, split="train")
    labels = classes_of(studio, given)
    base = parse_recipe(given.recipe.read_text(encoding="utf-8"), given.recipe.name)
    answer: dict[str, object] = {
        "benchmark": "novelty", "source": given.source, "classes": labels, "n": given.count,
        "seeds": given.seeds, "budget": given.budget,
    }  # fmt: skip
    probe = probe_of(studio)
    text: list[float] = []
    recognised: list[float] = []
    if not given.no_text_to_image:
        for seed in range(given.seeds):
            recipe = of_trial(base, Method.TEXT_TO_IMAGE, labels, given.count, seed, budget=None)
            studio.samples.generate(to_yaml(recipe), on_progress=on_progress)
            trials = trials_of(studio, recipe.name, labels)
            text.append(mean_of(trials, RULES[_WITHOUT], cosine_vendi))
            recognised.append(recognised_share(probe, trials, RULES[_WITHOUT]))
        answer[_TEXT] = {"recognised": rounded(np.array(recognised))}
    for method in map(Method, given.methods):
        answer[str(method)] = method_figures(studio, given, base, method, probe, text, on_progress)
    return answer


def method_figures(
    studio: Studio,
    given: argparse.Namespace,
    base: Recipe,
    method: Method,
    probe: Recognition,
    text: Sequence[float],
    on_progress: Progress | None,
) -> dict[str, object]:
    """Measure one method over the seeds; `text` are the scores of text to image, one a seed."""
    labels = classes_of(studio, given)
    scores: dict[str, list[float]] = {}
    others: dict[str, list[float]] = {}
    reports = []
    for seed in range(given.seeds):
        recipe = of_trial(base, method, labels, given.count, seed, budget=given.budget)
        reports.append(studio.samples.generate(to_yaml(recipe), on_progress=on_progress))
        trials = trials_of(studio, recipe.name, labels)
        for name, rule in RULES.items():
            scores.setdefault(name, []).append(mean_of(trials, rule, cosine_vendi))
        for name in (_WITHOUT, _GATE):
            for title, measure in _MEASURES.items():
                others.setdefault(f"{title} {name}", []).append(mean_of(trials, RULES[name], measure))
        others.setdefault(f"recognised {_GATE}", []).append(recognised_share(probe, trials, RULES[_GATE]))
        for name, bits in context_bits(studio, recipe.name).items():
            others.setdefault(f"most bits of a slot {name}", []).append(bits)
    if text:
        scores[_TEXT] = list(text)
    return {
        "vendi": {name: rounded(np.array(values)) for name, values in scores.items()},
        "gain": gains(scores),
        **{name: round(float(np.mean(values)), 3) for name, values in others.items()},
        "further_images_share": round(
            sum(report.replaced for report in reports) / (given.seeds * given.count * len(labels)), 3
        ),
        "rendered_now": sum(report.rendered for report in reports),
        "seconds_now": round(sum(report.seconds for report in reports), 1),
    }


def classes_of(studio: Studio, given: argparse.Namespace) -> list[str]:
    """Return the first classes that have a usable photo."""
    usable = {photo.label for photo in studio.library.photos.list(split="train", usable=True)}
    return sorted(usable)[: given.classes]


def mean_of(
    trials: Sequence[Trial], rule: Callable[[Trial], Units], measure: Callable[[Units], float]
) -> float:
    """Return the mean of a measure over the classes."""
    return float(np.mean([measure(rule(trial)) for trial in trials]))


def recognised_share(probe: Recognition, trials: Sequence[Trial], rule: Callable[[Trial], Units]) -> float:
    """Return the share of images that a probe takes for their class, as a mean over the classes."""
    return float(
        np.mean(
            [(probe.relative(rule(trial).astype(np.float16), trial.label) == 1.0).mean() for trial in trials]
        )
    )


def probe_of(studio: Studio) -> Recognition:
    """Train a linear probe on the photos of a library.

    Raises:
        SystemExit: they are of one class, or the weights of EfficientNet-Lite0 are not installed.
    """
    if (probe := recognition_of(studio.library, load_embedder())) is None:
        raise SystemExit("a probe needs photos of two classes and the weights of EfficientNet-Lite0")
    return probe


def gains(scores: Mapping[str, Sequence[float]]) -> dict[str, dict[str, float]]:
    """Return by which share scores are higher than those of the same seeds without the gate, and of text to image."""
    return {
        f"{name} over {reference}": rounded(np.array(scores[name]) / np.array(scores[reference]) - 1)
        for name in RULES
        for reference in (_WITHOUT, _TEXT)
        if reference in scores and name != reference
    }


def of_trial(
    base: Recipe, method: Method, labels: Sequence[str], count: int, seed: int, *, budget: float | None
) -> Recipe:
    """Return the recipe of one method and seed."""
    changes = {
        "name": f"{base.name} {method} {seed}",
        "classes": dict.fromkeys(labels, count),
        "count": None,
        "seed": base.seed + seed,
        "novelty": budget and {"budget": budget},
    }
    recipe = Recipe.model_validate({**base.of_method(method).model_dump(mode="json"), **changes})
    if method is Method.PASTE and recipe.backdrops.folder is None:
        backdrops = recipe.backdrops.model_copy(update={"folder": "drawn"})
        recipe = recipe.model_copy(update={"backdrops": backdrops})
    return recipe


def trials_of(studio: Studio, name: str, labels: Sequence[str]) -> list[Trial]:
    """Read the images of a recipe, a trial for each class."""
    while studio.samples.embeddings.embed_missing(_EMBEDDED_AT_ONCE):
        pass
    plans = (name, replacing_plan(studio.library, name))
    planned, replacing = (list(studio.library.plans.outcomes(plan)) for plan in plans)
    return [
        Trial(
            label,
            *(
                units_of(studio, [member for member in members if member.spec.label == label])
                for members in (planned, replacing, [m for m in (*planned, *replacing) if not m.replaced])
            ),
        )
        for label in labels
    ]


def units_of(studio: Studio, members: Sequence[PlanMember]) -> Units:
    """Return the vectors of samples, (N, D)."""
    image_ids = [member.image_id for member in members if member.image_id]
    vectors = studio.samples.embeddings.vectors_of(image_ids)
    if not image_ids:
        return np.zeros((0, 1), np.float32)
    return normalised(np.stack([vectors[image_id] for image_id in image_ids]))


def context_bits(studio: Studio, name: str) -> Mapping[str, float]:
    """Return the mutual information of class and slot value in bits, of the slot that has the most."""
    plans = (name, replacing_plan(studio.library, name))
    planned, replacing = (list(studio.library.plans.outcomes(plan)) for plan in plans)
    kept = [member for member in (*planned, *replacing) if not member.replaced]
    answer = {}
    for title, members in ((_WITHOUT, planned), (_GATE, kept)):
        tables = context_tables(contexts_of((member.spec.label, member.spec.slots) for member in members))
        answer[title] = max((table.bits for table in tables), default=0.0)
    return answer


def best_of_all(trial: Trial) -> Units:
    """Choose n of all rendered images by what they add, without regard to slot values."""
    pool = np.concatenate([trial.planned, trial.replacing])
    free = np.ones(len(pool), np.bool_)
    left_out = least_novel(pool, len(pool) - len(trial.planned), free=free, first=~free)
    return np.delete(pool, left_out, axis=0)


def farthest_in_order(trial: Trial) -> Units:
    """Choose n of all rendered images: always the one whose nearest chosen one is farthest (Gonzalez 1985)."""
    pool = np.concatenate([trial.planned, trial.replacing])
    chosen = [0]
    nearest = pool @ pool[0]
    while len(chosen) < len(trial.planned):
        nearest[chosen] = np.inf
        chosen.append(int(nearest.argmin()))
        nearest = np.maximum(nearest, pool @ pool[chosen[-1]])
    return pool[chosen]


def not_near_in_order(trial: Trial) -> Units:
    """Choose n of all rendered images: those whose nearest earlier image is nearest are left out, in one pass."""
    pool = np.concatenate([trial.planned, trial.replacing])
    cosines = np.tril(pool @ pool.T, -1)
    cosines[0, 0] = -1.0
    order = np.argsort(-cosines.max(axis=1), kind="stable")
    return np.delete(pool, order[: len(pool) - len(trial.planned)], axis=0)


RULES: dict[str, Callable[[Trial], Units]] = {
    _WITHOUT: lambda trial: trial.planned,
    _GATE: lambda trial: trial.kept,
    "best of all": best_of_all,
    "farthest": farthest_in_order,
    "not near": not_near_in_order,
}


_MEASURES: dict[str, Callable[[Units], float]] = {
    "mean_cosine": mean_cosine,
    "nearest": lambda units: float(nearest_other(units).mean()),
}


def rounded(values: NDArray[np.float64]) -> dict[str, float]:
    """Return the mean over the seeds with its 95 % bootstrap interval."""
    band = bootstrap_band(values)
    return {"mean": round(band["mean"], 3), "low": round(band["low"], 3), "high": round(band["high"], 3)}


if __name__ == "__main__":
    sys.exit(main())
