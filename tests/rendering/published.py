"""The four published repositories of SDXL, in their own layouts, with tiny random weights."""

from __future__ import annotations

import json
import shutil
from collections.abc import Mapping
from pathlib import Path

import torch
from diffusers import AutoencoderKL, ControlNetModel, StableDiffusionXLInpaintPipeline

from pipeline.rendering.checkpoints import CHECKPOINTS, Part
from tests.hub.server import LoopbackHub
from tests.rendering.tiny import save_tiny_sdxl

INPAINT_REPO = "diffusers/stable-diffusion-xl-1.0-inpainting-0.1"
BASE_REPO = "stabilityai/stable-diffusion-xl-base-1.0"
_UNWANTED = {  # what the base repository holds beside, of which nothing may be downloaded
    "sd_xl_base_1.0.safetensors": b"one file",
    "text_encoder/model.onnx": b"onnx",
    "unet/openvino_model.bin": b"openvino",
    "vae_1_0/diffusion_pytorch_model.fp16.safetensors": b"an older VAE",
    "README.md": b"# SDXL",
}


def published_files(folder: Path) -> dict[Part, dict[str, bytes]]:
    """The files of the four repositories. They are built in a folder, which may go afterwards."""
    inpaint, base = (
        _with_both_precisions(save_tiny_sdxl(folder / name, unet_channels=channels))
        for name, channels in (("inpaint", 9), ("base", 4))
    )
    controlnet = (inpaint / "controlnet").rename(folder / "controlnet")
    shutil.rmtree(base / "controlnet")
    ControlNetModel.from_pretrained(controlnet, torch_dtype=torch.float16).save_pretrained(
        controlnet, variant="fp16"
    )
    vae = folder / "vae"
    AutoencoderKL.from_pretrained(inpaint / "vae").save_pretrained(vae)
    return {
        Part.INPAINT: _files(inpaint),
        Part.TEXT: _files(base) | _UNWANTED,
        Part.CONTROLNET: _files(controlnet),
        Part.VAE: _files(vae) | {"sdxl_vae.safetensors": b"one file"},
    }


def publish(hub: LoopbackHub, files: Mapping[Part, Mapping[str, bytes]]) -> None:
    """Put the four repositories on a loopback Hub, at the commits that `sdxl` pins."""
    for part, content in files.items():
        pinned = CHECKPOINTS["sdxl"].hub[part]
        hub.create(pinned.repo, kind="model")
        hub.commit_as("them", pinned.repo, content, kind="model", oid=pinned.revision)


def _files(folder: Path) -> dict[str, bytes]:
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


def _with_both_precisions(folder: Path) -> Path:
    """Beside the full weights those in fp16, and the tokenizers as their older pair of files."""
    (folder / "vocabulary.json").unlink()
    pipeline = StableDiffusionXLInpaintPipeline.from_pretrained(
        folder, torch_dtype=torch.float16, add_watermarker=False
    )
    pipeline.save_pretrained(folder, variant="fp16")
    for name in ("tokenizer", "tokenizer_2"):
        whole = folder / name / "tokenizer.json"
        vocabulary = json.loads(whole.read_text(encoding="utf-8"))["model"]["vocab"]
        whole.unlink()
        (folder / name / "vocab.json").write_text(json.dumps(vocabulary), encoding="utf-8")
        (folder / name / "merges.txt").write_text("#version: 0.2\n", encoding="utf-8")
        marks = {"bos_token": "<|startoftext|>", "eos_token": "<|endoftext|>", "pad_token": "<|endoftext|>"}
        (folder / name / "special_tokens_map.json").write_text(json.dumps(marks), encoding="utf-8")
    return folder
