"""Cut-out figures: `python -m benchmarks.cutout [--trash DIR] [--sheet FILE]` prints one JSON line.

Intersection over union on the rendered starter set (exact masks), processor seconds per photo, and, with --sheet, a
green-background sheet of cut-outs of class folders of photos, to be looked at.
"""

from __future__ import annotations

import argparse
import json
import random
import sys
import time
from pathlib import Path

import cv2
import numpy as np

from pipeline.domain.photo_decoding import load_photo
from pipeline.segmentation import USABLE_SCORE, CutoutResult, cut_out
from pipeline.starter import subjects

_GREEN = (0, 190, 0)
_TILE = (192, 144)
_PASSED, _DOUBTED = (0, 0, 255), (255, 0, 0)


def main(arguments: list[str] | None = None) -> int:
    """Measure, print, and draw the sheet when asked."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.cutout", description=__doc__)
    parser.add_argument("--per-kind", type=int, default=24, help="starter parts of each kind")
    parser.add_argument(
        "--trash", type=Path, default=Path("../shared/data/trash"), help="class folders for the sheet"
    )
    parser.add_argument("--per-class", type=int, default=8)
    parser.add_argument("--sheet", type=Path, help="write the green-background sheet here")
    options = parser.parse_args(arguments)
    figures: dict[str, object] = {"benchmark": "cutout", **starter_figures(options.per_kind)}
    if options.sheet:
        figures["passing"] = drawn_sheet(options.trash, options.per_class, options.sheet)
    print(json.dumps(figures))
    return 0


def starter_figures(per_kind: int) -> dict[str, object]:
    """Measure IoU and seconds on the starter set."""
    overlaps, passing, seconds = [], [], []
    kinds: dict[str, list[float]] = {}
    for part in subjects(per_kind=per_kind):
        start = time.process_time()
        result = cut_out(part.rgb)
        seconds.append(time.process_time() - start)
        cut, exact = result.alpha > 127, part.mask > 127
        overlap = float((cut & exact).sum() / (cut | exact).sum())
        overlaps.append(overlap)
        kinds.setdefault(part.label, []).append(overlap)
        if result.score >= USABLE_SCORE:
            passing.append(overlap)
    return {
        "count": len(overlaps),
        "iou_median": round(float(np.median(overlaps)), 4),
        "iou_p10": round(float(np.percentile(overlaps, 10)), 4),
        "iou_median_by_kind": {kind: round(float(np.median(values)), 4) for kind, values in kinds.items()},
        "passing_share": round(len(passing) / len(overlaps), 3),
        "passing_iou_least": round(min(passing), 4) if passing else None,
        "cpu_seconds_median": round(float(np.median(seconds)), 3),
    }


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
