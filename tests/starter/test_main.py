from pathlib import Path

import cv2
import pytest

from pipeline.starter.__main__ import main


def test_the_command_writes_class_folders_with_masks_of_the_same_names(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main([str(tmp_path), "--per-kind", "1", "--field", "2"]) == 0
    assert capsys.readouterr().out.startswith("5 rendered parts in ")
    for part_set in ("starter", "field"):
        images = {p.relative_to(tmp_path / part_set) for p in (tmp_path / part_set).glob("[!m]*/*.png")}
        masks = {
            p.relative_to(tmp_path / part_set / "masks") for p in (tmp_path / part_set).glob("masks/*/*.png")
        }
        assert images == masks
    assert cv2.imread(str(tmp_path / "starter/nut/nut-01.png")).shape == (192, 192, 3)


def test_a_folder_that_cannot_be_written_ends_with_one_sentence(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "starter").write_text("in the way")
    assert main([str(tmp_path), "--per-kind", "1", "--field", "0"]) == 1
    assert len(capsys.readouterr().err.strip().splitlines()) == 1
