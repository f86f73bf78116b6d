"""python -m training.nano STAGE: draw the scenes, train the networks one after another, export, measure.

`tune --photos DIR --out DIR` continues the shipped weights with images of your own site (class folders, or a
folder with metadata.jsonl: file_name, text). The result is a checkpoint for `python -m pipeline generate --model DIR`.
"""

from __future__ import annotations

import argparse
import errno
import json
import logging
import os
import sys
import warnings
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from pipeline.errors import StudioError

if TYPE_CHECKING:
    from training.nano.config import NanoConfig

STAGES = ("scenes", "vae", "decoder", "unet", "control", "export", "evaluate", "sheet", "all", "tune")
WHOLE_RECIPE = tuple(stage for stage in STAGES if stage not in ("all", "tune"))  # what `all` runs
QUICK = {"seeds": 1, "judge_scenes": 600, "judge_steps": 150, "pairs": 10}  # for --quick
QUICK_SHEETS = {"seeds": 1, "objects": 2}
KEPT_BYTES = 2**31 - 1  # of freed memory, between two steps of a training


def main(arguments: list[str] | None = None) -> int:
    """Run one stage, or all of them; a finished stage is skipped, an interrupted one is resumed."""
    parser = _parser()
    options = parser.parse_args(arguments)
    if options.start and options.stage not in ("unet", "control"):
        parser.error("--start goes with unet or control")
    if options.focus and options.stage != "unet":
        parser.error("--focus goes with unet")
    os.environ.setdefault("PYTORCH_ENABLE_MPS_FALLBACK", "1")
    warnings.filterwarnings("ignore")
    logging.getLogger("lightning.pytorch").setLevel(logging.ERROR)
    try:
        return _tune(options, parser) if options.stage == "tune" else _run(options)
    except StudioError as error:
        print(f"backlot: {error}", file=sys.stderr)
        return 1
    except OSError as error:
        where = f"{error.filename}: " if error.filename else ""
        full = error.errno in (errno.ENOSPC, errno.EDQUOT)
        remedy = "; free some space, then run the same command again" if full else ""
        print(f"backlot: {where}{error.strerror or error}{remedy}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("backlot: interrupted; the same command resumes from the last checkpoint", file=sys.stderr)
        return 130


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m training.nano",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("stage", choices=STAGES, help="all: the whole recipe; tune: see above")
    parser.add_argument(
        "--short", action="store_true", help="tiny networks, a few steps: minutes instead of hours"
    )
    parser.add_argument("--surfaces", type=Path, help="folder of category folders of photos")
    parser.add_argument("--shelves", type=Path, help="folder of photos that objects are textured with")
    parser.add_argument("--objects", type=Path, help="evaluate, sheet: class folders of photos of objects")
    parser.add_argument(
        "--no-photographs", action="store_true", help="use no photos but those named by other options"
    )
    parser.add_argument("--work", type=Path, help="where scenes, latents, checkpoints and curves go")
    parser.add_argument("--out", type=Path, help="the folder to write, or to measure")
    parser.add_argument("--quick", action="store_true", help="evaluate, sheet: few images, a minute or two")
    parser.add_argument("--start", type=Path, help="unet, control: an exported folder to start from")
    parser.add_argument(
        "--focus", action="store_true", help="unet: more of the surfaces whose structure is learned last"
    )
    _add_tune_options(parser)
    for name in ("scenes", "vae-steps", "decoder-steps", "unet-steps", "control-steps"):
        parser.add_argument(f"--{name}", type=_positive, help="instead of the preset's number")
    return parser


def _add_tune_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--photos", type=Path, help="tune: images of your own site")
    parser.add_argument(
        "--model",
        help="tune: a folder that training.nano wrote (default: the shipped one); sdxl trains a LoRA",
    )
    parser.add_argument("--steps", type=_positive, help="tune: optimiser steps (default 1000)")
    parser.add_argument("--lora", action="store_true", help="tune: train a LoRA, whatever the model")


def _positive(text: str) -> int:
    number = int(text)
    if number < 1:
        raise argparse.ArgumentTypeError(f"{number} is not 1 or more")
    return number


def _config(options: argparse.Namespace) -> NanoConfig:
    from training.nano import config as presets

    config = presets.short() if options.short else presets.full()
    if options.no_photographs:
        config = replace(config, scenes=replace(config.scenes, surfaces=None, shelves=None), objects=None)
    scenes = config.scenes
    if options.surfaces:
        scenes = replace(scenes, surfaces=options.surfaces)
    if options.shelves:
        scenes = replace(scenes, shelves=options.shelves)
    if options.scenes:
        scenes = replace(scenes, scenes=options.scenes)
    config = replace(config, scenes=scenes, objects=options.objects or config.objects)
    config = replace(config, work=options.work or config.work, out=options.out or config.out)
    config = replace(config, unet=config.focused if options.focus else config.unet)
    for stage in ("vae", "decoder", "unet", "control"):
        steps = getattr(options, f"{stage}_steps")
        if steps:
            config = replace(config, **{stage: replace(getattr(config, stage), steps=steps)})
    return config


def _run(options: argparse.Namespace) -> int:
    import cv2
    import torch

    from pipeline.rendering.device import keep_freed_memory
    from training.nano.data.surfaces import existing_folder
    from training.nano.networks.export import check_out

    keep_freed_memory(kept_bytes=KEPT_BYTES)
    cv2.setNumThreads(1)
    torch.set_num_threads(int(os.environ.get("OMP_NUM_THREADS", os.cpu_count() or 1)))
    config = _config(options)
    stages = WHOLE_RECIPE if options.stage == "all" else (options.stage,)
    if options.stage == "all":  # refused now and not after three hours
        check_out(config.out)
        existing_folder(config.objects)
    for stage in stages:
        print(f"— {stage}", file=sys.stderr, flush=True)
        _run_stage(stage, config, options)
    return 0


def _run_stage(stage: str, config: NanoConfig, options: argparse.Namespace) -> None:
    from training.nano.stages import run

    match stage:
        case "scenes":
            run.draw(config)
        case "vae":
            run.train_vae(config)
        case "decoder":
            run.train_decoder(config)
        case "unet":
            run.train_unet(config, start=options.start, focused=options.focus)
        case "control":
            run.train_control(config, start=options.start)
        case "export":
            run.export(config)
        case "evaluate":
            _evaluate(config, quick=options.quick, write_card=options.stage == "all")
        case "sheet":
            from training.nano.evaluate.sheet import write_sheets

            write_sheets(config, **(QUICK_SHEETS if options.quick else {}))


def _evaluate(config: NanoConfig, *, quick: bool, write_card: bool) -> None:
    """Print the figures; write figures.json and the model card where everything was trained here."""
    from training.nano.evaluate.card import card, steps_done
    from training.nano.evaluate.figures import figures

    measured = figures(config, **QUICK) if quick else figures(config)
    print(json.dumps(measured, indent=1))
    if write_card:
        (config.out / "figures.json").write_text(json.dumps(measured, indent=1) + "\n")
        command = "python -m training.nano evaluate" + (" --quick" if quick else "")
        (config.out / "README.md").write_text(
            card(measured, config, steps_done=steps_done(config.work), command=command)
        )


def _tune(options: argparse.Namespace, parser: argparse.ArgumentParser) -> int:
    if not options.photos or not options.out:
        parser.error("tune needs --photos DIR and --out DIR")
    from pipeline.rendering.checkpoints import NANO_FOLDER

    steps = {"steps": options.steps} if options.steps else {}
    if options.lora or options.model == "sdxl":
        from training.nano.stages.lora import LORA_TRAINING, LoraOptions, tune_lora

        captions = tune_lora(
            LoraOptions(
                photos=options.photos,
                out=options.out,
                model=options.model or "nano",
                stage=replace(LORA_TRAINING, **steps),
            )
        )
    else:
        from training.nano.stages.tune import TUNING, TuneOptions, tune

        base = NANO_FOLDER if options.model in (None, "nano") else Path(options.model)
        captions = tune(
            TuneOptions(photos=options.photos, out=options.out, base=base, stage=replace(TUNING, **steps))
        )
    print(f"{options.out}: use it with --model {options.out}; it now also draws: {'; '.join(captions[:12])}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
