"""Compares two finished studies, arm by arm; with a test where both had the same test photos and seeds."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from pipeline.domain.studies import SEEDS_FOR_A_CLAIM, Network
from pipeline.errors import InvalidRequest
from training.study.kept_study import KeptArm, KeptStudy, configuration_differences, read_kept_study
from training.study.statistics import ALPHA, sign_flip_adjusted
from training.study.tested import KeptPhotos, read_predictions, read_tested_photos
from training.study.uncertainty import TestPhotos, Uncertainty

_NOT_TOLD = (
    "An earlier version did not write down which photos were tested, so the differences are given without a test; the "
    "same study command adds it and repeats no finished run."
)


@dataclass(frozen=True, slots=True, kw_only=True)
class ArmTest:
    """The difference of an arm between the studies, over the same seeds and test photos."""

    low: float  # 95 % interval over seeds and test photos
    high: float
    p: float  # the larger of the p values over seeds, and over seeds and photos, both corrected for the number of arms
    better_in: int  # seeds in which B is ahead
    of: int

    @property
    def significant(self) -> bool:
        """Whether the difference may be claimed."""
        return self.of >= SEEDS_FOR_A_CLAIM and self.p < ALPHA


@dataclass(frozen=True, slots=True, kw_only=True)
class ArmDifference:
    """One arm that both studies have. Rates are 0 to 1."""

    a: KeptArm
    b: KeptArm
    difference: (
        float  # balanced accuracy, B minus A; over the common seeds where it is tested, else over all seeds
    )
    tested: ArmTest | None


@dataclass(frozen=True, slots=True, kw_only=True)
class StudyComparison:
    """Two studies, A and B, compared."""

    folders: tuple[Path, Path]
    studies: tuple[KeptStudy, KeptStudy]
    sentence: str  # what the comparison shows, and on what it rests
    differences: tuple[tuple[str, str, str], ...]  # of the configurations: name, value in A, value in B
    arms: tuple[ArmDifference, ...]
    only: tuple[tuple[KeptArm, ...], tuple[KeptArm, ...]]  # arms of A alone, and of B alone


def compare_studies(a: Path, b: Path) -> StudyComparison:
    """Compare the finished studies in two folders.

    Raises:
        InvalidRequest: a folder holds no finished study, or both are the same.
    """
    if a.resolve() == b.resolve():
        raise InvalidRequest(f"{a} is compared with itself; name two studies")
    studies = read_kept_study(a), read_kept_study(b)
    in_a, in_b = ({arm.arm: arm for arm in study.arms} for study in studies)
    common = [name for name in in_a if name in in_b]
    seeds = [seed for seed in studies[0].seeds if seed in studies[1].seeds]
    answers = _Answers.read((a, b), studies, common, seeds)
    arms = (
        answers.differences(in_a, in_b)
        if isinstance(answers, _Answers)
        else [_untested(in_a[name], in_b[name]) for name in common]
    )
    return StudyComparison(
        folders=(a, b),
        studies=studies,
        sentence=_sentence(arms, answers),
        differences=tuple(configuration_differences(*studies)),
        arms=tuple(arms),
        only=(
            tuple(arm for arm in studies[0].arms if arm.arm not in in_b),
            tuple(arm for arm in studies[1].arms if arm.arm not in in_a),
        ),
    )


def _untested(a: KeptArm, b: KeptArm) -> ArmDifference:
    return ArmDifference(
        a=a, b=b, difference=b.balanced_accuracy.mean - a.balanced_accuracy.mean, tested=None
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class _Answers:
    """Which runs of both studies classify which of the same N test photos correctly, in one order of the photos."""

    photos: TestPhotos
    correct: Mapping[str, NDArray[np.bool_]]  # key of an arm in A or B → (S, N), S common seeds
    arms: Sequence[str]  # that both have
    seeds: int  # that both have
    all_seeds: bool  # neither has others
    resampled: bool  # a seed of one study at least trains on a draw of its photos

    @classmethod
    def read(
        cls,
        folders: tuple[Path, Path],
        studies: tuple[KeptStudy, KeptStudy],
        arms: Sequence[str],
        seeds: Sequence[int],
    ) -> _Answers | str:
        """Read the answers, or return the sentence that says why there is no test."""
        if not arms:
            return "The studies have no arm in common."
        tested = [photos for folder in folders if (photos := read_tested_photos(folder)) is not None]
        if len(tested) < len(folders):
            return _NOT_TOLD
        orders = _common_orders(*tested)
        if isinstance(orders, str):
            return orders
        if len(seeds) < 2:
            return "The studies have fewer than two seeds in common, so the differences are given without a test."
        correct: dict[str, NDArray[np.bool_]] = {}
        for side, folder in enumerate(folders):
            for arm in arms:
                runs = [_correct(folder, studies[side], tested[side], arm, seed) for seed in seeds]
                known = [run[orders[side]] for run in runs if run is not None]
                if len(known) < len(runs):
                    return (
                        f"The predictions of {arm} in {folder.name} are missing or damaged, "
                        "so the differences are given without a test."
                    )
                correct[_key(side, arm)] = np.stack(known)
        return cls(
            photos=_test_photos(tested[0], orders[0]),
            correct=correct,
            arms=arms,
            seeds=len(seeds),
            all_seeds=all(sorted(study.seeds) == sorted(seeds) for study in studies),
            resampled=any(study.settings.get("network") == Network.PROBE for study in studies),
        )

    def differences(self, a: Mapping[str, KeptArm], b: Mapping[str, KeptArm]) -> list[ArmDifference]:
        """Test the arms as one family."""
        uncertainty = Uncertainty.of(self.correct, self.photos, resampled=self.resampled)
        pairs = [(_key(1, arm), _key(0, arm)) for arm in self.arms]
        gains = np.stack([self._scores(key) - self._scores(other) for key, other in pairs], axis=1)  # (S, K)
        means = gains.mean(axis=0)
        over_seeds = sign_flip_adjusted(gains)
        over_photos = uncertainty.adjusted_p(pairs, means.tolist())
        results = []
        for place, (arm, pair) in enumerate(zip(self.arms, pairs, strict=True)):
            interval = uncertainty.interval(pair, float(means[place]))
            assert interval.low is not None
            assert interval.high is not None
            tested = ArmTest(
                low=interval.low,
                high=interval.high,
                p=float(max(over_seeds[place], over_photos[place])),
                better_in=int((gains[:, place] > 0).sum()),
                of=self.seeds,
            )
            results.append(ArmDifference(a=a[arm], b=b[arm], difference=float(means[place]), tested=tested))
        return results

    def _scores(self, key: str) -> NDArray[np.float64]:
        """Balanced accuracy of each seed, (S,)."""
        labels = self.photos.labels
        recalls = [self.correct[key][:, labels == label].mean(axis=1) for label in np.unique(labels)]
        return np.asarray(np.mean(recalls, axis=0), float)


def _key(side: int, arm: str) -> str:
    return f"{'AB'[side]} {arm}"


def _common_orders(a: KeptPhotos, b: KeptPhotos) -> tuple[NDArray[np.int64], NDArray[np.int64]] | str:
    """Find the places of the same test photos in both studies, or say why there are none."""
    identities = [list(zip(study.photos, study.labels, strict=True)) for study in (a, b)]
    if sorted(identities[0]) != sorted(identities[1]):
        shared = len(set(identities[0]) & set(identities[1]))
        return (
            f"The studies were tested on different photos ({len(identities[0]):,} and {len(identities[1]):,}, "
            f"{shared:,} of them the same), so a difference may come from the photos, and there is no test."
        )
    first, second = (
        np.array(sorted(range(len(listed)), key=listed.__getitem__), np.int64) for listed in identities
    )
    return first, second


def _test_photos(tested: KeptPhotos, order: NDArray[np.int64]) -> TestPhotos:
    labels = np.unique(np.array(tested.labels), return_inverse=True)[1].reshape(-1)
    return TestPhotos(labels=labels[order].astype(np.int64), groups=np.array(tested.groups, np.int64)[order])


def _correct(
    folder: Path, study: KeptStudy, tested: KeptPhotos, arm: str, seed: int
) -> NDArray[np.bool_] | None:
    """Tell which test photos a run classifies correctly, (N,); None where its predictions cannot be read."""
    predictions = read_predictions(folder, arm, seed)
    if predictions is None or predictions.shape != (len(tested.labels), len(study.classes)):
        return None
    return np.asarray(np.array(study.classes)[predictions.argmax(axis=1)] == np.array(tested.labels))


def _sentence(arms: Sequence[ArmDifference], answers: _Answers | str) -> str:
    """Say what the comparison shows."""
    if isinstance(answers, str):
        return answers
    seeds = "the same {} seeds" if answers.all_seeds else "the {} seeds that both have"
    photos = f"{len(answers.photos.labels):,} photos"
    basis = f"Both were tested on the same {photos} with {seeds.format(answers.seeds)}."
    if answers.seeds < SEEDS_FOR_A_CLAIM:
        return f"Too few seeds for a conclusion: a claim needs {SEEDS_FOR_A_CLAIM} common ones. {basis}"
    claimed = [arm for arm in arms if arm.tested is not None and arm.tested.significant]
    better = [arm for arm in claimed if arm.difference > 0]
    worse = [arm for arm in claimed if arm.difference < 0]
    sentences = [
        f"B is better with {_listed(better)}." if better else "",
        f"B is worse with {_listed(worse)}." if worse else "",
    ]
    others = len(arms) - len(claimed)
    if others:
        of_arms = "any arm" if not claimed else "the other arm" if others == 1 else f"the other {others} arms"
        sentences.append(f"No significant difference with {of_arms}.")
    return " ".join([*filter(None, sentences), basis])


def _listed(arms: Sequence[ArmDifference]) -> str:
    return ", ".join(f"{arm.b.title} ({100 * arm.difference:+.1f} points)" for arm in arms)
