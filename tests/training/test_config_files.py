import json
from collections.abc import Mapping
from pathlib import Path

import pytest
import yaml

from training.cli import main
from training.study.options import StudyOptions

pytestmark = pytest.mark.usefixtures("one_thread")
QUICK = ["--network", "small", "--steps", "10", "--batch", "6", "--image-size", "16"]


def written(folder: Path) -> dict[str, object]:
    content: dict[str, object] = yaml.safe_load((folder / "config.yaml").read_text())
    return content


def config_file(folder: Path, values: Mapping[str, object]) -> str:
    path = folder / "asked.yaml"
    path.write_text(yaml.safe_dump(dict(values)))
    return str(path)


def asked_of_study(monkeypatch: pytest.MonkeyPatch, arguments: list[str]) -> list[StudyOptions]:
    """The studies that a command line asks for; nothing is trained."""
    asked: list[StudyOptions] = []

    def stop(requests: list[StudyOptions], *_: object, **__: object) -> None:
        asked.extend(requests)
        raise KeyboardInterrupt

    monkeypatch.setattr("training.study.networks.study_networks", stop)
    assert main(["study", *arguments]) == 130
    return asked


def test_a_fit_is_repeated_from_its_configuration(
    full_release: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    first, again = tmp_path / "first", tmp_path / "again"
    arguments = ["--dataset", str(full_release), "--arm", "mixed", "--seed", "3", "--weight-decay", "0.1"]
    assert main(["fit", *arguments, "--out", str(first), *QUICK]) == 0
    config = written(first)
    assert config.pop("versions").keys() >= {"python", "torch", "lightning"}
    assert config == {
        "command": "fit",
        "arm": "mixed",
        "augmentation": "light",
        "batch": 6,
        "dataset": str(full_release),
        "devices": 1,
        "image_size": 16,
        "lr": 0.002,
        "network": "small",
        "seed": 3,
        "steps": 10,
        "test": None,
        "weight_decay": 0.1,
    }
    capsys.readouterr()
    assert main(["fit", "--config", str(first / "config.yaml"), "--out", str(again), "--json"]) == 0
    metrics = json.loads(capsys.readouterr().out)
    assert metrics["confusion"] == json.loads((first / "metrics.json").read_text())["confusion"]
    assert (again / "settings.json").read_bytes() == (first / "settings.json").read_bytes()
    assert (again / "config.yaml").read_bytes() == (first / "config.yaml").read_bytes()


def test_a_study_keeps_its_configuration(full_release: Path, tmp_path: Path) -> None:
    arguments = ["--dataset", str(full_release), "--arms", "real", "mixed:0.5", "--seeds", "1", *QUICK]
    assert (
        main(["study", *arguments, "--no-diagnosis", "--out", str(tmp_path / "s"), "--tracker", "csv"]) == 0
    )
    config = written(tmp_path / "s")
    assert (config["arms"], config["seeds"], config["first_seed"]) == (["real", "mixed:0.5"], 1, 0)
    assert (config["network"], config["lr"], config["no_diagnosis"]) == (["small"], 0.002, True)
    assert not {"out", "json", "config", "tracker", "propose", "plan_missing", "run"} & set(config)


def test_options_on_the_command_line_go_before_those_in_the_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    values = {
        "command": "study", "dataset": "d", "arms": ["real", "mixed"], "seeds": 3, "network": ["small"],
        "lr": 1e-5, "augmentation": "strong", "no_similarity": True, "counterfactual": False, "margin": 3,
    }  # fmt: skip
    given = ["--config", config_file(tmp_path, values), "--out", str(tmp_path / "s"), "--arms", "paste"]
    (asked,) = asked_of_study(monkeypatch, [*given, "--first-seed", "5"])
    assert (asked.arms, asked.seeds) == (("paste",), (5, 6, 7))
    assert (asked.training.lr, asked.training.augmentation) == (1e-5, "strong")
    assert (asked.similarity, asked.diagnosis, asked.counterfactual, asked.margin) == (
        False,
        True,
        False,
        0.03,
    )


def test_networks_with_other_values_have_each_their_own(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    values = {"dataset": "d", "network": ["probe", "small"], "lr": {"probe": 0.5, "small": 0.25}, "steps": 7}
    given = ["--config", config_file(tmp_path, values), "--out", str(tmp_path / "s")]
    both = asked_of_study(monkeypatch, given)
    assert [(asked.training.lr, asked.training.steps) for asked in both] == [(0.5, 7), (0.25, 7)]
    assert [asked.training.image_size for asked in both] == [160, 64]
    (small,) = asked_of_study(monkeypatch, [*given, "--network", "small", "--lr", "0.125"])
    assert small.training.lr == 0.125


@pytest.mark.parametrize(
    ("values", "sentence"),
    [
        ({"dataset": "d", "sedes": 3}, "asked.yaml: there is no option 'sedes'; did you mean 'seeds'?"),
        ({"dataset": "d", "out": "x"}, "asked.yaml: there is no option 'out'; "),
        ({"seeds": "many"}, "the value of 'seeds' is wrong: many is not a whole number of at least 1"),
        ({"lr": "fast"}, "the value of 'lr' is wrong: could not convert string to float: 'fast'"),
        ({"augmentation": "wild"}, "the value of 'augmentation' is wrong: 'wild' is none of light, strong"),
        (
            {"learning_curve": "perhaps"},
            "the value of 'learning_curve' is wrong: 'perhaps' is not true or false",
        ),
        ({"dataset": ["a", "b"]}, "the value of 'dataset' is wrong: '['a', 'b']' is not a single value"),
        ({"command": "fit"}, "is a configuration of 'fit'; use it with python -m training fit"),
    ],
)
def test_a_configuration_that_cannot_be_used_is_one_sentence(
    values: dict[str, object], sentence: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "s"
    assert main(["study", "--config", config_file(tmp_path, values), "--out", str(out)]) == 1
    shown = capsys.readouterr()
    assert sentence in shown.err
    assert len(shown.err.strip().splitlines()) == 1
    assert not out.exists()


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("a: [1", "c.yaml is not YAML: "),
        ("- real\n- mixed\n", "c.yaml is not a configuration; it must be a list of keys and values"),
        (None, "c.yaml cannot be read: No such file or directory; name a config.yaml with --config"),
    ],
)
def test_a_file_that_is_no_configuration_is_one_sentence(
    text: str | None, sentence: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "c.yaml"
    if text is not None:
        path.write_text(text)
    assert main(["fit", "--config", str(path), "--out", str(tmp_path / "f")]) == 1
    shown = capsys.readouterr().err
    assert sentence in shown
    assert len(shown.strip().splitlines()) == 1


def test_what_neither_the_file_nor_the_command_line_has_is_wrong_usage(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit, match="2"):
        main(["fit", "--config", config_file(tmp_path, {"dataset": "d"}), "--out", str(tmp_path / "f")])
    assert "the following arguments are required: --arm" in capsys.readouterr().err
