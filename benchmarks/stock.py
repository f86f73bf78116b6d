"""Images of the embedded model against stock diffusers, and what a run spends outside the networks.

`python -m benchmarks.stock`: one JSON line; with `--run-only` only the run. The stock side calls the unchanged
inpainting pipeline once for each image, with its prompt as text and PIL images, as the documentation of diffusers does,
with the same weights, precision, seeds, steps and inputs; both sides alternate in one process. The run renders a stored
plan into a library, as `generate` does, and the time inside the UNet and the VAE is taken by hooks on them: by the
clock, and as processor time of all threads, which depends less on what else the machine does.
"""

from __future__ import annotations

import argparse
import json
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from PIL import Image

from benchmarks.generation import BATCH, MODEL, Checked, photo, render, specs
from pipeline.domain.images import RGB
from pipeline.domain.placement import Cutout, place
from pipeline.domain.spec import SampleSpec
from pipeline.rendering import load, model_facts
from pipeline.rendering.checkpoints import checkpoint
from pipeline.rendering.composite import composite, repaint_mask
from pipeline.rendering.device import hardware
from pipeline.rendering.families.sdxl.pipelines import Pipelines
from pipeline.services.plans.planning import Overrides
from pipeline.settings import Settings
from pipeline.studio import Studio

_SIZES = (128, 256)
_ROUNDS = 5
_IMAGES = 200
_GREY = 127


class _Images(Checked):
    """Keeps the images of the product's side, too."""

    def __init__(self, cutout: Cutout) -> None:
        super().__init__(cutout)
        self.images: dict[str, RGB] = {}

    def take(self, spec: SampleSpec, sample: Any) -> None:
        super().take(spec, sample)
        self.images[spec.id] = sample.image


def stock(to_render: Sequence[SampleSpec], pipelines: Pipelines, cutout: Cutout) -> dict[str, RGB]:
    """Render specs with one call of the pipeline each; return the images, (H, W, 3) uint8, by spec id."""
    images = {}
    for spec in to_render:
        layer = place([cutout], [placed.placement for placed in spec.objects], spec.size).layer
        mask = repaint_mask(layer, inset_px=pipelines.vae_scale_factor // 2)
        drawn = pipelines.inpaint(
            prompt=spec.prompt,
            image=Image.fromarray(composite(layer, np.full((*spec.size, 3), _GREY, np.uint8))),
            mask_image=Image.fromarray(mask),
            height=spec.size[0],
            width=spec.size[1],
            num_inference_steps=spec.steps,
            guidance_scale=spec.guidance_scale,
            guidance_rescale=model_facts(MODEL).guidance_rescale,
            strength=checkpoint(MODEL).strength,
            generator=torch.Generator("cpu").manual_seed(spec.seed),
        ).images[0]
        images[spec.id] = composite(layer, np.asarray(drawn))
    return images


def stock_gain(size: int, pipelines: Pipelines) -> dict[str, float]:
    """Measure how many times sooner a batch is done than with one stock call an image, and how far pixels differ."""
    cutout = photo()
    gains, differences = [], []
    for turn in range(_ROUNDS + 1):
        batch = [replace(spec, size=(size, size)) for spec in specs(BATCH, first=BATCH * turn)]
        ours = _Images(cutout)
        ours_s = render(batch, BATCH, ours, cutout)
        started = time.perf_counter()
        theirs = stock(batch, pipelines, cutout)
        gains.append((time.perf_counter() - started) / ours_s)
        differences += [np.abs(theirs[key].astype(int) - ours.images[key]).mean() for key in theirs]
    return {
        f"stock_gain_{size}": round(statistics.median(gains[1:]), 2),  # the first chooses its kernels
        f"stock_mean_difference_{size}": round(statistics.median(differences), 3),  # grey levels
    }


@dataclass(slots=True)
class _Spent:
    """Time, by the clock and of the processor, in seconds."""

    clock_s: float = 0.0
    cpu_s: float = 0.0

    @contextmanager
    def taken(self) -> Iterator[None]:
        """Add what the body takes."""
        clock, cpu = time.perf_counter(), time.process_time()
        try:
            yield
        finally:
            self.clock_s += time.perf_counter() - clock
            self.cpu_s += time.process_time() - cpu


@contextmanager
def _timed(modules: Sequence[tuple[Any, str]], spent: _Spent) -> Iterator[None]:
    """Add the time of each call of these methods."""
    originals = [(module, name, getattr(module, name)) for module, name in modules]
    for module, name, original in originals:
        setattr(module, name, _timer(original, spent))
    try:
        yield
    finally:
        for module, name, _ in originals:
            delattr(module, name)


def _timer(function: Callable[..., Any], spent: _Spent) -> Callable[..., Any]:
    def timed(*given: Any, **named: Any) -> Any:
        with spent.taken():
            return function(*given, **named)

    return timed


def share_outside_networks(count: int) -> dict[str, float]:
    """Render a plan of `count` images of the starter set into a library; measure the share outside UNet and VAE."""
    generator: Any = load(MODEL)
    pipeline = generator._pipelines.inpaint
    networks = [(pipeline.unet, "forward"), (pipeline.vae, "encode"), (pipeline.vae, "decode")]
    inside, whole = _Spent(), _Spent()
    with tempfile.TemporaryDirectory() as folder:
        settings = Settings(library=Path(folder) / "library", releases=Path(folder), runs=Path(folder))
        with Studio(settings) as studio:
            studio.photos.import_source("starter", split="train")
            studio.samples.generate(None, Overrides(count=BATCH))  # the first batch chooses its kernels
            with _timed(networks, inside), whole.taken():
                report = studio.samples.generate(None, Overrides(count=count, seed=1))
    return {
        "run_images": report.rendered,
        "run_s_per_image": round(whole.clock_s / report.rendered, 3),
        "run_outside_networks_percent": round(100 * (1 - inside.clock_s / whole.clock_s), 1),
        "run_outside_networks_cpu_percent": round(100 * (1 - inside.cpu_s / whole.cpu_s), 1),
    }


def main() -> None:
    """Print one JSON line."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--images", type=int, default=_IMAGES, help="of the run (default: %(default)s)")
    parser.add_argument("--run-only", action="store_true", help="measure only the run")
    arguments = parser.parse_args()
    figures: dict[str, float] = {}
    sizes = () if arguments.run_only else _SIZES
    if sizes:
        pipelines = Pipelines(checkpoint(MODEL), hardware(half=False))
        for size in sizes:
            figures |= stock_gain(size, pipelines)
    figures |= share_outside_networks(arguments.images)
    holds = {f"stock_gain_{size} >= 2": figures[f"stock_gain_{size}"] >= 2 for size in sizes}
    holds["run_outside_networks_percent <= 8"] = figures["run_outside_networks_percent"] <= 8
    print(json.dumps({"benchmark": "stock", "batch": BATCH, **figures, "holds": holds}))


if __name__ == "__main__":
    main()
