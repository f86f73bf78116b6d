"""Two studies compared, on toy studies whose runs are written by hand."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from pipeline.errors import InvalidRequest
from tests.toy_studies import PHOTOS, right, write_study
from training.cli import main
from training.fit.run_folder import run_file
from training.study.compare import compare_studies

EVEN = [0.6, 0.55, 0.65, 0.6, 0.5, 0.6]
AHEAD = [0.9, 0.85, 0.9, 0.95, 0.85, 0.9]


def test_an_arm_that_is_ahead_in_every_common_seed_is_claimed_and_the_others_are_not(tmp_path: Path) -> None:
    a = write_study(tmp_path / "a", {"real": right(*EVEN), "mixed": right(*EVEN)})
    b = write_study(tmp_path / "b", {"real": right(*EVEN), "mixed": right(*AHEAD)})
    comparison = compare_studies(a, b)
    real, mixed = comparison.arms
    assert mixed.difference == pytest.approx(np.mean(AHEAD) - np.mean(EVEN))
    assert mixed.tested is not None
    assert (mixed.tested.better_in, mixed.tested.of) == (6, 6)
    assert mixed.tested.p == pytest.approx(2 / 2**6)  # of the sign flips; that over photos is lower
    assert mixed.tested.low < mixed.difference < mixed.tested.high
    assert mixed.tested.significant
    assert real.tested is not None
    assert (real.difference, real.tested.p, real.tested.significant) == (0.0, 1.0, False)
    assert comparison.sentence == (
        "B is better with Real + synthetic (+30.8 points). No significant difference with the other arm. "
        "Both were tested on the same 40 photos with the same 6 seeds."
    )
    backwards = compare_studies(b, a)
    assert backwards.sentence.startswith("B is worse with Real + synthetic (-30.8 points).")


def test_the_photos_are_matched_whatever_order_they_were_read_in(tmp_path: Path) -> None:
    order = np.random.default_rng(0).permutation(len(PHOTOS)).tolist()
    a = write_study(tmp_path / "a", {"mixed": right(*EVEN)})
    same = compare_studies(a, write_study(tmp_path / "b", {"mixed": right(*AHEAD)}))
    shuffled = compare_studies(a, write_study(tmp_path / "c", {"mixed": right(*AHEAD)}, order=order))
    assert shuffled.arms[0].tested == same.arms[0].tested


def test_other_test_photos_give_a_difference_without_a_test(tmp_path: Path) -> None:
    a = write_study(tmp_path / "a", {"mixed": right(*EVEN)})
    b = write_study(tmp_path / "b", {"mixed": right(*AHEAD)}, photos=["f" * 16, *PHOTOS[1:]])
    comparison = compare_studies(a, b)
    assert comparison.sentence == (
        "The studies were tested on different photos (40 and 40, 39 of them the same), so a difference may come from "
        "the photos, and there is no test."
    )
    assert comparison.arms[0].tested is None
    assert comparison.arms[0].difference == pytest.approx(np.mean(AHEAD) - np.mean(EVEN))


def test_a_study_that_does_not_tell_its_photos_or_lost_a_run_is_compared_without_a_test(
    tmp_path: Path,
) -> None:
    a = write_study(tmp_path / "a", {"mixed": right(*EVEN)})
    b = write_study(tmp_path / "b", {"mixed": right(*AHEAD)})
    (b / "runs" / "mixed-3.npz").write_bytes(b"half")
    assert compare_studies(a, b).sentence.startswith("The predictions of mixed in b are missing or damaged")
    (b / "test_photos.json").unlink()
    comparison = compare_studies(a, b)
    assert comparison.sentence.startswith("An earlier version did not write down which photos were tested")
    assert comparison.arms[0].tested is None


def test_only_common_seeds_are_paired_and_fewer_than_six_claim_nothing(tmp_path: Path) -> None:
    a = write_study(tmp_path / "a", {"mixed": right(*EVEN)}, seeds=range(6))
    b = write_study(tmp_path / "b", {"mixed": right(*AHEAD)}, seeds=range(3, 9))
    comparison = compare_studies(a, b)
    assert comparison.sentence.startswith("Too few seeds for a conclusion: a claim needs 6 common ones.")
    assert comparison.arms[0].difference == pytest.approx(np.mean(AHEAD[:3]) - np.mean(EVEN[3:]))
    c = write_study(tmp_path / "c", {"mixed": right(*AHEAD)}, seeds=range(5, 11))
    assert compare_studies(a, c).sentence.startswith("The studies have fewer than two seeds in common")


def test_arms_of_one_study_alone_and_other_settings_are_named(tmp_path: Path) -> None:
    a = write_study(tmp_path / "a", {"real": right(*EVEN), "paste": right(*EVEN)})
    settings = {"network": "resnet18", "steps": 300, "lr": 0.002, "devices": 2}
    b = write_study(tmp_path / "b", {"mixed": right(*EVEN)}, settings=settings)
    comparison = compare_studies(a, b)
    assert [[arm.arm for arm in arms] for arms in comparison.only] == [["real", "paste"], ["mixed"]]
    assert comparison.arms == ()
    assert comparison.sentence == "The studies have no arm in common."
    assert comparison.differences == (("network", "small", "resnet18"), ("devices", "–", "2"))


def test_another_rule_of_which_images_belong_to_a_share_is_named(tmp_path: Path) -> None:
    arms = {"real": right(*EVEN), "mixed%50": right(*EVEN)}
    a, b, c = (write_study(tmp_path / name, arms) for name in "abc")
    d = write_study(tmp_path / "d", {"real": right(*EVEN)})
    for folder, rule in ((a, {}), (b, {"share_rule": 2}), (c, {"share_rule": 2})):
        for arm in arms:
            for seed in range(len(EVEN)):
                run_file(folder / "runs", arm, seed).write_text(json.dumps({"arm": arm, **rule}))
    assert compare_studies(a, b).differences == (
        ("images of a share by", "the photo of the front object", "the photos of all objects"),
    )
    assert compare_studies(b, c).differences == compare_studies(a, d).differences == ()


def test_a_folder_without_a_study_and_the_same_folder_twice_are_refused(tmp_path: Path) -> None:
    a = write_study(tmp_path / "a", {"real": right(*EVEN)})
    with pytest.raises(InvalidRequest, match="b holds no finished study; name the --out folder"):
        compare_studies(a, tmp_path / "b")
    with pytest.raises(InvalidRequest, match="is compared with itself; name two studies"):
        compare_studies(a, tmp_path / "x" / ".." / "a")


def test_the_command_prints_json_writes_a_page_and_loads_no_torch(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    a = write_study(tmp_path / "a", {"real": right(*EVEN)})
    b = write_study(tmp_path / "b", {"real": right(*AHEAD)})
    page = tmp_path / "both.html"
    assert main(["compare", str(a), str(b), "--out", str(page), "--json"]) == 0
    answer = json.loads(capsys.readouterr().out)
    assert answer["arms"][0]["test"]["significant"] is True
    assert answer["arms"][0]["difference"] == pytest.approx(np.mean(AHEAD) - np.mean(EVEN))
    assert "B is better" in page.read_text()
    assert main(["compare", str(a), str(tmp_path / "c")]) == 1
    assert capsys.readouterr().err.startswith(f"backlot: {tmp_path / 'c'} holds no finished study")
    code = "import sys; from training.cli import main; main(sys.argv[1:]); print('torch' in sys.modules)"
    shown = subprocess.run(
        [sys.executable, "-c", code, "compare", str(a), str(b)], capture_output=True, text=True, check=True
    )
    assert shown.stdout.splitlines()[-1] == "False"
    assert "+30.8 (" in shown.stdout
