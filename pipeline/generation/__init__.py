"""Pictures round an object: the promise, the models, the exact composite. Importing this loads no torch."""

from pipeline.generation.compose import composite, exact, repaint_mask
from pipeline.generation.control import canny, control_picture
from pipeline.generation.generator import NO_MODEL, Generator, Job, PasteGenerator
from pipeline.generation.models import (
    MODELS,
    Checkpoint,
    ModelChoice,
    load,
    model_choices,
    model_facts,
    unload,
)
from pipeline.generation.prompts import Cut, tokens_over, unknown_words, vocabulary

__all__ = [
    "MODELS",
    "NO_MODEL",
    "Checkpoint",
    "Cut",
    "Generator",
    "Job",
    "ModelChoice",
    "PasteGenerator",
    "canny",
    "composite",
    "control_picture",
    "exact",
    "load",
    "model_choices",
    "model_facts",
    "repaint_mask",
    "tokens_over",
    "unknown_words",
    "unload",
    "vocabulary",
]
