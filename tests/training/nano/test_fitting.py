from __future__ import annotations

import pytest
import torch
from torch import nn

from training.nano.config import StageOptions
from training.nano.fitting import Average, rate


def test_the_rate_rises_stays_level_and_falls_to_zero() -> None:
    options = StageOptions(steps=100, batch=1, learning_rate=1.0, warm_up=10)
    assert rate(0, options) == pytest.approx(0.1)
    assert rate(40, options) == 1.0
    assert rate(75, options) == pytest.approx(0.5)
    assert rate(100, options) == pytest.approx(0.0)


def test_the_average_follows_the_weights_and_replaces_them() -> None:
    layer = nn.Linear(1, 1, bias=False)
    nn.init.zeros_(layer.weight)
    average = Average([layer], decay=0.9)
    nn.init.ones_(layer.weight)
    average.update()
    average.copy_to_networks()
    assert layer.weight.item() == pytest.approx(1 - 2 / 11)


def test_the_average_counts_its_updates_in_checkpoints() -> None:
    layer = nn.Linear(2, 2)
    average = Average([layer], decay=0.9)
    average.update()
    other = Average([nn.Linear(2, 2)], decay=0.9)
    other.load_state_dict(average.state_dict())
    assert other.updates == 1
    assert torch.equal(next(other.buffers()), next(average.buffers()))
