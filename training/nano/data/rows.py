"""Training rows on disk: drawn once, then read through memory maps."""

from __future__ import annotations

import json
import multiprocessing
import os
import re
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import asdict, dataclass
from functools import lru_cache, partial
from hashlib import sha256
from pathlib import Path

import cv2
import numpy as np
import torch
from diffusers import AutoencoderKL
from tqdm import tqdm

from pipeline.errors import InvalidRequest
from pipeline.rendering.device import Hardware, hardware
from training.nano.config import NanoConfig
from training.nano.data.scenes import draw_scene
from training.nano.data.surfaces import Surfaces, existing_folder, load_surfaces, surface_files

ENCODED_AT_ONCE = 32
DRAWN_AT_ONCE = 50
_CAPTIONS = "captions.json"
_SECOND = re.compile(" in front of | under a ")
_FINGERPRINT_ROWS = 64  # rows that tell one set of rows from another


@dataclass(frozen=True, slots=True)
class Rows:
    """Drawn scenes; all arrays are memory-mapped.

    Attributes:
        rgb: (N, S, S, 3) uint8.
        repaint: (N, S, S) uint8; 255 = to be painted.
        captions: N sentences.
        surfaces: N surface words.
    """

    rgb: np.ndarray
    repaint: np.ndarray
    captions: list[str]
    surfaces: list[str]


@dataclass(frozen=True, slots=True)
class Latents:
    """The rows encoded by the VAE; float16, (N, 4, S / factor, S / factor)."""

    image: np.ndarray
    masked: np.ndarray  # of the image with grey where it is to be painted


def photo_surfaces(config: NanoConfig, *, held_out: bool) -> Surfaces:
    """Load the textures for training, or those that training never sees."""
    scenes = config.scenes
    return load_surfaces(
        scenes.surfaces,
        scenes.shelves,
        held_out=held_out,
        held_out_share=scenes.held_out_share,
        seed=scenes.seed,
    )


def check_photos(config: NanoConfig) -> None:
    """Refuse a configuration whose photos are missing.

    Raises:
        SourceRefused: see `load_surfaces`.
    """
    surface_files(config.scenes.surfaces, held_out=True, held_out_share=0.0)
    existing_folder(config.scenes.shelves)


def draw_rows(config: NanoConfig, *, held_out: bool) -> Rows:
    """Draw all rows into `work`, or read them where they are complete.

    Raises:
        InvalidRequest: those that are there were drawn with other options.
        SourceRefused: see `load_surfaces`.
    """
    folder = config.work / ("held_out" if held_out else "rows")
    count = config.scenes.held_out if held_out else config.scenes.scenes
    side = config.sizes.image_px
    drawn_with = _drawing_options(config, held_out)
    if (folder / _CAPTIONS).exists():
        _refuse_other_options(folder, drawn_with)
        return read_rows(folder)
    check_photos(config)  # before anything is written
    folder.mkdir(parents=True, exist_ok=True)
    np.lib.format.open_memmap(folder / "rgb.npy", "w+", np.uint8, (count, side, side, 3)).flush()
    np.lib.format.open_memmap(folder / "repaint.npy", "w+", np.uint8, (count, side, side)).flush()
    starts = range(0, count, DRAWN_AT_ONCE)
    parts = _drawn_parts(config, held_out, starts)
    progress = tqdm(parts, desc=f"drawing {folder.name}", total=len(starts), mininterval=5)
    descriptions = [description for part in progress for description in part]
    index = {
        "drawn_with": drawn_with,
        "captions": [caption for caption, _ in descriptions],
        "surfaces": [surface for _, surface in descriptions],
    }
    (folder / "captions.partial").write_text(json.dumps(index))
    (folder / "captions.partial").replace(folder / _CAPTIONS)  # now the rows are complete
    return read_rows(folder)


def _drawing_options(config: NanoConfig, held_out: bool) -> dict[str, str]:
    """Return everything that the rows depend on, as text."""
    options = {
        name: str(value.resolve() if isinstance(value, Path) else value)
        for name, value in asdict(config.scenes).items()
    } | {"side_px": str(config.sizes.image_px)}
    del options["scenes" if held_out else "held_out"]  # the number of the other kind of rows
    return options


def _refuse_other_options(folder: Path, drawn_with: dict[str, str]) -> None:
    if json.loads((folder / _CAPTIONS).read_text()).get("drawn_with") != drawn_with:
        raise InvalidRequest(
            f"{folder} holds scenes drawn with other options or by another version; "
            f"name another --work, or remove {folder}"
        )


def _drawn_parts(config: NanoConfig, held_out: bool, starts: range) -> Iterator[list[tuple[str, str]]]:
    draw = partial(_draw_part, config, held_out)
    workers = min(os.cpu_count() or 1, len(starts) // 8)
    if workers < 2:  # few rows: starting processes would take longer than drawing
        yield from map(draw, starts)
        return
    with ProcessPoolExecutor(workers, mp_context=multiprocessing.get_context("spawn")) as pool:
        yield from pool.map(draw, starts)


def _draw_part(config: NanoConfig, held_out: bool, start: int) -> list[tuple[str, str]]:
    """Draw `DRAWN_AT_ONCE` rows into the files; return their captions and surface words."""
    folder = config.work / ("held_out" if held_out else "rows")
    rgb, repaint = (np.load(folder / name, mmap_mode="r+") for name in ("rgb.npy", "repaint.npy"))
    surfaces = _cached_photo_surfaces(config, held_out)
    descriptions = []
    for index in range(start, min(start + DRAWN_AT_ONCE, len(rgb))):
        rng = np.random.default_rng([config.scenes.seed, int(held_out), index])
        scene = draw_scene(surfaces, rgb.shape[1], rng)
        rgb[index], repaint[index] = scene.rgb, scene.repaint
        descriptions.append((scene.caption, scene.facts.surface))
    rgb.flush()
    repaint.flush()
    return descriptions


@lru_cache(maxsize=2)
def _cached_photo_surfaces(config: NanoConfig, held_out: bool) -> Surfaces:
    cv2.setNumThreads(1)
    return photo_surfaces(config, held_out=held_out)


def read_rows(folder: Path) -> Rows:
    """Read the rows that `draw_rows` wrote."""
    index = json.loads((folder / _CAPTIONS).read_text())
    rgb, repaint = (np.load(folder / name, mmap_mode="r") for name in ("rgb.npy", "repaint.npy"))
    return Rows(rgb, repaint, index["captions"], index["surfaces"])


def signed(rgb: np.ndarray) -> torch.Tensor:
    """Convert (B, S, S, 3) uint8 to (B, 3, S, S) float32 in -1 to 1."""
    return torch.from_numpy(np.ascontiguousarray(rgb.transpose(0, 3, 1, 2))).float() / 127.5 - 1


def unsigned(images: torch.Tensor) -> np.ndarray:
    """Convert back what `signed` returned."""
    pixels = (images.float().clamp(-1, 1) + 1) * 127.5
    return pixels.round().byte().permute(0, 2, 3, 1).numpy()


def single_surface(rows: Rows) -> np.ndarray:
    """Return the indices of the rows that show a single surface: no wall behind a floor, no sky."""
    return np.flatnonzero([not _SECOND.search(caption) for caption in rows.captions])


@torch.no_grad()
def encode_rows(rows: Rows, vae: AutoencoderKL, folder: Path) -> Latents:
    """Encode all rows, sampled once from the posterior as the pipelines do.

    Read from `folder` where they are complete and come from these rows and this VAE.
    """
    done, source = folder / "latents.done", _source(rows, vae)
    if not done.exists() or done.read_text() != source:
        done.unlink(missing_ok=True)
        side = rows.rgb.shape[1] // 2 ** (len(vae.config.block_out_channels) - 1)
        shape = (len(rows.rgb), 4, side, side)
        written = [
            np.lib.format.open_memmap(folder / name, "w+", np.float16, shape)
            for name in ("latents.npy", "masked.npy")
        ]
        machine = hardware(half=False)
        vae.to(machine.device, memory_format=torch.channels_last)
        grey = _encoded(vae, torch.zeros(1, 3, *rows.rgb.shape[1:3]), machine)
        for start in tqdm(range(0, len(rows.rgb), ENCODED_AT_ONCE), desc="encoding", mininterval=5):
            part = slice(start, start + ENCODED_AT_ONCE)
            images = signed(rows.rgb[part])
            kept = torch.from_numpy(rows.repaint[part] < 128)[:, None]
            written[0][part] = _encoded(vae, images, machine)
            partly_kept = kept.flatten(1).any(1)
            masked = np.repeat(grey, len(images), 0)
            if partly_kept.any():
                masked[partly_kept.numpy()] = _encoded(vae, (images * kept)[partly_kept], machine)
            written[1][part] = masked
        for array in written:
            array.flush()
        done.write_text(source)
    image, masked = (np.load(folder / name, mmap_mode="r") for name in ("latents.npy", "masked.npy"))
    return Latents(image, masked)


def _source(rows: Rows, vae: AutoencoderKL) -> str:
    digest = sha256(json.dumps(rows.captions).encode())
    every = max(1, len(rows.rgb) // _FINGERPRINT_ROWS)
    weights = [array.cpu() for array in vae.state_dict().values()]
    for array in (rows.rgb[::every], rows.repaint[::every], *weights):
        digest.update(np.ascontiguousarray(array).tobytes())
    return digest.hexdigest()


def _encoded(vae: AutoencoderKL, images: torch.Tensor, machine: Hardware) -> np.ndarray:
    with torch.autocast(machine.device, machine.dtype, enabled=machine.dtype != torch.float32):
        batch = images.to(machine.device, memory_format=torch.channels_last)
        posterior = vae.encode(batch).latent_dist
    noise = torch.randn(posterior.mean.shape)
    return np.asarray(
        (posterior.mean.float().cpu() + posterior.std.float().cpu() * noise).numpy().astype(np.float16)
    )


def edges(rgb: np.ndarray, low: float = 100, high: float = 200) -> np.ndarray:
    """Detect Canny edges: (S, S) uint8, 255 on an edge; the default thresholds are those of controlnet-aux."""
    return cv2.Canny(np.ascontiguousarray(rgb), low, high)
