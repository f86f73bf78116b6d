"""The recipe that a study proposes, with its reasons, as `python -m training study --propose` writes it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from pipeline.domain.recipe import Recipe, parse_recipe
from pipeline.errors import InvalidRecipe
from pipeline.services.studies.files import PROPOSAL_FILE

_COMMENT, _CONTINUED = "# ", "#   "


@dataclass(frozen=True, slots=True, kw_only=True)
class StudyProposal:
    """A proposed recipe."""

    study: str  # name of the study's folder
    text: str  # YAML, with the reasons as a comment
    recipe: Recipe
    reasons: tuple[str, ...]  # sentences


def read_proposal(folder: Path) -> StudyProposal | None:
    """Read the proposal of a study; None where there is none, or it cannot be read as a recipe."""
    try:
        text = (folder / PROPOSAL_FILE).read_text(encoding="utf-8")
        recipe = parse_recipe(text, PROPOSAL_FILE)
    except (OSError, UnicodeDecodeError, InvalidRecipe):
        return None
    return StudyProposal(study=folder.name, text=text, recipe=recipe, reasons=_reasons(text))


def _reasons(text: str) -> tuple[str, ...]:
    """Return the paragraphs of the comment at the top of a recipe; lines that go on are indented."""
    reasons: list[str] = []
    for line in text.splitlines():
        if line.startswith(_CONTINUED) and reasons:
            reasons[-1] += f" {line.removeprefix(_CONTINUED)}"
        elif line.startswith(_COMMENT):
            reasons.append(line.removeprefix(_COMMENT))
        else:
            break
    return tuple(reasons)
