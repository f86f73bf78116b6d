"""Networks of timm: built by name for the size of the images, and refused in one sentence."""

from __future__ import annotations

from pathlib import Path

import huggingface_hub.constants
import pytest
import timm
import torch

from pipeline.domain.arms import Arm
from pipeline.domain.studies import TimmNetwork
from pipeline.errors import InvalidRequest
from training.data.arm_data import ArmData, arm_data
from training.data.release import load_release
from training.fit import timm_networks
from training.fit.fit import fit
from training.fit.networks import build_network, check_network, precision_for
from training.fit.options import TrainingOptions
from training.fit.timm_networks import Rescaled, check_timm_network

pytestmark = pytest.mark.usefixtures("one_thread")
VIT = TimmNetwork("test_vit", pretrained=True)
IMAGENET = ((0.485, 0.456, 0.406), (0.229, 0.224, 0.225))


@pytest.fixture
def on_the_hub(monkeypatch: pytest.MonkeyPatch) -> dict[str, torch.Tensor]:
    """Weights for `test_resnet`, which the Hub has: all 0.5. The names of all files that were asked for."""
    weights = {
        name: torch.full_like(value, 0.5) if value.is_floating_point() else value
        for name, value in timm.create_model("test_resnet").state_dict().items()
    }
    monkeypatch.setattr("timm.models._builder.load_state_dict_from_hf", lambda *_, **__: dict(weights))
    timm_networks._pretrained.cache_clear()
    return weights


@pytest.fixture
def no_network(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Nothing is on this machine, and nothing can be downloaded."""
    monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_OFFLINE", True)
    monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_CACHE", str(tmp_path))
    timm_networks._pretrained.cache_clear()


@pytest.mark.parametrize("name", ["test_vit", "test_resnet", "mobilenetv3_small_050"])
def test_a_network_is_built_for_the_size_of_the_images(name: str) -> None:
    torch.manual_seed(0)
    network = TimmNetwork(name)
    check_network(TrainingOptions(network=network, image_size=32))
    assert build_network(network, 7, side_px=32)(torch.zeros(2, 3, 32, 32)).shape == (2, 7)


def test_pretrained_weights_are_kept_and_the_last_layer_follows_the_seed(
    on_the_hub: dict[str, torch.Tensor],
) -> None:
    network = TimmNetwork("test_resnet", pretrained=True)
    check_timm_network(network, 32)
    built = []
    for seed in (0, 1, 0):
        torch.manual_seed(seed)
        built.append(build_network(network, 7, side_px=32).state_dict())
    kept = [name for name in built[0] if "fc" not in name]
    assert len(kept) == len(on_the_hub) - 2
    assert all(torch.equal(built[0][name], on_the_hub[name.removeprefix("network.")]) for name in kept)
    assert built[0]["network.fc.weight"].shape[0] == 7
    assert not torch.equal(built[0]["network.fc.weight"], built[1]["network.fc.weight"])
    assert torch.equal(built[0]["network.fc.weight"], built[2]["network.fc.weight"])


def test_two_networks_built_from_the_same_weights_share_none(on_the_hub: dict[str, torch.Tensor]) -> None:
    network = TimmNetwork("test_resnet", pretrained=True)
    first, second = (build_network(network, 7, side_px=32) for _ in range(2))
    with torch.no_grad():
        for parameter in first.parameters():
            parameter.zero_()
    assert any(parameter.abs().sum() > 0 for parameter in second.parameters())


def test_images_have_the_mean_and_deviation_that_weights_expect() -> None:
    pixels = torch.rand((2, 3, 4, 4), generator=torch.Generator().manual_seed(0))
    rescaled = Rescaled(torch.nn.Identity(), *IMAGENET)(pixels * 2 - 1)
    mean, std = (torch.tensor(values).view(1, 3, 1, 1) for values in IMAGENET)
    assert torch.allclose(rescaled, (pixels - mean) / std, atol=1e-6)


def test_a_network_of_timm_learns_three_colours(full_release: Path) -> None:
    release = load_release(str(full_release), None, side_px=32)
    data = arm_data(release, Arm.REAL)
    assert isinstance(data, ArmData)
    options = TrainingOptions(network=TimmNetwork("test_resnet"), steps=16, batch=6, image_size=32)
    record = fit(release, data, options, seed=0, extra_images=release.test.images)
    assert record.balanced_accuracy > 0.6
    assert record.extra is not None
    assert record.extra.probabilities == pytest.approx(record.probabilities, abs=0.01)


def test_pretrained_networks_have_the_options_of_fine_tuning_and_others_those_from_nothing() -> None:
    pretrained = TrainingOptions.for_network(VIT, {"steps": 9})
    assert (pretrained.network, pretrained.steps, pretrained.lr, pretrained.image_size) == (VIT, 9, 3e-4, 128)
    nothing = TrainingOptions.for_network(TimmNetwork("test_vit"))
    assert (nothing.steps, nothing.lr, nothing.image_size) == (300, 2e-3, 64)
    assert nothing.values()["network"] == "timm/test_vit"


def test_the_precision_of_a_network_of_timm_is_known() -> None:
    assert precision_for(VIT) == ("bf16-mixed" if torch.cuda.is_available() else "32-true")


@pytest.mark.usefixtures("no_network")
def test_weights_that_cannot_be_downloaded_are_told_in_one_sentence() -> None:
    with pytest.raises(InvalidRequest) as refused:
        check_timm_network(VIT, 32)
    sentence = str(refused.value)
    assert sentence.startswith("the pretrained weights of 'timm/test_vit' cannot be loaded (")
    assert sentence.endswith(
        "; connect to the Hub once to download them, or train from nothing with --network timm/test_vit"
    )
    assert len(sentence.splitlines()) == 1


@pytest.mark.parametrize(
    ("network", "sentence"),
    [
        (TimmNetwork("resnet_18"), "has no network 'resnet_18'; near names: timm/resnet18, timm/"),
        (TimmNetwork("xyzxyz"), "has no network 'xyzxyz'; near names: none, timm.list_models() lists all"),
        (
            TimmNetwork("test_vit.nothing"),
            "has no network 'test_vit.nothing'; near names: timm/test_vit.r160_in1k",
        ),
        (
            TimmNetwork("resnet18_", pretrained=True),
            "has no network 'resnet18_'; near names: timm/resnet18, timm/",
        ),
        (
            TimmNetwork("resnet14t_x", pretrained=True),
            "has no network 'resnet14t_x'; near names: timm/resnet14t",
        ),
    ],
)
def test_a_name_that_timm_does_not_have_is_refused_with_near_ones(
    network: TimmNetwork, sentence: str
) -> None:
    with pytest.raises(InvalidRequest) as refused:
        check_timm_network(network, 32)
    assert sentence in str(refused.value)


def test_a_network_without_pretrained_weights_is_refused() -> None:
    without = sorted(set(timm.list_models()) - set(timm.list_models(pretrained=True, include_tags=False)))[0]
    with pytest.raises(
        InvalidRequest, match=f"timm has no pretrained weights for '{without}'; train it from"
    ):
        check_timm_network(TimmNetwork(without, pretrained=True), 32)


def test_a_size_that_a_network_cannot_take_is_refused() -> None:
    with pytest.raises(
        InvalidRequest,
        match=r"'timm/test_convnext' cannot classify images of 16 px \(RuntimeError: .*\); give",
    ):
        check_timm_network(TimmNetwork("test_convnext"), 16)
