import pytest

from pipeline.domain.studies import Network
from training.fit.options import TrainingOptions
from training.fit.tuning_draws import drawn_options, setting_name

DEFAULT = TrainingOptions.for_network(Network.PROBE)


def test_the_first_draw_is_the_default_and_only_rate_and_decay_vary() -> None:
    first, *others = drawn_options(DEFAULT, 64)
    assert first == DEFAULT
    assert len(set(others)) == 63
    for drawn in others:
        assert 1e-3 <= drawn.lr <= 1e-1
        assert 5e-3 <= drawn.weight_decay <= 0.5
        assert {**drawn.values(), "lr": DEFAULT.lr, "weight_decay": DEFAULT.weight_decay} == DEFAULT.values()


def test_more_draws_begin_with_those_of_fewer() -> None:
    assert drawn_options(DEFAULT, 16)[:4] == drawn_options(DEFAULT, 4)
    assert drawn_options(DEFAULT, 1) == (DEFAULT,)


def test_half_of_the_draws_lie_below_the_default() -> None:
    rates = [drawn.lr for drawn in drawn_options(DEFAULT, 64)[1:]]
    assert sum(rate < DEFAULT.lr for rate in rates) == pytest.approx(31, abs=8)


@pytest.mark.parametrize(("rate", "decay"), [(1e-7, 0.0), (10.0, 10.0)])
def test_draws_around_the_ends_of_the_ranges_are_allowed(rate: float, decay: float) -> None:
    for drawn in drawn_options(TrainingOptions(lr=rate, weight_decay=decay), 16):
        assert 1e-7 <= drawn.lr <= 10.0
        assert 0.0 <= drawn.weight_decay <= 10.0


def test_settings_have_different_names() -> None:
    assert len({setting_name(drawn) for drawn in drawn_options(DEFAULT, 64)}) == 64
    assert setting_name(DEFAULT) == "lr-0.01-decay-0.05"
