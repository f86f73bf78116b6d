"""Training speed against plain Lightning: `python -m benchmarks.training [--rounds N] [--images N] [--network NAME]`.

Both sides train the same network with the same batch, steps and optimiser on the same 512-px JPEG files, and test it
once, after the last step. The plain side is what a tutorial writes: `ImageFolder`, PIL, torchvision transforms, a
`DataLoader` with two workers, Lightning's defaults. Ours is `load_release` and `fit`. The sides alternate; the ratios
are medians over rounds. `run_ratio` compares runs, since a study decodes its release once for all runs;
`first_run_ratio` counts the decoding as well.
"""

from __future__ import annotations

import argparse
import json
import logging
import statistics
import sys
import tempfile
import time
import warnings
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import torch
from lightning.pytorch import LightningModule, Trainer, seed_everything
from torch import Tensor, nn
from torch.utils.data import DataLoader
from torchvision import transforms
from torchvision.datasets import ImageFolder

from pipeline.domain.arms import Arm
from pipeline.domain.studies import Network
from training.data.arm_data import available_arms
from training.data.release import load_release
from training.fit.classifier import warmed_cosine
from training.fit.fit import fit
from training.fit.networks import build_network
from training.fit.options import GivenOptions, TrainingOptions

_CLASSES = 10
_FILE_PX = 512
_WORKERS = 2
_STUDY_RUNS = 36  # 6 arms x 6 seeds, with the default number of steps


@dataclass(frozen=True, slots=True)
class Case:
    """A network at a size, and the ratio of images a second that is wanted at least."""

    network: Network
    side_px: int
    batch: int
    steps: int
    wanted: float


_CASES = (
    Case(Network.MOBILENET_V3, 64, 64, 300, 5.0),
    Case(Network.SMALL, 64, 64, 60, 0.95),
    Case(Network.RESNET18, 64, 64, 40, 0.95),
    Case(Network.RESNET18, 224, 32, 6, 2.5),
    Case(Network.LITE0, 128, 32, 12, 0.95),
)


def main(arguments: list[str] | None = None) -> int:
    """Write the files, time both sides in turns, and print one JSON line for each case."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.training", description=__doc__)
    parser.add_argument("--rounds", type=int, default=3, help="repeats of each case")
    parser.add_argument(
        "--images", type=int, default=80, help="training images of each class; a quarter for testing"
    )
    parser.add_argument(
        "--network", choices=sorted({str(case.network) for case in _CASES}), help="only this one"
    )
    options = parser.parse_args(arguments)
    warnings.filterwarnings("ignore")
    logging.getLogger("lightning.pytorch").setLevel(logging.ERROR)
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary) / "photos"
        _write_files(folder, options.images)
        for case in (case for case in _CASES if options.network in (None, str(case.network))):
            print(
                json.dumps({"benchmark": "training", **_measured(case, folder, options.rounds)}), flush=True
            )
    return 0


def _measured(case: Case, folder: Path, rounds: int) -> dict[str, object]:
    ours, first, plain, accuracies = [], [], [], []
    for seed in range(rounds):
        start = time.perf_counter()
        release = load_release(str(folder), None, side_px=case.side_px)
        available, _ = available_arms(release, [Arm("real")])
        hyper: GivenOptions = {"steps": case.steps, "batch": case.batch, "image_size": case.side_px}
        training = replace(TrainingOptions.for_network(case.network, hyper), curve_points=1)
        loaded = time.perf_counter()
        record = fit(release, available[0], training, seed=seed)
        end = time.perf_counter()
        seconds, plain_accuracy = _plain(case, training, folder, seed)
        ours.append(end - loaded)
        first.append(end - start)
        plain.append(seconds)
        accuracies.append((record.accuracy, plain_accuracy))
    images = case.steps * case.batch
    study_steps = TrainingOptions.for_network(case.network).steps * _STUDY_RUNS
    run_ratio = statistics.median(b / a for a, b in zip(ours, plain, strict=True))
    return {
        "network": str(case.network),
        "side_px": case.side_px,
        "images_per_second": round(images / statistics.median(ours), 1),
        "plain_images_per_second": round(images / statistics.median(plain), 1),
        "run_ratio": round(run_ratio, 2),
        "first_run_ratio": round(statistics.median(b / a for a, b in zip(first, plain, strict=True)), 2),
        "wanted": case.wanted,
        "is_reached": run_ratio >= case.wanted,
        "accuracy": [round(float(np.mean(side)), 3) for side in zip(*accuracies, strict=True)],
        "study_minutes": round(statistics.median(ours) / case.steps * study_steps / 60, 1),
    }


class _PlainModule(LightningModule):
    def __init__(self, network: nn.Module, options: TrainingOptions) -> None:
        super().__init__()
        self.network, self.options = network, options
        self.right = self.tested = 0

    def training_step(self, batch: tuple[Tensor, Tensor], _index: int) -> Tensor:
        images, labels = batch
        return nn.functional.cross_entropy(self.network(images), labels)

    def test_step(self, batch: tuple[Tensor, Tensor], _index: int) -> None:  # noqa: PT019
        images, labels = batch
        self.right += int((self.network(images).argmax(1) == labels).sum())
        self.tested += len(labels)

    def configure_optimizers(self) -> Any:
        options = self.options
        optimiser = torch.optim.AdamW(self.parameters(), lr=options.lr, weight_decay=options.weight_decay)
        schedule = torch.optim.lr_scheduler.LambdaLR(
            optimiser, lambda step: warmed_cosine(step, options.steps)
        )
        return {"optimizer": optimiser, "lr_scheduler": {"scheduler": schedule, "interval": "step"}}


def _network(network: Network) -> nn.Module:
    """Build what `fit` trains, but in the memory format that a tutorial leaves it in."""
    return build_network(network, _CLASSES).to(memory_format=torch.contiguous_format)


def _plain(case: Case, options: TrainingOptions, folder: Path, seed: int) -> tuple[float, float]:
    """Train as a tutorial would; return seconds and accuracy."""
    seed_everything(seed, workers=True, verbose=False)
    normalise = [transforms.ToTensor(), transforms.Normalize([0.5] * 3, [0.5] * 3)]
    shrink = transforms.Resize(case.side_px)
    shift = transforms.RandomCrop(case.side_px, padding=case.side_px // 16, padding_mode="reflect")
    train = ImageFolder(
        str(folder / "train"),
        transforms.Compose([shrink, transforms.RandomHorizontalFlip(), shift, *normalise]),
    )
    test = ImageFolder(str(folder / "test"), transforms.Compose([shrink, *normalise]))
    start = time.perf_counter()
    module = _PlainModule(_network(case.network), options)
    trainer = Trainer(
        max_steps=case.steps, max_epochs=-1, logger=False, enable_checkpointing=False, enable_progress_bar=False,
        enable_model_summary=False, devices=1,
    )  # fmt: skip
    loader = DataLoader(
        train, case.batch, shuffle=True, num_workers=_WORKERS, persistent_workers=True, drop_last=True
    )
    trainer.fit(module, loader)
    trainer.test(module, DataLoader(test, 256, num_workers=_WORKERS), verbose=False)
    return time.perf_counter() - start, module.right / module.tested


def _write_files(folder: Path, images: int) -> None:
    """Write photos of stripes: a class is an angle and a width, the colours are free."""
    rng = np.random.default_rng(0)
    y, x = np.mgrid[:_FILE_PX, :_FILE_PX].astype(np.float32)
    for label in range(_CLASSES):
        angle, period = np.pi * (label % 5) / 5, 40 + 50 * (label // 5)
        for split, count in (("train", images), ("test", images // 4)):
            place = folder / split / f"stripes {label}"
            place.mkdir(parents=True)
            for number in range(count):
                turned = angle + rng.normal(0, 0.12)
                wave = np.sin(
                    2 * np.pi * ((x * np.cos(turned) + y * np.sin(turned)) / period + rng.uniform())
                )
                colours = rng.uniform(20, 235, (2, 3))
                share = ((wave + 1) / 2)[..., None]
                photo = (
                    share * colours[0] + (1 - share) * colours[1] + rng.normal(0, 12, (_FILE_PX, _FILE_PX, 3))
                )
                cv2.imwrite(str(place / f"{number}.jpg"), np.clip(photo, 0, 255).astype(np.uint8))


if __name__ == "__main__":
    sys.exit(main())
