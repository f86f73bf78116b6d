"""Models by name: facts without torch, one in memory, one plain sentence for whatever is wrong."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from pipeline.errors import ModelUnavailable, UnknownName
from pipeline.rendering import CHECKPOINTS, load, model_choices, model_facts, unload
from pipeline.rendering.checkpoints import HubPart, Part
from pipeline.rendering.downloads import cached_folder
from tests.rendering.tiny import SIDE, STEPS, save_tiny_sdxl

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def empty_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A Hub cache with nothing in it."""
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path))
    monkeypatch.setattr("huggingface_hub._snapshot_download.constants.HF_HUB_CACHE", str(tmp_path))
    return tmp_path


def stored(cache: Path, part: HubPart, files: dict[str, str]) -> None:
    """Files of a repository at its commit, as the Hub's client keeps them."""
    folder = cache / f"models--{part.repo.replace('/', '--')}" / "snapshots" / part.revision
    for name, text in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text, encoding="utf-8")


def test_a_folders_facts_are_those_of_its_vocabulary(tiny_folder: Path) -> None:
    facts = model_facts(str(tiny_folder))
    assert (facts.name, facts.size, facts.steps, facts.guidance_scale) == (str(tiny_folder), SIDE, STEPS, 2.0)


def test_a_folder_without_vocabulary_has_the_size_of_its_unet(tmp_path: Path, tiny_folder: Path) -> None:
    folder = shutil.copytree(tiny_folder, tmp_path / "plain")
    (folder / "vocabulary.json").unlink()
    facts = model_facts(str(folder))
    assert (facts.size, facts.steps, facts.guidance_scale) == (SIDE, 30, 7.5)


def test_the_revision_follows_the_weights_and_not_the_place(tmp_path: Path, tiny_folder: Path) -> None:
    revision = model_facts(str(tiny_folder)).revision
    assert len(revision) == 12
    moved = shutil.copytree(tiny_folder, tmp_path / "moved")
    assert model_facts(str(moved)).revision == revision
    assert model_facts(str(save_tiny_sdxl(tmp_path / "other", seed=1))).revision != revision


def test_the_proposed_values_are_no_part_of_the_revision(tmp_path: Path, tiny_folder: Path) -> None:
    folder = shutil.copytree(tiny_folder, tmp_path / "tuned")
    words = json.loads((folder / "vocabulary.json").read_text())
    words["defaults"]["steps"] = 7
    (folder / "vocabulary.json").write_text(json.dumps(words))
    assert model_facts(str(folder)).steps == 7
    assert model_facts(str(folder)).revision == model_facts(str(tiny_folder)).revision


def test_the_rescaling_of_guidance_is_a_part_of_the_revision(tmp_path: Path, tiny_folder: Path) -> None:
    folder = shutil.copytree(tiny_folder, tmp_path / "rescaled")
    words = json.loads((folder / "vocabulary.json").read_text())
    words["defaults"]["guidance_rescale"] = 0.7
    (folder / "vocabulary.json").write_text(json.dumps(words))
    facts = model_facts(str(folder))
    assert (facts.guidance_rescale, model_facts(str(tiny_folder)).guidance_rescale) == (0.7, 0.0)
    assert facts.revision != model_facts(str(tiny_folder)).revision


def test_facts_and_choices_and_help_need_no_torch() -> None:
    check = (
        "import sys; from pipeline.rendering import model_facts, model_choices; model_facts('sdxl'); "
        "model_choices(); import pipeline.rendering.runner; "
        "sys.exit(sum(name in sys.modules for name in ('torch', 'diffusers', 'transformers')))"
    )
    assert subprocess.run([sys.executable, "-c", check], cwd=ROOT, check=False).returncode == 0


def test_the_published_checkpoint_is_pinned_to_whole_commits() -> None:
    one = CHECKPOINTS["sdxl"]
    assert set(one.hub) == set(Part)
    assert all(len(part.revision) == 40 for part in one.hub.values())
    assert model_facts("sdxl").revision == one.hub[Part.INPAINT].revision[:12]
    assert one.strength == 0.99


def test_a_misspelt_name_is_told_with_the_nearest() -> None:
    with pytest.raises(UnknownName, match=r"there is no model 'nanno'; did you mean 'nano'?"):
        model_facts("nanno")


def test_a_path_that_is_not_there_is_told_as_a_path(tmp_path: Path) -> None:
    with pytest.raises(ModelUnavailable, match=r"there is no folder .*/gone; name one of nano"):
        model_facts(str(tmp_path / "gone"))


def test_a_folder_that_is_no_checkpoint_is_told(tmp_path: Path) -> None:
    with pytest.raises(ModelUnavailable, match=r"has no model_index.json; a folder that"):
        load(str(tmp_path))


def test_a_checkpoint_with_a_missing_part_is_one_sentence(tmp_path: Path, tiny_folder: Path) -> None:
    folder = shutil.copytree(tiny_folder, tmp_path / "broken")
    for weights in (folder / "unet").glob("*.safetensors"):
        weights.unlink()
    with pytest.raises(ModelUnavailable) as caught:
        load(str(folder))
    assert "\n" not in str(caught.value)
    assert str(caught.value).startswith(f"model '{folder}' cannot be loaded: ")


def test_a_checkpoint_with_cut_off_weights_is_one_sentence(tmp_path: Path, tiny_folder: Path) -> None:
    folder = shutil.copytree(tiny_folder, tmp_path / "cut")
    weights = next((folder / "vae").glob("*.safetensors"))
    weights.write_bytes(weights.read_bytes()[:1000])
    with pytest.raises(ModelUnavailable, match="cannot be loaded: ") as caught:
        load(str(folder))
    assert "\n" not in str(caught.value)


def test_a_loaded_model_is_kept_until_its_files_change(tmp_path: Path, tiny_folder: Path) -> None:
    folder = shutil.copytree(tiny_folder, tmp_path / "kept")
    first = load(str(folder))
    assert load(str(folder)) is first
    save_tiny_sdxl(folder, seed=5)
    second = load(str(folder))
    assert second is not first
    assert second.facts == model_facts(str(folder))


def test_another_model_takes_the_place_of_the_first(tmp_path: Path, tiny_folder: Path) -> None:
    first = load(str(tiny_folder))
    load(str(shutil.copytree(tiny_folder, tmp_path / "second")))
    assert load(str(tiny_folder)) is not first


def test_a_model_that_cannot_be_fetched_leaves_the_loaded_one(tiny_folder: Path, empty_cache: Path) -> None:
    first = load(str(tiny_folder))
    with pytest.raises(ModelUnavailable):
        load("sdxl")
    assert load(str(tiny_folder)) is first


def test_a_broken_vocabulary_is_one_sentence(tmp_path: Path, tiny_folder: Path) -> None:
    folder = shutil.copytree(tiny_folder, tmp_path / "broken")
    (folder / "vocabulary.json").write_text("{")
    with pytest.raises(
        ModelUnavailable, match=r"vocabulary.json is not a JSON object .*; correct or delete it"
    ):
        model_facts(str(folder))


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        ("[1]", "is not a JSON object whose"),
        ('[["slot", ["gravel"]]]', "is not a JSON object whose"),
        ('{"defaults": [1]}', "is not a JSON object whose"),
        ('{"defaults": {"steps": "many"}}', "a number is missing or wrong"),
        ("[" * 100_000, "is not a JSON object"),
    ],
)
def test_a_vocabulary_of_another_shape_is_one_sentence(
    tmp_path: Path, tiny_folder: Path, content: str, sentence: str
) -> None:
    folder = shutil.copytree(tiny_folder, tmp_path / "odd")
    (folder / "vocabulary.json").write_text(content)
    with pytest.raises(ModelUnavailable, match=sentence):
        model_facts(str(folder))


def test_a_model_path_that_no_file_system_takes_is_a_missing_folder() -> None:
    with pytest.raises(ModelUnavailable, match="there is no folder"):
        model_facts("models/" + "a" * 300)


def test_unload_lets_go(tiny_folder: Path) -> None:
    first = load(str(tiny_folder))
    unload()
    assert load(str(tiny_folder)) is not first


def test_pasting_does_not_unload_the_model(tiny_folder: Path) -> None:
    first = load(str(tiny_folder))
    assert load("none").facts.name == "none"
    assert load(str(tiny_folder)) is first


def test_a_model_that_is_not_here_is_told_when_the_hub_cannot_be_reached(empty_cache: Path) -> None:
    with pytest.raises(ModelUnavailable) as caught:
        load("sdxl")
    assert str(caught.value) == (
        "model 'sdxl' is not on this machine and the Hub cannot be reached (HF_HUB_OFFLINE is set); "
        "connect once to download diffusers/stable-diffusion-xl-1.0-inpainting-0.1, or choose model 'nano'"
    )


def test_choices_say_which_model_is_here(empty_cache: Path) -> None:
    choices = {choice.name: choice for choice in model_choices()}
    assert not choices["sdxl"].available
    assert choices["sdxl"].why_not == "sdxl is not on this machine; it is downloaded on first use"
    assert choices["sdxl"].size == 1024


def test_an_interrupted_download_does_not_count_as_here(empty_cache: Path) -> None:
    part = HubPart(repo="some/model", revision="a" * 40, patterns=("*.json",))
    index = {
        "_class_name": "X",
        "unet": ["diffusers", "UNet2DConditionModel"],
        "tokenizer": ["t", "CLIPTokenizer"],
    }
    assert cached_folder(part) is None
    stored(empty_cache, part, {"model_index.json": json.dumps(index), "unet/config.json": "{}"})
    assert cached_folder(part) is None
    stored(empty_cache, part, {"unet/diffusion_pytorch_model.fp16.safetensors": ""})
    assert cached_folder(part) is not None
