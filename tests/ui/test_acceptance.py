"""The acceptance charts and the advice of the Generate page."""

from __future__ import annotations

from dataclasses import replace

import pytest

from pipeline.domain.acceptance import Acceptance, Change, Tally
from pipeline.domain.review import Verdict
from pipeline.store.samples import SampleRepository
from pipeline.studio import Studio
from tests.toy_distractors import add_sample_with_distractors
from tests.toy_library import add_subject, decision, render, spec
from ui.components.charts import rate_chart_html
from ui.pages.generate.acceptance import acceptance_html, contexts_html


def decided(studio: Studio) -> None:
    """Twelve accepted samples on gravel and twelve rejected ones on snow."""
    subject = add_subject(studio.library, 1)
    gravel = [spec(subject, seed=seed) for seed in range(12)]
    snow = [replace(spec(subject, seed=seed), slots=(("surface", "snow"),)) for seed in range(12)]
    studio.library.plans.add("toy", "", [*gravel, *snow])
    for one in (*gravel, *snow):
        verdict = Verdict.ACCEPT if one in gravel else Verdict.REJECT
        studio.library.review.record(decision(render(studio.library, one), verdict))


def test_nothing_is_shown_before_the_first_decision(studio: Studio) -> None:
    assert acceptance_html(Acceptance(total=Tally(0, 0))) == ""
    assert studio.review.insights.advice() == []


def test_the_charts_say_rate_number_and_interval_least_accepted_first() -> None:
    chart = rate_chart_html({"grass": Tally(9, 10), "": Tally(1, 10)}, title="surface")
    assert chart.index("not set") < chart.index("grass")
    assert "<span>90% of 10</span>" in chart
    assert 'title="95 % interval 60% to 98%"' in chart


def test_decisions_of_people_become_advice_and_a_changed_recipe(studio: Studio) -> None:
    decided(studio)
    assert "50% of 24 reviewed images accepted" in acceptance_html(studio.review.insights.acceptance())
    advice = studio.review.insights.advice()
    assert [(one.change, one.value) for one in advice] == [(Change.DROP, "snow"), (Change.MORE, "gravel")]
    text = "backdrops: {template: '{surface} floor', slots: {surface: [snow, gravel]}}"
    assert "gravel: 2.0" in studio.plans.changed_recipe(text, advice)
    assert "snow" not in studio.plans.changed_recipe(text, advice)


def test_what_is_accepted_is_counted_again_only_after_another_decision(
    studio: Studio, monkeypatch: pytest.MonkeyPatch
) -> None:
    decided(studio)
    read, counts = SampleRepository.decided_by_people, []

    def counted(samples: SampleRepository) -> object:
        counts.append(1)
        return read(samples)

    monkeypatch.setattr(SampleRepository, "decided_by_people", counted)
    insights = studio.review.insights
    assert insights.acceptance() == insights.acceptance()  # two visits of the page
    assert len(counts) == 1
    studio.review.decisions.undo("ann")
    assert insights.acceptance().total.decided == 23
    assert len(counts) == 2


def test_decisions_of_gates_are_no_advice(studio: Studio) -> None:
    subject = add_subject(studio.library, 1)
    studio.library.plans.add("toy", "", [spec(subject)])
    render(studio.library, spec(subject))
    studio.review.decisions.gate()
    assert studio.review.insights.acceptance().total.decided == 0


def test_the_accepted_images_are_shown_by_class_and_context(studio: Studio) -> None:
    decided(studio)
    assert contexts_html(studio.library.samples.accepted_contexts()) == "", "one class: nothing to compare"
    nut = replace(spec(add_subject(studio.library, 2, label="nut"), seed=99), slots=(("surface", "<i>"),))
    studio.library.plans.add("nuts", "", [nut])
    studio.library.review.record(decision(render(studio.library, nut), client_id="nut"))
    shown = contexts_html(studio.library.samples.accepted_contexts())
    assert "<th>surface</th><th>bolt</th><th>nut</th>" in shown
    assert "<tr><th>gravel</th><td>12</td><td>0</td></tr>" in shown
    assert "<tr><th>&lt;i&gt;</th><td>0</td><td>1</td></tr>" in shown
    assert "surface tells 0.391 bit of the class, by chance 0.055" in shown


def test_where_distractors_are_accepted_the_table_says_that_it_does_not_count_them(studio: Studio) -> None:
    library = studio.library
    crowded = add_sample_with_distractors(library)
    assert not library.samples.accepted_show_distractors()
    library.review.record(decision(crowded.id))
    assert library.samples.accepted_show_distractors()
    even = {"surface": {"nut": {"sand": 3, "moss": 2}, "bolt": {"sand": 2, "moss": 3}}}
    sentence = "distractors are not counted"
    assert sentence in contexts_html(even, with_distractors=True)
    assert sentence not in contexts_html(even)


def test_a_context_that_tells_no_more_than_chance_is_not_held_up() -> None:
    even = {"surface": {"nut": {"sand": 3, "moss": 2}, "bolt": {"sand": 2, "moss": 3}}}
    assert "none tells the class more than by chance" in contexts_html(even)
