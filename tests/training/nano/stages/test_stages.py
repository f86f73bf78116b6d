from __future__ import annotations

import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from diffusers import AutoencoderKL
from safetensors.torch import load_file

from pipeline.errors import InvalidRequest
from training.nano.config import NanoConfig, SceneOptions, full, short
from training.nano.data.rows import draw_rows, encode_rows
from training.nano.evaluate.painter import load_painter
from training.nano.networks.build import alphas_cumprod, build_controlnet, build_unet, build_vae
from training.nano.networks.export import fold_latent_scale, scale_residuals
from training.nano.stages import run as stages
from training.nano.stages.control import scale_hint_stack
from training.nano.stages.diffusion import noised
from training.nano.stages.vae import LATENT_STD


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> NanoConfig:
    """Everything end to end, two steps a stage, with no photos."""
    work = tmp_path_factory.mktemp("nano")
    config = short()
    few = {
        name: replace(getattr(config, name), steps=2, batch=2, warm_up=1)
        for name in ("vae", "decoder", "unet", "control")
    }
    config = replace(
        config,
        **few,
        scenes=SceneOptions(surfaces=None, shelves=None, scenes=8, held_out=4),
        work=work,
        out=work / "out",
    )
    stages.draw(config)
    stages.train_vae(config)
    stages.train_decoder(config)
    stages.train_unet(config)
    stages.train_control(config)
    stages.export(config)
    return config


def test_all_stages_end_in_a_folder_that_both_pipelines_load_and_draw_with(trained: NanoConfig) -> None:
    painter = load_painter(trained.out)
    size = trained.sizes.image_px
    assert painter.size == size
    plain = painter.paint(["grass floor", "red bricks wall"], [1, 2], num_inference_steps=2)
    hints = np.zeros((1, size, size), np.uint8)
    guided = painter.paint(["grass floor"], [1], hints=hints, num_inference_steps=2)
    assert plain.shape == (2, size, size, 3)
    assert guided.shape == (1, size, size, 3)
    assert not np.array_equal(plain[0], plain[1])


def test_no_file_of_the_export_is_over_ten_megabytes(trained: NanoConfig) -> None:
    assert max(file.stat().st_size for file in trained.out.rglob("*") if file.is_file()) < 10_000_000


def test_a_stage_that_is_complete_is_not_trained_again(trained: NanoConfig) -> None:
    weights = trained.work / "unet" / "diffusion_pytorch_model.safetensors"
    before = weights.stat().st_mtime_ns
    stages.train_unet(trained)
    assert weights.stat().st_mtime_ns == before


def test_the_decoder_alone_is_trained_and_the_encoder_stays(trained: NanoConfig) -> None:
    before, after = (AutoencoderKL.from_pretrained(trained.work / name) for name in ("vae", "decoder"))
    same = {name: torch.equal(value, after.state_dict()[name]) for name, value in before.state_dict().items()}
    assert all(same[name] for name in same if name.startswith(("encoder.", "quant_conv.")))
    assert not all(same[name] for name in same if name.startswith("decoder."))
    shipped = AutoencoderKL.from_pretrained(trained.out / "vae", torch_dtype=torch.float32)
    assert torch.allclose(shipped.post_quant_conv.weight, after.post_quant_conv.weight, atol=1e-3)


def test_the_latents_of_the_trained_autoencoder_have_the_wanted_spread(trained: NanoConfig) -> None:
    latents = np.load(trained.work / "rows" / "latents.npy").astype(np.float32)
    assert latents.std() == pytest.approx(LATENT_STD, rel=0.1)
    assert abs(latents.mean()) < 0.2 * LATENT_STD


def test_a_unet_can_go_on_from_an_exported_folder(trained: NanoConfig, tmp_path: Path) -> None:
    again = replace(trained, work=tmp_path, unet=replace(trained.unet, learning_rate=0.0))
    shutil.copytree(trained.work / "rows", tmp_path / "rows")
    shutil.copytree(trained.work / "vae", tmp_path / "vae")
    stages.train_unet(again, start=trained.out)
    for kept_in, shipped_in in (
        ("unet/diffusion_pytorch_model", "unet/diffusion_pytorch_model"),
        ("text/first/model", "text_encoder/model"),
        ("text/second/model", "text_encoder_2/model"),
    ):
        kept, first = (
            load_file(folder.with_name(folder.name + ".safetensors"))
            for folder in (tmp_path / kept_in, trained.out / shipped_in)
        )
        assert all(torch.allclose(kept[name], value.float(), atol=1e-6) for name, value in first.items())


def test_a_focused_unet_goes_on_from_an_exported_folder(trained: NanoConfig, tmp_path: Path) -> None:
    again = replace(trained, work=tmp_path, unet=replace(trained.unet, steps=2))
    shutil.copytree(trained.work / "rows", tmp_path / "rows")
    shutil.copytree(trained.work / "vae", tmp_path / "vae")
    stages.train_unet(again, start=trained.out, focused=True)
    before = load_file(trained.out / "unet" / "diffusion_pytorch_model.safetensors")["conv_in.weight"].float()
    after = load_file(tmp_path / "unet" / "diffusion_pytorch_model.safetensors")["conv_in.weight"]
    assert not torch.allclose(before, after, atol=1e-4)


def test_an_interrupted_stage_goes_on_from_its_checkpoint(trained: NanoConfig) -> None:
    folder = trained.work / "vae"
    (folder / "config.json").unlink()
    longer = replace(trained, vae=replace(trained.vae, steps=3))
    stages.train_vae(longer)
    assert torch.load(folder / "last.ckpt", weights_only=False)["global_step"] == 3


def test_each_go_of_a_stage_keeps_its_curve(trained: NanoConfig, tmp_path: Path) -> None:
    again = replace(trained, work=tmp_path)
    stages.train_vae(again)
    (tmp_path / "vae" / "config.json").unlink()
    stages.train_vae(replace(again, vae=replace(trained.vae, steps=4)))
    curves = tmp_path / "vae" / "curves"
    assert {path.name for path in curves.iterdir()} == {"from_0", "from_2"}


def test_latents_are_those_of_the_autoencoder_that_is_there(trained: NanoConfig, tmp_path: Path) -> None:
    rows = draw_rows(trained, held_out=False)
    torch.manual_seed(0)
    first, second = (build_vae(trained.sizes) for _ in range(2))
    before = np.array(encode_rows(rows, first, tmp_path).image)
    written = (tmp_path / "latents.npy").stat().st_mtime_ns
    encode_rows(rows, first, tmp_path)
    assert (tmp_path / "latents.npy").stat().st_mtime_ns == written
    assert not np.array_equal(encode_rows(rows, second, tmp_path).image, before)


def test_scenes_of_other_options_are_not_taken_for_these(trained: NanoConfig) -> None:
    other = replace(trained, scenes=replace(trained.scenes, seed=2))
    with pytest.raises(InvalidRequest, match="rows holds scenes drawn with other options or by"):
        draw_rows(other, held_out=False)


@pytest.mark.parametrize(
    ("stage", "missing"),
    [
        (stages.train_decoder, "vae"),
        (stages.train_unet, "vae"),
        (stages.train_control, "vae"),
        (stages.export, "vae"),
    ],
)
def test_a_stage_names_the_one_that_it_needs(
    trained: NanoConfig, tmp_path: Path, stage: Callable[[NanoConfig], None], missing: str
) -> None:
    with pytest.raises(
        InvalidRequest, match=f"{missing} holds nothing trained; run .* {missing} --work .* first"
    ):
        stage(replace(trained, work=tmp_path))
    assert not list(tmp_path.iterdir())


def test_an_export_replaces_nothing_that_is_not_ours(trained: NanoConfig, tmp_path: Path) -> None:
    (tmp_path / "thesis.tex").write_text("years of work")
    with pytest.raises(InvalidRequest, match="holds other files, which would be lost"):
        stages.export(replace(trained, out=tmp_path))
    assert (tmp_path / "thesis.tex").read_text() == "years of work"


def test_a_folder_without_such_networks_is_no_start(trained: NanoConfig, tmp_path: Path) -> None:
    shutil.copytree(trained.work / "vae", tmp_path / "vae")
    with pytest.raises(InvalidRequest, match="holds no unet to start from"):
        stages.train_unet(replace(trained, work=tmp_path), start=tmp_path)


def test_folding_the_latent_scale_keeps_the_reconstruction() -> None:
    torch.manual_seed(0)
    vae = build_vae(short().sizes)
    images = torch.rand(2, 3, 32, 32) * 2 - 1
    with torch.no_grad():
        before = vae.encode(images).latent_dist
        rebuilt = vae.decode(before.mean).sample
        mean, std = torch.randn(4), torch.rand(4) + 0.5
        fold_latent_scale(vae, mean, std)
        after = vae.encode(images).latent_dist
        assert torch.allclose(after.mean, (before.mean - mean[:, None, None]) / std[:, None, None], atol=1e-4)
        assert torch.allclose(after.std, before.std / std[:, None, None], atol=1e-4)
        assert torch.allclose(vae.decode(after.mean).sample, rebuilt, atol=1e-4)


def test_the_gain_of_a_controlnet_lies_in_its_last_convolutions() -> None:
    torch.manual_seed(0)
    sizes = short().sizes
    control = build_controlnet(sizes, build_unet(sizes)).eval()
    for last in (*control.controlnet_down_blocks, control.controlnet_mid_block):
        torch.nn.init.normal_(last.weight)
        torch.nn.init.normal_(last.bias)
    given = {
        "sample": torch.randn(1, 4, 8, 8),
        "timestep": torch.tensor([500]),
        "encoder_hidden_states": torch.randn(1, 5, sum(sizes.text_widths)),
        "added_cond_kwargs": {
            "text_embeds": torch.randn(1, sizes.text_widths[1]),
            "time_ids": torch.full((1, 6), 64.0),
        },
        "controlnet_cond": torch.rand(1, 3, 64, 64),
        "return_dict": False,
    }
    with torch.no_grad():
        (*down,), mid = control(**given, conditioning_scale=3.0)
        scale_residuals(control, 3.0)
        (*down_after,), mid_after = control(**given)
    for before, after in zip((*down, mid), (*down_after, mid_after), strict=True):
        assert torch.allclose(before, after, rtol=1e-4, atol=1e-4)


def test_the_last_timestep_is_pure_noise_and_the_target_is_the_velocity() -> None:
    signal = alphas_cumprod()
    assert signal[-1] < 1e-6
    torch.manual_seed(0)
    latents = torch.randn(4, 4, 8, 8)
    noisy, velocity, steps = noised(latents, signal)
    power = signal[steps][:, None, None, None]
    assert torch.allclose(power.sqrt() * noisy - (1 - power).sqrt() * velocity, latents, atol=1e-4)


def test_the_timesteps_of_a_batch_cover_the_range_in_random_order() -> None:
    torch.manual_seed(0)
    _, _, steps = noised(torch.zeros(100, 4, 2, 2), alphas_cumprod())
    assert steps.tolist() != sorted(steps.tolist())
    assert steps.min() < 20
    assert steps.max() > 990
    assert (steps > 900).sum().item() == pytest.approx(15, abs=1)
    assert ((steps >= 480) & (steps <= 900)).sum().item() == pytest.approx(65, abs=2)


def test_the_hint_stack_answers_sparse_edges_with_unit_variance() -> None:
    torch.manual_seed(0)
    sizes = short().sizes
    control = build_controlnet(sizes, build_unet(sizes))
    hints = (torch.rand(4, 1, 64, 64) > 0.95).float().repeat(1, 3, 1, 1)
    scale_hint_stack(control, hints)
    assert control.controlnet_cond_embedding(hints).std().item() == pytest.approx(1.0, abs=0.01)


def test_a_controlnet_starts_from_the_weights_of_the_unet() -> None:
    sizes = short().sizes
    unet = build_unet(sizes)
    control = build_controlnet(sizes, unet)
    assert control.config.in_channels == 4
    assert torch.equal(control.conv_in.weight, unet.conv_in.weight[:, :4])
    assert torch.equal(control.mid_block.resnets[0].conv1.weight, unet.mid_block.resnets[0].conv1.weight)


def test_both_presets_shrink_images_by_eight_as_sdxl_does() -> None:
    assert short().sizes.factor == 8
    assert full().sizes.factor == 8


def test_rows_drawn_by_several_processes_are_those_drawn_by_one(
    trained: NanoConfig, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("training.nano.data.rows.DRAWN_AT_ONCE", 1)  # 16 parts: two processes; else one part
    monkeypatch.setattr("training.nano.data.rows.os.cpu_count", lambda: 2)
    config = replace(trained, work=tmp_path, scenes=replace(trained.scenes, scenes=16))
    apart = draw_rows(config, held_out=False)
    alone = draw_rows(trained, held_out=False)
    assert np.array_equal(apart.rgb[:8], alone.rgb)
    assert apart.captions[:8] == alone.captions
