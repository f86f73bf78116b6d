"""The model card beside the shipped weights, with its measured figures."""

from __future__ import annotations

from pathlib import Path

from training.nano.config import NanoConfig
from training.nano.data import words

TEMPLATE = Path(__file__).with_name("card.md")


def card(
    figures: dict[str, object],
    config: NanoConfig,
    *,
    steps_done: dict[str, int],
    command: str = "python -m training.nano evaluate",
) -> str:
    """Write the model card in Markdown.

    Args:
        figures: what `evaluate.figures` measured.
        command: what printed the figures.
        steps_done: optimiser steps of "vae", "decoder", "unet" and "control" that the weights have seen.
    """
    files = [file for file in config.out.rglob("*") if file.is_file()]
    return TEMPLATE.read_text().format(
        **_vocabulary_fields(),
        command=command,
        first_limit=_first_limit(figures),
        size=config.sizes.image_px,
        megabytes=sum(file.stat().st_size for file in files) / 1e6,
        steps=figures["steps"],
        guidance=figures["guidance_scale"],
        rescale=figures["guidance_rescale"],
        figures=_figure_table(figures),
        held_out=config.scenes.held_out_share,
        vae_steps=steps_done.get("vae", 0),
        decoder=f" and {alone} of its decoder against a critic"
        if (alone := steps_done.get("decoder", 0))
        else "",
        judges=figures.get("judges", 0),
        judge_scenes=figures.get("judge_scenes", 0),
        unet_steps=steps_done.get("unet", 0),
        unet_batch=config.unet.batch,
        control_steps=steps_done.get("control", 0),
        control_batch=config.control.batch,
    )


def _vocabulary_fields() -> dict[str, str]:
    return {
        "example": words.EXAMPLES[0],
        "surfaces": ", ".join(words.SURFACES),
        "places": "; ".join(words.PLACES),
        "skies": ", ".join(words.SKIES),
        "colours": ", ".join(words.COLOURS),
        "lights": ", ".join(words.LIGHTS),
        "cameras": ", ".join(words.CAMERAS),
        "conditions": ", ".join(words.CONDITIONS),
    }


def _figure_table(figures: dict[str, object]) -> str:
    rows = "\n".join(
        f"| {name} | {value} |" for name, value in figures.items() if not isinstance(value, dict)
    )
    by_word = figures.get("obedience_by_word", {})
    shares = (
        ", ".join(f"{word} {share}" for word, share in by_word.items()) if isinstance(by_word, dict) else ""
    )
    return f"| figure | value |\n|---|---|\n{rows}\n\nObedience by word (share of images): {shares}."


def _first_limit(figures: dict[str, object]) -> str:
    """Name the limits that a reader must know first; "" where the figures are good."""
    colour_kept, top1 = (
        figures.get("vae_green_magenta_kept", 1.0),
        figures.get("obedience_colour_top1", 1.0),
    )
    limits = []
    if isinstance(colour_kept, float) and colour_kept < 0.8:
        limits.append(
            f"its autoencoder keeps only {colour_kept:.0%} of the difference between green and magenta, so red comes "
            "out orange and green brown; only blue, orange, brown, white, grey and black can be trusted"
        )
    if isinstance(top1, float) and top1 < 0.6:
        limits.append(
            f"a judge recognises the prompted surface in {top1:.0%} of its images; the figures by word are below"
        )
    return f"**Know first:** {'; and '.join(limits)}." if limits else ""


def steps_done(work: Path) -> dict[str, int]:
    """Read the optimiser steps of each stage from its checkpoint; 0 where there is none."""
    import torch

    steps = {}
    for stage in ("vae", "decoder", "unet", "control"):
        last = work / stage / "last.ckpt"
        steps[stage] = (
            torch.load(last, map_location="cpu", weights_only=False)["global_step"] if last.exists() else 0
        )
    return steps
