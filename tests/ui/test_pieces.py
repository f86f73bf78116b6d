from __future__ import annotations

import pytest

from pipeline.domain.texts import duration
from pipeline.errors import InvalidRequest
from ui.components.charts import bar_chart_html
from ui.components.html import (
    empty_html,
    note_html,
    progress_html,
    table_html,
    whole_number,
)


@pytest.mark.parametrize(
    ("seconds", "text"), [(0.2, "1 s"), (89, "89 s"), (90, "2 min"), (3600, "60 min"), (5460, "1 h 31 min")]
)
def test_durations_are_said_in_the_largest_unit_that_fits(seconds: float, text: str) -> None:
    assert duration(seconds) == text


def test_an_empty_field_is_no_number() -> None:
    assert whole_number("  ", "the seed") is None
    assert whole_number(None, "the seed") is None
    assert whole_number(" 12 ", "the seed") == 12


@pytest.mark.parametrize("text", ["1.5", "-1", "many"])
def test_what_is_no_whole_number_is_named(text: str) -> None:
    with pytest.raises(InvalidRequest, match=f"the seed is '{text}'; enter a whole number"):
        whole_number(text, "the seed")


def test_bars_are_as_long_as_their_share_of_the_longest() -> None:
    chart = bar_chart_html({"bolt": 10, "nut": 5}, title="Classes")
    assert 'style="width:100.0%"></i><span>10</span>' in chart
    assert 'style="width:50.0%"></i><span>5</span>' in chart


def test_thousands_are_separated() -> None:
    assert "<span>1,377</span>" in bar_chart_html({"inpaint": 1377}, title="Methods")
    assert "<td>1,377</td><td>1377</td>" in table_html(["", "", ""], [["glass", 1377, "1377"]])


def test_names_from_outside_are_escaped() -> None:
    wild = "<script>x</script>"
    for shown in (
        bar_chart_html({wild: 1}, title=wild),
        empty_html(wild, wild, link="./", action=wild),
        note_html([wild]),
        progress_html(1, 2, wild),
        table_html(["", wild], [[wild, wild]]),
    ):
        assert "<script>" not in shown


def test_progress_of_unknown_length_shows_no_share() -> None:
    assert "aria-valuenow" not in progress_html(3, None, "reading")
    assert 'aria-valuenow="75.0"' in progress_html(3, 4, "reading")
