"""Generate backgrounds around objects: checkpoints, generators and the runner. Importing this loads no torch."""

from pipeline.rendering.checkpoints import CHECKPOINTS, NO_MODEL, Checkpoint
from pipeline.rendering.control import canny, control_image
from pipeline.rendering.downloads import DownloadProgress, download_progress
from pipeline.rendering.facts import ModelChoice, model_choices, model_facts
from pipeline.rendering.generator import Generator, Job
from pipeline.rendering.loading import load
from pipeline.rendering.prompts import Cut, tokens_over, unknown_words, vocabulary

__all__ = [
    "CHECKPOINTS",
    "NO_MODEL",
    "Checkpoint",
    "Cut",
    "DownloadProgress",
    "Generator",
    "Job",
    "ModelChoice",
    "canny",
    "control_image",
    "download_progress",
    "load",
    "model_choices",
    "model_facts",
    "tokens_over",
    "unknown_words",
    "vocabulary",
]
