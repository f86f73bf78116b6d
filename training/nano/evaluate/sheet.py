"""Contact sheets of a shipped folder, as WebP beside the model card."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np
from PIL import Image

from training.nano.config import NanoConfig
from training.nano.data.rows import Rows, draw_rows, edges
from training.nano.data.surfaces import existing_folder
from training.nano.data.words import EXAMPLES, SURFACES
from training.nano.evaluate.object_sheet import object_rows
from training.nano.evaluate.painter import Painter, load_painter

LABEL_PX = 14
QUALITY = 82


def write_sheets(config: NanoConfig, *, seeds: int = 6, objects: int = 8) -> None:
    """Write sheet.webp (surface words), examples.webp (whole prompts), inpainting.webp and control.webp.

    Args:
        seeds: images of each word and prompt.
        objects: rendered parts, and photographed objects, before each prompt.

    Raises:
        InvalidRequest, SourceRefused: see `evaluate.figures`.
    """
    existing_folder(config.objects)
    painter = load_painter(config.out)
    held_out = draw_rows(config, held_out=True)
    prompts = [f"{word} seen from above" for word in SURFACES for _ in range(seeds)]
    images = painter.paint(prompts, list(range(len(prompts))))
    groups = [labelled(images[i * seeds : (i + 1) * seeds], word) for i, word in enumerate(SURFACES)]
    save(grid(groups, columns=2), config.out / "sheet.webp")
    examples = [prompt for prompt in EXAMPLES for _ in range(seeds)]
    images = painter.paint(examples, list(range(len(examples))))
    groups = [labelled(images[i * seeds : (i + 1) * seeds], prompt) for i, prompt in enumerate(EXAMPLES)]
    save(grid(groups, columns=2), config.out / "examples.webp")
    rows = object_rows(config.out, config.objects, each=objects)
    save(grid([labelled(row, title) for title, row in rows], columns=1), config.out / "inpainting.webp")
    save(control(painter, held_out), config.out / "control.webp")


def control(painter: Painter, held_out: Rows, *, images: int = 8) -> np.ndarray:
    """Set out held-out scenes, their edges, and images of their captions without and with the ControlNet."""
    hints = np.stack([edges(image) for image in held_out.rgb[:]])
    share = (hints > 0).mean((1, 2))
    chosen = np.flatnonzero((share > 0.03) & (share < 0.2))[-images:]
    prompts = [held_out.captions[i] for i in chosen]
    groups = [
        labelled(held_out.rgb[chosen], "scene"),
        labelled(np.repeat(hints[chosen][..., None], 3, -1), "edges"),
    ]
    for scale in (0.0, 0.5, 1.0):
        drawn = painter.paint(
            prompts, list(range(len(prompts))), hints=hints[chosen], controlnet_conditioning_scale=scale
        )
        groups.append(labelled(drawn, f"control scale {scale}"))
    return grid(groups, columns=1)


def labelled(images: np.ndarray, text: str) -> np.ndarray:
    """Set (N, S, S, 3) uint8 side by side under a line of text."""
    row = np.hstack(list(images))
    label = np.full((LABEL_PX, row.shape[1], 3), 255, np.uint8)
    cv2.putText(label, text, (2, LABEL_PX - 4), cv2.FONT_HERSHEY_SIMPLEX, 0.38, (20, 20, 20), 1, cv2.LINE_AA)
    return np.vstack([label, row])


def grid(groups: Sequence[np.ndarray], *, columns: int) -> np.ndarray:
    """Arrange images of equal size row by row."""
    rows = [groups[i : i + columns] for i in range(0, len(groups) - len(groups) % columns, columns)]
    return np.vstack([np.hstack(row) for row in rows])


def save(image: np.ndarray, file: Path) -> None:
    """Write WebP, lossy but good."""
    Image.fromarray(image).save(file, quality=QUALITY, method=4)
