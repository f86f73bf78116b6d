"""Several devices: processes of Lightning's DDP, on the CPU here."""

from multiprocessing import Pipe
from pathlib import Path

import pytest
import torch
from torch import nn

from pipeline.domain.arms import Arm
from pipeline.domain.studies import Network
from pipeline.errors import InvalidRequest
from training.data.arm_data import ArmData, arm_data
from training.data.datamodule import ArmDataModule
from training.data.release import Release, load_release
from training.fit import devices
from training.fit.classifier import Diverged, Point
from training.fit.devices import refuse_missing_devices
from training.fit.machine import run_settings
from training.fit.options import TrainingOptions
from training.fit.single import fit_to_folder

pytestmark = pytest.mark.usefixtures("one_thread")
# MobileNetV3 is trained in float32 on any CPU; the tests put a network without batch norm in its place
QUICK = TrainingOptions(network=Network.MOBILENET_V3, steps=4, batch=6, image_size=16)
SHARED = TrainingOptions(network=Network.MOBILENET_V3, steps=4, batch=6, image_size=16, devices=2)


@pytest.fixture
def release(full_release: Path) -> Release:
    return load_release(str(full_release), None, side_px=16)


def weights(folder: Path) -> dict[str, torch.Tensor]:
    state: dict[str, torch.Tensor] = torch.load(folder / "checkpoint.ckpt", weights_only=True)["state_dict"]
    return state


@pytest.mark.skipif(torch.cuda.device_count() == 1, reason="the processes would share one GPU")
def test_two_devices_end_with_the_weights_of_one(
    release: Release, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def linear(network: Network, classes: int, *, side_px: int) -> nn.Module:
        return nn.Sequential(nn.AdaptiveAvgPool2d(4), nn.Flatten(), nn.Linear(48, classes))

    monkeypatch.setattr("training.fit.fit.build_network", linear)
    points: list[Point] = []
    alone = fit_to_folder(release, Arm.REAL, QUICK, seed=0, out=tmp_path / "alone")
    shared = fit_to_folder(release, Arm.REAL, SHARED, seed=0, out=tmp_path / "shared", on_point=points.append)
    first, second = weights(tmp_path / "alone"), weights(tmp_path / "shared")
    assert first.keys() == second.keys()
    for name, tensor in first.items():
        torch.testing.assert_close(second[name], tensor, atol=1e-6, rtol=1e-5)
    torch.manual_seed(0)
    untrained = linear(Network.MOBILENET_V3, 3, side_px=16).state_dict()["2.weight"]
    assert (first["network.2.weight"] - untrained).abs().max() > 1e-3
    assert shared["confusion"] == alone["confusion"]
    assert [point.step for point in points] == [1, 2, 3, 4]
    assert sorted(path.name for path in (tmp_path / "shared").iterdir()) == [
        "checkpoint.ckpt",
        "curves.csv",
        "metrics.json",
        "settings.json",
    ]


def test_every_process_takes_its_part_of_the_same_batch(release: Release) -> None:
    class Trainer:
        current_epoch, world_size = 0, 2

        def __init__(self, rank: int) -> None:
            self.global_rank = rank

    data = arm_data(release, Arm.MIXED)
    assert isinstance(data, ArmData)
    batches = ArmDataModule(data, release.test, steps=1, batch_size=6, seed=0, interval=1)
    whole = batches.batch(0)
    parts = []
    for rank in (0, 1):
        batches.trainer = Trainer(rank)  # type: ignore[assignment]
        (part,) = batches.train_dataloader()
        parts.append(part)
    assert [len(labels) for _, labels in parts] == [3, 3]
    for place in (0, 1):
        assert torch.equal(torch.cat([part[place] for part in parts]), whole[place])


def test_one_device_leaves_the_settings_as_they_were() -> None:
    assert "devices" not in run_settings(QUICK)
    assert run_settings(SHARED)["devices"] == 2


@pytest.mark.parametrize(
    ("network", "batch", "count", "sentence"),
    [
        (
            Network.PROBE,
            64,
            2,
            "the probe takes seconds a run and is not shared by 2 devices; leave out --devices",
        ),
        (
            Network.SMALL,
            64,
            3,
            "a batch of 64 images cannot be divided among 3 devices; choose a --batch that",
        ),
        (Network.SMALL, 64, 65, "the number of devices is 65; it must be between 1 and 64"),
    ],
)
def test_devices_that_cannot_share_a_run_are_refused(
    network: Network, batch: int, count: int, sentence: str
) -> None:
    with pytest.raises(InvalidRequest, match=sentence):
        TrainingOptions(network=network, batch=batch, devices=count)


def test_more_devices_than_gpus_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 1)
    with pytest.raises(
        InvalidRequest, match=r"^2 devices are asked for and this machine has 1 GPU; lower --devices$"
    ):
        refuse_missing_devices(2)


def test_an_error_of_a_process_is_raised_after_the_points_before_it() -> None:
    receiver, sender = Pipe(duplex=False)
    point = Point(step=1, loss=0.5, accuracy=0.5, balanced_accuracy=0.5)
    sender.send(point)
    sender.send(Diverged("the loss is nan at step 2"))
    points: list[Point] = []
    with pytest.raises(Diverged, match="the loss is nan at step 2"):
        devices._hand_on(receiver, points.append)
    assert points == [point]
    receiver.close()
    sender.close()
