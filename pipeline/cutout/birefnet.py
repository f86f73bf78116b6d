"""BiRefNet, the network for grounds that are not plain: only for those who downloaded it. The only torch in here."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path
from threading import Lock
from typing import Any

import cv2
import numpy as np

from pipeline.cutout.matte import CutoutOrigin, CutoutResult
from pipeline.cutout.matting import foreground_colours
from pipeline.domain.images import RGB, Mask
from pipeline.errors import ModelUnavailable

REPOSITORY = "ZhengPeng7/BiRefNet"
REVISION = "main"  # hand in a commit to pin it
_SIDE_PX = 1024  # the network's own picture size
_MEAN, _DEVIATION = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)
_UNSURE = (26, 230)  # alpha between these is neither object nor ground
_lock = Lock()  # one forward at a time


def cut_out_with_birefnet(
    rgb: RGB, *, model: str | Path = REPOSITORY, revision: str = REVISION
) -> CutoutResult:
    """Cut the object out with BiRefNet. Nothing is downloaded here: the weights must be there already.

    Args:
        rgb: (H, W, 3) uint8.
        model: a folder with the weights, or the repository whose download is in the cache.

    Raises:
        ModelUnavailable: the weights are not on this machine, or cannot be loaded.
    """
    alpha = _alpha(rgb, _loaded(str(model), revision))
    unsure = float(((alpha > _UNSURE[0]) & (alpha < _UNSURE[1])).mean())
    inside = float((alpha > 127).mean())
    doubts = []
    if not 0.003 <= inside <= 0.9:
        doubts.append(f"it covers {inside:.1%} of the picture")
    if unsure > 0.1 * max(inside, 1e-6):
        doubts.append("large parts are neither clearly object nor clearly ground")
    score = (1.0, 0.45, 0.2)[len(doubts)]
    return CutoutResult(foreground_colours(rgb, alpha), alpha, score, tuple(doubts), CutoutOrigin.BIREFNET)


@lru_cache(maxsize=1)
def _loaded(model: str, revision: str) -> Any:
    sentence = (
        f"BiRefNet is not on this machine ({model}); download it once with `hf download {REPOSITORY}`, "
        "then run this again"
    )
    if Path(model).is_dir() and not (Path(model) / "config.json").is_file():
        raise ModelUnavailable(sentence)
    try:
        import torch
        from transformers import AutoModelForImageSegmentation

        network = AutoModelForImageSegmentation.from_pretrained(
            model, revision=revision, trust_remote_code=True, local_files_only=True
        )
    except (OSError, ImportError, ValueError, RuntimeError) as error:
        raise ModelUnavailable(sentence) from error
    device = "cuda" if torch.cuda.is_available() else "cpu"
    return network.eval().float().to(device)


def _alpha(rgb: RGB, network: Any) -> Mask:
    import torch

    height, width = rgb.shape[:2]
    square = cv2.resize(rgb, (_SIDE_PX, _SIDE_PX), interpolation=cv2.INTER_AREA).astype(np.float32) / 255
    normal = (square - np.array(_MEAN, np.float32)) / np.array(_DEVIATION, np.float32)
    batch = torch.from_numpy(normal.transpose(2, 0, 1)[None].copy()).to(next(network.parameters()).device)
    with _lock, torch.inference_mode():
        drawn = network(batch)[-1].sigmoid()[0, 0].float().cpu().numpy()
    fitted = cv2.resize(drawn, (width, height), interpolation=cv2.INTER_LINEAR)
    return np.rint(np.clip(fitted, 0, 1) * 255).astype(np.uint8)
