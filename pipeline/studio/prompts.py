"""What a person should know about a prompt before it is drawn."""

from __future__ import annotations

from collections.abc import Sequence

from pipeline.domain.spec import Method, SampleSpec
from pipeline.rendering import tokens_over, unknown_words

_WARNED_PROMPTS = 3


def prompt_notes(prompt: str, model: str) -> list[str]:
    """Plain sentences: how many tokens the model cuts, and which words it does not know."""
    notes = []
    cut = tokens_over(prompt, model)
    if cut.tokens:
        notes.append(
            f"the prompt is {cut.tokens} tokens too long for {model}: “{cut.words}” is cut. Shorten it"
        )
    if unknown := unknown_words(prompt, model):
        notes.append(f"{model} does not know: {', '.join(unknown)}")
    return notes


def plan_notes(specs: Sequence[SampleSpec]) -> tuple[str, ...]:
    """The notes on the different prompts of a plan, each said once, at most a few."""
    prompts = dict.fromkeys((s.prompt, s.model) for s in specs if s.method is not Method.PASTE)
    cut: list[str] = []
    unknown: dict[str, set[str]] = {}
    for prompt, model in prompts:
        over = tokens_over(prompt, model)
        if over.tokens:
            cut.append(f"{over.tokens} tokens of a prompt are cut by {model}: “{over.words}” of “{prompt}”")
        unknown.setdefault(model, set()).update(unknown_words(prompt, model))
    notes = cut[:_WARNED_PROMPTS]
    if len(cut) > _WARNED_PROMPTS:
        notes.append(f"{len(cut) - _WARNED_PROMPTS} more prompts are cut; shorten the backdrop template")
    notes += [
        f"{model} does not know: {', '.join(sorted(words))}" for model, words in unknown.items() if words
    ]
    return tuple(notes)
