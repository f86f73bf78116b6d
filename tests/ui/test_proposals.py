"""Generate offers the recipes that studies propose; a click fills one in."""

from __future__ import annotations

import os

import gradio as gr
import pytest

from pipeline.domain.recipe import parse_recipe
from pipeline.errors import InvalidRequest
from pipeline.services.studies.proposals import read_proposal
from pipeline.studio import Studio
from ui.pages.generate.proposals import Proposals

TEXT = """# Proposed by the study of first with 6 seeds: make these 120.
# Mixed came out best (80.0 % balanced
#   accuracy).
name: weak classes
classes: {bolt: 90, gear: 30}
"""


def propose(studio: Studio, study: str, text: str = TEXT, *, at: float = 1.0) -> None:
    folder = studio.settings.runs / study
    folder.mkdir(parents=True)
    (folder / "proposal.yaml").write_text(text)
    os.utime(folder / "proposal.yaml", (at, at))


def test_nothing_is_offered_where_no_study_proposes_a_recipe(studio: Studio) -> None:
    pane, study, reasons = Proposals(studio).offer()
    assert (pane.visible, study.choices, study.value, reasons) == (False, [], None, "")


def test_the_newest_proposal_is_chosen_with_its_reasons(studio: Studio) -> None:
    propose(studio, "study-1", at=1.0)
    propose(studio, "study-2", TEXT.replace("90", "70"), at=2.0)
    propose(studio, "broken", "name: [", at=3.0)
    pane, study, reasons = Proposals(studio).offer()
    assert pane.visible
    assert study.choices == [("study-2: 100 images", "study-2"), ("study-1: 120 images", "study-1")]
    assert study.value == "study-2"
    assert "<p" in reasons
    assert "Mixed came out best (80.0 % balanced accuracy)." in reasons


def test_a_click_fills_in_the_recipe_and_clears_what_would_change_it(studio: Studio) -> None:
    propose(studio, "study-1")
    text, name, *others = Proposals(studio).use("study-1")
    assert text == TEXT
    assert isinstance(name, gr.Dropdown)
    assert (name.value, others) == (None, ["", "", "", ""])  # count, seed, method, model: as in the recipe
    assert parse_recipe(str(text)).total == 120


def test_a_proposal_that_is_gone_or_lies_elsewhere_is_refused(studio: Studio) -> None:
    propose(studio, "study-1")
    for study in ("study-2", "../runs/study-1", None):
        with pytest.raises(InvalidRequest, match="no longer proposes a recipe; reload the page"):
            Proposals(studio).use(study)


def test_the_sentences_of_a_proposal_are_read_as_they_were_written(studio: Studio) -> None:
    propose(studio, "study-1")
    proposal = read_proposal(studio.settings.runs / "study-1")
    assert proposal is not None
    assert proposal.reasons[1] == "Mixed came out best (80.0 % balanced accuracy)."
