"""How well the auto-reviewer predicts decisions: `python -m benchmarks.auto_review [LIBRARY]`.

Prints the cross-validated accuracy and AUC of its model on the decisions of people in a library, once with colours
and edges and once with embeddings. Without a library, one is made in a temporary folder: the starter set, samples by
the embedded model, and the verdicts of `reviewed_samples.json`, which were given by eye on contact sheets. Rejected
were: an object that the border cuts off or that touches it; an object that hardly stands out from its background, or
that the background continues; a background that is no surface but a smear, a gradient without structure or garish
blocks.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
from contextlib import ExitStack
from pathlib import Path

from pipeline.domain.review import Verdict
from pipeline.services.plans.planning import Overrides
from pipeline.services.review.acceptance_model import ENOUGH, FEWEST, NEWEST, Quality, learn
from pipeline.settings import Settings
from pipeline.studio import Studio

_VERDICTS = Path(__file__).with_name("reviewed_samples.json")  # sample id → accept or reject
_COUNT = 300
_EMBEDDED_AT_ONCE = 256


def main(arguments: list[str] | None = None) -> int:
    """Print one JSON line for each set of features; return 1 if there are too few decisions."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.auto_review", description=__doc__)
    parser.add_argument("library", type=Path, nargs="?", help="a library whose samples people decided")
    options = parser.parse_args(arguments)
    with ExitStack() as stack:
        folder = options.library or Path(stack.enter_context(tempfile.TemporaryDirectory())) / "library"
        settings = Settings(library=folder, starter=False)
        studio = stack.enter_context(Studio(settings, create=options.library is None))
        if options.library is None:
            review_starter_samples(studio)
        return print_qualities(studio)


def review_starter_samples(studio: Studio) -> None:
    """Fill a new library with samples of the starter set and their verdicts."""
    studio.photos.import_source("starter", split="train")
    studio.samples.generate(None, Overrides(count=_COUNT))
    for sample_id, verdict in json.loads(_VERDICTS.read_text(encoding="utf-8")).items():
        studio.review.decisions.decide(sample_id, Verdict(verdict), reviewer="benchmark")


def print_qualities(studio: Studio) -> int:
    """Print how well the model predicts the decisions of a library, with each set of features."""
    while studio.samples.embeddings.embed_missing(_EMBEDDED_AT_ONCE):
        pass
    examples = studio.library.auto_review.examples(NEWEST)
    vectors = studio.samples.embeddings.vectors_of([row.image_id or "" for row, _ in examples])
    examples = [example for example in examples if example[0].image_id in vectors]
    for features, model in (
        ("colours and edges", learn(examples)),
        ("embeddings", learn(examples, vectors)),
    ):
        if model is None:
            print(f"{len(examples)} decisions are too few: {ENOUGH} are needed, {FEWEST} of each verdict")
            return 1
        print(json.dumps({"benchmark": "auto-reviewer", "features": features, **_figures(model.quality)}))
    return 0


def _figures(quality: Quality) -> dict[str, float]:
    return {
        "decisions": quality.decisions,
        "accepted": quality.accepted,
        "accuracy": round(quality.accuracy, 3),
        "accuracy_of_the_more_common_verdict": round(quality.baseline, 3),
        "auc": round(quality.auc, 3),
        "brier": round(quality.brier, 4),
    }


if __name__ == "__main__":
    sys.exit(main())
