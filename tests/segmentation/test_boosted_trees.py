"""Boosted trees read from arrays give what the library that fitted them gives."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from sklearn.ensemble import HistGradientBoostingClassifier

from benchmarks.calibration import exported
from pipeline.segmentation.boosted_trees import BoostedTrees

_TWO_TREES = BoostedTrees(
    bias=0.5,
    roots=np.array([0, 3]),
    feature=np.array([1, -1, -1, -1]),
    threshold=np.array([2.0, 0.0, 0.0, 0.0]),
    left=np.array([1, 0, 0, 0]),
    right=np.array([2, 0, 0, 0]),
    value=np.array([0.0, 1.0, -3.0, 0.25]),
)


def test_probabilities_are_the_logistic_of_the_sum_of_the_leaves() -> None:
    found = _TWO_TREES.probabilities(np.array([[9.0, 2.0], [9.0, 2.1]]))
    assert found == pytest.approx([1 / (1 + np.exp(-1.75)), 1 / (1 + np.exp(2.25))])


def test_no_rows_give_no_probabilities() -> None:
    assert len(_TWO_TREES.probabilities(np.empty((0, 2)))) == 0


def test_trees_survive_writing_and_reading(tmp_path: Path) -> None:
    (tmp_path / "trees.json").write_text(_TWO_TREES.written())
    rows = np.array([[0.0, 1.0], [0.0, 3.0]])
    again = BoostedTrees.read(tmp_path / "trees.json")
    assert again.probabilities(rows) == pytest.approx(_TWO_TREES.probabilities(rows))


def test_exported_trees_agree_with_scikit_learn() -> None:
    rng = np.random.default_rng(3)
    x = rng.normal(size=(400, 5))
    y = (x[:, 0] * x[:, 1] + 0.5 * rng.normal(size=400)) > 0
    model = HistGradientBoostingClassifier(max_iter=20, max_leaf_nodes=6, random_state=0).fit(x, y)
    assert exported(model).probabilities(x) == pytest.approx(model.predict_proba(x)[:, 1], abs=1e-5)
