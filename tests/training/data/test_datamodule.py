from pathlib import Path

import numpy as np
import torch

from pipeline.domain.arms import Arm
from training.data.arm_data import ArmData, arm_data
from training.data.datamodule import ArmDataModule, balanced_order
from training.data.images import LabelledImages
from training.data.release import load_release


def images_of(labels: list[int], origins: list[str]) -> LabelledImages:
    count = len(labels)
    return LabelledImages(
        images=np.zeros((count, 4, 4, 3), np.uint8),
        labels=np.array(labels),
        origins=np.array(origins),
        methods=np.array(["photo"] * count),
        recipes=np.array([""] * count),
        sources=np.array([f"photo {number}" for number in range(count)]),
        all_sources=np.array([f"photo {number}" for number in range(count)]),
    )


def test_every_batch_shows_the_classes_in_equal_shares() -> None:
    held = images_of([0] * 9 + [1], ["real"] * 10)
    drawn = held.labels[balanced_order(held.labels, held.origins, count=40, seed=0)]
    assert np.bincount(drawn).tolist() == [20, 20]


def test_mixed_batches_are_half_real_and_half_synthetic_in_every_class() -> None:
    held = images_of([0, 0, 0, 0, 1, 1], ["real", "synthetic", "synthetic", "synthetic", "real", "synthetic"])
    drawn = held.origins[balanced_order(held.labels, held.origins, count=24, seed=3)]
    assert (drawn == "real").sum() == 12


def test_a_ratio_holds_in_every_class() -> None:
    held = images_of([0, 0, 0, 1, 1], ["real", "synthetic", "synthetic", "real", "synthetic"])
    order = balanced_order(held.labels, held.origins, count=60, seed=3, synthetic_for_each_real=2.0)
    for label in (0, 1):
        of_class = held.origins[order][held.labels[order] == label]
        assert [(of_class == origin).sum() for origin in ("real", "synthetic")] == [10, 20]


def test_fine_tuning_shows_synthetic_images_first_and_then_photos(full_release: Path) -> None:
    release = load_release(str(full_release), None, side_px=16)
    data = arm_data(release, Arm.FINE_TUNED)
    assert isinstance(data, ArmData)
    module = ArmDataModule(data, release.test, steps=5, batch_size=4, seed=0, interval=5)
    origins = data.images.origins[module.order].reshape(5, 4)
    assert (origins[:3] == "synthetic").all()
    assert (origins[3:] == "real").all()


def test_every_image_is_shown_once_before_any_is_shown_again() -> None:
    held = images_of([0] * 5 + [1] * 5, ["real"] * 10)
    assert sorted(balanced_order(held.labels, held.origins, count=10, seed=1).tolist()) == list(range(10))


def test_a_batch_depends_on_the_seed_and_the_step_alone(full_release: Path) -> None:
    release = load_release(str(full_release), None, side_px=16)
    data = arm_data(release, Arm.REAL_AUGMENTED)
    assert isinstance(data, ArmData)

    def module(seed: int) -> ArmDataModule:
        return ArmDataModule(data, release.test, steps=6, batch_size=4, seed=seed, interval=2)

    torch.manual_seed(1)
    images, labels = module(0).batch(5)
    torch.manual_seed(2)
    again, labels_again = module(0).batch(5)
    assert torch.equal(images, again)
    assert torch.equal(labels, labels_again)
    assert torch.allclose(labels.sum(dim=1), torch.ones(4))  # CutMix: shares of the classes
    assert not torch.equal(images, module(1).batch(5)[0])
    assert (images.shape, images.dtype) == ((4, 3, 16, 16), torch.float32)
    assert -1.0 <= images.min() < images.max() <= 1.0
