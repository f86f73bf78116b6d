"""The diagnosis of a study: which factors of the test photos explain the errors, with examples."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from pipeline.domain.arms import BASELINE, Arm
from pipeline.embedding import WeightsUnusable, checked_weights, normalised
from training.data.release import Release
from training.diagnosis.cutouts import ExaminedPhotos
from training.diagnosis.examples import Album, confident_errors, example_pairs, pair_result
from training.diagnosis.explain import Errors, factor_findings, sentences_of
from training.diagnosis.factors import Factor, Values, factor_values
from training.diagnosis.result import DiagnosisFindings, ExamplePair, FactorFinding, LeftOutFactor
from training.fit.features import FeatureCache, View
from training.fit.fit import RunRecord


def diagnosis_findings(
    release: Release,
    records: Sequence[RunRecord],
    photos: ExaminedPhotos,
    *,
    best: Arm,
    unlikeness: Values | None,
    out: Path,
) -> DiagnosisFindings:
    """Explain the errors of the best arm, and of the real photos, by the factors of the test photos.

    Args:
        records: the runs of a study.
        best: the arm that came out best, or has the highest mean.
        photos: the test photos of the release.
        unlikeness: (N,) see `photo_unlikeness`; None where it was not measured.
        out: the study's folder, which gets thumbnails of the examples.
    """
    values = factor_values(photos.squares, photos.cutouts, unlikeness)
    of_arms = [_errors(release, records, arm) for arm in _explained(best, records)]
    tested = [factor_findings(values, errors) for errors in of_arms]
    pairs = zip(of_arms, tested, strict=True)
    sentences = [sentence for errors, (found, _) in pairs for sentence in sentences_of(found, errors)]
    album = Album(photos.squares, out, release.classes)
    return {
        "diagnosis": [finding for findings, _ in tested for finding in findings],
        "error_analysis": {
            "sentences": sentences,
            "best": str(best),
            "best_title": best.facts.title,
            "photos": len(photos.squares),
            "usable_masks": int(photos.cutouts.usable.sum()),
            "note": photos.cutouts.note,
            "left_out": _left_out([missing for _, missing in tested]),
            "pairs": _pairs(tested[0][0], values, of_arms[0], album),
            "errors": confident_errors(_mean_probabilities(records, best), of_arms[0], album),
        },
    }


def _pairs(
    findings: Sequence[FactorFinding], values: Mapping[Factor, Values], errors: Errors, album: Album
) -> list[ExamplePair]:
    """Pairs that show the strongest factor; none where no factor is certain."""
    strongest = next((finding for finding in findings if finding["certain"]), None)
    if strongest is None:
        return []
    return [
        pair_result(strongest, pair, values[Factor(strongest["factor"])], errors, album)
        for pair in example_pairs(strongest, values, errors)
    ]


def photo_unlikeness(release: Release, cache: FeatureCache) -> Values | None:
    """Return 1 - the cosine similarity of each test photo to the most similar training photo of its class.

    Returns:
        (N,), NaN for a class without training photos; None where the weights of the embedding are not installed.
    """
    try:
        checked_weights()
    except WeightsUnusable:
        return None
    test, train = (
        normalised(cache.features(images.images, View.PLAIN)[:, 0]) if len(images) else np.zeros((0, 1))
        for images in (release.test, release.real_train)
    )
    unlikeness = np.full(len(test), np.nan)
    for label in np.unique(release.test.labels):
        of_test, of_train = release.test.labels == label, release.real_train.labels == label
        if of_train.any():
            unlikeness[of_test] = 1 - (test[of_test] @ train[of_train].T).max(axis=1)
    return unlikeness


def _explained(best: Arm, records: Sequence[RunRecord]) -> list[Arm]:
    """The arms whose errors are explained: the best, and the real photos where they are another arm."""
    return [best, *([BASELINE] if best != BASELINE and any(run.arm == BASELINE for run in records) else [])]


def _errors(release: Release, records: Sequence[RunRecord], arm: Arm) -> Errors:
    labels = release.test.labels
    wrong = [~run.correct(labels) for run in records if run.arm == arm]
    groups = np.arange(len(labels)) if release.test_groups is None else release.test_groups
    return Errors(arm=arm, shares=np.mean(wrong, axis=0), labels=labels, groups=groups)


def _mean_probabilities(records: Sequence[RunRecord], arm: Arm) -> np.ndarray:
    return np.asarray(np.mean([run.probabilities for run in records if run.arm == arm], axis=0), np.float64)


def _left_out(of_arms: Sequence[Sequence[LeftOutFactor]]) -> list[LeftOutFactor]:
    """Name a factor once, whichever arm it could not be tested for."""
    return list({missing["factor"]: missing for of_arm in reversed(of_arms) for missing in of_arm}.values())
