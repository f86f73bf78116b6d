"""The SDXL pipelines of diffusers, run on batches of jobs."""

from __future__ import annotations

import math
import threading
from collections import OrderedDict
from collections.abc import Callable, Sequence
from typing import Any, Protocol

import numpy as np
import torch

from pipeline.domain.images import RGB
from pipeline.domain.plan import ModelFacts
from pipeline.domain.spec import Method, SampleSpec
from pipeline.errors import Cancelled, InvalidRequest
from pipeline.rendering.composite import composite, repaint_mask
from pipeline.rendering.detail import with_detail_of
from pipeline.rendering.families.sdxl.quiet import quiet
from pipeline.rendering.finishing import finished
from pipeline.rendering.generator import IsCancelled, Job, OnStep

_GREY = 127  # what the model is given where it shall paint
_PROMPTS_KEPT = 256
_LEAST_STEPS = 10  # where a run does not start from pure noise
_DETAIL_SHARE = 8 / 3  # a small VAE blurs what is finer than about three eighths of a latent's side
_NO_MEMORY = (
    "can't allocate memory",
    "not enough memory",
    "MPS backend out of memory",
)  # CPU, Windows, Apple
_PIPELINE_MULTIPLE = 8  # of which the pipelines want height and width, whatever the VAE

Embedding = tuple[torch.Tensor, torch.Tensor]  # (1, tokens, d) for cross attention, (1, d2) pooled


class PipelineSet(Protocol):
    """The pipelines over one set of weights (`pipelines.Pipelines`)."""

    @property
    def vae_scale_factor(self) -> int:
        """Pixels along a side of one latent."""

    @property
    def inpaint(self) -> Any:
        """StableDiffusionXLInpaintPipeline."""

    @property
    def controlnet_inpaint(self) -> Any:
        """StableDiffusionXLControlNetInpaintPipeline; ModelUnavailable without a ControlNet."""

    @property
    def text(self) -> Any | None:
        """StableDiffusionXLPipeline, or None where the UNet draws only through the inpainting pipeline."""


class SdxlGenerator:
    """A `Generator` that runs the unchanged pipelines of diffusers.

    Every row of a batch draws its noise from a CPU generator seeded with its own spec's seed, and its prompt is encoded
    as if alone, so an image does not depend on its neighbours beyond the rounding of the batched arithmetic. A pipeline
    is not thread-safe: calls wait for one another.
    """

    def __init__(self, facts: ModelFacts, pipelines: PipelineSet, *, strength: float) -> None:
        self._facts = facts
        self._pipelines = pipelines
        self._strength = strength
        self._embeddings: OrderedDict[tuple[int, str], Embedding] = OrderedDict()
        self._lock = threading.Lock()

    @property
    def facts(self) -> ModelFacts:
        """Name, pinned revision and default values of the model."""
        return self._facts

    def generate(
        self, jobs: Sequence[Job], *, on_step: OnStep | None = None, cancelled: IsCancelled | None = None
    ) -> list[RGB]:
        """Generate one image per job, in order; see `Generator.generate`. Halves the batch when memory runs out."""
        if not jobs:
            return []
        self._check_size(jobs[0].spec.size)
        self._check_steps(jobs[0].spec)
        with self._lock, torch.inference_mode():
            try:
                return self._batch(jobs, on_step, cancelled)
            except RuntimeError as error:
                if not _is_out_of_memory(error):
                    raise
                torch.cuda.empty_cache()
        if len(jobs) == 1:
            height, width = jobs[0].spec.size
            raise InvalidRequest(
                f"{self._facts.name} has not enough memory for one image of {width}x{height} px; "
                "choose a smaller size"
            )
        half = len(jobs) // 2
        first = self.generate(jobs[:half], on_step=on_step, cancelled=cancelled)
        return first + self.generate(jobs[half:], on_step=on_step, cancelled=cancelled)

    def prepare(self, method: Method) -> None:
        """Load what this method needs in addition to the parts that all methods share, before its first image."""
        with self._lock:
            match method:
                case Method.CONTROLNET:
                    _ = self._pipelines.controlnet_inpaint
                case Method.TEXT_TO_IMAGE if self._pipelines.text is not None:
                    pass
                case _:
                    _ = self._pipelines.inpaint

    def _check_size(self, size: tuple[int, int]) -> None:
        factor = math.lcm(_PIPELINE_MULTIPLE, self._pipelines.vae_scale_factor)
        height, width = size
        if height % factor or width % factor:
            raise InvalidRequest(
                f"the size is {width}x{height} px; {self._facts.name} needs multiples of {factor}"
            )

    def _check_steps(self, spec: SampleSpec) -> None:
        """Refuse few steps with a strength below 1: one is left out, and painting would start from the grey fill."""
        begins_grey = spec.start is None and self._strength < 1.0 and spec.method is not Method.TEXT_TO_IMAGE
        few = spec.steps < _LEAST_STEPS and begins_grey
        if few:
            raise InvalidRequest(
                f"steps is {spec.steps}; {self._facts.name} needs {_LEAST_STEPS} or more to paint round an object"
            )

    def _batch(self, jobs: Sequence[Job], on_step: OnStep | None, cancelled: IsCancelled | None) -> list[RGB]:
        if cancelled and cancelled():
            raise Cancelled
        first = jobs[0].spec
        pipeline, given = self._pipeline_and_inputs(jobs)
        images = pipeline(
            **given,
            **self._prompts(pipeline, jobs),
            height=first.size[0],
            width=first.size[1],
            num_inference_steps=first.steps,
            guidance_scale=first.guidance_scale,
            guidance_rescale=self._facts.guidance_rescale,
            generator=[torch.Generator("cpu").manual_seed(job.spec.seed) for job in jobs],
            output_type="np",
            callback_on_step_end=_step_hook(on_step, cancelled),
            callback_on_step_end_tensor_inputs=[],
        ).images  # (N, H, W, 3) float32, 0 to 1
        painted = (images * 255).round().astype(np.uint8)
        if first.method is Method.TEXT_TO_IMAGE:
            return list(painted)
        return [self._finished(job, image) for job, image in zip(jobs, painted, strict=True)]

    def _finished(self, job: Job, painted: RGB) -> RGB:
        start = job.spec.start
        if start and start.detail:
            assert job.backdrop is not None
            finest_px = self._pipelines.vae_scale_factor / _DETAIL_SHARE
            painted = with_detail_of(
                job.backdrop, painted, start.detail, finest_px=finest_px, beside=job.layer.alpha
            )
        return finished(job, painted)

    def _pipeline_and_inputs(self, jobs: Sequence[Job]) -> tuple[Any, dict[str, Any]]:
        match jobs[0].spec.method:
            case Method.INPAINT:
                return self._pipelines.inpaint, self._surroundings(jobs)
            case Method.CONTROLNET:
                control = jobs[0].spec.control
                assert control is not None
                guidance = {
                    "control_image": _unit([job.control for job in jobs]),
                    "controlnet_conditioning_scale": float(control.scale),
                }
                return self._pipelines.controlnet_inpaint, self._surroundings(jobs) | guidance
            case Method.TEXT_TO_IMAGE if self._pipelines.text is not None:
                return self._pipelines.text, {}
            case Method.TEXT_TO_IMAGE:
                return self._pipelines.inpaint, _nothing_given(len(jobs), jobs[0].spec.size)
            case other:
                raise AssertionError(f"{other} needs no diffusion")

    def _surroundings(self, jobs: Sequence[Job]) -> dict[str, Any]:
        """Return the inputs of the inpainting pipelines: images (N, 3, H, W) and masks (N, 1, H, W), 1 = paint.

        Behind the objects lies the picture to start from, or grey. The steps that are run are the last `strength` of
        all; at less than 1 they begin with the noised image.
        """
        start = jobs[0].spec.start
        grey = np.full((*jobs[0].spec.size, 3), _GREY, np.uint8)
        inset_px = self._pipelines.vae_scale_factor // 2  # the VAE blurs about as far over an outline
        masks = np.stack([repaint_mask(job.layer, inset_px=inset_px) for job in jobs])
        return {
            "image": _unit(
                [composite(job.layer, grey if job.backdrop is None else job.backdrop) for job in jobs]
            ),
            "mask_image": torch.from_numpy(masks)[:, None].float() / 255,
            "strength": min(self._strength, start.strength) if start else self._strength,
        }

    def _prompts(self, pipeline: Any, jobs: Sequence[Job]) -> dict[str, torch.Tensor]:
        guided = jobs[0].spec.guidance_scale > 1.0
        zeros = bool(pipeline.config.get("force_zeros_for_empty_prompt", True))
        wanted = [job.spec.prompt for job in jobs]
        unwanted = [_negative_prompt(job.spec, zeros=zeros) for job in jobs] if guided else []
        known = self._embeddings_of(
            pipeline, [*wanted, *(prompt for prompt in unwanted if prompt is not None)]
        )
        tokens, pooled = zip(*(known[prompt] for prompt in wanted), strict=True)
        given = {"prompt_embeds": torch.cat(tokens), "pooled_prompt_embeds": torch.cat(pooled)}
        if guided:
            nothing = tuple(map(torch.zeros_like, known[wanted[0]]))
            rows = (nothing if prompt is None else known[prompt] for prompt in unwanted)
            tokens, pooled = zip(*rows, strict=True)
            given["negative_prompt_embeds"] = torch.cat(tokens)
            given["negative_pooled_prompt_embeds"] = torch.cat(pooled)
        return given

    def _embeddings_of(self, pipeline: Any, prompts: Sequence[str]) -> dict[str, Embedding]:
        """Return the embedding of each prompt; those that are new are encoded in one call and kept for later ones."""
        encoders = id(pipeline.text_encoder_2)
        known = {
            prompt: self._embeddings[encoders, prompt]
            for prompt in prompts
            if (encoders, prompt) in self._embeddings
        }
        new = [prompt for prompt in dict.fromkeys(prompts) if prompt not in known]
        if new:
            with quiet():  # no warning of a prompt that is too long: the plan's preview has given it
                tokens, _, pooled, _ = pipeline.encode_prompt(
                    prompt=new, device=pipeline.text_encoder_2.device, do_classifier_free_guidance=False
                )
            rows = zip(tokens.split(1), pooled.split(1), strict=True)
            known |= {
                prompt: (row.clone(), whole.clone()) for prompt, (row, whole) in zip(new, rows, strict=True)
            }
        for prompt, embedding in known.items():
            self._embeddings[encoders, prompt] = embedding
            self._embeddings.move_to_end((encoders, prompt))
        while len(self._embeddings) > _PROMPTS_KEPT:
            self._embeddings.popitem(last=False)
        return known


def _is_out_of_memory(error: RuntimeError) -> bool:
    """Return whether memory ran out; torch has a type for that of CUDA only."""
    return isinstance(error, torch.OutOfMemoryError) or any(sign in str(error) for sign in _NO_MEMORY)


def _negative_prompt(spec: SampleSpec, *, zeros: bool) -> str | None:
    """Return what is encoded as the negative prompt; None = zeros in place of an embedding.

    Args:
        zeros: whether the checkpoint was trained with zeros where there is no prompt.
    """
    return None if spec.negative_prompt is None and zeros else spec.negative_prompt or ""


def _step_hook(on_step: OnStep | None, cancelled: IsCancelled | None) -> Callable[..., dict[str, Any]]:
    def hook(pipeline: Any, step: int, _timestep: Any, _tensors: dict[str, Any]) -> dict[str, Any]:
        if on_step:
            on_step(step + 1, pipeline.num_timesteps)
        if cancelled and cancelled():
            raise Cancelled
        return {}

    return hook


def _nothing_given(count: int, size: tuple[int, int]) -> dict[str, Any]:
    """Return inputs with which an inpainting pipeline draws the whole image from the prompt."""
    return {
        "image": torch.full((count, 3, *size), _GREY / 255),
        "mask_image": torch.ones((count, 1, *size)),
        "strength": 1.0,
    }


def _unit(images: Sequence[RGB | None]) -> torch.Tensor:
    """Stack images as (N, 3, H, W) float32 in 0 to 1."""
    stacked = np.stack([image for image in images if image is not None])
    return torch.from_numpy(stacked).permute(0, 3, 1, 2).float() / 255
