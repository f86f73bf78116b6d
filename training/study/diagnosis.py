"""The part of a study that asks why: factors of the test photos, and counterfactual test sets."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from pipeline.domain.arms import Arm
from pipeline.domain.studies import Network
from training.data.release import Release
from training.diagnosis.counterfactual import CounterfactualSets, counterfactual_sets
from training.diagnosis.cutouts import ExaminedPhotos, examined_photos
from training.diagnosis.findings import diagnosis_findings, photo_unlikeness
from training.diagnosis.reliance import counterfactual_findings
from training.fit.features import FeatureCache
from training.fit.fit import RunRecord
from training.study.options import StudyOptions
from training.study.result import StudyResult


@dataclass(frozen=True, slots=True)
class Diagnosis:
    """What a study prepares before its runs, and tells after them.

    `photos` are the test photos with their cut-outs, None where neither part is asked for. `sets` are the
    counterfactual test sets, or why there are none; None where they are not asked for.
    """

    release: Release
    options: StudyOptions
    out: Path
    cache: FeatureCache
    photos: ExaminedPhotos | None
    sets: CounterfactualSets | str | None

    @classmethod
    def prepared(cls, release: Release, options: StudyOptions, out: Path) -> Diagnosis:
        """Cut out the test photos and render the counterfactual sets, as far as the options ask for them.

        Args:
            out: the study's folder.
        """
        folder = options.features or out
        wants_sets = options.counterfactual_for(len(release.test))
        photos = examined_photos(release, folder) if options.diagnosis or wants_sets else None
        sets = counterfactual_sets(release, photos) if wants_sets and photos is not None else None
        return cls(release, options, out, FeatureCache(folder), photos, sets)

    @property
    def images(self) -> NDArray[np.uint8] | None:
        """What every run classifies beside the test photos, (M, S, S, 3); None where there is nothing."""
        return self.sets.images if isinstance(self.sets, CounterfactualSets) else None

    def add_to(self, result: StudyResult, records: Sequence[RunRecord]) -> None:
        """Add what the runs show to the result of the study."""
        if self.photos is not None and self.options.diagnosis:
            is_probe = self.options.training.network is Network.PROBE
            unlikeness = photo_unlikeness(self.release, self.cache) if is_probe else None
            findings = diagnosis_findings(
                self.release, records, self.photos,
                best=_leading_arm(result, self.options), unlikeness=unlikeness, out=self.out,
            )  # fmt: skip
            result["diagnosis"], result["error_analysis"] = findings["diagnosis"], findings["error_analysis"]
        if self.sets is not None:
            result["counterfactual"] = counterfactual_findings(self.sets, records)


def _leading_arm(result: StudyResult, options: StudyOptions) -> Arm:
    """Return the arm that the verdict calls best; without one, the compared arm with the highest mean."""
    if result["best"]:
        return Arm(result["best"])
    means = {Arm(arm["arm"]): arm["balanced_accuracy"]["mean"] for arm in result["arms"]}
    compared = [arm for arm in means if options.compares(arm)]
    return max(compared, key=means.__getitem__)
