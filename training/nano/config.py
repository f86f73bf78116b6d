"""All sizes and hyper-parameters of the training of nano."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

DEFAULT_SURFACES = Path("../shared/data/surfaces")
DEFAULT_SHELVES = Path("../shared/data/shelves")
DEFAULT_OBJECTS = Path("../shared/data/trash")


@dataclass(frozen=True, slots=True, kw_only=True)
class NanoSizes:
    """The shapes of the networks; all use the component classes of SDXL."""

    image_px: int = 128  # side of the images that the networks are trained on
    vae_channels: tuple[int, ...] = (32, 64, 96, 128)  # one per level; three halvings, a latent is 8x8 px
    unet_channels: tuple[int, ...] = (64, 128, 224)  # one per level; the first has no attention
    unet_heads: tuple[int, ...] = (2, 4, 7)  # attention heads per level
    control_hint_channels: tuple[int, ...] = (8, 16, 32, 64)  # one more than the VAE has halvings
    text_widths: tuple[int, int] = (64, 128)  # hidden sizes of the two text encoders
    text_layers: int = 2  # SDXL reads the last layer but one, so one of two is useful
    max_tokens: int = 32  # longest prompt, start and end token included

    @property
    def factor(self) -> int:
        """Return the pixels per latent along one side."""
        return 1 << (len(self.vae_channels) - 1)


@dataclass(frozen=True, slots=True, kw_only=True)
class SceneOptions:
    """What is drawn before training."""

    surfaces: Path | None = DEFAULT_SURFACES  # folder of category folders of photos; None draws all surfaces
    shelves: Path | None = (
        DEFAULT_SHELVES  # folder of photos whose crops texture objects; None leaves them out
    )
    scenes: int = 20_000  # complete training rows to draw
    held_out: int = 256  # rows drawn from held-out photos, for the figures
    held_out_share: float = 0.08  # share of the photos that training never sees
    seed: int = 1  # everything drawn follows from it


@dataclass(frozen=True, slots=True, kw_only=True)
class StageOptions:
    """How one network is trained."""

    steps: int  # optimiser steps
    batch: int  # images per step
    learning_rate: float  # at its highest
    warm_up: int = 100  # steps of linear rise
    ema_decay: float = 0.998  # of the running average of the weights that is shipped
    save_every_s: float = 150.0  # seconds between checkpoints
    log_every: int = 20  # steps between lines of metrics.csv


@dataclass(frozen=True, slots=True, kw_only=True)
class NanoConfig:
    """One whole training."""

    sizes: NanoSizes = field(default_factory=NanoSizes)
    scenes: SceneOptions = field(default_factory=SceneOptions)
    vae: StageOptions = StageOptions(steps=3000, batch=32, learning_rate=1e-3)
    decoder: StageOptions = StageOptions(steps=3600, batch=16, learning_rate=3e-4)
    unet: StageOptions = StageOptions(steps=4400, batch=64, learning_rate=1e-3, ema_decay=0.997)
    focused: StageOptions = StageOptions(  # of the UNet with --focus
        steps=3000, batch=32, learning_rate=8e-4
    )
    control: StageOptions = StageOptions(
        steps=1600, batch=64, learning_rate=1e-3, warm_up=100, ema_decay=0.998
    )
    crop_px: int = (
        64  # side of the crops that the VAE learns from; a quarter of the batches have twice the side
    )
    crop_share: float = 0.0  # of the UNet batches: crops of half the side, three times as many
    drop_prompt: float = (
        0.1  # share of the rows whose prompt is replaced by zeros, for classifier-free guidance
    )
    objects: Path | None = DEFAULT_OBJECTS  # class folders of photos of objects, for the figures only
    work: Path = Path("work/nano")  # drawn scenes, latents, checkpoints and curves
    out: Path = Path("pipeline/nano")  # the shipped folder


def full() -> NanoConfig:
    """Return the preset that trains everything from scratch: about three hours on two cores with bfloat16 instructions.

    The shipped weights have the same shapes and took several goes, see Training in their model card.
    """
    return NanoConfig()


def short() -> NanoConfig:
    """Return the preset that runs the same stages in a few minutes, to test them; its images are worthless."""
    return NanoConfig(
        sizes=NanoSizes(
            image_px=64,
            vae_channels=(16, 16, 16, 32),
            unet_channels=(16, 32, 48),
            unet_heads=(1, 2, 3),
            control_hint_channels=(8, 8, 8, 16),
            text_widths=(32, 32),
        ),
        scenes=SceneOptions(scenes=96, held_out=16),
        vae=StageOptions(steps=30, batch=8, learning_rate=1e-3, warm_up=5, log_every=5),
        decoder=StageOptions(steps=10, batch=8, learning_rate=5e-4, warm_up=2, log_every=5),
        unet=StageOptions(steps=20, batch=8, learning_rate=1e-3, warm_up=5, log_every=5),
        focused=StageOptions(steps=10, batch=8, learning_rate=1e-3, warm_up=2, log_every=5),
        control=StageOptions(steps=10, batch=8, learning_rate=1e-3, warm_up=2, log_every=5),
        crop_px=32,
        work=Path("work/nano-short"),
        out=Path("work/nano-short/export"),
    )
