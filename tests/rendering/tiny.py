"""A real SDXL checkpoint of diffusers classes, so small that two steps at 64 px take a fraction of a second."""

from __future__ import annotations

import json
import os
from pathlib import Path

import torch
from diffusers import (
    AutoencoderKL,
    ControlNetModel,
    DPMSolverMultistepScheduler,
    StableDiffusionXLInpaintPipeline,
    UNet2DConditionModel,
)
from transformers import (
    CLIPTextConfig,
    CLIPTextModel,
    CLIPTextModelWithProjection,
    CLIPTokenizer,
)

SIDE = 64
STEPS = 2
TOKENS = 16  # of a prompt, with start and end
_TEXT_WIDTH = 16


def save_tiny_sdxl(folder: Path, *, seed: int = 0, unet_channels: int = 9, controlnet: bool = True) -> Path:
    """Write a randomly initialised checkpoint with a vocabulary; the same weights for the same seed."""
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        tokenizer = _tokenizer()
        pipeline = StableDiffusionXLInpaintPipeline(
            vae=_vae(),
            text_encoder=CLIPTextModel(_text_config(tokenizer)),
            text_encoder_2=CLIPTextModelWithProjection(_text_config(tokenizer)),
            tokenizer=tokenizer,
            tokenizer_2=tokenizer,
            unet=_unet(unet_channels),
            scheduler=DPMSolverMultistepScheduler(
                prediction_type="v_prediction", rescale_betas_zero_snr=True, timestep_spacing="trailing"
            ),
            add_watermarker=False,
        )
        pipeline.save_pretrained(folder)
        if controlnet:
            _controlnet(pipeline.unet).save_pretrained(folder / "controlnet")
    words = {
        "surface": ["gravel", "wooden planks"],
        "place": ["{surface} floor", "{surface} under a {sky} sky"],
        "synonyms": {"gravel": ["pebbles"]},
        "words": ["photo"],
        "defaults": {"steps": STEPS, "guidance_scale": 2.0, "size": SIDE},
    }
    (folder / "vocabulary.json").write_text(json.dumps(words), encoding="utf-8")
    return folder


def _vae() -> AutoencoderKL:
    return AutoencoderKL(
        down_block_types=("DownEncoderBlock2D",) * 3,
        up_block_types=("UpDecoderBlock2D",) * 3,
        block_out_channels=(8, 8, 16),
        layers_per_block=1,
        latent_channels=4,
        norm_num_groups=4,
        mid_block_add_attention=False,
        sample_size=SIDE,
        force_upcast=False,
    )


def _unet(in_channels: int) -> UNet2DConditionModel:
    return UNet2DConditionModel(
        sample_size=SIDE // 4,
        in_channels=in_channels,
        out_channels=4,
        block_out_channels=(16, 32),
        layers_per_block=1,
        down_block_types=("DownBlock2D", "CrossAttnDownBlock2D"),
        up_block_types=("CrossAttnUpBlock2D", "UpBlock2D"),
        transformer_layers_per_block=1,
        attention_head_dim=(2, 4),
        cross_attention_dim=2 * _TEXT_WIDTH,
        use_linear_projection=True,
        norm_num_groups=8,
        addition_embed_type="text_time",
        addition_time_embed_dim=8,
        projection_class_embeddings_input_dim=_TEXT_WIDTH + 6 * 8,
    )


def _controlnet(unet: UNet2DConditionModel) -> ControlNetModel:
    """With hint and output layers that are not zero, so that guidance shows."""
    shared = {
        name: unet.config[name]
        for name in (
            "block_out_channels", "layers_per_block", "down_block_types", "transformer_layers_per_block",
            "attention_head_dim", "cross_attention_dim", "use_linear_projection", "norm_num_groups",
            "addition_embed_type", "addition_time_embed_dim", "projection_class_embeddings_input_dim",
        )
    }  # fmt: skip
    model = ControlNetModel(in_channels=4, conditioning_embedding_out_channels=(8, 8, 16), **shared)
    for parameter in model.parameters():
        if not parameter.any():
            torch.nn.init.normal_(parameter, std=0.2)
    return model


def _tokenizer() -> CLIPTokenizer:
    """Letters and "word ends here" letters; no merges, so a word is as many tokens as it has letters."""
    letters = [*"abcdefghijklmnopqrstuvwxyz,"]
    vocabulary = [*letters, *(f"{letter}</w>" for letter in letters), "<|startoftext|>", "<|endoftext|>"]
    return CLIPTokenizer(
        vocab={token: index for index, token in enumerate(vocabulary)}, merges=[], model_max_length=TOKENS
    )


def _text_config(tokenizer: CLIPTokenizer) -> CLIPTextConfig:
    return CLIPTextConfig(
        vocab_size=len(tokenizer),
        hidden_size=_TEXT_WIDTH,
        intermediate_size=32,
        num_hidden_layers=2,
        num_attention_heads=2,
        max_position_embeddings=TOKENS,
        projection_dim=_TEXT_WIDTH,
        bos_token_id=tokenizer.bos_token_id,
        eos_token_id=tokenizer.eos_token_id,
        pad_token_id=tokenizer.pad_token_id,
    )


def offline() -> None:
    """No test asks the network: the Hub's client fails at once where it would."""
    os.environ["HF_HUB_OFFLINE"] = "1"
