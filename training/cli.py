"""The training command line.

Exit codes: 0 done; 1 refused (one sentence on stderr); 2 wrong usage; 130 interrupted (work so far is kept, the same
command resumes). With `--json`, stdout holds one JSON object and nothing else.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from pipeline.domain.arms import ALL_USES, ARMS, Arm, use_of
from pipeline.domain.studies import (
    DEFAULT_NETWORK,
    MAX_SEEDS,
    SEEDS_FOR_A_CLAIM,
    STUDY_NETWORKS,
    TIMM_FORM,
    Network,
    named_network,
)
from pipeline.errors import InvalidRequest, StudioError, UnknownName
from training.config_files import chosen, config_text, parse_with_config
from training.fit.options import MAX_DEVICES, Augmentation, TrainingOptions
from training.fit.trackers import Tracker, refuse_missing_packages
from training.proposal.recipe_files import PLAN_MISSING, PROPOSE, refuse_unwritable
from training.study.options import CHEAP_TEST_PHOTOS, DEFAULT_MARGIN, MAX_TUNING, StudyOptions

if TYPE_CHECKING:
    from training.data.release import Release
    from training.study.result import ArmResult, StudyResult

_INTERRUPTED = 130
_DEFAULTS, _PROBE, _FINE_TUNED = map(
    TrainingOptions.for_network, (Network.SMALL, Network.PROBE, Network.LITE0)
)
_NETWORKS = f"{', '.join(Network)}, or {TIMM_FORM} for a network of timm"

Answer = tuple[Mapping[str, object], str]  # for --json, and for people
Command = Callable[[argparse.Namespace], Answer]
Advance = Callable[[int, int | None, str], None]  # (done, total, what is being done)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command and return its exit code."""
    try:
        options = parse_with_config(*_parser(), sys.argv[1:] if arguments is None else arguments)
        answer, text = options.run(options)
    except KeyboardInterrupt:
        print("backlot: interrupted; finished work is kept, the same command resumes", file=sys.stderr)
        return _INTERRUPTED
    except StudioError as error:
        print(f"backlot: {error}", file=sys.stderr)
        return 1
    print(json.dumps(answer, ensure_ascii=False) if options.json else text)
    return 0


def _fit(options: argparse.Namespace) -> Answer:
    from training.fit.networks import check_network
    from training.fit.single import fit_to_folder

    training, arm = _training_options(options, options.network), _arm(options.arm)
    check_network(training)
    trackers = _usable_trackers(options)
    release = _release(options, training.image_size)
    with _progress_bar("train", " step", training.steps) as advance:
        metrics = fit_to_folder(
            release,
            arm,
            training,
            seed=options.seed,
            out=options.out,
            trackers=trackers,
            config=config_text("fit", options, [training]),
            on_point=lambda point: advance(point.step, training.steps, ""),
        )
    tested = sum(metrics["test_counts"].values())
    text = (
        f"{metrics['arm']}, seed {metrics['seed']}: {100 * metrics['balanced_accuracy']:.1f} % balanced accuracy "
        f"on {tested} test photos ({metrics['seconds']:.0f} s)\n{metrics['checkpoint']}"
    )
    return metrics, text


def _study(options: argparse.Namespace) -> Answer:
    requests = _study_requests(options)
    for path, option in ((options.plan_missing, PLAN_MISSING), (options.propose, PROPOSE)):
        if path is not None:
            refuse_unwritable(path, option)
    releases: dict[int, Release] = {}  # by the side of their images in px

    def load(side_px: int) -> Release:
        if side_px not in releases:
            releases[side_px] = _release(options, side_px)
        return releases[side_px]

    answers: list[Answer] = []
    if options.plan_missing is not None:
        from training.proposal.answers import plan_missing

        release = load(requests[0].training.image_size)
        missing = plan_missing(release, requests[0].arms, options.plan_missing)
        answers.append((missing.answer, missing.text))
        if missing.all_are_missing:
            return _joined(answers)
    config = config_text("study", options, [request.training for request in requests])
    result, text = _trained(requests, load, options.out, config)
    answers.append((result, text))
    if options.propose is not None:
        from training.proposal.answers import propose

        answers.append(propose(result, load(requests[0].training.image_size), options.out, options.propose))
    return _joined(answers)


def _compare(options: argparse.Namespace) -> Answer:
    from training.fit.run_folder import write_text
    from training.report.comparison import comparison_html, comparison_json, comparison_text
    from training.study.compare import compare_studies

    comparison = compare_studies(options.a, options.b)
    text = comparison_text(comparison)
    if options.out is not None:
        write_text(options.out, comparison_html(comparison))
        text = f"{text}\nreport: {options.out}"
    return comparison_json(comparison), text


def _study_requests(options: argparse.Namespace) -> list[StudyOptions]:
    """The study with every network that was asked for."""
    whole = StudyOptions(
        arms=tuple(_arm(name) for name in options.arms),
        seeds=tuple(range(options.first_seed, options.first_seed + options.seeds)),
        allow_leak=options.allow_leak,
        equal_counts=options.equal_counts,
        margin=options.margin / 100,
        features=options.features,
        similarity=not options.no_similarity,
        diagnosis=not options.no_diagnosis,
        counterfactual=options.counterfactual,
        learning_curve=options.learning_curve,
        tuning=options.tuning,
        trackers=_usable_trackers(options),
    )
    networks = dict.fromkeys(options.network)
    return [replace(whole, training=_training_options(options, network)) for network in networks]


def _trained(
    requests: Sequence[StudyOptions], load: Callable[[int], Release], out: Path, config: str
) -> tuple[StudyResult, str]:
    from training.report.write import HTML_FILE, write_reports
    from training.study.networks import study_networks

    with _progress_bar("study", " step", None) as advance:
        result, release = study_networks(
            requests,
            load,
            write_reports,
            out,
            config=config,
            on_step=lambda at: advance(at.steps_done, at.steps_total, f"{at.arm} seed {at.seed}"),
        )
    return result, _summary(result, release.notes, out / HTML_FILE)


def _joined(answers: Sequence[Answer]) -> Answer:
    whole = {key: value for answer, _ in answers for key, value in answer.items()}
    return whole, "\n".join(text for _, text in answers)


def _summary(result: StudyResult, notes: Sequence[str], report: Path) -> str:
    from training.report.wording import network_sentence

    lines = [
        "balanced accuracy",
        *(f"  {_rate(arm)}  {arm['title']}" for arm in result["arms"]),
        *(f"  left out: {skipped['title']}, {skipped['reason']}" for skipped in result["skipped"]),
        *(f"  note: {note}" for note in (*result.get("share_notes", []), *notes)),
        result["verdict"],
        *(
            arm["sentence"]
            for arm in (result["data_efficiency"]["arms"] if "data_efficiency" in result else [])
        ),
        *([result["tuning"]["sentence"]] if "tuning" in result else []),
        *map(network_sentence, result.get("other_networks", [])),
        f"report: {report}",
    ]
    return "\n".join(lines)


def _rate(arm: ArmResult) -> str:
    rate = arm["balanced_accuracy"]
    interval = ""
    if rate["low"] is not None and rate["high"] is not None:
        interval = f" ({100 * rate['low']:.1f} to {100 * rate['high']:.1f})"
    return f"{100 * rate['mean']:5.1f} %{interval:17}"


def _release(options: argparse.Namespace, side_px: int) -> Release:
    from training.data.release import load_release

    with _progress_bar("read", " image", None) as advance:
        return load_release(
            options.dataset,
            options.test,
            side_px=side_px,
            on_read=lambda done: advance(done, None, ""),
        )


def _training_options(options: argparse.Namespace, network: str) -> TrainingOptions:
    return TrainingOptions.for_network(
        named_network(network),
        {
            "steps": chosen(options.steps, network),
            "batch": chosen(options.batch, network),
            "lr": chosen(options.lr, network),
            "weight_decay": chosen(options.weight_decay, network),
            "image_size": chosen(options.image_size, network),
            "augmentation": Augmentation(options.augmentation),
            "devices": options.devices,
        },
    )


def _usable_trackers(options: argparse.Namespace) -> tuple[Tracker, ...]:
    """Check, before any data is read, what the command needs of this machine."""
    trackers = tuple(Tracker(name) for name in dict.fromkeys(options.tracker))
    refuse_missing_packages(trackers)
    if options.devices > 1:
        from training.fit.devices import refuse_missing_devices

        refuse_missing_devices(options.devices)
    return trackers


def _arm(name: str) -> Arm:
    try:
        return Arm(name)
    except ValueError as error:
        if use_of(name) in ARMS:  # its recipe, ratio or share is wrong
            raise InvalidRequest(str(error)) from None
        raise UnknownName("arm", name, ALL_USES) from None


@contextmanager
def _progress_bar(description: str, unit: str, total: int | None) -> Iterator[Advance]:
    """Show progress on stderr with rate and time left; silent where stderr is not a terminal."""
    from tqdm import tqdm

    with tqdm(desc=description, unit=unit, total=total, disable=None, leave=False, file=sys.stderr) as bar:

        def advance(done: int, total: int | None, doing: str) -> None:
            bar.total = total
            bar.set_postfix_str(doing, refresh=False)
            bar.update(done - bar.n)

        yield advance


def _parser() -> tuple[argparse.ArgumentParser, Mapping[str, argparse.ArgumentParser]]:
    """Return the parser of the command line and those of its commands."""
    parser = argparse.ArgumentParser(
        prog="python -m training",
        description="Train on a published release, and find out which use of the data is best.",
    )
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    fitting = commands.add_parser("fit", help="train one network on one arm with one seed")
    _add_common(fitting, _fit)
    fitting.add_argument("--arm", required=True, metavar="ARM", help=", ".join(ALL_USES))
    fitting.add_argument(
        "--network",
        default=str(DEFAULT_NETWORK),
        metavar="NAME",
        help=f"{_NETWORKS} (default: %(default)s)",
    )
    fitting.add_argument(
        "--seed",
        type=_seed,
        default=0,
        metavar="S",
        help="of the weights, the order and the augmentation (default: %(default)s)",
    )

    studying = commands.add_parser("study", help="train all arms with all seeds and conclude which is best")
    _add_common(studying, _study)
    studying.add_argument(
        "--seeds",
        type=_positive,
        default=SEEDS_FOR_A_CLAIM,
        metavar="N",
        help=f"how many, at most {MAX_SEEDS}; a claim needs {SEEDS_FOR_A_CLAIM} (default: %(default)s)",
    )
    studying.add_argument(
        "--first-seed", type=_seed, default=0, metavar="S", help="the others follow it (default: %(default)s)"
    )
    studying.add_argument(
        "--arms",
        nargs="+",
        default=list(ALL_USES),
        metavar="ARM",
        help=f"USE[@RECIPE][:RATIO][%%SHARE], see docs/studies.md (default: {' '.join(ALL_USES)})",
    )
    studying.add_argument(
        "--network",
        nargs="+",
        default=list(map(str, STUDY_NETWORKS)),
        metavar="NAME",
        help=f"{_NETWORKS}; the first gives the verdict, further ones test the order of the arms "
        f"(default: {' '.join(STUDY_NETWORKS)})",
    )
    studying.add_argument(
        "--learning-curve",
        action="store_true",
        help="train on shares of the real photos, too, and tell how many real photos the other arms are worth",
    )
    studying.add_argument(
        "--equal-counts",
        action="store_true",
        help="let all arms have as many synthetic images of a class as the arm with the fewest",
    )
    studying.add_argument(
        "--features",
        type=Path,
        metavar="DIR",
        help="folder that keeps the probe's features for several studies of the same images (default: that of --out)",
    )
    studying.add_argument(
        "--no-similarity",
        action="store_true",
        help="leave out how alike the images are, which the probe measures",
    )
    studying.add_argument(
        "--no-diagnosis",
        action="store_true",
        help="leave out which factors of the test photos explain the errors",
    )
    studying.add_argument(
        "--counterfactual",
        action=argparse.BooleanOptionalAction,
        help="test every run on other backgrounds, places and sizes of the test objects, too "
        f"(default: with the probe, on up to {CHEAP_TEST_PHOTOS} test photos)",
    )
    studying.add_argument(
        "--tuning",
        type=_whole,
        default=0,
        metavar="N",
        help="let every arm choose among the same N settings of learning rate and weight decay on a part of its "
        f"training photos, 1 to {MAX_TUNING}, in a table of its own (default: no tuning)",
    )
    studying.add_argument(
        "--margin",
        type=float,
        default=100 * DEFAULT_MARGIN,
        metavar="POINTS",
        help="smallest difference of balanced accuracy that matters, in points (default: %(default)g)",
    )
    studying.add_argument(
        "--allow-leak",
        action="store_true",
        help="train even if test photos are near-duplicates of training photos",
    )
    studying.add_argument(
        PLAN_MISSING,
        type=Path,
        metavar="FILE.yaml",
        help="write recipes that would fill the arms for which the release has too few images",
    )
    studying.add_argument(
        PROPOSE,
        type=Path,
        metavar="FILE.yaml",
        help="after the verdict, write a recipe for the weakest classes; a copy lies in --out",
    )
    _add_compare(commands)
    return parser, {"fit": fitting, "study": studying}


def _add_compare(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    comparing = commands.add_parser("compare", help="compare two finished studies, arm by arm")
    comparing.set_defaults(run=_compare)
    for name in ("a", "b"):
        comparing.add_argument(name, type=Path, metavar=name.upper(), help="--out folder of a study")
    comparing.add_argument("--out", type=Path, metavar="FILE.html", help="write a report")
    comparing.add_argument("--json", action="store_true", help="print one JSON object on stdout")


def _add_common(command: argparse.ArgumentParser, run: Command) -> None:
    """Add the options that both commands have."""
    command.set_defaults(run=run)
    data_set = "DIR|ns/name"
    command.add_argument(
        "--dataset",
        required=True,
        metavar=data_set,
        help="a release, or photos as class/*.jpg or train/class/*.jpg",
    )
    command.add_argument(
        "--test", metavar=data_set, help="the same for testing; default: the release's own real test split"
    )
    command.add_argument("--out", type=Path, required=True, metavar="DIR", help="where the results go")
    numbers: list[tuple[str, Callable[[str], float], str, Callable[[TrainingOptions], float], str]] = [
        ("--steps", _positive, "N", lambda options: options.steps, "optimiser steps"),
        ("--batch", _positive, "N", lambda options: options.batch, "images per step"),
        ("--lr", float, "X", lambda options: options.lr, "peak learning rate"),
        ("--weight-decay", float, "X", lambda options: options.weight_decay, "AdamW's weight decay"),
        ("--image-size", _positive, "PX", lambda options: options.image_size, "side of the images"),
    ]
    for flag, kind, metavar, value, meaning in numbers:
        default = value(_DEFAULTS)
        others = ((value(_PROBE), "the probe"), (value(_FINE_TUNED), "pretrained networks"))
        other = "".join(f", {number:g} for {which}" for number, which in others if number != default)
        command.add_argument(
            flag, type=kind, metavar=metavar, help=f"{meaning} (default: {default:g}{other})"
        )
    command.add_argument(
        "--augmentation",
        choices=list(Augmentation),
        default=str(Augmentation.LIGHT),
        help="of the training images of every arm (default: %(default)s)",
    )
    _add_machinery(command)
    command.add_argument("--json", action="store_true", help="print one JSON object on stdout")


def _add_machinery(command: argparse.ArgumentParser) -> None:
    """Add the options that change how a command runs and reports."""
    command.add_argument(
        "--config",
        type=Path,
        metavar="FILE.yaml",
        help="take the options that are not given from a config.yaml",
    )
    command.add_argument(
        "--tracker",
        action="append",
        default=[],
        choices=list(Tracker),
        help="log the training curves to OUT/logs, too; may be given several times",
    )
    command.add_argument(
        "--devices",
        type=_positive,
        default=1,
        metavar="N",
        help=f"GPUs, or processes without a GPU, that share every batch (DDP), at most {MAX_DEVICES} (default: 1)",
    )


def _seed(text: str) -> int:
    if not text.isdigit() or int(text) >= 2**31:
        raise argparse.ArgumentTypeError(f"{text} is not a whole number from 0 to {2**31 - 1}")
    return int(text)


def _whole(text: str) -> int:
    try:
        return int(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text} is not a whole number") from None


def _positive(text: str) -> int:
    if not text.isdigit() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"{text} is not a whole number of at least 1")
    return int(text)
