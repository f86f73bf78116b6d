"""The training command line. Exit codes: 0 done; 1 the world said no (one sentence on stderr); 2 wrong usage;
130 interrupted (work so far is kept, the same command resumes). With `--json`, stdout holds one JSON object
and nothing else.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pipeline.errors import StudioError, UnknownName
from training.arms import Arm
from training.options import Network, TrainingOptions

if TYPE_CHECKING:
    from training.release import Release

_INTERRUPTED = 130
_DEFAULTS = TrainingOptions()


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; the exit code."""
    options = _parser().parse_args(arguments)
    try:
        answer, sentence = options.run(options)
    except KeyboardInterrupt:
        print("backlot: interrupted; what is finished is kept, the same command goes on", file=sys.stderr)
        return _INTERRUPTED
    except StudioError as error:
        print(f"backlot: {error}", file=sys.stderr)
        return 1
    print(json.dumps(answer, ensure_ascii=False) if options.json else sentence)
    return 0


def _fit(options: argparse.Namespace) -> tuple[dict[str, Any], str]:
    from training.single import fit_to_folder

    told, arm = _training_options(options), _arm(options.arm)
    release = _release(options)
    with _bar("train", " step", options.steps) as moved:
        found = fit_to_folder(
            release,
            arm,
            told,
            seed=options.seed,
            out=options.out,
            on_point=lambda point: moved(point.step, options.steps, ""),
        )
    tested = sum(found["test_counts"].values())
    sentence = (
        f"{found['arm']}, seed {found['seed']}: {100 * found['balanced_accuracy']:.1f} % balanced accuracy "
        f"on {tested} test photos ({found['seconds']:.0f} s)\n{found['checkpoint']}"
    )
    return found, sentence


def _study(options: argparse.Namespace) -> tuple[dict[str, Any], str]:
    told, arms = _training_options(options), [_arm(name) for name in options.arms]
    release = _release(options)
    from training.study import study

    seeds = range(options.first_seed, options.first_seed + options.seeds)
    with _bar("study", " step", None) as moved:
        found = study(
            release,
            arms=arms,
            seeds=seeds,
            options=told,
            out=options.out,
            on_step=lambda at: moved(at.steps_done, at.steps_total, f"{at.arm} seed {at.seed}"),
        )
    rates = [f"  {_rate(arm)}  {arm['title']}" for arm in found["arms"]]
    left_out = [f"  left out: {one['title']}, {one['reason']}" for one in found["skipped"]]
    places = [f"report: {options.out / 'report.html'}"]
    return found, "\n".join(["balanced accuracy", *rates, *left_out, found["verdict"], *places])


def _rate(arm: dict[str, Any]) -> str:
    spread = arm["balanced_accuracy"]
    between = (
        f" ({100 * spread['low']:.1f} to {100 * spread['high']:.1f})" if spread["high"] is not None else ""
    )
    return f"{100 * spread['mean']:5.1f} %{between:17}"


def _release(options: argparse.Namespace) -> Release:
    from training.release import load_release

    with _bar("read", " picture", None) as moved:
        return load_release(
            options.dataset,
            options.test,
            side_px=options.image_size,
            on_read=lambda done: moved(done, None, ""),
        )


def _training_options(options: argparse.Namespace) -> TrainingOptions:
    if options.network not in list(Network):
        raise UnknownName("network", options.network, Network)
    return TrainingOptions(
        network=Network(options.network),
        steps=options.steps,
        batch=options.batch,
        lr=options.lr,
        image_size=options.image_size,
    )


def _arm(name: str) -> Arm:
    if name not in list(Arm):
        raise UnknownName("arm", name, Arm)
    return Arm(name)


@contextmanager
def _bar(verb: str, unit: str, total: int | None) -> Iterator[Callable[[int, int | None, str], None]]:
    """A progress bar on stderr with rate and time left; silent where stderr is not a terminal."""
    from tqdm import tqdm

    with tqdm(desc=verb, unit=unit, total=total, disable=None, leave=False, file=sys.stderr) as bar:

        def moved(done: int, total: int | None, doing: str) -> None:
            bar.total = total
            bar.set_postfix_str(doing, refresh=False)
            bar.update(done - bar.n)

        yield moved


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m training",
        description="Train on a published release, and find out which use of the data is best.",
    )
    commands = parser.add_subparsers(required=True, metavar="COMMAND")

    fitting = _command(commands, "fit", _fit, "train one network on one arm with one seed")
    fitting.add_argument("--arm", required=True, metavar="ARM", help=", ".join(Arm))
    fitting.add_argument("--seed", type=_seed, default=0, metavar="S", help="default: %(default)s")

    studying = _command(commands, "study", _study, "all arms with all seeds; ends with the verdict")
    studying.add_argument(
        "--seeds",
        type=_positive,
        default=6,
        metavar="N",
        help="how many; a claim needs 6 (default: %(default)s)",
    )
    studying.add_argument("--first-seed", type=_seed, default=0, metavar="S", help="default: %(default)s")
    studying.add_argument(
        "--arms", nargs="+", default=list(Arm), metavar="ARM", help=f"default: {' '.join(Arm)}"
    )
    return parser


def _command(commands: Any, name: str, run: Callable[..., Any], says: str) -> argparse.ArgumentParser:
    sub = commands.add_parser(name, help=says, description=says)
    sub.set_defaults(run=run)
    place = "DIR|ns/name"
    sub.add_argument(
        "--dataset", required=True, metavar=place, help="a release, or a folder class/*.jpg of photos"
    )
    sub.add_argument(
        "--test", metavar=place, help="the same for testing; default: the release's own real test split"
    )
    sub.add_argument("--out", type=Path, required=True, metavar="DIR", help="where the results go")
    sub.add_argument("--network", default=str(_DEFAULTS.network), metavar="NAME", help=", ".join(Network))
    sub.add_argument(
        "--steps",
        type=_positive,
        default=_DEFAULTS.steps,
        metavar="N",
        help="optimiser steps (default: %(default)s)",
    )
    sub.add_argument(
        "--batch",
        type=_positive,
        default=_DEFAULTS.batch,
        metavar="N",
        help="pictures a step (default: %(default)s)",
    )
    sub.add_argument(
        "--lr",
        type=float,
        default=_DEFAULTS.lr,
        metavar="X",
        help="highest learning rate (default: %(default)s)",
    )
    sub.add_argument(
        "--image-size",
        type=_positive,
        default=_DEFAULTS.image_size,
        metavar="PX",
        help="side (default: %(default)s)",
    )
    sub.add_argument("--json", action="store_true", help="print one JSON object on stdout")
    return sub


def _seed(text: str) -> int:
    if not text.isdigit() or int(text) >= 2**31:
        raise argparse.ArgumentTypeError(f"{text} is not a whole number from 0 to {2**31 - 1}")
    return int(text)


def _positive(text: str) -> int:
    if not text.isdigit() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"{text} is not a whole number of at least 1")
    return int(text)
