from __future__ import annotations

import signal
from pathlib import Path

import pytest
import torch
from lightning.pytorch.utilities.exceptions import SIGTERMException
from torch import nn

from training.nano.config import StageOptions
from training.nano.stages.fitting import Average, Batch, Stage, fit, rate


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


class Interrupted(Stage):
    """Is stopped in its first step."""

    def __init__(self, by: BaseException) -> None:
        super().__init__(StageOptions(steps=2, batch=1, learning_rate=1.0))
        self.by = by
        self.layer = nn.Linear(1, 1)
        self.average = Average([self.layer], 0.9)

    def training_step(self, _: Batch, __: int) -> torch.Tensor:
        raise self.by


@pytest.mark.parametrize("by", [KeyboardInterrupt(), SIGTERMException()])
def test_a_stop_is_an_interrupt_and_ctrl_c_can_be_pressed_again(by: BaseException, tmp_path: Path) -> None:
    before = signal.getsignal(signal.SIGINT)
    with pytest.raises(KeyboardInterrupt):
        fit(Interrupted(by), lambda _: {"x": torch.zeros(1)}, tmp_path)
    assert signal.getsignal(signal.SIGINT) is before
