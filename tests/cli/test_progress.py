"""Progress on stderr where it is not a terminal, such as the log of a CI job."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from pipeline.cli.command import progress_bar, progress_lines


def clock(*seconds: float) -> Iterator[float]:
    return iter(seconds)


def test_long_work_prints_a_line_each_ten_seconds_with_rate_and_time_left(
    capsys: pytest.CaptureFixture[str],
) -> None:
    times = clock(0, 5, 12, 15, 32)
    show = progress_lines("import", "photo", clock=lambda: next(times))
    for done in (10, 24, 30):
        show(done, 96, "a.jpg")
    show(64, None, "b.jpg")
    assert capsys.readouterr() == (
        "",
        "import:  25% 24/96 [00:12<00:36,  2.00 photo/s]\nimport: 64 photo [00:32,  2.00 photo/s]\n",
    )


def test_each_stage_of_the_work_has_its_own_rate(capsys: pytest.CaptureFixture[str]) -> None:
    times = clock(0, 8, 8, 18)
    show = progress_lines("import", "photo", clock=lambda: next(times))
    for done in (100, 1, 20):
        show(done, 100, "a.jpg")
    assert capsys.readouterr().err == "import:  20% 20/100 [00:10<00:40,  2.00 photo/s]\n"


def test_work_that_ends_soon_prints_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    with progress_bar("import", "photo") as on_progress:
        on_progress(1, 2, "a.jpg")
        on_progress(2, 2, "b.jpg")
    assert capsys.readouterr() == ("", "")
