"""Models by name: facts without torch, one in memory, one plain sentence for whatever is wrong."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from pipeline.domain.methods import Method
from pipeline.errors import InvalidRequest, ModelUnavailable, UnknownName
from pipeline.rendering import CHECKPOINTS, families, load, model_choices, model_facts
from pipeline.rendering.checkpoints import WITHOUT_MODEL, Checkpoint, HubPart
from pipeline.rendering.downloads import DownloadProgress, cached_folder, download_progress
from pipeline.rendering.families import FAMILIES
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


def test_every_family_is_in_the_table_under_its_folders_name_and_can_be_chosen() -> None:
    folders = {path.parent.name for path in Path(families.__file__).parent.glob("*/__init__.py")}
    assert set(FAMILIES) == folders
    named = {model.family for model in (*CHECKPOINTS.values(), WITHOUT_MODEL)} - {None}
    assert named <= folders
    assert {name for name, family in FAMILIES.items() if not family.folders} <= named


@pytest.mark.parametrize(
    "model", [model for model in CHECKPOINTS.values() if model.hub], ids=lambda model: model.name
)
def test_a_published_checkpoint_has_the_parts_of_its_family_at_whole_commits(model: Checkpoint) -> None:
    needed = FAMILIES[str(model.family)].parts.values()
    assert set(model.hub) == {part for parts in needed for part in parts}
    assert all(re.fullmatch("[0-9a-f]{40}", part.revision) for part in model.hub.values())


def test_sdxl_starts_from_less_than_pure_noise() -> None:
    assert CHECKPOINTS["sdxl"].strength == 0.99


def test_a_misspelt_name_is_reported_with_the_nearest() -> None:
    with pytest.raises(UnknownName, match=r"there is no model 'nanno'; did you mean 'nano'?"):
        model_facts("nanno")


def test_a_path_that_does_not_exist_is_reported_as_a_path(tmp_path: Path) -> None:
    with pytest.raises(ModelUnavailable, match=r"there is no folder .*/gone; name one of nano"):
        model_facts(str(tmp_path / "gone"))


def test_a_folder_that_is_not_a_checkpoint_is_reported(tmp_path: Path) -> None:
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
        ('{"defaults": {"steps": 1e999}}', "a number is missing or wrong"),
        ('{"defaults": {"steps": 0}}', "a number is missing or wrong"),
        ('{"defaults": {"size": -8}}', "a number is missing or wrong"),
        ('{"defaults": {"guidance_scale": NaN}}', "a number is missing or wrong"),
        ('{"defaults": {"guidance_rescale": NaN}}', "a number is missing or wrong"),
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


def test_pasting_does_not_unload_the_model(tiny_folder: Path) -> None:
    first = load(str(tiny_folder))
    assert load("none").facts.name == "none"
    assert load(str(tiny_folder)) is first


def test_a_model_that_is_not_here_is_reported_when_the_hub_cannot_be_reached(empty_cache: Path) -> None:
    with pytest.raises(ModelUnavailable) as caught:
        load("sdxl")
    assert str(caught.value) == (
        "model 'sdxl' is not on this machine and the Hub cannot be reached (HF_HUB_OFFLINE is set); "
        "connect once to download diffusers/stable-diffusion-xl-1.0-inpainting-0.1, or choose model 'nano'"
    )


def test_choices_say_which_model_is_here(empty_cache: Path) -> None:
    choices = {choice.name: choice for choice in model_choices()}
    assert not choices["sdxl"].available
    assert choices["sdxl"].why_not == (
        "sdxl is not on this machine; a first use downloads it: 7.1 GB for inpaint, 9.6 GB for controlnet, "
        "7.1 GB for text_to_image, 14.8 GB for all"
    )
    assert choices["sdxl"].size == 1024


def test_a_part_is_here_when_each_of_its_files_is(empty_cache: Path) -> None:
    files = ("model_index.json", "unet/config.json", "unet/diffusion_pytorch_model.fp16.safetensors")
    part = HubPart(repo="some/model", revision="a" * 40, files=files, gigabytes=0.0)
    assert cached_folder(part) is None
    stored(empty_cache, part, {"model_index.json": "{}", "unet/config.json": "{}"})
    assert cached_folder(part) is None
    stored(empty_cache, part, {"unet/diffusion_pytorch_model.fp16.safetensors": ""})
    folder = empty_cache / "models--some--model" / "snapshots" / part.revision
    assert cached_folder(part) == folder


def test_the_revision_of_a_method_names_every_repository_that_it_draws_with() -> None:
    facts = model_facts("sdxl")
    assert {method: facts.revision_for(method) for method in (Method.INPAINT, Method.CONTROLNET)} == {
        Method.INPAINT: "115134f36312+207b116dae70",
        Method.CONTROLNET: "115134f36312+207b116dae70+eb115a19a10d",
    }
    assert facts.revision_for(Method.TEXT_TO_IMAGE) == "462165984030+115134f36312+207b116dae70"


def test_every_method_of_a_folder_has_the_folders_revision(tiny_folder: Path) -> None:
    facts = model_facts(str(tiny_folder))
    assert set(facts.revisions) == {Method.INPAINT, Method.CONTROLNET, Method.TEXT_TO_IMAGE}
    assert {facts.revision_for(method) for method in facts.revisions} == {facts.revision}
    with pytest.raises(InvalidRequest, match="does not offer method 'paste'; choose inpaint or controlnet"):
        facts.revision_for(Method.PASTE)


def test_a_download_tells_its_sizes_and_the_time_left() -> None:
    progress = DownloadProgress(
        model="sdxl", repo="some/model", done_bytes=1_000_000_000, total_bytes=5_140_000_000, seconds=60.0
    )
    assert str(progress) == "downloading some/model: 1.00 of 5.14 GB, about 4 min left"
    assert download_progress() is None


@pytest.mark.parametrize(
    ("index", "described"),
    [
        (
            {"_class_name": "StableDiffusionPipeline", "unet": ["diffusers", "UNet2DConditionModel"]},
            "StableDiffusionPipeline",
        ),
        (
            {
                "_class_name": "StableDiffusionXLImg2ImgPipeline",
                "text_encoder": [None, None],
                "text_encoder_2": ["transformers", "CLIPTextModelWithProjection"],
                "unet": ["diffusers", "UNet2DConditionModel"],
                "vae": ["diffusers", "AutoencoderKL"],
            },
            "StableDiffusionXLImg2ImgPipeline without one of its text encoders (an SDXL refiner)",
        ),
        (
            {"_class_name": "FluxPipeline", "transformer": ["diffusers", "FluxTransformer2DModel"]},
            "FluxPipeline",
        ),
        ({}, "an unnamed pipeline"),
    ],
)
def test_a_checkpoint_of_another_family_is_refused_with_those_that_are_served(
    tmp_path: Path, index: dict[str, Any], described: str
) -> None:
    (tmp_path / "model_index.json").write_text(json.dumps(index))
    served = " and ".join(family.title for family in FAMILIES.values() if family.folders)
    for ask in (model_facts, load):
        with pytest.raises(ModelUnavailable) as refused:
            ask(str(tmp_path))
        assert str(refused.value) == (
            f"model '{tmp_path}' cannot be loaded: it is {described}; supported are checkpoints of {served}"
        )


def test_a_broken_model_index_is_one_sentence(tmp_path: Path) -> None:
    for content in ("{", "[1]", "7"):
        (tmp_path / "model_index.json").write_text(content)
        with pytest.raises(ModelUnavailable, match=r"model_index.json is not a JSON object"):
            model_facts(str(tmp_path))
