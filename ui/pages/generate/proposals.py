"""The recipes that studies propose: a list, the reasons, and a button that writes one into the recipe."""

from __future__ import annotations

from typing import TYPE_CHECKING

import gradio as gr

from pipeline.errors import InvalidRequest
from ui.access import Capability, handler
from ui.components.html import note_html
from ui.errors import AT_ONCE, LIVE, QUIET

if TYPE_CHECKING:
    from pipeline.services.studies.proposals import StudyProposal
    from pipeline.studio import Studio
    from ui.pages.generate.page import Controls


class Proposals:
    """What the list does, without its widgets. Studies are named by their folders; other paths are not read."""

    def __init__(self, studio: Studio) -> None:
        self.studio = studio

    def offer(self) -> tuple[gr.Column, gr.Dropdown, str]:
        """List the studies that propose a recipe, the newest chosen; hidden where there is none."""
        proposals = self.studio.studies.proposals()
        choices = [(_title(proposal), proposal.study) for proposal in proposals]
        chosen = proposals[0].study if proposals else None
        return (
            gr.Column(visible=bool(proposals)),
            gr.Dropdown(choices=choices, value=chosen),
            self.reasons(chosen),
        )

    def reasons(self, study: str | None) -> str:
        """Return what a study proposes and, folded, why, as HTML."""
        proposal = self._of(study)
        if proposal is None:
            return ""
        first, *more = proposal.reasons or ("",)
        why = f'<details class="reasons"><summary>Why</summary>{note_html(more)}</details>' if more else ""
        return note_html([first]) + why

    def use(self, study: str | None) -> tuple[object, ...]:
        """Return a proposal's text, and name, count, seed, method and model, which are left to the recipe.

        Raises:
            InvalidRequest: the study has no proposal any more.
        """
        proposal = self._of(study)
        if proposal is None:
            raise InvalidRequest(
                "the selected study no longer proposes a recipe; reload the page and select another"
            )
        gr.Info(f"The recipe '{proposal.recipe.name}' is filled in; check its plan, then start the run.")
        return proposal.text, gr.Dropdown(value=None), "", "", "", ""

    def _of(self, study: str | None) -> StudyProposal | None:
        return next((each for each in self.studio.studies.proposals() if each.study == study), None)


def build_proposals(page: gr.Blocks, studio: Studio, controls: Controls) -> None:
    """Build the list of proposals; hidden where no study proposes a recipe."""
    with gr.Column(elem_classes="pane", visible=False, elem_id="proposals") as pane:
        study = gr.Dropdown([], label="Proposed by a study", elem_id="proposal-study")
        reasons = gr.HTML(elem_id="proposal-reasons")
        use = gr.Button("Use this proposal", size="sm", elem_id="use-proposal")
    proposals = Proposals(studio)
    look, plan = handler(studio, Capability.LOOK), handler(studio, Capability.PLAN)
    page.load(look(proposals.offer), None, [pane, study, reasons], **AT_ONCE)
    study.input(look(proposals.reasons), study, reasons, **LIVE)
    filled = [controls.text, controls.name, controls.count, controls.seed, controls.method, controls.model]
    use.click(plan(proposals.use), study, filled, **QUIET)


def _title(proposal: StudyProposal) -> str:
    return f"{proposal.study}: {proposal.recipe.total} images"
