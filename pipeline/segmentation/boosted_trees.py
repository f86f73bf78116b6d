"""Evaluate boosted decision trees from arrays: what was fitted once is read without the library that fitted it."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

import numpy as np

_LEAF = -1


@dataclass(frozen=True, slots=True)
class BoostedTrees:
    """Gradient-boosted decision trees of a binary classifier (Friedman 2001, algorithm 5).

    The nodes of all trees follow one another; the children of a node are given by their place.
    """

    bias: float  # log odds before the first tree
    roots: np.ndarray  # (T,) int
    feature: np.ndarray  # (N,) int; -1 at a leaf
    threshold: np.ndarray  # (N,) float: up to it a row goes to the left
    left: np.ndarray  # (N,) int
    right: np.ndarray  # (N,) int
    value: np.ndarray  # (N,) float: log odds that a leaf adds

    @classmethod
    def read(cls, file: Path) -> Self:
        """Read trees that `written` wrote."""
        fields: dict[str, Any] = json.loads(file.read_text())
        bias = float(fields.pop("bias"))
        return cls(bias=bias, **{name: np.array(values) for name, values in fields.items()})

    def written(self) -> str:
        """Return the trees as JSON, one line a field."""
        lines = [f'"bias": {self.bias}']
        for name in ("roots", "feature", "threshold", "left", "right", "value"):
            lines.append(f'"{name}": {json.dumps(getattr(self, name).tolist(), separators=(",", ":"))}')
        return "{" + ",\n".join(lines) + "}\n"

    def probabilities(self, rows: np.ndarray) -> np.ndarray:
        """Return the probability of the positive class.

        Args:
            rows: (n, features) float; may be empty.

        Returns:
            (n,) float, 0 to 1.
        """
        return 1 / (1 + np.exp(-np.array([self.log_odds(row) for row in rows])))

    def log_odds(self, row: np.ndarray) -> float:
        """Return the log odds of the positive class for one row, (features,) float."""
        return self.bias + sum(self._leaf(root, row) for root in self.roots)

    def _leaf(self, node: int, row: np.ndarray) -> float:
        while self.feature[node] != _LEAF:
            below = row[self.feature[node]] <= self.threshold[node]
            node = self.left[node] if below else self.right[node]
        return float(self.value[node])
