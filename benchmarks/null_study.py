"""How often a study claims a difference where there is none: two arms of photos that were split at random.

    python -m benchmarks.null_study --data ../shared/data/trash

Each of 100 studies draws other test photos and splits the other photos of every class into two halves at random. One
half is called `real`, the other `paste`; both are trained with six seeds. The study may claim a difference in 5 of 100.
Prints how often it does, and how often the seeds alone would.
"""

from __future__ import annotations

import argparse
import json
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from pipeline.domain.arms import Arm
from pipeline.domain.methods import Method
from pipeline.domain.release import Origin
from pipeline.domain.studies import Network
from training.data.arm_data import ArmData, arm_data
from training.data.decoding import Decoder
from training.data.images import LabelledImages
from training.data.release import Release
from training.data.sources import rows_of
from training.fit.features import FeatureCache
from training.fit.fit import RunRecord, fit
from training.fit.options import TrainingOptions
from training.study.uncertainty import TestPhotos, Uncertainty
from training.study.verdict import compared

_STUDIES = 100
_SEEDS = 6
_STEPS = 100
_TEST_SHARE = 0.4
_ARMS = (Arm.REAL, Arm.PASTE)


@dataclass(frozen=True, slots=True)
class _Claims:
    """What one study claims."""

    claimed: bool
    by_seeds_alone: bool


def main() -> None:
    """Print one JSON line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--data", type=Path, required=True, help="photos as class/*.jpg")
    parser.add_argument("--studies", type=int, default=_STUDIES, help="how many (default: %(default)s)")
    parser.add_argument(
        "--first", type=int, default=0, help="number of the first study (default: %(default)s)"
    )
    given = parser.parse_args()
    options = TrainingOptions.for_network(Network.PROBE, {"steps": _STEPS})
    rows = rows_of(str(given.data), "real", None)
    whole = Decoder(options.image_size, None).images(rows.rows, rows.classes)
    cache = FeatureCache()
    claims = [
        _study(whole, options, cache, number) for number in range(given.first, given.first + given.studies)
    ]
    print(
        json.dumps(
            {
                "benchmark": "null_study",
                "photos": len(whole),
                "studies": len(claims),
                "claims": sum(of_study.claimed for of_study in claims),
                "claims_by_seeds_alone": sum(of_study.by_seeds_alone for of_study in claims),
            }
        )
    )


def _study(whole: LabelledImages, options: TrainingOptions, cache: FeatureCache, number: int) -> _Claims:
    release = _release(whole, np.random.default_rng(number))
    runs = {arm: _runs(release, arm, options, cache, first_seed=number * _SEEDS) for arm in _ARMS}
    correct = {
        arm: np.stack([run.correct(release.test.labels) for run in of_arm]) for arm, of_arm in runs.items()
    }
    photos = TestPhotos(labels=release.test.labels, groups=np.arange(len(release.test)))
    (comparison,) = compared(
        {arm: [run.balanced_accuracy for run in of_arm] for arm, of_arm in runs.items()},
        [(Arm.PASTE, Arm.REAL)],
        Uncertainty.of(correct, photos, resampled=True),
    )
    return _Claims(comparison.significant, comparison.p_adjusted < 0.05)


def _runs(
    release: Release, arm: Arm, options: TrainingOptions, cache: FeatureCache, *, first_seed: int
) -> list[RunRecord]:
    data = arm_data(release, arm)
    assert isinstance(data, ArmData), data
    return [fit(release, data, options, seed=first_seed + seed, cache=cache) for seed in range(_SEEDS)]


def _release(whole: LabelledImages, random: np.random.Generator) -> Release:
    """Split the photos of each class at random: test photos, and two halves of the others."""
    order = [random.permutation(np.flatnonzero(whole.labels == label)) for label in np.unique(whole.labels)]
    tests = [round(_TEST_SHARE * len(of_class)) for of_class in order]
    test = np.concatenate([of_class[:count] for of_class, count in zip(order, tests, strict=True)])
    train = [of_class[count:] for of_class, count in zip(order, tests, strict=True)]
    first, second = (np.concatenate([of_class[start::2] for of_class in train]) for start in (0, 1))
    return Release(
        name="null",
        classes=tuple(f"class {label}" for label in np.unique(whole.labels)),
        real_train=whole.at(first),
        synthetic_train=_pasted(whole.at(second)),
        test=whole.at(test),
        test_name="null",
    )


def _pasted(images: LabelledImages) -> LabelledImages:
    def same(value: str) -> NDArray[np.str_]:
        return np.full(len(images), value)

    return LabelledImages(
        images=images.images,
        labels=images.labels,
        origins=same(str(Origin.SYNTHETIC)),
        methods=same(str(Method.PASTE)),
        recipes=same(""),
        sources=images.sources,
        all_sources=images.all_sources,
    )


if __name__ == "__main__":
    main()
