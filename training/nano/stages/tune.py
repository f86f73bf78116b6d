"""Continues the training of a checkpoint on images of one's own site."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256
from itertools import count
from pathlib import Path

import cv2
import numpy as np
import torch
from diffusers import AutoencoderKL, ControlNetModel, UNet2DConditionModel
from transformers import CLIPTextModel, CLIPTextModelWithProjection, CLIPTokenizer

from pipeline.domain.photo_decoding import load_photo
from pipeline.errors import InvalidRequest, SourceRefused, StudioError
from pipeline.rendering.checkpoints import NANO_FOLDER
from pipeline.rendering.facts import fingerprint
from pipeline.rendering.families.sdxl.quiet import quiet
from training.nano.config import StageOptions
from training.nano.data.rows import Rows, encode_rows
from training.nano.data.scenes import draw_scene, masked
from training.nano.data.surfaces import IMAGE_SUFFIXES, Surfaces, load_surfaces
from training.nano.networks.build import TextParts
from training.nano.networks.export import WORDS_FILE, check_out, whole_checkpoint, write_folder
from training.nano.stages.diffusion import DiffusionStage, latent_drawer, tokenized
from training.nano.stages.fitting import fit

CAPTIONS_FILE = "metadata.jsonl"  # as `datasets` reads it: file_name and text
ROWS = 1200  # rows cut from the photos
KNOWN_SHARE = 0.25  # rows drawn beside them, so that the old words are not forgotten
MIN_SIDE_PX = 32
NO_OTHER_SLOTS = ("site", "words", "examples")  # lists of a vocabulary that may hold places of one's own
SIDES_SEEN = 2  # a cut takes half of a photo's shorter side or more: so many times the model's is enough
TUNING = StageOptions(steps=1000, batch=8, learning_rate=2e-4, warm_up=50, ema_decay=0.99, save_every_s=60)


@dataclass(frozen=True, slots=True, kw_only=True)
class TuneOptions:
    """One continued training."""

    photos: Path  # class folders of images, or a folder with metadata.jsonl
    out: Path  # where the checkpoint goes; usable as `--model OUT`
    base: Path  # the checkpoint to go on from, as `export` writes it
    stage: StageOptions = TUNING
    rows: int = ROWS
    seed: int = 1


def tune(options: TuneOptions) -> list[str]:
    """Train UNet and text encoders on the photos, write a complete checkpoint, return its new captions.

    The autoencoder and the ControlNet stay as they are. An interrupted training is resumed by the next call.

    Raises:
        InvalidRequest: `options.out` holds something that `training.nano` did not write, or the base itself; or the
            base is not a checkpoint of nano.
        SourceRefused: no readable image, or captions that name missing files.
    """
    base = options.base
    vae, unet, control, text = _parts(base)
    check_new(options.out, base)
    size = int(unet.config.sample_size) * 2 ** (len(vae.config.block_out_channels) - 1)
    photos = captioned(options.photos, short_px=SIDES_SEEN * size)
    captions = list(dict.fromkeys(caption for _, caption in photos))
    origin = {"base": fingerprint(base), "rows": options.rows, "seed": options.seed}
    work = work_folder(options.out, origin, photos)
    torch.manual_seed(options.seed)
    rows = _rows(photos, size, options)
    latents = encode_rows(rows, vae, work)
    stage = DiffusionStage(unet, text, options.stage, drop_prompt=0.1).train()
    tokens = tokenized(text, rows.captions)
    draw = latent_drawer(rows, latents, tokens, batch=min(options.stage.batch, len(rows.rgb)))
    fit(stage, draw, work)
    write_folder(options.out, vae=vae, unet=unet, control=control, text=text)
    _write_words(options.out, base, captions)
    shutil.rmtree(work)
    return captions


def check_new(out: Path, base: Path | None) -> None:
    """Refuse an --out that holds other files, the base or the shipped model.

    Raises:
        InvalidRequest: it is one of these.
    """
    check_out(out)
    models = [folder.resolve() for folder in (base, NANO_FOLDER) if folder is not None]
    target = out.resolve()
    if any(folder in (target, *target.parents) for folder in models):
        raise InvalidRequest(
            f"{out} is a model to start from, or lies in one; choose another folder for --out"
        )


def work_folder(out: Path, origin: Mapping[str, object], photos: Sequence[tuple[np.ndarray, str]]) -> Path:
    """Return `OUT.work`: kept where an interrupted training had the same inputs, else emptied.

    Raises:
        InvalidRequest: a folder of that name was not written by a tuning run.
    """
    digest = sha256()
    for rgb, caption in photos:
        digest.update(rgb.tobytes() + caption.encode())
    text = json.dumps({**origin, "photographs": digest.hexdigest()}, indent=1)
    work = out.with_name(out.name + ".work")
    note = work / "made_of.json"
    if work.exists() and not note.is_file() and any(work.iterdir()):
        raise InvalidRequest(f"{work} is in the way; remove it, or choose another --out")
    if note.is_file() and note.read_text(encoding="utf-8") != text:
        shutil.rmtree(work)
    if not note.is_file():
        work.mkdir(parents=True, exist_ok=True)
        note.write_text(text, encoding="utf-8")
    return work


def captioned(folder: Path, *, short_px: int = 2048) -> list[tuple[np.ndarray, str]]:
    """Read the images of a folder, (H, W, 3) uint8, each with a caption: from metadata.jsonl, or its folder's name.

    Args:
        short_px: images whose shorter side is longer are made smaller.

    Raises:
        SourceRefused: see `tune`.
    """
    if not folder.is_dir():
        raise SourceRefused(f"there is no folder {folder}; --photos needs class folders of images")
    listed = _listed(folder) if (folder / CAPTIONS_FILE).is_file() else _by_class(folder)
    images = []
    for file, caption in listed:
        try:
            rgb = load_photo(file.read_bytes(), file.name).rgb
        except StudioError:
            continue  # a broken file does not stop the others
        scale = short_px / min(rgb.shape[:2])
        if scale < 1:
            rgb = np.asarray(
                cv2.resize(rgb, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA), np.uint8
            )
        if min(rgb.shape[:2]) >= MIN_SIDE_PX:
            images.append((rgb, caption))
    if not images:
        raise SourceRefused(
            f"{folder} holds no readable images; put them into class folders, or list them in {CAPTIONS_FILE}"
        )
    return images


def _listed(folder: Path) -> list[tuple[Path, str]]:
    captioned_files = []
    try:
        lines = (folder / CAPTIONS_FILE).read_text(encoding="utf-8").splitlines()
    except UnicodeDecodeError:
        raise SourceRefused(f"{folder / CAPTIONS_FILE} is not UTF-8 text; save it as UTF-8") from None
    for number, line in enumerate(lines, 1):
        try:
            row = json.loads(line) if line.strip() else None
            if row is None:
                continue
            file, caption = folder / str(row["file_name"]), str(row["text"]).strip().lower()
        except (ValueError, KeyError, TypeError):
            raise SourceRefused(
                f'{folder / CAPTIONS_FILE}, line {number}: a JSON object with "file_name" and "text" is needed'
            ) from None
        if not file.is_file():
            raise SourceRefused(
                f"{folder / CAPTIONS_FILE}, line {number}: there is no image {row['file_name']}"
            )
        captioned_files.append((file, caption))
    return captioned_files


def _by_class(folder: Path) -> list[tuple[Path, str]]:
    return [
        (file, place.name.replace("_", " ").replace("-", " ").lower())
        for place in sorted(folder.iterdir())
        if place.is_dir()
        for file in sorted(place.iterdir())
        if file.suffix.lower() in IMAGE_SUFFIXES and file.is_file()
    ]


def _parts(
    base: Path,
) -> tuple[AutoencoderKL, UNet2DConditionModel, ControlNetModel, TextParts]:
    with whole_checkpoint(base), quiet():
        vae = AutoencoderKL.from_pretrained(base / "vae", torch_dtype=torch.float32)
        unet = UNet2DConditionModel.from_pretrained(base / "unet", torch_dtype=torch.float32)
        control = ControlNetModel.from_pretrained(base / "controlnet", torch_dtype=torch.float32)
        text = TextParts(
            CLIPTokenizer.from_pretrained(base / "tokenizer"),
            CLIPTextModel.from_pretrained(base / "text_encoder", torch_dtype=torch.float32),
            CLIPTextModelWithProjection.from_pretrained(base / "text_encoder_2", torch_dtype=torch.float32),
        )
    return vae, unet, control, text


def _rows(photos: Sequence[tuple[np.ndarray, str]], size: int, options: TuneOptions) -> Rows:
    """Cut rows out of the photos, with objects and holes, and draw some scenes of the old vocabulary."""
    rng = np.random.default_rng(options.seed)
    surfaces = load_surfaces(None, None, held_out=False, held_out_share=0.0, seed=options.seed)
    rgb, repaint, captions = [], [], []
    turns = in_turns(photos, rng)
    for _ in range(options.rows):
        if rng.random() < KNOWN_SHARE:
            scene = draw_scene(surfaces, size, rng)
            drawn, hole, caption = scene.rgb, scene.repaint, scene.caption
        else:
            photo, caption = next(turns)
            drawn, hole = cut(photo, size, surfaces, rng)
        rgb.append(drawn)
        repaint.append(hole)
        captions.append(caption)
    return Rows(np.stack(rgb), np.stack(repaint), captions, captions)


def in_turns(
    photos: Sequence[tuple[np.ndarray, str]], rng: np.random.Generator
) -> Iterator[tuple[np.ndarray, str]]:
    """Yield photos without end: the captions in turns, those of one caption in random order."""
    by_caption: dict[str, list[np.ndarray]] = {}
    for photo, caption in photos:
        by_caption.setdefault(caption, []).append(photo)
    orders = {caption: rng.permutation(len(group)) for caption, group in by_caption.items()}
    for turn in count():
        for caption, group in by_caption.items():
            yield group[orders[caption][turn % len(group)]], caption


def cut(
    photo: np.ndarray, size: int, surfaces: Surfaces, rng: np.random.Generator
) -> tuple[np.ndarray, np.ndarray]:
    """Cut a square out of a photo, mirrored at random, a little lighter or darker, with its repaint mask.

    Args:
        photo: (H, W, 3) uint8.

    Returns:
        (size, size, 3) uint8 and (size, size) uint8; 255 = to be painted.
    """
    shortest = min(photo.shape[:2])
    side = int(rng.uniform(min(1.0, max(0.5, size / shortest)), 1.0) * shortest)
    top, left = (int(rng.integers(0, length - side + 1)) for length in photo.shape[:2])
    square = photo[top : top + side, left : left + side]
    square = cv2.resize(
        square, (size, size), interpolation=cv2.INTER_AREA if side > size else cv2.INTER_CUBIC
    )
    square = square[:, ::-1] if rng.random() < 0.5 else square
    lit = square.astype(np.float32) * rng.uniform(0.9, 1.1)
    drawn, hole = masked(lit, surfaces, rng)
    return np.clip(drawn, 0, 255).astype(np.uint8), hole


def _write_words(out: Path, base: Path, captions: list[str]) -> None:
    """Write the base's vocabulary with the new captions, so that the studio offers them without a warning."""
    vocabulary = json.loads((base / WORDS_FILE).read_text(encoding="utf-8"))
    slots = [
        words for slot, words in vocabulary.items() if isinstance(words, list) and slot not in NO_OTHER_SLOTS
    ]
    others = {word for words in slots for word in words}
    site = [place for place in dict.fromkeys([*captions, *vocabulary.get("site", ())]) if place not in others]
    vocabulary = {  # the places of the site come first in the list of chips
        "site": site,
        **{slot: words for slot, words in vocabulary.items() if slot != "site"},
    }
    new_words = sorted({word.strip(",.") for caption in captions for word in caption.split()})
    vocabulary["words"] = sorted({*(str(word) for word in vocabulary["words"]), *new_words})
    vocabulary["examples"] = [*captions[:8], *vocabulary["examples"]]
    (out / WORDS_FILE).write_text(json.dumps(vocabulary, indent=1) + "\n")
