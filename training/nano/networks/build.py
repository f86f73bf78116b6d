"""The five networks of nano: the classes of SDXL at small sizes, randomly initialised."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from diffusers import AutoencoderKL, ControlNetModel, DPMSolverMultistepScheduler, UNet2DConditionModel
from transformers import CLIPTextConfig, CLIPTextModel, CLIPTextModelWithProjection, CLIPTokenizer

from training.nano.config import NanoSizes

TIME_WIDTH = 32  # width of the embedding of each of the six size numbers
TRAIN_TIMESTEPS = 1000


@dataclass
class TextParts:
    """Tokenizer and the two text encoders."""

    tokenizer: CLIPTokenizer
    first: CLIPTextModel
    second: CLIPTextModelWithProjection


def build_vae(sizes: NanoSizes) -> AutoencoderKL:
    """Build an AutoencoderKL with four latent channels and small posterior noise at the start."""
    levels = len(sizes.vae_channels)
    vae = AutoencoderKL(
        down_block_types=("DownEncoderBlock2D",) * levels,
        up_block_types=("UpDecoderBlock2D",) * levels,
        block_out_channels=sizes.vae_channels,
        layers_per_block=1,
        latent_channels=4,
        norm_num_groups=8,
        mid_block_add_attention=False,
        force_upcast=False,
        sample_size=sizes.image_px,
        scaling_factor=1.0,
    )
    with torch.no_grad():
        vae.quant_conv.bias[4:] -= 6
    return vae


def build_unet(sizes: NanoSizes) -> UNet2DConditionModel:
    """Build the UNet over noisy latents, mask and masked latents (4 + 1 + 4 channels)."""
    shared = _unet_arguments(sizes)
    ups = ("CrossAttnUpBlock2D",) * (len(sizes.unet_channels) - 1) + ("UpBlock2D",)
    return UNet2DConditionModel(
        sample_size=sizes.image_px // sizes.factor,
        in_channels=9,
        out_channels=4,
        up_block_types=ups,
        **shared,
    )


def build_controlnet(sizes: NanoSizes, unet: UNet2DConditionModel) -> ControlNetModel:
    """Build a ControlNet that starts from the UNet's weights and sees the four noisy latent channels only."""
    control = ControlNetModel(
        in_channels=4,
        conditioning_embedding_out_channels=sizes.control_hint_channels,
        **_unet_arguments(sizes),
    )
    own = control.state_dict()
    taken = {name: value for name, value in unet.state_dict().items() if name in own}
    taken["conv_in.weight"] = unet.conv_in.weight.detach()[:, :4].clone()
    control.load_state_dict(taken, strict=False)
    return control


def _unet_arguments(sizes: NanoSizes) -> dict[str, object]:
    levels = len(sizes.unet_channels)
    return {
        "block_out_channels": sizes.unet_channels,
        "layers_per_block": 1,
        "down_block_types": ("DownBlock2D",) + ("CrossAttnDownBlock2D",) * (levels - 1),
        "transformer_layers_per_block": 1,
        "attention_head_dim": sizes.unet_heads,  # the name is SDXL's; it means heads per level
        "cross_attention_dim": sum(sizes.text_widths),
        "use_linear_projection": True,
        "norm_num_groups": 16,
        "addition_embed_type": "text_time",
        "addition_time_embed_dim": TIME_WIDTH,
        "projection_class_embeddings_input_dim": sizes.text_widths[1] + 6 * TIME_WIDTH,
    }


def build_text(sizes: NanoSizes, tokenizer: CLIPTokenizer) -> TextParts:
    """Build the two text encoders for a tokenizer."""
    first, second = (_text_config(sizes, tokenizer, width) for width in sizes.text_widths)
    return TextParts(tokenizer, CLIPTextModel(first), CLIPTextModelWithProjection(second))


def _text_config(sizes: NanoSizes, tokenizer: CLIPTokenizer, width: int) -> CLIPTextConfig:
    return CLIPTextConfig(
        vocab_size=len(tokenizer),
        hidden_size=width,
        intermediate_size=4 * width,
        projection_dim=width,
        num_hidden_layers=sizes.text_layers,
        num_attention_heads=max(1, width // 32),
        max_position_embeddings=sizes.max_tokens,
        hidden_act="quick_gelu" if width == sizes.text_widths[0] else "gelu",
        bos_token_id=tokenizer.bos_token_id,
        eos_token_id=tokenizer.eos_token_id,
        pad_token_id=tokenizer.pad_token_id,
    )


def build_scheduler() -> DPMSolverMultistepScheduler:
    """Build the noise schedule of training, which is also the default sampler of the shipped folder.

    Less noise than SDXL's at the same step (a signal-to-noise ratio about 5 times as high half-way): nine tenths of
    the variance of nano's small latents are the mean colour of the image and its slow changes, and with SDXL's
    schedule all structure would be decided late (the argument of Hoogeboom et al. 2023,
    arXiv 2301.11093, for large images, turned round).
    """
    return DPMSolverMultistepScheduler(
        num_train_timesteps=TRAIN_TIMESTEPS,
        beta_start=1e-5,
        beta_end=0.008,
        beta_schedule="scaled_linear",
        prediction_type="v_prediction",
        rescale_betas_zero_snr=True,
        timestep_spacing="trailing",
        algorithm_type="sde-dpmsolver++",  # fresh noise at every step corrects what an early step got wrong
    )


def alphas_cumprod() -> torch.Tensor:
    """Return the (1000,) signal power per timestep of the zero-terminal-SNR schedule; the last is almost 0."""
    from diffusers import DDIMScheduler  # DPM-Solver nudges its last entry; DDIM keeps the exact schedule

    config = {**build_scheduler().config, "clip_sample": False}
    products: torch.Tensor = DDIMScheduler.from_config(config).alphas_cumprod
    return products


def encode_text(parts: TextParts, tokens: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """Encode prompts as SDXL does.

    Args:
        tokens: (B, T) token ids.

    Returns:
        (B, T, first + second width) states of the last layer but one, and (B, second width) pooled.
    """
    first = parts.first(tokens, output_hidden_states=True)
    second = parts.second(tokens, output_hidden_states=True)
    states = torch.cat([first.hidden_states[-2], second.hidden_states[-2]], dim=-1)
    return states, second.text_embeds
