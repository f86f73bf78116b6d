import json
from pathlib import Path

import pytest

from pipeline.errors import InvalidRequest
from training.arms import Arm
from training.fit import RunRecord
from training.options import TrainingOptions
from training.release import Release, load_release
from training.study import study

pytestmark = pytest.mark.usefixtures("one_thread")
QUICK = TrainingOptions(steps=10, batch=6, image_size=16)
ARMS = [Arm.REAL, Arm.MIXED, Arm.SDXL]


@pytest.fixture
def release(full_release: Path) -> Release:
    return load_release(str(full_release), None, side_px=16)


def progress(out: Path) -> list[dict]:
    return [json.loads(line) for line in (out / "progress.jsonl").read_text().splitlines()]


def test_a_study_writes_its_verdict_as_json_markdown_and_html(release: Release, tmp_path: Path) -> None:
    found = study(release, arms=ARMS, seeds=[0, 1], options=QUICK, out=tmp_path)
    assert json.loads((tmp_path / "study.json").read_text()) == found
    assert found["finding"] == "too_few_seeds"
    assert [arm["arm"] for arm in found["arms"]] == ["real", "mixed"]
    assert len(found["arms"][0]["balanced_accuracy"]["values"]) == 2
    assert found["comparisons"][0]["smallest_p"] == 0.5
    markdown, page = ((tmp_path / name).read_text() for name in ("report.md", "report.html"))
    assert found["verdict"].replace("<", "&lt;") in markdown
    assert "fewer than six seeds can never reach p &lt; 0.05" in page
    for report in (markdown, page):
        assert "Prompt alone" in report
        assert "the release has no training pictures of method text_to_image" in report


def test_every_run_can_be_followed_while_it_trains(release: Release, tmp_path: Path) -> None:
    study(release, arms=ARMS, seeds=[4], options=QUICK, out=tmp_path)
    lines = progress(tmp_path)
    assert [line["event"] for line in lines] == (
        ["start", "skipped", *["point"] * 10, "finished", *["point"] * 10, "finished", "verdict"]
    )
    assert [(line["done"], line["total"]) for line in lines if line["event"] == "finished"] == [
        (1, 2),
        (2, 2),
    ]
    assert lines[0]["arms"] == ["real", "mixed"]
    assert {line["first_seed"] for line in lines if line["event"] == "point"} == {4}
    assert lines[2]["step"] == 1
    assert 0.0 <= lines[2]["balanced_accuracy"] <= 1.0


def test_a_stopped_study_repeats_no_finished_run(
    release: Release, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    trained: list[tuple[Arm, int]] = []
    real_fit = study.__globals__["fit"]

    def counted(*arguments: object, **options: object) -> RunRecord:
        if len(trained) == 3:
            raise KeyboardInterrupt
        record = real_fit(*arguments, **options)
        trained.append((record.arm, record.seed))
        return record

    monkeypatch.setitem(study.__globals__, "fit", counted)
    with pytest.raises(KeyboardInterrupt):
        study(release, arms=ARMS, seeds=[0, 1], options=QUICK, out=tmp_path)
    assert trained == [(Arm.REAL, 0), (Arm.MIXED, 0), (Arm.REAL, 1)]
    assert not (tmp_path / "study.json").exists()
    trained.clear()
    found = study(release, arms=ARMS, seeds=[0, 1], options=QUICK, out=tmp_path)
    assert trained == [(Arm.MIXED, 1)]
    lines = progress(tmp_path)
    assert sum(line["event"] == "point" for line in lines) == 40
    assert sum(line["event"] == "finished" for line in lines) == 4
    assert found["seeds"] == [0, 1]


def test_more_seeds_and_arms_may_be_added_later(release: Release, tmp_path: Path) -> None:
    study(release, arms=[Arm.REAL], seeds=[0], options=QUICK, out=tmp_path)
    kept = (tmp_path / "runs" / "real-0.json").stat().st_mtime_ns
    found = study(release, arms=[Arm.REAL, Arm.PASTE], seeds=[0, 1], options=QUICK, out=tmp_path)
    assert (tmp_path / "runs" / "real-0.json").stat().st_mtime_ns == kept
    assert sorted(path.name for path in (tmp_path / "runs").iterdir()) == [
        "paste-0.json",
        "paste-1.json",
        "real-0.json",
        "real-1.json",
    ]
    assert found["comparisons"][0]["of"] == 2


def test_runs_of_other_settings_are_never_mixed_in(release: Release, tmp_path: Path) -> None:
    study(release, arms=[Arm.REAL], seeds=[0], options=QUICK, out=tmp_path)
    before = (tmp_path / "progress.jsonl").read_bytes()
    longer = TrainingOptions(steps=12, batch=6, image_size=16)
    with pytest.raises(InvalidRequest, match=r"holds a run with other settings \(steps was 10, now 12\)"):
        study(release, arms=[Arm.REAL], seeds=[0], options=longer, out=tmp_path)
    assert (tmp_path / "progress.jsonl").read_bytes() == before


@pytest.mark.parametrize("seeds", [[], list(range(17)), [1, 1]])
def test_a_number_of_seeds_that_cannot_be_judged_is_refused(
    release: Release, tmp_path: Path, seeds: list[int]
) -> None:
    with pytest.raises(InvalidRequest, match=r"number of seeds is \d+; it must lie in 1 to 16"):
        study(release, arms=ARMS, seeds=seeds, options=QUICK, out=tmp_path / "out")
    assert not (tmp_path / "out").exists()
