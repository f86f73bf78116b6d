from __future__ import annotations

import re
from pathlib import Path
from xml.etree import ElementTree

from tests.toy_studies import right, write_study
from training.report.comparison import comparison_html
from training.report.comparison_plot import comparison_plot
from training.study.compare import compare_studies

EVEN, AHEAD = [0.6] * 6, [0.9] * 6


def test_the_page_needs_nothing_beside_it_and_escapes_what_people_named(tmp_path: Path) -> None:
    a = write_study(tmp_path / "a", {"real": right(*EVEN), "paste": right(*EVEN)})
    b = write_study(tmp_path / "b", {"real": right(*AHEAD)}, dataset="<b>")
    page = comparison_html(compare_studies(a, b))
    assert not re.search(r"(src|href)=|https?://|<script", page)
    assert "<b></td>" not in page
    assert "<td>&lt;b&gt;</td>" in page
    assert '<td class="number">60.0 %<small>8 real</small></td>' in page
    assert '<td class="number">+30.0<small>+' in page
    assert "<td>B is better</td>" in page
    assert "<b>Pasted</b> is only in A: 60.0 %." in page


def test_without_a_test_there_is_no_column_for_it(tmp_path: Path) -> None:
    a = write_study(tmp_path / "a", {"real": right(*EVEN)})
    b = write_study(tmp_path / "b", {"real": right(*AHEAD)})
    (b / "test_photos.json").unlink()
    page = comparison_html(compare_studies(a, b))
    assert '<td class="number">+30.0</td>' in page
    assert "<span>p</span>" not in page
    assert "they are no test of the difference" in page


def test_the_plot_shows_both_rates_of_an_arm(tmp_path: Path) -> None:
    a = write_study(tmp_path / "a", {"real": right(*EVEN)})
    b = write_study(tmp_path / "b", {"real": right(*AHEAD)})
    plot = ElementTree.fromstring(comparison_plot(compare_studies(a, b).arms))
    texts = [node.text for node in plot.iter("text")]
    assert {"Real photos", "A 60.0 %", "B 90.0 %"} <= set(texts)
    first, second = (float(node.attrib["cx"]) for node in plot.iter("circle"))
    assert first < second
