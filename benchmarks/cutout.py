"""Cut-out figures: `python -m benchmarks.cutout [--data DIR] [--sheet FILE]` prints one JSON line for each set.

Intersection over union, the share of masks that are used without a check, how many of these are right (0.9 and
more), and processor seconds a photo: on the rendered starter set, on photographs with checked masks (DIR/objects), on
composites of both over real surfaces, and on these photographs enlarged to 1,024 px. With --sheet, a green-background
sheet of cut-outs of DIR/trash, to be looked at.
"""

from __future__ import annotations

import argparse
import json
import random
import resource
import sys
import time
from collections.abc import Iterable
from pathlib import Path

import cv2
import numpy as np

from benchmarks.composites import Example, composites, photographed
from pipeline.domain.photo_decoding import load_photo
from pipeline.segmentation import USABLE_SCORE, CutoutResult, cut_out
from pipeline.segmentation.outline import agreement
from pipeline.starter import subjects

_GREEN = (0, 190, 0)
_TILE = (192, 144)
_RIGHT = 0.9  # intersection over union
_PASSED, _DOUBTED = (0, 0, 255), (255, 0, 0)


def main(arguments: list[str] | None = None) -> int:
    """Measure, print, and draw the sheet when asked."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.cutout", description=__doc__)
    parser.add_argument("--per-kind", type=int, default=24, help="starter parts of each kind")
    parser.add_argument("--composites", type=int, default=60, help="composites")
    parser.add_argument("--data", type=Path, default=Path("../shared/data"), help="photographs")
    parser.add_argument("--per-class", type=int, default=16, help="photographs of each class for the sheet")
    parser.add_argument("--sheet", type=Path, help="write the green-background sheet here")
    options = parser.parse_args(arguments)
    parts = [(part.label, part.rgb, part.mask > 127) for part in subjects(per_kind=options.per_kind)]
    sets: dict[str, Iterable[Example]] = {"starter": parts}
    if (options.data / "objects").is_dir():
        photos = photographed(options.data / "objects")
        mixed = composites([*photos, *parts], options.data / "surfaces512", options.composites, seed=11)
        sets |= {
            "objects": photos,
            "objects with the masks as delivered": photographed(options.data / "objects", is_corrected=False),
            "composites": mixed,
            "objects at 1024 px": map(_enlarged, photos[::4]),
        }
    for name, examples in sets.items():
        print(json.dumps({"benchmark": "cutout", "set": name, **figures(examples)}), flush=True)
    if options.sheet:
        passing = drawn_sheet(options.data / "trash", options.per_class, options.sheet)
        print(json.dumps({"benchmark": "cutout", "set": "trash", "passing": passing}))
    return 0


def figures(examples: Iterable[Example]) -> dict[str, object]:
    """Measure IoU, passing and seconds on photographs with known masks."""
    overlaps, passes, seconds = [], [], []
    for _, rgb, mask in examples:
        start = time.process_time()
        result = cut_out(rgb)
        seconds.append(time.process_time() - start)
        overlaps.append(agreement(result.alpha > 127, mask))
        passes.append(result.score >= USABLE_SCORE)
    values, passing = np.array(overlaps), np.array(passes)
    right = values >= _RIGHT
    return {
        "count": len(values),
        "iou_median": round(float(np.median(values)), 4),
        "iou_p10": round(float(np.percentile(values, 10)), 4),
        "passing_share": round(float(passing.mean()), 3),
        "right_of_passing": round(float(right[passing].mean()), 3) if passing.any() else None,
        "passing_of_right": round(float(passing[right].mean()), 3) if right.any() else None,
        "cpu_seconds_median": round(float(np.median(seconds)), 3),
        "peak_memory_mb": round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024),
    }


def _enlarged(example: Example) -> Example:
    name, rgb, mask = example
    scale = 1024 / max(mask.shape)
    size = (round(mask.shape[1] * scale), round(mask.shape[0] * scale))
    large = cv2.resize(mask.astype(np.float32), size, interpolation=cv2.INTER_CUBIC) > 0.5
    return name, cv2.resize(rgb, size, interpolation=cv2.INTER_CUBIC), large


def drawn_sheet(folder: Path, per_class: int, target: Path) -> dict[str, str]:
    """Write the sheet (a row per class: photo beside cut-out, score on it); returns how many of each class pass."""
    rows, passing = [], {}
    for place in sorted(path for path in folder.iterdir() if path.is_dir()):
        files = sorted(path for path in place.iterdir() if path.is_file())
        random.Random(1).shuffle(files)
        tiles, passed = [], 0
        for file in files[:per_class]:
            photo = load_photo(file.read_bytes(), file.name).rgb
            result = cut_out(photo)
            passed += result.score >= USABLE_SCORE
            tiles.append(_tile(photo, result))
        rows.append(np.hstack(tiles))
        passing[place.name] = f"{passed} of {len(tiles)}"
    cv2.imwrite(str(target), np.vstack(rows)[..., ::-1])
    return passing


def _tile(photo: np.ndarray, result: CutoutResult) -> np.ndarray:
    alpha = result.alpha[..., None] / 255
    on_green = (result.rgb * alpha + np.array(_GREEN) * (1 - alpha)).astype(np.uint8)
    height, width = _TILE
    halves = [cv2.resize(half, (width, height), interpolation=cv2.INTER_AREA) for half in (photo, on_green)]
    tile = np.ascontiguousarray(np.hstack(halves))
    colour = _PASSED if result.score >= USABLE_SCORE else _DOUBTED
    cv2.putText(tile, f"{result.score:.2f}", (4, 14), cv2.FONT_HERSHEY_SIMPLEX, 0.45, colour, 1)
    return tile


if __name__ == "__main__":
    sys.exit(main())
