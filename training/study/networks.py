"""One study with several networks: the first is the study, the others tell whether its order of the arms holds."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

from pipeline.domain.arms import BASELINE, Arm
from pipeline.domain.studies import network_folder
from training.data.release import Release
from training.fit.networks import check_network
from training.fit.run_folder import write_json
from training.study.options import StudyOptions
from training.study.outcome import weakness_warning
from training.study.result import ArmSummary, OtherNetwork, StudyResult
from training.study.statistics import order_agreement
from training.study.step import StudyStep
from training.study.study import study
from training.study.study_lock import study_lock
from training.study.tested import RESULT_FILE

LoadRelease = Callable[[int], Release]  # side of the images in px → the release
WriteReports = Callable[[StudyResult, Path], None]  # result, folder


def study_networks(
    requests: Sequence[StudyOptions],
    load: LoadRelease,
    write_reports: WriteReports,
    out: Path,
    *,
    config: str = "",
    on_step: Callable[[StudyStep], None] | None = None,
) -> tuple[StudyResult, Release]:
    """Run the same study with every network.

    Args:
        requests: options that differ in the network; the first is the study in `out`, the others go to folders of
            `out` with the names of their networks. These train the arms alone: no tuning, no learning curve.
        load: reads the release.
        write_reports: writes the reports of a study into a folder.
        out, config, on_step: see `study`.

    Returns:
        The study of the first network with `other_networks`, and its release.

    Raises:
        InvalidRequest: a network cannot be built, which is known before the release is read; or another process
            trains a study in `out`; see also `study`.
        ReleaseRefused, KeyboardInterrupt: see `study`.
    """
    for request in requests:
        check_network(request.training)
    with study_lock(out):
        return _studies(requests, load, write_reports, out, config=config, on_step=on_step)


def _studies(
    requests: Sequence[StudyOptions],
    load: LoadRelease,
    write_reports: WriteReports,
    out: Path,
    *,
    config: str,
    on_step: Callable[[StudyStep], None] | None,
) -> tuple[StudyResult, Release]:
    first, *others = requests
    release = load(first.training.image_size)
    result = study(release, first, out=out, config=config, on_step=on_step)
    write_reports(result, out)
    for request in others:
        folder = out / network_folder(request.training.network)
        request = _same_arms(request, result, out)
        other = study(load(request.training.image_size), request, out=folder, on_step=on_step)
        write_reports(other, folder)
        result["other_networks"] = [*result.get("other_networks", []), _summary(result, other, first)]
        write_json(out / RESULT_FILE, result)
        write_reports(result, out)
    return result, release


def _same_arms(request: StudyOptions, first: StudyResult, out: Path) -> StudyOptions:
    """The arms that the first study compared; nothing is tuned, and no shares are added for a learning curve."""
    trained = [Arm(arm["arm"]) for arm in first["arms"]]
    return replace(
        request,
        arms=tuple(arm for arm in trained if arm in request.arms),
        features=request.features or out,  # it cuts out the same photos
        learning_curve=False,
        tuning=0,
    )


def _summary(first: StudyResult, other: StudyResult, options: StudyOptions) -> OtherNetwork:
    means = {arm["arm"]: arm["balanced_accuracy"]["mean"] for arm in first["arms"]}
    common = [arm for arm in other["arms"] if arm["arm"] in means and options.compares(Arm(arm["arm"]))]
    agreement = order_agreement(
        [means[arm["arm"]] for arm in common], [arm["balanced_accuracy"]["mean"] for arm in common]
    )
    arms: list[ArmSummary] = [
        {"arm": arm["arm"], "title": arm["title"], "balanced_accuracy": arm["balanced_accuracy"]}
        for arm in other["arms"]
    ]
    summary: OtherNetwork = {
        "network": other["settings"]["network"],
        "verdict": other["verdict"],
        "arms": arms,
        "agreement": agreement,
    }
    real = next((arm["balanced_accuracy"]["mean"] for arm in other["arms"] if arm["arm"] == BASELINE), 1.0)
    if warning := weakness_warning(real, len(other["classes"])):
        summary["warning"] = warning
    return summary
