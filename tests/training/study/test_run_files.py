import json
from dataclasses import replace
from pathlib import Path

import numpy as np

from pipeline.domain.arms import Arm
from training.fit.fit import RunRecord
from training.fit.prediction import ExtraPredictions
from training.fit.run_folder import run_file
from training.study.run_files import RunFiles

PROBABILITIES = np.array([[0.25, 0.75]], np.float32)


def record(extra: ExtraPredictions | None) -> RunRecord:
    return RunRecord(
        arm=Arm.REAL, seed=3, accuracy=1.0, balanced_accuracy=1.0, per_class={"a": 1.0}, confusion=[[1]], curve=[],
        seconds=1.0, probabilities=PROBABILITIES, extra=extra,
    )  # fmt: skip


def test_predictions_for_further_images_are_kept_beside_those_for_the_test_photos(tmp_path: Path) -> None:
    RunFiles(tmp_path).write(
        record(ExtraPredictions(images="abc", probabilities=np.eye(2, dtype=np.float32)))
    )
    read = RunFiles(tmp_path).read(Arm.REAL, 3)
    assert read is not None
    assert read.extra is not None
    assert read.extra.images == "abc"
    assert np.array_equal(read.extra.probabilities, np.eye(2))
    assert np.array_equal(read.probabilities, PROBABILITIES)


def test_a_run_without_further_images_has_no_predictions_for_them(tmp_path: Path) -> None:
    RunFiles(tmp_path).write(record(None))
    read = RunFiles(tmp_path).read(Arm.REAL, 3)
    assert read is not None
    assert read.extra is None


def test_a_run_of_an_earlier_version_is_read(tmp_path: Path) -> None:
    RunFiles(tmp_path).write(record(None))
    np.savez_compressed(tmp_path / "real-3.npz", probabilities=PROBABILITIES)  # all that it held
    read = RunFiles(tmp_path).read(Arm.REAL, 3)
    assert read is not None
    assert (read.extra, read.seed) == (None, 3)


def test_arms_whose_names_differ_in_signs_alone_have_files_of_their_own(tmp_path: Path) -> None:
    files = RunFiles(tmp_path)
    names = ["mixed:10", "mixed%10", "mixed@10", "mixed@堆", "mixed@单"]
    for name in names:
        assert files.read(Arm(name), 3) is None
        files.write(replace(record(None), arm=Arm(name)))
    assert [read.arm for name in names if (read := files.read(Arm(name), 3))] == names


def test_a_run_under_the_name_of_an_earlier_version_is_that_of_its_own_arm_alone(tmp_path: Path) -> None:
    files = RunFiles(tmp_path)
    files.write(replace(record(None), arm=Arm("mixed:10")))
    for file in tmp_path.iterdir():
        file.rename(tmp_path / f"mixed~10-3{file.suffix}")
    assert files.read(Arm("mixed%10"), 3) is None
    assert files.read(Arm("mixed:10"), 3) is not None
    files.write(replace(record(None), arm=Arm("mixed:10")))
    assert len(list(tmp_path.iterdir())) == 2


def test_a_run_by_an_earlier_rule_of_shares_is_trained_again(tmp_path: Path) -> None:
    files = RunFiles(tmp_path)
    for name, is_kept in (("mixed%25", False), ("real%25", True), ("mixed", True)):
        files.write(replace(record(None), arm=Arm(name)))
        assert files.read(Arm(name), 3) is not None
        path = run_file(tmp_path, name, 3)
        fields = json.loads(path.read_text())
        del fields["share_rule"]  # as earlier versions wrote it
        path.write_text(json.dumps(fields))
        assert (files.read(Arm(name), 3) is not None) == is_kept
