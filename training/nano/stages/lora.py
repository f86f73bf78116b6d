"""LoRA on images of one's own site, for checkpoints too large to train fully (Hu et al. 2021, arXiv 2106.09685)."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TypedDict

import numpy as np
import torch
import torch.nn.functional as F
from diffusers import DDPMScheduler, StableDiffusionXLInpaintPipeline
from diffusers.utils import convert_state_dict_to_diffusers
from peft import LoraConfig
from peft.utils import get_peft_model_state_dict

from pipeline.errors import InvalidRequest
from pipeline.rendering.checkpoints import LORA_FILE, checkpoint
from pipeline.rendering.device import hardware
from pipeline.rendering.facts import model_facts
from pipeline.rendering.families.sdxl.pipelines import Pipelines
from training.nano.config import StageOptions
from training.nano.data.rows import signed
from training.nano.data.surfaces import load_surfaces
from training.nano.stages.diffusion import added_conditions, dropped
from training.nano.stages.fitting import Average, Stage, fit
from training.nano.stages.tune import SIDES_SEEN, captioned, check_new, cut, work_folder

ATTENTION = ["to_q", "to_k", "to_v", "to_out.0"]
LORA_TRAINING = StageOptions(
    steps=1000, batch=1, learning_rate=1e-4, warm_up=50, ema_decay=0.99, save_every_s=300
)
LARGE_PX = 512  # from this side on activations are computed twice instead of kept


@dataclass(frozen=True, slots=True, kw_only=True)
class LoraOptions:
    """One LoRA training."""

    photos: Path  # class folders of images, or a folder with metadata.jsonl
    out: Path  # where the LoRA goes; usable as `--model OUT`
    model: str  # a registered name or a checkpoint folder
    rank: int = 8
    stage: StageOptions = LORA_TRAINING
    seed: int = 1


class CutBatch(TypedDict):
    """A batch of squares cut out of photos."""

    rgb: torch.Tensor  # (B, 3, S, S) in -1 to 1
    mask: torch.Tensor  # (B, 1, S, S); 1 = to be painted
    captions: list[str]
    size_numbers: torch.Tensor  # (B, 6), as SDXL's pipelines fill them in


class LoraStage(Stage):
    """MSE on the prediction target of the checkpoint's scheduler; only the low-rank matrices learn.

    Args:
        pipeline: a loaded SDXL inpainting pipeline, with 4 or 9 input channels; its UNet gets the matrices.
    """

    def __init__(
        self,
        pipeline: StableDiffusionXLInpaintPipeline,
        options: StageOptions,
        *,
        rank: int,
        drop_prompt: float = 0.1,
    ) -> None:
        super().__init__(options)
        self.pipeline, self.drop_prompt = pipeline, drop_prompt  # no module: stays out of checkpoints
        unet = pipeline.unet.requires_grad_(False)
        unet.add_adapter(LoraConfig(r=rank, lora_alpha=rank, target_modules=ATTENTION))
        trained = [parameter for parameter in unet.parameters() if parameter.requires_grad]
        for parameter in trained:
            parameter.data = parameter.data.float()
        self.low_rank = torch.nn.ParameterList(trained)
        self.schedule = DDPMScheduler.from_config(pipeline.scheduler.config)
        self.average = Average([self.low_rank], options.ema_decay)
        self._embedded: dict[str, tuple[torch.Tensor, torch.Tensor]] = {}  # by caption: states, pooled

    def training_step(self, batch: CutBatch, _: int) -> torch.Tensor:
        """Return the loss of one batch, see `image_drawer`."""
        latents, conditions = self._encoded(batch)
        noise = torch.randn_like(latents)
        last = int(self.schedule.config.num_train_timesteps)
        steps = torch.randint(0, last, (len(latents),), device=latents.device)
        words, pooled = dropped(*self._embeddings(batch["captions"]), self.drop_prompt)
        noisy = self.schedule.add_noise(latents, noise, steps)
        predicted = self.pipeline.unet(
            torch.cat([noisy, *conditions], 1),
            steps,
            encoder_hidden_states=words,
            added_cond_kwargs=added_conditions(pooled, batch["size_numbers"].to(pooled.dtype)),
        ).sample
        velocity = self.schedule.config.prediction_type == "v_prediction"
        target = self.schedule.get_velocity(latents, noise, steps) if velocity else noise
        loss = F.mse_loss(predicted.float(), target.float())
        self.log("loss", loss, batch_size=len(latents))
        return loss

    @torch.no_grad()
    def _encoded(self, batch: CutBatch) -> tuple[torch.Tensor, list[torch.Tensor]]:
        """Encode the images, and for a 9-channel UNet mask and masked latents."""
        vae = self.pipeline.vae
        images, mask = batch["rgb"].to(vae.device, vae.dtype), batch["mask"].to(vae.device, vae.dtype)
        latents = vae.encode(images).latent_dist.sample() * vae.config.scaling_factor
        if self.pipeline.unet.config.in_channels == 4:
            return latents, []
        masked = vae.encode(images * (mask < 0.5)).latent_dist.sample() * vae.config.scaling_factor
        return latents, [F.interpolate(mask, latents.shape[-2:]), masked]

    @torch.no_grad()
    def _embeddings(self, captions: list[str]) -> tuple[torch.Tensor, torch.Tensor]:
        for caption in set(captions) - set(self._embedded):
            words, _, pooled, _ = self.pipeline.encode_prompt(caption, do_classifier_free_guidance=False)
            self._embedded[caption] = words, pooled
        embedded = [self._embedded[caption] for caption in captions]
        return torch.cat([words for words, _ in embedded]), torch.cat([pooled for _, pooled in embedded])


def tune_lora(options: LoraOptions) -> list[str]:
    """Train a LoRA on the photos, write it and return its captions. An interrupted training is resumed.

    Raises:
        InvalidRequest: see `tune.tune`; or the model is a LoRA itself.
        SourceRefused: see `tune.tune`.
        ModelUnavailable: the checkpoint is not on this machine and cannot be fetched.
        UnknownName: neither a registered model nor a folder.
    """
    facts, base = model_facts(options.model), checkpoint(options.model)
    if base.lora:
        raise InvalidRequest(f"{options.model} is a LoRA itself; name the model that it belongs to")
    check_new(options.out, base.folder)
    photos = captioned(options.photos, short_px=SIDES_SEEN * facts.size)
    pipeline = Pipelines(base, hardware(half=base.half)).inpaint
    if facts.size >= LARGE_PX:
        pipeline.unet.enable_gradient_checkpointing()
    origin = {"model": options.model, "revision": facts.revision, "rank": options.rank}
    work = work_folder(options.out, origin, photos)
    torch.manual_seed(options.seed)
    stage = LoraStage(pipeline, options.stage, rank=options.rank).train()
    fit(stage, image_drawer(photos, facts.size, batch=options.stage.batch, seed=options.seed), work)
    captions = list(dict.fromkeys(caption for _, caption in photos))
    layers = convert_state_dict_to_diffusers(get_peft_model_state_dict(pipeline.unet))
    pipeline.save_lora_weights(work / "lora", unet_lora_layers=layers)
    (work / "lora" / LORA_FILE).write_text(
        json.dumps({**origin, "captions": captions}, indent=1) + "\n", encoding="utf-8"
    )
    shutil.rmtree(options.out, ignore_errors=True)
    (work / "lora").rename(options.out)
    shutil.rmtree(work)
    return captions


def image_drawer(
    photos: list[tuple[np.ndarray, str]], size: int, *, batch: int, seed: int
) -> Callable[[np.random.Generator], CutBatch]:
    """Build a function that cuts a batch of squares of `size` pixels out of the photos."""
    surfaces = load_surfaces(None, None, held_out=False, held_out_share=0.0, seed=seed)

    def draw(rng: np.random.Generator) -> CutBatch:
        chosen = [photos[index] for index in rng.integers(len(photos), size=batch)]
        cuts = [cut(photo, size, surfaces, rng) for photo, _ in chosen]
        return {
            "rgb": signed(np.stack([rgb for rgb, _ in cuts])),
            "mask": torch.from_numpy(np.stack([hole for _, hole in cuts]) / 255.0)[:, None].float(),
            "captions": [caption for _, caption in chosen],
            "size_numbers": torch.tensor([size, size, 0, 0, size, size]).float().repeat(batch, 1),
        }

    return draw
