import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from pipeline.domain.studies import Network, TimmNetwork
from tests.training.conftest import colours, embed_by
from training.cli import _parser, _study_requests, main

pytestmark = pytest.mark.usefixtures("one_thread")
QUICK = ["--network", "small", "--steps", "10", "--batch", "6", "--image-size", "16"]


def test_help_is_quick_because_it_imports_no_torch() -> None:
    code = (
        "import sys\nfrom training.cli import main\n"
        "try: main(['--help'])\nexcept SystemExit: print('torch' in sys.modules)"
    )
    shown = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert "study" in shown.stdout
    assert shown.stdout.splitlines()[-1] == "False"


def test_a_study_runs_the_probe_and_a_network_from_nothing_unless_told_otherwise() -> None:
    arguments = ["study", "--dataset", "release", "--out", "out"]
    parser, _ = _parser()
    options = parser.parse_args([*arguments, "--lr", "0.1"])
    probe, small = (request.training for request in _study_requests(options))
    assert (str(probe.network), probe.image_size, probe.lr) == ("probe", 160, 0.1)
    assert (str(small.network), small.image_size, small.lr) == ("small", 64, 0.1)
    asked = ["--network", "timm/test_vit:pretrained", "lite0", "lite0"]
    requests = _study_requests(parser.parse_args([*arguments, *asked]))
    chosen = [request.training.network for request in requests]
    assert chosen == [TimmNetwork("test_vit", pretrained=True), Network.LITE0]


def test_a_study_prints_one_json_object_and_nothing_else(
    full_release: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "here").mkdir()
    monkeypatch.chdir(tmp_path / "here")
    out = tmp_path / "study"
    arguments = ["study", "--dataset", str(full_release), "--seeds", "1", "--out", str(out), "--json", *QUICK]
    assert main([*arguments, "--arms", "real", "mixed"]) == 0
    shown = capfd.readouterr()
    assert json.loads(shown.out) == json.loads((out / "study.json").read_text())
    assert shown.err == ""
    assert list((tmp_path / "here").iterdir()) == []  # no lightning_logs


def test_a_study_ends_with_the_verdict_and_where_the_report_lies(
    full_release: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    arguments = [
        "study",
        "--dataset",
        str(full_release),
        "--seeds",
        "1",
        "--out",
        str(tmp_path / "s"),
        *QUICK,
    ]
    assert main([*arguments, "--arms", "real", "paste", "sdxl"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == "balanced accuracy"
    assert "left out: Text to image, the release has no training images of method text_to_image" in lines[3]
    assert lines[4].startswith("Too few seeds for a conclusion: 1 seed was run")
    assert lines[5] == f"report: {tmp_path / 's' / 'report.html'}"


def test_a_learning_curve_adds_shares_of_the_photos(full_release: Path, tmp_path: Path) -> None:
    out = tmp_path / "s"
    arguments = ["study", "--dataset", str(full_release), "--seeds", "1", "--out", str(out), *QUICK]
    assert main([*arguments, "--arms", "paste", "--learning-curve"]) == 0
    result = json.loads((out / "study.json").read_text())
    assert [arm["arm"] for arm in result["arms"]] == ["paste", "real", "real%25", "real%50", "real%75"]
    assert "data_efficiency" in result


def name_photos(release: Path) -> None:
    """Let synthetic images show the photos of their class in turn, each with the next one behind its front object."""
    (real,) = (release / "data" / "real").glob("train-*")
    (synthetic,) = (release / "data" / "synthetic").glob("train-*")
    photos = pq.read_table(real).select(["label", "sample_id"]).to_pylist()
    table = pq.read_table(synthetic)
    sources = []
    for number, label in enumerate(table["label"].to_pylist()):
        of_class = [photo["sample_id"] for photo in photos if photo["label"] == label]
        sources.append([of_class[(number + step) % len(of_class)] for step in (1, 0)])
    table = table.append_column("source_ids", pa.array(sources))
    pq.write_table(table.append_column("source_id", pa.array([each[-1] for each in sources])), synthetic)


def test_a_study_of_shares_tells_their_photos_and_images(
    full_release: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    name_photos(full_release)
    out = tmp_path / "s"
    arguments = ["study", "--dataset", str(full_release), "--seeds", "1", "--out", str(out), *QUICK]
    assert main([*arguments, "--arms", "real", "real_paste", "real_paste%99", "real_paste%25"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert (
        "  note: Real + pasted, 99 %: 18 of 18 photos and 9 of 9 synthetic images: 3 of each class." in lines
    )
    left_out = [line for line in lines if line.startswith("  left out: Real + pasted, 25 %, none of the 3 ")]
    assert len(left_out) == 1
    assert left_out[0].endswith("more images of a single object without distractors")
    result = json.loads((out / "study.json").read_text())
    assert result["share_notes"][0] in (out / "report.html").read_text()


def test_a_study_with_a_leak_is_refused_unless_it_is_allowed_and_then_says_so(
    full_release: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    embed_by(monkeypatch, colours, 3)
    out = tmp_path / "s"
    arguments = ["study", "--dataset", str(full_release), "--seeds", "1", "--out", str(out), *QUICK]
    assert main([*arguments, "--arms", "real"]) == 1
    assert "15 test photos are near-duplicates of training photos" in capsys.readouterr().err
    assert not out.exists()
    assert main([*arguments, "--arms", "real", "--allow-leak"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[2].startswith("  note: 15 test photos are near-duplicates of training photos, for example ")


def test_a_tuning_budget_is_told_after_the_verdict_and_a_wrong_one_refused(
    full_release: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "s"
    arguments = ["study", "--dataset", str(full_release), "--seeds", "1", "--out", str(out), *QUICK]
    arguments += ["--arms", "real", "paste", "--tuning"]
    assert main([*arguments, "65"]) == 1
    refusal = (
        "backlot: the number of settings to try is 65; it must be between 1 and 64, or 0 for no tuning\n"
    )
    assert capsys.readouterr().err == refusal
    with pytest.raises(SystemExit, match="2"):
        main([*arguments, "many"])
    assert "argument --tuning: many is not a whole number" in capsys.readouterr().err
    assert not out.exists()
    assert main([*arguments, "2"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[-2].startswith("With the same tuning budget for every arm, ")


def test_fit_writes_weights_metrics_and_curve(
    full_release: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    arguments = [
        "fit",
        "--dataset",
        str(full_release),
        "--arm",
        "real",
        "--seed",
        "3",
        "--out",
        str(tmp_path / "f"),
    ]
    assert main([*arguments, "--json", *QUICK]) == 0
    metrics = json.loads(capsys.readouterr().out)
    assert (metrics["arm"], metrics["seed"], metrics["settings"]["steps"]) == ("real", 3, 10)
    assert sorted(path.name for path in (tmp_path / "f").iterdir()) == [
        "checkpoint.ckpt",
        "config.yaml",
        "curves.csv",
        "metrics.json",
        "settings.json",
    ]


@pytest.mark.parametrize(
    ("extra", "sentence"),
    [
        (["--dataset", "./nowhere"], "backlot: ./nowhere does not exist; give a release folder"),
        (["--dataset", ".", "--arm", "mixt"], "backlot: there is no arm 'mixt'; did you mean 'mixed'?"),
        (
            ["--dataset", ".", "--arm", "paste:2"],
            "backlot: 'paste:2' is not an arm: a ratio is 0.05 to 20 and needs",
        ),
        (["--dataset", ".", "--network", "resnet"], "there is no network 'resnet'; did you mean 'resnet18'?"),
        (
            ["--dataset", ".", "--network", "timm/a/b"],
            "there is no network 'timm/a/b'; did you mean 'timm/NAME'?",
        ),
        (
            ["--dataset", "./nowhere", "--network", "timm/resnet_18"],
            "has no network 'resnet_18'; near names: timm/resnet18, timm/",
        ),
        (["--dataset", ".", "--lr", "0"], "backlot: the learning rate is 0.0; it must be between"),
    ],
)
def test_a_refusal_is_one_sentence_and_exit_code_one(
    extra: list[str], sentence: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    arm = [] if "--arm" in extra else ["--arm", "real"]
    assert main(["fit", "--out", str(tmp_path / "f"), *arm, *extra]) == 1
    shown = capsys.readouterr()
    assert sentence in shown.err
    assert len(shown.err.strip().splitlines()) == 1
    assert shown.out == ""


def test_a_folder_that_cannot_be_written_is_one_sentence(
    full_release: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "file").write_text("in the way")
    out = tmp_path / "file" / "out"
    assert main(["fit", "--dataset", str(full_release), "--arm", "real", "--out", str(out), *QUICK]) == 1
    assert capsys.readouterr().err == (
        f"backlot: {out} cannot be written: Not a directory; free some space or choose another folder with --out; "
        "finished runs are kept\n"
    )


def test_wrong_usage_is_exit_code_two(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as stopped:
        main(["study", "--seeds", "0", "--dataset", "x", "--out", "y"])
    assert stopped.value.code == 2
    assert "0 is not a whole number of at least 1" in capsys.readouterr().err


def test_a_signal_in_the_middle_of_a_run_ends_a_study_with_130(full_release: Path, tmp_path: Path) -> None:
    out = tmp_path / "study"
    arguments = [
        "study",
        "--dataset",
        str(full_release),
        "--seeds",
        "16",
        "--out",
        str(out),
        "--arms",
        "real",
    ]
    process = subprocess.Popen(
        [
            sys.executable,
            "-m",
            "training",
            *arguments,
            "--no-diagnosis",  # the real network would look for objects in toy images
            "--allow-leak",  # toy images look alike to the real embedder
            "--network",
            "small",
            "--steps",
            "200",
            "--batch",
            "6",
            "--image-size",
            "16",
        ],
        stderr=subprocess.PIPE,
        text=True,
        env=os.environ | {"OMP_NUM_THREADS": "1"},
    )
    try:
        wait_for(lambda: '"point"' in (out / "progress.jsonl").read_text(), process)
        process.send_signal(signal.SIGTERM)
        _, stderr = process.communicate(timeout=300)
    finally:
        process.kill()
    assert process.returncode == 130
    assert stderr == "backlot: interrupted; finished work is kept, the same command resumes\n"
    assert not (out / "study.json").exists()


@pytest.mark.parametrize("unbuffered", ["", "1"])
def test_a_reader_that_closes_the_pipe_early_gets_no_traceback(
    full_release: Path, tmp_path: Path, unbuffered: str
) -> None:
    read_end, write_end = os.pipe()
    os.close(read_end)
    arguments = ["fit", "--dataset", str(full_release), "--arm", "real", "--out", str(tmp_path / "f"), *QUICK]
    with os.fdopen(write_end, "wb") as closed:
        ended = subprocess.run(
            [sys.executable, "-m", "training", *arguments],
            stdout=closed,
            stderr=subprocess.PIPE,
            text=True,
            check=False,
            env=os.environ | {"PYTHONUNBUFFERED": unbuffered, "OMP_NUM_THREADS": "1"},
        )
    assert (ended.returncode, ended.stderr) == (0, "")
    assert (tmp_path / "f" / "metrics.json").is_file()


def wait_for(ready: Callable[[], bool], process: subprocess.Popen[str]) -> None:
    """Until it is ready; fails at once when the process ends before."""
    while True:
        with suppress(FileNotFoundError):
            if ready():
                return
        with suppress(subprocess.TimeoutExpired):
            process.wait(timeout=0.1)
            raise AssertionError(process.communicate()[1])


def test_a_tracker_without_its_package_is_refused_before_any_data_is_read(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("training.fit.trackers.find_spec", lambda package: None)
    for command in (["fit", "--arm", "real"], ["study"]):
        arguments = ["--dataset", "./nowhere", "--out", str(tmp_path / "s"), "--tracker", "csv"]
        assert main([*command, *arguments, "--tracker", "tensorboard"]) == 1
        assert capsys.readouterr().err == (
            "backlot: the tracker 'tensorboard' needs a package that is not installed: pip install tensorboard\n"
        )


def test_a_study_logs_to_the_trackers_that_are_asked_for(full_release: Path, tmp_path: Path) -> None:
    arguments = ["--dataset", str(full_release), "--arms", "real", "--seeds", "1", "--no-diagnosis", *QUICK]
    assert main(["study", *arguments, "--out", str(tmp_path / "s"), "--tracker", "csv"]) == 0
    assert (tmp_path / "s" / "logs" / "csv" / "real-0" / "metrics.csv").is_file()


def test_the_probe_takes_one_device(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    arguments = ["study", "--dataset", "./nowhere", "--out", str(tmp_path / "s"), "--devices", "2"]
    assert main(arguments) == 1
    assert capsys.readouterr().err == (
        "backlot: the probe takes seconds a run and is not shared by 2 devices; "
        "leave out --devices or choose another --network\n"
    )
