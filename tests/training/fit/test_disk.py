"""Full disks, asked before a run and met in the middle of one."""

import resource
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import SimpleNamespace

import pytest
from torch import nn

from pipeline.domain.arms import Arm
from pipeline.domain.studies import Network
from pipeline.errors import InvalidRequest
from training.data.arm_data import ArmData, arm_data
from training.data.release import Release, load_release
from training.fit import disk
from training.fit.disk import SMALL_FILES, checkpoint_bytes, feature_bytes
from training.fit.features import FeatureCache, View
from training.fit.options import TrainingOptions
from training.fit.run_folder import write_text
from training.fit.single import fit_to_folder
from training.study.options import StudyOptions
from training.study.study import study

pytestmark = pytest.mark.usefixtures("one_thread")
QUICK = TrainingOptions(steps=10, batch=6, image_size=16)


@pytest.fixture
def release(full_release: Path) -> Release:
    return load_release(str(full_release), None, side_px=16)


def leave(monkeypatch: pytest.MonkeyPatch, free: int) -> None:
    monkeypatch.setattr(disk.shutil, "disk_usage", lambda path: SimpleNamespace(free=free))


@contextmanager
def files_up_to(size: int) -> Iterator[None]:
    """Let the system refuse to write larger files, as a full disk does in the middle of one."""
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, limits[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)


def test_a_checkpoint_holds_weights_and_moments_and_there_are_two_at_a_time() -> None:
    assert checkpoint_bytes(nn.Linear(9, 10)) == 2 * 3 * 4 * 100


def test_a_fit_that_would_not_fit_is_refused_before_anything_is_written(
    release: Release, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    leave(monkeypatch, SMALL_FILES - 1)
    with pytest.raises(
        InvalidRequest,
        match="run will need about 4 MB and 4 MB are free on its disk; free some space or choose",
    ):
        fit_to_folder(release, Arm.REAL, QUICK, seed=0, out=tmp_path / "run")
    assert not (tmp_path / "run").exists()


def test_a_checkpoint_that_would_not_fit_is_refused_before_training(
    release: Release, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    leave(monkeypatch, SMALL_FILES + 1_000_000)  # the small network needs 6 MB
    with pytest.raises(InvalidRequest, match="run will need about 10 MB and 5 MB are free"):
        fit_to_folder(release, Arm.REAL, QUICK, seed=0, out=tmp_path / "run")
    assert not (tmp_path / "run" / "checkpoint.ckpt").exists()


def test_a_study_that_would_not_fit_is_refused_before_anything_is_written(
    release: Release, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    leave(monkeypatch, 1000)
    with pytest.raises(InvalidRequest, match="study will need about 4 MB and 0 MB are free"):
        study(release, StudyOptions(arms=(Arm.REAL,), seeds=(0,), training=QUICK), out=tmp_path / "study")
    assert not (tmp_path / "study").exists()


def test_the_features_of_a_probe_count_in_the_folder_that_keeps_them(
    release: Release, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: dict[str, int] = {}
    monkeypatch.setattr(
        "training.study.disk.refuse_full_disk", lambda folder, size: asked.setdefault(folder.name, size)
    )
    monkeypatch.setattr("training.study.study.claim", lambda *_: (_ for _ in ()).throw(KeyboardInterrupt))
    probe = TrainingOptions(network=Network.PROBE, steps=10, batch=6, image_size=16)
    options = StudyOptions(arms=(Arm.REAL,), seeds=(0,), training=probe, features=tmp_path / "features")
    with pytest.raises(KeyboardInterrupt):
        study(release, options, out=tmp_path / "study")
    # 15 test photos, 18 photos and 21 samples once each, and the 18 photos in four views: 1280 float16 each
    assert asked["features"] == 2 * 1280 * (15 + 18 + 21 + 4 * 18)
    assert asked["study"] == SMALL_FILES + 4 * 15 * 3 + 4096


def test_features_that_are_kept_do_not_count_again(
    release: Release, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    data = arm_data(release, Arm.REAL)
    assert isinstance(data, ArmData)
    whole = feature_bytes(tmp_path, release, [data], strong=False)
    FeatureCache(tmp_path).features(release.test.images, View.PLAIN)
    kept = (tmp_path / "features-plain.npz").stat().st_size
    assert feature_bytes(tmp_path, release, [data], strong=False) == whole - kept > 0


def test_a_disk_that_becomes_full_in_the_middle_of_a_checkpoint_leaves_no_half_of_it(
    release: Release, tmp_path: Path
) -> None:
    with (
        files_up_to(200_000),
        pytest.raises(InvalidRequest, match=r"checkpoint.ckpt cannot be written: File too"),
    ):
        fit_to_folder(release, Arm.REAL, QUICK, seed=0, out=tmp_path / "run")
    assert sorted(path.name for path in (tmp_path / "run").iterdir()) == ["settings.json"]
    assert fit_to_folder(release, Arm.REAL, QUICK, seed=0, out=tmp_path / "run")["arm"] == "real"


def test_a_disk_that_becomes_full_leaves_the_earlier_version_of_a_file(tmp_path: Path) -> None:
    write_text(tmp_path / "report.md", "whole")
    with (
        files_up_to(1000),
        pytest.raises(InvalidRequest, match=r"report.md cannot be written: .*finished runs are kept"),
    ):
        write_text(tmp_path / "report.md", "x" * 5000)
    assert [path.name for path in tmp_path.iterdir()] == ["report.md"]
    assert (tmp_path / "report.md").read_text() == "whole"
