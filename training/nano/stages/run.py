"""The stages in order: each reads what the previous one left in `work`, and does nothing where it is complete."""

from __future__ import annotations

from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import torch
from diffusers import AutoencoderKL, ControlNetModel, ModelMixin, UNet2DConditionModel
from transformers import CLIPTextModel, CLIPTextModelWithProjection, CLIPTokenizer

from pipeline.errors import InvalidRequest
from training.nano.config import NanoConfig
from training.nano.data import words
from training.nano.data.rows import draw_rows, encode_rows, photo_surfaces
from training.nano.networks.build import TextParts, build_controlnet, build_text, build_unet, build_vae
from training.nano.networks.export import (
    CONTROL_GAIN,
    check_out,
    fold_latent_scale,
    scale_residuals,
    write_folder,
)
from training.nano.networks.tokens import build_tokenizer
from training.nano.stages.control import ControlStage, hint_drawer, scale_hint_stack
from training.nano.stages.diffusion import DiffusionStage, focus, latent_drawer, tokenized
from training.nano.stages.fitting import Average, fit
from training.nano.stages.vae import DecoderStage, VaeStage, crop_drawer, latent_scale


def draw(config: NanoConfig) -> None:
    """Draw the training rows and the held-out rows."""
    for held_out in (False, True):
        draw_rows(config, held_out=held_out)


def train_vae(config: NanoConfig) -> None:
    """Train the autoencoder and fold its latent scale in."""
    folder = config.work / "vae"
    if (folder / "config.json").exists():
        return
    torch.manual_seed(config.scenes.seed)
    rows = draw_rows(config, held_out=False)
    vae = build_vae(config.sizes)
    stage = VaeStage(vae, config.vae)
    textures = photo_surfaces(config, held_out=False)
    fit(stage, crop_drawer(rows, textures, crop_px=config.crop_px, batch=config.vae.batch), folder)
    fold_latent_scale(vae, *latent_scale(vae, rows))
    _save(vae, folder)


def train_decoder(config: NanoConfig) -> None:
    """Continue with the autoencoder's decoder alone, before or after the UNet.

    Raises:
        InvalidRequest: there is no autoencoder.
    """
    folder = config.work / "decoder"
    if (folder / "config.json").exists():
        return
    _require(config, "vae")
    torch.manual_seed(config.scenes.seed + 3)
    rows = draw_rows(config, held_out=False)
    vae = AutoencoderKL.from_pretrained(config.work / "vae")
    textures = photo_surfaces(config, held_out=False)
    drawer = crop_drawer(rows, textures, crop_px=config.crop_px, batch=config.decoder.batch)
    fit(DecoderStage(vae, config.decoder), drawer, folder)
    _save(vae, folder)


def train_unet(config: NanoConfig, *, start: Path | None = None, focused: bool = False) -> None:
    """Train UNet and text encoders on cached latents.

    Args:
        start: a folder that `export` wrote, with networks of the same shapes, to go on from.
        focused: draw surfaces whose structure is learned last more often, see `focus`.

    Raises:
        InvalidRequest: there is no autoencoder, or `start` holds no such networks.
    """
    folder = config.work / "unet"
    if (folder / "config.json").exists():
        return
    _require(config, "vae")
    _check_start(start, "unet")
    rows = draw_rows(config, held_out=False)
    latents = encode_rows(rows, AutoencoderKL.from_pretrained(config.work / "vae"), config.work / "rows")
    torch.manual_seed(config.scenes.seed + 1)
    stage = new_diffusion(config)
    if start is not None:
        _load_weights(stage, start)
    tokens = tokenized(stage.text, rows.captions)
    draw_batch = latent_drawer(
        rows,
        latents,
        tokens,
        batch=config.unet.batch,
        crop_share=config.crop_share,
        shares=focus(rows) if focused else None,
    )
    fit(stage, draw_batch, folder)
    save_text(stage.text, config.work / "text")
    _save(stage.unet, folder)


def new_diffusion(config: NanoConfig) -> DiffusionStage:
    """Build untrained UNet and text encoders."""
    tokenizer = build_tokenizer(words.token_words(), max_tokens=config.sizes.max_tokens)
    return DiffusionStage(
        build_unet(config.sizes),
        build_text(config.sizes, tokenizer),
        config.unet,
        drop_prompt=config.drop_prompt,
    )


def _load_weights(stage: DiffusionStage, folder: Path) -> None:
    """Load the weights of an exported folder and restart the running average."""
    parts = (
        (stage.unet, UNet2DConditionModel, "unet"),
        (stage.first, CLIPTextModel, "text_encoder"),
        (stage.second, CLIPTextModelWithProjection, "text_encoder_2"),
    )
    for network, kind, name in parts:
        network.load_state_dict(kind.from_pretrained(folder / name, torch_dtype=torch.float32).state_dict())
    stage.average = Average([network for network, *_ in parts], stage.options.ema_decay)


def save_text(text: TextParts, folder: Path) -> None:
    """Save tokenizer and both text encoders."""
    text.tokenizer.save_pretrained(folder / "tokenizer")
    text.first.save_pretrained(folder / "first")
    text.second.save_pretrained(folder / "second")


def load_text(folder: Path) -> TextParts:
    """Load what `save_text` wrote."""
    return TextParts(
        CLIPTokenizer.from_pretrained(folder / "tokenizer"),
        CLIPTextModel.from_pretrained(folder / "first"),
        CLIPTextModelWithProjection.from_pretrained(folder / "second"),
    )


def load_diffusion(config: NanoConfig) -> DiffusionStage:
    """Load the trained UNet and text encoders; those of the last checkpoint where training is unfinished."""
    if (config.work / "unet" / "config.json").exists():
        unet, text = (
            UNet2DConditionModel.from_pretrained(config.work / "unet"),
            load_text(config.work / "text"),
        )
        return DiffusionStage(unet, text, config.unet, drop_prompt=config.drop_prompt)
    stage = new_diffusion(config)
    last = config.work / "unet" / "last.ckpt"
    if last.exists():
        stage.load_state_dict(torch.load(last, map_location="cpu", weights_only=False)["state_dict"])
        stage.average.copy_to_networks()
    return stage


def train_control(config: NanoConfig, *, start: Path | None = None) -> None:
    """Train the ControlNet on Canny edges.

    Args:
        start: a folder that `export` wrote, with a ControlNet of the same shape, to go on from.

    Raises:
        InvalidRequest: there is no autoencoder or UNet, or `start` holds no ControlNet.
    """
    folder = config.work / "control"
    if (folder / "config.json").exists():
        return
    _require(config, "vae", "unet")
    _check_start(start, "controlnet")
    rows = draw_rows(config, held_out=False)
    latents = encode_rows(rows, AutoencoderKL.from_pretrained(config.work / "vae"), config.work / "rows")
    torch.manual_seed(config.scenes.seed + 2)
    base = load_diffusion(config)
    tokens = tokenized(base.text, rows.captions)
    draw_batch = hint_drawer(rows, latent_drawer(rows, latents, tokens, batch=config.control.batch))
    control = build_controlnet(config.sizes, base.unet)
    if start is None:
        scale_hint_stack(control, draw_batch(np.random.default_rng(config.scenes.seed))["hint"])
    else:
        earlier = ControlNetModel.from_pretrained(start / "controlnet", torch_dtype=torch.float32)
        control.load_state_dict(earlier.state_dict())
        scale_residuals(control, 1 / CONTROL_GAIN)
    fit(ControlStage(control, base, config.control), draw_batch, folder)
    _save(control, folder)


def export(config: NanoConfig) -> None:
    """Write the shipped folder from what is trained so far; a missing ControlNet is replaced by one without effect.

    Raises:
        InvalidRequest: there is no autoencoder or UNet, or the folder holds something else.
    """
    _require(config, "vae", "unet")
    check_out(config.out)
    base = load_diffusion(config)
    trained = {name: config.work / name for name in ("vae", "decoder", "control")}
    ready = {name: (folder / "config.json").exists() for name, folder in trained.items()}
    vae = AutoencoderKL.from_pretrained(trained["decoder" if ready["decoder"] else "vae"])
    if ready["control"]:
        control = ControlNetModel.from_pretrained(trained["control"])
        scale_residuals(control, CONTROL_GAIN)
    else:
        control = build_controlnet(config.sizes, base.unet)
    write_folder(config.out, vae=vae, unet=base.unet, control=control, text=base.text)


def _save(network: ModelMixin, folder: Path) -> None:
    """Write weights first and config.json last: with it a stage counts as complete."""
    with TemporaryDirectory(dir=folder) as partial:
        network.save_pretrained(partial)
        for file in sorted(Path(partial).iterdir(), key=lambda file: file.name == "config.json"):
            file.replace(folder / file.name)


def _require(config: NanoConfig, *names: str) -> None:
    """Refuse to start without the stages that this one builds on; of the UNet a checkpoint is enough."""
    for name in names:
        folder = config.work / name
        if not any((folder / file).exists() for file in _proof_files(name)):
            raise InvalidRequest(
                f"{folder} holds nothing trained; run `python -m training.nano {name} --work {config.work}` first"
            )


def _proof_files(name: str) -> tuple[str, ...]:
    return ("config.json", "last.ckpt") if name == "unet" else ("config.json",)


def _check_start(start: Path | None, part: str) -> None:
    if start is not None and not (start / part / "config.json").is_file():
        raise InvalidRequest(f"{start} holds no {part} to start from; name a folder that `export` wrote")
