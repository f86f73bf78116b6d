from __future__ import annotations

from pathlib import Path

import pytest

from pipeline.errors import InvalidRequest
from pipeline.services.studies.files import is_at_work
from training.study.study_lock import study_lock


def test_the_studio_sees_the_lock_and_a_second_study_is_refused(tmp_path: Path) -> None:
    out = tmp_path / "runs" / "first"
    assert not is_at_work(out)
    with study_lock(out):
        (out / "study.json").write_text("{}")
        assert is_at_work(out)
        with (
            pytest.raises(InvalidRequest, match=r"another study is in progress in .*first; wait for it"),
            study_lock(out, patience_s=0),
        ):
            pytest.fail("two studies hold one folder")
        assert is_at_work(out)
    assert not is_at_work(out)
    with study_lock(out, patience_s=0):
        assert is_at_work(out)


def test_a_study_that_is_refused_at_once_leaves_no_folder(tmp_path: Path) -> None:
    out = tmp_path / "first"
    with pytest.raises(InvalidRequest, match="no data"), study_lock(out):
        raise InvalidRequest("no data")
    assert not out.exists()


def test_a_folder_that_cannot_be_made_is_refused_in_a_sentence(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(InvalidRequest, match="cannot be written"), study_lock(tmp_path / "file" / "out"):
        pytest.fail("it was made")
