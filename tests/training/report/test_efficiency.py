from __future__ import annotations

from training.report.efficiency import efficiency_html, efficiency_markdown
from training.similarity.efficiency import EfficiencyFindings, PointCost

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
            "review_minutes_per_accepted": 0.25,
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
            "review_minutes_per_accepted": None,
        },
    ]
}


def test_the_page_gives_a_row_for_each_method() -> None:
    section = efficiency_html(FINDINGS)
    assert "inpaint, &lt;nano&gt;</th>" in section
    assert '<td class="number">75.0 %</td><td class="number">1.5</td><td class="number">2</td>' in section
    assert '<td class="number">0.25</td>' in section


def test_the_markdown_says_what_is_not_known() -> None:
    table = efficiency_markdown(FINDINGS)[1]
    assert "| inpaint, &lt;nano&gt; | 1,000 | 300 | 75.0 % | 1.5 | 2 | 0.25 |" in table
    assert "| paste | 10 | 0 | none decided | not known | not known | not recorded |" in table


def test_a_point_has_a_cost_only_where_the_gain_is_certain() -> None:
    gained: PointCost = {
        "arm": "mixed",
        "title": "Real + <synthetic>",
        "images": 120,
        "machine_minutes": 8.0,
        "review_minutes": None,
        "points": 4.0,
        "low": 2.0,
        "high": 8.0,
        "certain": True,
    }
    costs: list[PointCost] = [gained, {**gained, "arm": "paste", "title": "Pasted", "certain": False}]
    findings: EfficiencyFindings = {**FINDINGS, "costs": costs}
    table = efficiency_markdown(findings)[-2]
    row = "120 | 8 | not recorded | +4.0 (+2.0 to +8.0) | 2 (1 to 4) | not recorded |"
    assert f"| Real + &lt;synthetic&gt; | {row}" in table
    assert "| +4.0 (+2.0 to +8.0) | gain not certain | gain not certain |" in table
    assert "Real + &lt;synthetic&gt;</th>" in efficiency_html(findings)
    assert "What a point" not in efficiency_html(FINDINGS)
