"""Notes on prompts before they are rendered: what a model would cut, and which words it does not know."""

from __future__ import annotations

from collections.abc import Sequence

from pipeline.domain.texts import text_fault
from pipeline.rendering import tokens_over, unknown_words

_WARNED_PROMPTS = 3
_CHECKED_PROMPTS = 20


def prompt_notes(prompt: str, model: str) -> list[str]:
    """Return sentences on how many tokens the model cuts, and on words that it does not know."""
    if fault := text_fault(prompt):
        return [f"the prompt {fault}"]
    notes = []
    cut = tokens_over(prompt, model)
    if cut.tokens:
        notes.append(
            f"the prompt is {cut.tokens} tokens too long for {model}: “{cut.words}” is cut. Shorten it"
        )
    if unknown := unknown_words(prompt, model):
        notes.append(f"{model} does not know: {', '.join(unknown)}")
    return notes


def plan_notes(prompts: Sequence[str], model: str) -> tuple[str, ...]:
    """Return a few notes on the prompts of a plan, without repetition; only the longest are checked for their length.

    Args:
        prompts: the distinct prompts of the plan.
    """
    if not prompts:
        return ()
    longest = sorted(prompts, key=len)[-_CHECKED_PROMPTS:]
    cut = [
        f"{over.tokens} tokens of a prompt are cut by {model}: “{over.words}” of “{prompt}”"
        for prompt in longest[::-1]
        if (over := tokens_over(prompt, model)).tokens
    ]
    notes = cut[:_WARNED_PROMPTS]
    if len(cut) > _WARNED_PROMPTS:
        notes.append("other prompts are cut too; shorten the backdrop template")
    if unknown := unknown_words(" ".join(prompts), model):
        notes.append(f"{model} does not know: {', '.join(sorted(unknown))}")
    return tuple(notes)
