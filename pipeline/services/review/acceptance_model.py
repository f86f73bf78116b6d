"""The model of the auto-reviewer: it learns from people's decisions how likely they are to accept a sample.

A regularised logistic regression over the values stored with each sample, calibrated by Platt's sigmoid (Platt 1999,
"Probabilistic outputs for support vector machines"). It is small on purpose: it trains within seconds on a CPU.
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from pipeline.domain.quality import SCORE_NAMES
from pipeline.domain.spec import Method
from pipeline.embedding import normalised
from pipeline.errors import InvalidRequest
from pipeline.store import SampleRow

Vectors = Mapping[str, NDArray[np.float16]]  # image id → embedding, (D,)

ENOUGH = 30  # decisions that training needs
FEWEST = 5  # accepted samples that training needs, and as many rejected ones
NEWEST = 5000  # the latest decisions that are learned from

_POSE = ("x", "y", "scale", "rotation", "yaw", "pitch")
_LABEL_BUCKETS = 16
_SLOT_BUCKETS = 32
_DESCRIPTOR = 96  # numbers of float32
_FEATURES = 157 + 2 * len(SCORE_NAMES)  # see `features`
_COMPONENTS = 64  # principal components of the embeddings
_STRENGTH = 0.1  # scikit-learn's C: small, there are more features than a short review has decisions
_FARTHEST = 5.0  # standard deviations at which features are clipped
_FOLDS = 5  # for measuring the quality
_CALIBRATION_FOLDS = 3  # within each of those, where one verdict may have only four examples
_ITERATIONS = 2000
_SEED = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Quality:
    """How well the model predicts people's decisions: all but the first two values from 5 held-out folds."""

    decisions: int  # decisions learned from
    accepted: int  # of these decisions
    accuracy: float  # share of verdicts that it predicts, at probability 0.5
    baseline: float  # accuracy of always giving the more common verdict
    brier: float  # mean squared error of the probability (Brier 1950): 0 = perfect, 0.25 = a coin
    auc: float  # chance that an accepted sample is ranked above a rejected one: 0.5 = by chance, 1 = perfect


class _Model(Protocol):
    def predict_proba(self, vectors: NDArray[np.float64]) -> NDArray[np.float64]: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class AcceptanceModel:
    """A trained model and its measured quality."""

    quality: Quality
    uses_embeddings: bool  # otherwise it judges by colours and edges
    _model: _Model = field(repr=False, compare=False)

    def predict(self, rows: Sequence[SampleRow], vectors: Vectors | None = None) -> NDArray[np.float64]:
        """Return the probability that people accept each of the samples; (N,) float64, 0 to 1.

        Args:
            vectors: the embedding of each image, if the model uses embeddings.
        """
        if not rows:
            return np.zeros(0, np.float64)
        return np.asarray(self._model.predict_proba(_matrix(rows, vectors))[:, 1], np.float64)


def learn(
    examples: Sequence[tuple[SampleRow, bool]], vectors: Vectors | None = None
) -> AcceptanceModel | None:
    """Learn from decided samples; the same examples give the same model.

    Args:
        examples: samples with whether they were accepted, oldest decision first; only the last 5,000 are used, which
            bounds the time and follows a taste that changes. Decisions of people only: a model that learns from its own
            decisions would only become more certain of them.
        vectors: the embedding of the image of each sample; None: the model judges by colours and edges.

    Returns:
        The model; None with fewer than 30 examples, or fewer than 5 of either verdict.
    """
    newest = examples[-NEWEST:]
    good = np.array([accepted for _, accepted in newest], np.bool_)
    accepted = int(good.sum())
    if len(good) < ENOUGH or min(accepted, len(good) - accepted) < FEWEST:
        return None
    values = _matrix([row for row, _ in newest], vectors)
    with np.errstate(
        invalid="ignore"
    ):  # of images that are all alike, components explain no share of the variance
        return AcceptanceModel(
            quality=_quality(values, good),
            uses_embeddings=vectors is not None,
            _model=_unfitted(values.shape).fit(values, good),
        )


def features(row: SampleRow) -> NDArray[np.float32]:
    """Return the features of a sample, always in the same order; (157 + twice the number of scores,) float32.

    Every score (0 where missing), as many flags of missing scores, number of failed gates, visible share (mean over
    objects), number of objects, pose of the front object (6), method (4, one-hot), label (16, hashed), pairs of slot
    and value (32, hashed and counted; Weinberger et al. 2009, without their signs), descriptor (96; zeros where there
    is none).
    A score that is not finite and a descriptor of another length count as missing.
    """
    scores = [row.scores.get(name, math.nan) for name in SCORE_NAMES]
    missing = [not math.isfinite(score) for score in scores]
    front = row.spec.front.placement
    numbers = [
        *(0.0 if is_missing else score for score, is_missing in zip(scores, missing, strict=True)),
        *missing,
        len(row.failed_gates),
        sum(row.visible) / len(row.visible) if row.visible else 1.0,
        len(row.spec.objects),
        *(getattr(front, name) for name in _POSE),
        *(row.spec.method is method for method in Method),
    ]
    return np.concatenate([
        np.array(numbers, np.float32),
        _hashed([row.spec.label], _LABEL_BUCKETS),
        _hashed([f"{slot}={value}" for slot, value in row.spec.slots], _SLOT_BUCKETS),
        _descriptor(row.descriptor),
    ])  # fmt: skip


def check_share(sample_id: str, share: float) -> bool:
    """Whether people check a sample that the auto-reviewer could decide; always the same for one id and share.

    A greater share includes every sample of a smaller one.

    Raises:
        InvalidRequest: the share lies outside 0 to 1.
    """
    if not 0.0 <= share <= 1.0:
        raise InvalidRequest(f"the share of checks is {share}; it must lie in 0.0 to 1.0")
    return int(_digest(f"check:{sample_id}")[:13], 16) / 16**13 < share


def _unfitted(shape: tuple[int, ...]) -> Any:
    """Return the estimator from features to calibrated probabilities, not fitted.

    Args:
        shape: number of examples, and of values of each: the features, followed by the embedding if there is one.
    """
    from sklearn.calibration import CalibratedClassifierCV
    from sklearn.compose import ColumnTransformer
    from sklearn.decomposition import PCA
    from sklearn.linear_model import LogisticRegression
    from sklearn.model_selection import StratifiedKFold
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import FunctionTransformer, StandardScaler

    number, width = shape
    transformers = [("features", StandardScaler(), slice(0, _FEATURES))]
    if width > _FEATURES:
        # the smallest fold holds more than half of the examples
        components = min(_COMPONENTS, width - _FEATURES, number // 2 - 1)
        pca = PCA(components, whiten=True, random_state=_SEED)
        transformers.append(("embedding", pca, slice(_FEATURES, width)))
    classifier = make_pipeline(
        ColumnTransformer(transformers),
        # a feature seen once in a thousand decisions is 30 deviations off, so one verdict would decide its weight
        FunctionTransformer(np.clip, kw_args={"a_min": -_FARTHEST, "a_max": _FARTHEST}),
        LogisticRegression(C=_STRENGTH, max_iter=_ITERATIONS),
    )
    folds = StratifiedKFold(_CALIBRATION_FOLDS, shuffle=True, random_state=_SEED)
    # the mean of three calibrated models is confidently wrong less often than a single one after few decisions
    return CalibratedClassifierCV(classifier, method="sigmoid", cv=folds)


def _quality(values: NDArray[np.float64], good: NDArray[np.bool_]) -> Quality:
    from sklearn.metrics import brier_score_loss, roc_auc_score
    from sklearn.model_selection import StratifiedKFold, cross_val_predict

    folds = StratifiedKFold(_FOLDS, shuffle=True, random_state=_SEED)
    likely = cross_val_predict(_unfitted(values.shape), values, good, cv=folds, method="predict_proba")[:, 1]
    number, accepted = len(good), int(good.sum())
    return Quality(
        decisions=number,
        accepted=accepted,
        accuracy=float(((likely >= 0.5) == good).mean()),
        baseline=max(accepted, number - accepted) / number,
        brier=float(brier_score_loss(good, likely)),
        auc=float(roc_auc_score(good, likely)),
    )


def _matrix(rows: Sequence[SampleRow], vectors: Vectors | None) -> NDArray[np.float64]:
    """Stack features, and embeddings if given, in double precision, which the optimiser needs; (N, D)."""
    values = np.stack([features(row) for row in rows])
    if vectors is not None:
        embedded = normalised(np.stack([vectors[row.image_id or ""] for row in rows]))
        values = np.concatenate([values, embedded], axis=1)
    return values.astype(np.float64)


def _hashed(names: Sequence[str], buckets: int) -> NDArray[np.float32]:
    """Count the names in each bucket, by a hash that is the same on every machine; (buckets,) float32."""
    counts = np.zeros(buckets, np.float32)
    for name in names:
        counts[int(_digest(name)[:13], 16) % buckets] += 1
    return counts


def _descriptor(stored: bytes | None) -> NDArray[np.float32]:
    if stored is None or len(stored) != _DESCRIPTOR * 4:
        return np.zeros(_DESCRIPTOR, np.float32)
    return np.frombuffer(stored, "<f4").astype(np.float32)


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()
