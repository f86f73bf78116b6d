from __future__ import annotations

from training.report.efficiency import efficiency_html, efficiency_markdown
from training.similarity.efficiency import EfficiencyFindings

FINDINGS: EfficiencyFindings = {
    "methods": [
        {
            "method": "inpaint",
            "title": "inpaint",
            "model": "<nano>",
            "rendered": 1000,
            "accepted": 300,
            "rejected": 100,
            "acceptance": 0.75,
            "seconds": 1.5,
            "seconds_per_accepted": 2.0,
        },
        {
            "method": "paste",
            "title": "paste",
            "model": "none",
            "rendered": 10,
            "accepted": 0,
            "rejected": 0,
            "acceptance": None,
            "seconds": None,
            "seconds_per_accepted": None,
        },
    ]
}


def test_the_page_gives_a_row_for_each_method() -> None:
    section = efficiency_html(FINDINGS)
    assert "inpaint, &lt;nano&gt;</th>" in section
    assert '<td class="number">75.0 %</td><td class="number">1.5</td><td class="number">2</td>' in section


def test_the_markdown_says_what_is_not_known() -> None:
    table = efficiency_markdown(FINDINGS)[1]
    assert "| inpaint, &lt;nano&gt; | 1,000 | 300 | 75.0 % | 1.5 | 2 |" in table
    assert "| paste | 10 | 0 | none decided | not known | not known |" in table
