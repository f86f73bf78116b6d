from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch

from pipeline.domain.spec import Method
from pipeline.errors import InvalidRequest, ModelUnavailable
from pipeline.rendering import load
from pipeline.rendering.facts import model_facts
from tests.rendering.jobs import job, soft_square
from tests.rendering.tiny import save_tiny_sdxl
from training.nano.config import StageOptions
from training.nano.stages.lora import LoraOptions, tune_lora

FEW = StageOptions(steps=3, batch=2, learning_rate=1e-2, warm_up=1, log_every=1)


@pytest.fixture(scope="module")
def photos(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("site")
    for seed, place in enumerate(("yard", "dock")):
        (folder / place).mkdir()
        pixels = np.random.default_rng(seed).integers(0, 256, (80, 90, 3), dtype=np.uint8)
        cv2.imwrite(str(folder / place / "a.png"), pixels)
    return folder


@pytest.fixture(scope="module", params=[9, 4], ids=["inpainting UNet", "text-to-image UNet"])
def trained(
    request: pytest.FixtureRequest, photos: Path, tmp_path_factory: pytest.TempPathFactory
) -> tuple[Path, Path]:
    """A tiny SDXL and a LoRA trained for it."""
    folder = tmp_path_factory.mktemp("lora")
    base = save_tiny_sdxl(folder / "base", unet_channels=request.param)
    options = LoraOptions(photos=photos, out=folder / "site", model=str(base), rank=2, stage=FEW)
    assert tune_lora(options) == ["dock", "yard"]
    return base, folder / "site"


@pytest.mark.parametrize("method", [Method.INPAINT, Method.CONTROLNET])
def test_a_lora_is_a_model_of_its_own_that_draws_otherwise_than_its_base(
    trained: tuple[Path, Path], method: Method
) -> None:
    base, site = trained
    before = load(str(base)).generate([job(1, method)])[0]
    after = load(str(site)).generate([job(1, method)])[0]
    again = load(str(base)).generate([job(1, method)])[0]
    ground = soft_square() == 0
    assert (before[ground] != after[ground]).mean() > 0.2
    assert np.array_equal(before, again)


def test_the_facts_of_a_lora_are_its_bases_with_a_revision_of_its_own(trained: tuple[Path, Path]) -> None:
    base, site = trained
    under, over = model_facts(str(base)), model_facts(str(site))
    assert (over.size, over.steps, over.guidance_scale) == (under.size, under.steps, under.guidance_scale)
    assert over.revision.startswith(f"{under.revision}-")
    note = json.loads((site / "lora.json").read_text())
    assert note == {
        "model": str(base),
        "revision": under.revision,
        "rank": 2,
        "captions": ["dock", "yard"],
    }


def test_only_the_low_rank_matrices_are_trained_and_kept(trained: tuple[Path, Path]) -> None:
    base, site = trained
    kept = sum(file.stat().st_size for file in site.glob("*.safetensors"))
    assert 0 < kept < (base / "unet" / "diffusion_pytorch_model.safetensors").stat().st_size / 4
    assert not site.with_name("site.work").exists()


def test_an_interrupted_lora_goes_on(photos: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    base = save_tiny_sdxl(tmp_path / "base")
    options = LoraOptions(photos=photos, out=tmp_path / "site", model=str(base), rank=2, stage=FEW)
    monkeypatch.setattr("training.nano.stages.lora.get_peft_model_state_dict", _interrupt)
    with pytest.raises(KeyboardInterrupt):
        tune_lora(options)
    monkeypatch.undo()
    last = torch.load(tmp_path / "site.work" / "last.ckpt", weights_only=False)
    assert last["global_step"] == FEW.steps
    assert not any("down_blocks" in name for name in last["state_dict"])
    tune_lora(replace(options, stage=replace(FEW, steps=FEW.steps + 1)))
    assert (tmp_path / "site" / "lora.json").is_file()


def _interrupt(_: object) -> None:
    raise KeyboardInterrupt


@pytest.mark.parametrize(
    ("content", "expected"),
    [("{}", 'does not name its "model"; train the LoRA again'), ("no json", 'does not name its "model"')],
)
def test_a_lora_that_does_not_name_its_model_is_one_sentence(
    tmp_path: Path, content: str, expected: str
) -> None:
    (tmp_path / "lora.json").write_text(content)
    with pytest.raises(ModelUnavailable, match=expected):
        model_facts(str(tmp_path))


def test_a_lora_is_no_base_of_another(trained: tuple[Path, Path], photos: Path, tmp_path: Path) -> None:
    _, site = trained
    with pytest.raises(InvalidRequest, match="is a LoRA itself; name the model that it belongs to"):
        tune_lora(LoraOptions(photos=photos, out=tmp_path / "out", model=str(site), stage=FEW))
    assert not list(tmp_path.iterdir())
