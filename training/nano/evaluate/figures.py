"""Figures of a shipped folder, measured on photos that training never saw."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import torch

from pipeline.domain.quality import seam
from pipeline.domain.variety import cosine_vendi
from pipeline.rendering.composite import composite, exact
from training.nano.config import NanoConfig
from training.nano.data import words
from training.nano.data.rows import Rows, draw_rows, edges, photo_surfaces, signed, single_surface, unsigned
from training.nano.data.scenes import draw_scene
from training.nano.data.surfaces import clearer, existing_folder, square, surface_files
from training.nano.data.words import SURFACES, SceneFacts
from training.nano.evaluate import measures
from training.nano.evaluate.judge import JUDGES, trained_judges
from training.nano.evaluate.object_sheet import painted_objects
from training.nano.evaluate.painter import Painter, load_painter

JUDGE_SCENES = 6000  # that the judge learns from; the networks saw neither them nor the photos in them
JUDGE_SEED = 1000  # offset from the seed of the networks' scenes
HUES = {"red": 5, "orange": 28, "yellow": 54, "green": 120, "blue": 220, "purple": 278}


def figures(
    config: NanoConfig,
    *,
    seeds: int = 4,
    judge_scenes: int = JUDGE_SCENES,
    judge_steps: int = 500,
    pairs: int = 64,
) -> dict[str, object]:
    """Measure the folder `config.out`; the mapping can be written as JSON.

    Args:
        seeds: images per surface word.
        judge_scenes, judge_steps: scenes that the judges learn from, and training steps of each.
        pairs: images for the edges, for the seams, and a prompt for the variety.

    Raises:
        InvalidRequest: the folder is not a nano checkpoint, or `config.work` holds scenes of other options.
        SourceRefused: a folder of photos is missing.
    """
    existing_folder(config.objects)
    torch.manual_seed(0)
    painter, held_out = load_painter(config.out), draw_rows(config, held_out=True)
    measured: dict[str, object] = {
        "steps": painter.steps,
        "guidance_scale": painter.guidance_scale,
        "guidance_rescale": painter.guidance_rescale,
    }
    parts: tuple[Callable[[], dict[str, object]], ...] = (
        lambda: reconstruction(painter, config, held_out),
        lambda: obedience(painter, judge_rows(config, judge_scenes), held_out, seeds, judge_steps),
        lambda: colours(painter),
        lambda: variety(painter, config, pairs=pairs),
        lambda: inpainting(config, held_out, pairs=pairs),
        lambda: control(painter, held_out, pairs=pairs),
        lambda: speed(painter),
    )
    for measure in parts:
        measured |= measure()
        print(f"{len(measured)} figures", file=sys.stderr, flush=True)
    return measured


def reconstruction(painter: Painter, config: NanoConfig, held_out: Rows) -> dict[str, object]:
    """Measure the autoencoder's PSNR on held-out scenes, and on held-out photos as they are.

    Scenes show pale photos with more contrast (`surfaces.clearer`); "stretched" is measured on those.
    """
    files = surface_files(config.scenes.surfaces, held_out=True, held_out_share=config.scenes.held_out_share)
    photos = [square(file) for paths in files.values() for file in paths]
    scenes = held_out.rgb[:128]
    again = rebuilt(painter, scenes)
    measured: dict[str, object] = {
        "vae_psnr_scenes_db": round(measures.psnr(scenes, again), 2),
        "vae_green_magenta_kept": round(measures.green_magenta_kept(scenes, again), 2),
    }
    if photos:
        measured["vae_psnr_surfaces_db"] = round(rebuilt_psnr(painter, np.stack(photos)), 2)
        measured["vae_psnr_surfaces_stretched_db"] = round(
            rebuilt_psnr(painter, np.stack([clearer(photo) for photo in photos])), 2
        )
        measured["vae_surfaces"] = len(photos)
    objects = _object_photos(config.objects, painter.size)
    if len(objects):
        measured["vae_psnr_objects_db"] = round(rebuilt_psnr(painter, objects), 2)
    return measured


def _object_photos(folder: Path | None, size: int, *, count: int = 64) -> np.ndarray:
    """Read the middle squares of evenly chosen photos: (N, size, size, 3) uint8; empty where there are none."""
    files = sorted(folder.glob("*/*.jpg")) if folder else []
    images = []
    for file in files[:: max(1, len(files) // count)][:count]:
        pixels = cv2.imread(str(file), cv2.IMREAD_COLOR)
        if pixels is not None:
            side = min(pixels.shape[:2])
            top, left = ((length - side) // 2 for length in pixels.shape[:2])
            middle = pixels[top : top + side, left : left + side, ::-1]
            images.append(cv2.resize(middle, (size, size), interpolation=cv2.INTER_AREA))
    return np.array(images)


def rebuilt_psnr(painter: Painter, images: np.ndarray) -> float:
    """Return the PSNR in dB of the autoencoder's reconstructions of (N, S, S, 3) uint8."""
    return measures.psnr(images, rebuilt(painter, images))


@torch.no_grad()
def rebuilt(painter: Painter, images: np.ndarray) -> np.ndarray:
    """Encode and decode (N, S, S, 3) uint8."""
    parts = [signed(images[i : i + 16]) for i in range(0, len(images), 16)]
    return np.concatenate(
        [unsigned(painter.vae.decode(painter.vae.encode(p).latent_dist.mode()).sample) for p in parts]
    )


def judge_rows(config: NanoConfig, scenes: int) -> Rows:
    """Draw scenes that the networks never saw: other seeds, other drawn tiles, held-out photos only."""
    apart = replace(config.scenes, seed=config.scenes.seed + JUDGE_SEED, held_out=scenes)
    return draw_rows(replace(config, work=config.work / f"judge_{scenes}", scenes=apart), held_out=True)


def obedience(
    painter: Painter, rows: Rows, held_out: Rows, seeds: int, judge_steps: int
) -> dict[str, object]:
    """Measure the share of images that the judges take for the prompted surface, in colour and in grey.

    Beside it their share of scenes that they never saw, and of the same scenes once through the autoencoder: the most
    that can be expected of a UNet.

    Args:
        rows: what the judges learn from, see `judge_rows`.
        held_out: what their own accuracy is measured on; of its `rows` only the photos occur there.
    """
    prompts = [f"{word} seen from above" for word in SURFACES for _ in range(seeds)]
    prompted = [word for word in SURFACES for _ in range(seeds)]
    images = painter.paint(prompts, list(range(len(prompts))))
    shown = single_surface(held_out)
    scenes, shown_words = held_out.rgb[shown], [held_out.surfaces[index] for index in shown]
    again = rebuilt(painter, scenes)
    measured: dict[str, object] = {
        "judges": JUDGES,
        "judge_scenes": len(rows.rgb),
        "obedience_pictures": len(prompts),
        "obedience_chance": round(1 / len(SURFACES), 3),
    }
    for grey in (False, True):
        judges = trained_judges(rows, SURFACES, grey=grey, steps=judge_steps)
        ranks, name = judges.ranks(images, prompted), "grey" if grey else "colour"
        measured[f"obedience_{name}_top1"] = round(float((ranks == 0).mean()), 3)
        measured[f"obedience_{name}_top3"] = round(float((ranks < 3).mean()), 3)
        for kind, known in (("held_out", scenes), ("rebuilt", again)):
            right = judges.ranks(known, shown_words) == 0
            measured[f"judge_{name}_{kind}_top1"] = round(float(right.mean()), 3)
        if not grey:
            measured["obedience_by_word"] = {
                word: round(float((ranks[i * seeds : (i + 1) * seeds] == 0).mean()), 2)
                for i, word in enumerate(SURFACES)
            }
    return measured


def colours(painter: Painter) -> dict[str, object]:
    """Measure the share of chromatic prompts whose mean hue lies within 30 degrees of the word's."""
    prompts = [
        f"{colour} {surface} seen from above"
        for colour in HUES
        for surface in ("tiles", "fabric", "plaster", "metal")
    ]
    images = painter.paint(prompts, [1000 + index for index in range(len(prompts))])
    hits = []
    for prompt, image in zip(prompts, images, strict=True):
        red, green, blue = image.reshape(-1, 3).mean(0) / 255
        hue = words.hue_deg(red, green, blue)
        gap = abs(hue - HUES[prompt.split()[0]]) % 360
        hits.append(min(gap, 360 - gap) <= 30)
    return {"hue_within_30_share": round(float(np.mean(hits)), 3), "hue_pictures": len(prompts)}


def variety(painter: Painter, config: NanoConfig, *, pairs: int) -> dict[str, object]:
    """Measure how different the images of one prompt are, relative to training scenes of the same words."""
    textures = photo_surfaces(config, held_out=False)
    ratios, spreads, data_spreads = [], [], []
    for surface in ("grass", "tiles", "wooden planks", "bricks"):
        facts = SceneFacts(place=words.PLACES[0], surface=surface)
        rngs = [np.random.default_rng([7, index]) for index in range(pairs)]
        scenes = np.stack([draw_scene(textures, painter.size, rng, facts=facts).rgb for rng in rngs])
        drawn = painter.paint([f"{surface} seen from above"] * pairs, list(range(2000, 2000 + pairs)))
        vendi = [cosine_vendi(measures.structure_features(p)) for p in (drawn, scenes)]
        ratios.append(vendi[0] / vendi[1])
        spreads.append(measures.colour_spread(drawn))
        data_spreads.append(measures.colour_spread(scenes))
    return {
        "vendi_share_of_training_scenes": round(float(np.mean(ratios)), 3),
        "colour_spread": round(float(np.mean(spreads)), 1),
        "colour_spread_of_training_scenes": round(float(np.mean(data_spreads)), 1),
        "variety_pictures_per_prompt": pairs,
    }


def inpainting(config: NanoConfig, held_out: Rows, *, pairs: int) -> dict[str, object]:
    """Measure the seam score of objects before painted backgrounds, as the product renders, and before held-out scenes.

    The same objects with the same soft edges stand before both, so that only the background around them differs.
    """
    chosen = np.flatnonzero((held_out.repaint[:] == 255).all((1, 2)))[:pairs]  # nothing stands in these
    scenes, captions = held_out.rgb[chosen], [held_out.captions[i] for i in chosen]
    layers, painted = painted_objects(config.out, captions, config.objects)
    composed = [composite(layer, scene) for layer, scene in zip(layers, scenes, strict=True)]
    ours, real = (
        float(np.mean([seam(rgb, layer.alpha) for rgb, layer in zip(images, layers, strict=True)]))
        for images in (painted, composed)
    )
    return {
        "seam_painted": round(ours, 3),
        "seam_composed": round(real, 3),
        "seam_ratio": round(ours / max(real, 1e-6), 2),
        "seam_pictures": len(chosen),
        "objects_exact": all(exact(rgb, layer) for rgb, layer in zip(painted, layers, strict=True)),
    }


def control(painter: Painter, held_out: Rows, *, pairs: int) -> dict[str, object]:
    """Measure the edge F-score with ControlNet scale 0 and 1, and of the autoencoder's reconstruction (the ceiling).

    The share is how far scale 1 goes from scale 0 to the ceiling; its interval is a bootstrap over the images.
    `edge_f_others` measures the same images against the edges of the next one: what an image gains by having
    more edges anywhere, not by having them where they are wanted.
    """
    images = held_out.rgb[:]
    hints = np.stack([edges(image) for image in images])
    share = (hints > 0).mean((1, 2))
    chosen = np.flatnonzero((share > 0.03) & (share < 0.25))[:pairs]
    prompts, seeds = [held_out.captions[i] for i in chosen], list(range(3000, 3000 + len(chosen)))
    measured: dict[str, object] = {"edge_pictures": len(chosen)}
    scores = []
    for scale in (0.0, 1.0):
        drawn = painter.paint(prompts, seeds, hints=hints[chosen], controlnet_conditioning_scale=scale)
        scores.append(_edge_f(hints[chosen], drawn))
    measured["edge_f_others"] = round(float(_edge_f(np.roll(hints[chosen], 1, axis=0), drawn).mean()), 3)
    scores.append(_edge_f(hints[chosen], rebuilt(painter, images[chosen])))
    for name, values in zip(("scale_0", "scale_1", "vae_ceiling"), scores, strict=True):
        measured[f"edge_f_{name}"] = round(float(values.mean()), 3)
    share, low, high = measures.share_of_the_way(*scores)
    return measured | {"edge_f_share_of_ceiling": f"{share:.2f} (95 % interval {low:.2f} to {high:.2f})"}


def _edge_f(hints: np.ndarray, images: np.ndarray) -> np.ndarray:
    return np.array([measures.edge_f_score(h, edges(p)) for h, p in zip(hints, images, strict=True)])


def speed(painter: Painter) -> dict[str, object]:
    """Measure the seconds per image at the default steps, alone and in a batch of four, after one warm-up."""
    painter.paint(["grass floor"], [0])
    taken = []
    for count in (1, 4):
        started = time.perf_counter()
        for repeat in range(3):
            painter.paint(["grass floor"] * count, list(range(repeat, repeat + count)))
        taken.append((time.perf_counter() - started) / 3 / count)
    measured: dict[str, object] = {
        "seconds_a_picture": round(taken[0], 2),
        "seconds_a_picture_of_4": round(taken[1], 2),
    }
    return measured | {"threads": torch.get_num_threads(), "cores": os.cpu_count()}
