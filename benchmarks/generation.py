"""Images of the embedded model: seconds and operations per image, gain of a batch, memory, exactness of objects.

`python -m benchmarks.generation`: one JSON line. Singles and batches of four alternate in one process, so that the
ratio holds on a busy machine too, and so do starts from noise and from a picture; memory is the peak of a process of
its own for each number of samples.
"""

from __future__ import annotations

import argparse
import json
import resource
import statistics
import subprocess
import sys
import time
from collections.abc import Sequence

import numpy as np
from torch.utils.flop_counter import FlopCounterMode

from pipeline.domain.images import RGB
from pipeline.domain.look import StartSpec
from pipeline.domain.placement import Cutout, Placement, box_centre, object_box, warp
from pipeline.domain.spec import ControlSpec, Method, ObjectSpec, SampleSpec
from pipeline.rendering import load, model_facts
from pipeline.rendering.runner import RenderedSample, render_specs

MODEL = "nano"
BATCH = 4
_PHOTO_PX = 192
_ROUNDS = 5
_FEW, _MANY = 20, 200
_MEMORY_STEPS = 2  # peak memory does not depend on the number of steps
_START_STEPS, _STRENGTH = 16, 0.4
_PICTURE = "picture"
_SURFACES = (
    "gravel floor",
    "grass seen from above",
    "red bricks wall",
    "wooden planks floor",
    "snow, soft light",
)


def photo() -> Cutout:
    """Draw a soft-edged disc of coloured noise, as a cut-out."""
    rng = np.random.default_rng(0)
    rows, columns = np.indices((_PHOTO_PX, _PHOTO_PX)) - _PHOTO_PX / 2
    edge = _PHOTO_PX / 3 - np.hypot(rows, columns)
    alpha = (np.clip(edge / 3 + 0.5, 0, 1) * 255).round().astype(np.uint8)
    return Cutout(rgb=rng.integers(0, 256, (_PHOTO_PX, _PHOTO_PX, 3), dtype=np.uint8), alpha=alpha)


def specs(
    count: int,
    *,
    steps: int | None = None,
    first: int = 0,
    method: Method = Method.INPAINT,
    start: StartSpec | None = None,
) -> list[SampleSpec]:
    """Build `count` specs for the embedded model, each with its own pose, prompt and seed."""
    facts = model_facts(MODEL)
    return [
        SampleSpec(
            label="disc",
            objects=(
                ObjectSpec(
                    photo_id="photo",
                    cutout_id="photo",
                    placement=Placement(rotation=float(seed * 37 % 360), yaw=float(seed % 5 * 10), scale=0.5),
                ),
            ),
            prompt=_SURFACES[seed % len(_SURFACES)],
            negative_prompt=None,
            slots=(),
            method=method,
            model=facts.name,
            revision=facts.revision,
            size=(facts.size, facts.size),
            steps=steps or facts.steps,
            guidance_scale=facts.guidance_scale,
            seed=seed,
            control=ControlSpec() if method.facts.needs_control else None,
            start=start,
            backdrop_id=_PICTURE if start else None,
        )
        for seed in range(first, first + count)
    ]


class Checked:
    """Compares finished samples with the warped photo under the mask; keeps only the greatest difference."""

    def __init__(self, cutout: Cutout) -> None:
        self._cutout = cutout
        self.samples = 0
        self.greatest = 0

    def take(self, spec: SampleSpec, sample: RenderedSample) -> None:
        """Compare one sample with the photo, warped once more from its stored matrix, where it shows the photo."""
        if not spec.method.facts.places_object:
            return
        at = box_centre(object_box(self._cutout.alpha))
        warped = warp(self._cutout.rgb, np.array(sample.facts.homographies[0]), spec.size, at=at)
        opaque = sample.layer.alpha == 255
        difference = np.abs(sample.image[opaque].astype(int) - warped[opaque])
        self.samples += 1
        self.greatest = max(self.greatest, int(difference.max(initial=0)))


def render(to_render: Sequence[SampleSpec], batch_size: int, checked: Checked, cutout: Cutout) -> float:
    """Render specs and return the seconds."""

    def refuse(_spec: SampleSpec, sentence: str) -> None:
        raise RuntimeError(sentence)

    def no_image(_id: str) -> RGB:
        raise AssertionError("inpainting asks for no other image")

    picture = np.random.default_rng(1).integers(0, 256, (_PHOTO_PX, _PHOTO_PX, 3), dtype=np.uint8)

    started = time.perf_counter()
    render_specs(
        to_render,
        load_cutout=lambda _id: cutout,
        load_scene=no_image,
        load_image=lambda _id: picture,
        generator_for=load,
        batch_size=batch_size,
        on_sample=checked.take,
        on_failure=refuse,
    )
    return time.perf_counter() - started


def speed() -> dict[str, float]:
    """Measure the median seconds per image alone and in batches of four, alternating."""
    cutout = photo()
    checked = Checked(cutout)
    started = time.perf_counter()
    render(specs(1), 1, checked, cutout)
    first_s = time.perf_counter() - started
    render(specs(BATCH), BATCH, checked, cutout)  # the first batch chooses its kernels
    single, batch = [], []
    for turn in range(_ROUNDS):
        turn_specs = specs(BATCH, first=BATCH * turn)
        single.append(render(turn_specs, 1, checked, cutout) / BATCH)
        batch.append(render(turn_specs, BATCH, checked, cutout) / BATCH)
    return {
        "first_picture_with_loading_s": round(first_s, 2),
        "single_s": round(statistics.median(single), 3),
        "batch_of_4_s": round(statistics.median(batch), 3),
        "batch_gain": round(statistics.median(a / b for a, b in zip(single, batch, strict=True)), 2),
        "greatest_difference_under_mask": checked.greatest,
        "samples_compared": checked.samples,
    }


def start_gain() -> dict[str, float]:
    """Measure how much sooner a batch is done that starts from a picture at strength 0.4 than one from noise."""
    cutout = photo()
    checked = Checked(cutout)
    begun = StartSpec(strength=_STRENGTH, detail=1 - _STRENGTH)
    gains = []
    for turn in range(_ROUNDS + 1):
        noise, picture = (
            render(specs(BATCH, steps=_START_STEPS, first=BATCH * turn, start=start), BATCH, checked, cutout)
            for start in (None, begun)
        )
        gains.append(noise / picture)
    return {
        f"start_{_STRENGTH}_gain": round(statistics.median(gains[1:]), 2),  # the first chooses its kernels
        "start_greatest_difference_under_mask": checked.greatest,
    }


def gigaflops() -> dict[str, float]:
    """Count the floating-point operations of one image of each generating method, in 10⁹; a multiply-add counts as two.

    `paste` runs no network, so that it has none.
    """
    counts = {}
    for method in (method for method in Method if method.facts.needs_prompt):
        cutout = photo()
        with FlopCounterMode(display=False) as counter:
            render(specs(1, method=method), 1, Checked(cutout), cutout)
        counts[str(method)] = round(counter.get_total_flops() / 1e9, 1)
    return counts


def peak_mib(count: int) -> float:
    """Return the peak memory of this process after rendering `count` samples in batches."""
    cutout = photo()
    render(specs(count, steps=_MEMORY_STEPS), BATCH, Checked(cutout), cutout)
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def _in_child(count: int) -> float:
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks.generation", "--peak-of", str(count)],
        check=True,
        capture_output=True,
        text=True,
    )
    return float(done.stdout)


def main() -> None:
    """Print one JSON line, or the peak memory of one child."""
    parser = argparse.ArgumentParser()
    parser.add_argument(
        "--peak-of", type=int, help="print the peak MiB of rendering so many samples, and end"
    )
    count = parser.parse_args().peak_of
    if count is not None:
        print(peak_mib(count))
        return
    few, many = _in_child(_FEW), _in_child(_MANY)
    facts = model_facts(MODEL)
    times = {**speed(), **start_gain()}
    holds = {
        "single_s <= 2": times["single_s"] <= 2,
        "batch_gain >= 1.4": times["batch_gain"] >= 1.4,
        "peak_ratio <= 1.2": many / few <= 1.2,
        "start_0.4_gain >= 1.8": times["start_0.4_gain"] >= 1.8,
        "greatest_difference_under_mask == 0": times["greatest_difference_under_mask"] == 0
        and times["start_greatest_difference_under_mask"] == 0,
    }
    figures = {
        "benchmark": "generation",
        "model": f"{facts.name} {facts.revision}",
        "size": facts.size,
        "steps": facts.steps,
        **times,
        "gigaflops_per_image": gigaflops(),
        f"peak_mib_{_FEW}": round(few),
        f"peak_mib_{_MANY}": round(many),
        "peak_ratio": round(many / few, 3),
        "holds": holds,
    }
    print(json.dumps(figures))


if __name__ == "__main__":
    main()
