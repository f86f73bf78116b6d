"""Trains every arm with every seed and judges them on the same test photos."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import cast

import numpy as np
from numpy.typing import NDArray
from pyarrow import parquet

from pipeline.domain.arms import Arm
from pipeline.domain.studies import Network
from pipeline.errors import ReleaseRefused
from training.data.arm_data import ArmData, available_arms
from training.data.release import Release
from training.fit.classifier import Point
from training.fit.features import FeatureCache
from training.fit.fit import RunRecord, fit
from training.fit.machine import machine_facts, run_settings
from training.fit.run_folder import CONFIG, claim, data_fingerprint, write_json, write_text
from training.fit.tracking import Tracking
from training.similarity.class_context import class_context_findings
from training.similarity.context import context_findings
from training.similarity.efficiency import efficiency_findings
from training.similarity.findings import similarity_findings
from training.similarity.recognition import recognition_findings
from training.study.costs import with_costs
from training.study.curve_arms import with_curve_arms
from training.study.diagnosis import Diagnosis
from training.study.disk import refuse_full_disks
from training.study.options import StudyOptions
from training.study.outcome import study_findings
from training.study.progress import ProgressLog
from training.study.result import Selection, StudyResult
from training.study.run_files import RunFiles
from training.study.step import OnStep, StudyStep
from training.study.tested import RESULT_FILE, RUNS, keep_tested_photos
from training.study.tuning import Tuning

_PROGRESS = "progress.jsonl"
_INDEX = "index.parquet"  # as pipeline.publish writes it


def study(
    release: Release, options: StudyOptions, *, out: Path, config: str = "", on_step: OnStep | None = None
) -> StudyResult:
    """Train all arms with all seeds, judge them, and write `study.json`.

    Resumable: every finished run is kept in `out/runs`, so the same call trains only what is missing; seeds and arms
    may be added. It goes seed by seed, so that the finished runs are always paired.

    Args:
        out: the study's folder.
        config: the text of its `config.yaml`; "" writes none.
        on_step: called with the progress.

    Raises:
        InvalidRequest: `out` holds a study with other settings, or its disk is full; or a loss is no longer finite.
        ReleaseRefused: no arm has data; or there are too few training photos for tuning; or test photos are
            near-duplicates of training photos, which `options` do not allow.
        KeyboardInterrupt: stopped by the user; finished runs are kept.
    """
    started = time.perf_counter()
    if release.leak and not options.allow_leak:
        raise ReleaseRefused(
            f"{release.leak.sentence}; a test with them measures memory: exclude one photo of each pair or give both "
            "one split, and publish again, or allow it (--allow-leak; on the page a checkbox)"
        )
    asked = with_curve_arms(release, options.arms) if options.learning_curve else options.arms
    available, skipped = available_arms(release, asked, equal_counts=options.equal_counts)
    settings = run_settings(options.training)
    tuning = Tuning.prepared(release, available, options, out)
    refuse_full_disks(release, available, options, out)
    claim(out, {**settings, "data": data_fingerprint(release)})
    keep_tested_photos(release, out)
    if config:
        write_text(out / CONFIG, config)
    if tuning:
        tuning.claim_folder()
    selection = _selection(release.name)
    arms = [data.arm for data in available]
    log = ProgressLog(out / _PROGRESS, arms=arms, seeds=options.seeds, steps=options.training.steps)
    for arm in skipped:
        log.skipped(arm)
    if options.diagnosis or options.counterfactual_for(len(release.test)):
        log.stage("finding the objects of the test photos")
    diagnosis = Diagnosis.prepared(release, options, out)
    log.stage("computing features" if options.training.network is Network.PROBE else "training")
    records = _Runs(
        release,
        options,
        RunFiles(out / RUNS),
        Tracking(options.trackers, out, options.training),
        log,
        on_step,
        diagnosis.cache,
        diagnosis.images,
        tuning.run_count if tuning else 0,
    ).all(available)
    tuned = tuning.findings(records, diagnosis.cache, log, on_step) if tuning else None
    log.stage("measuring the images, writing the report")
    findings = study_findings(release, available, skipped, records, options=options, settings=settings)
    whole = {
        **findings,
        "selection": selection,
        "machine": machine_facts(),
        "seconds": round(time.perf_counter() - started, 1),
    }
    result = cast(StudyResult, whole)  # mypy wants the keys that are not required named, too
    if tuned is not None:
        result["tuning"] = tuned
    _add_image_findings(result, release, available, options, out)
    diagnosis.add_to(result, records)
    write_json(out / RESULT_FILE, result)
    log.verdict(result["finding"], result["verdict"])
    return result


def _add_image_findings(
    result: StudyResult, release: Release, arms: Sequence[ArmData], options: StudyOptions, out: Path
) -> None:
    """Measure the images themselves: how alike they are, what they cost, whether the object is kept."""
    if not options.similarity or options.training.network is not Network.PROBE:
        return
    cache = FeatureCache(options.features or out)
    if (similarity := similarity_findings(release, cache)) is not None:
        result["similarity"] = similarity
    if (context := context_findings(release.name, cache)) is not None:
        result["context"] = context
    if (recognition := recognition_findings(release.name, cache)) is not None:
        result["recognition"] = recognition
    if (class_context := class_context_findings(release.name)) is not None:
        result["class_context"] = class_context
    if (efficiency := efficiency_findings(release.name)) is not None:
        result["efficiency"] = with_costs(efficiency, arms, result["comparisons"])


@dataclass(frozen=True, slots=True)
class _Runs:
    """The runs of a study, kept in a folder of their own."""

    release: Release
    options: StudyOptions
    files: RunFiles
    tracking: Tracking
    log: ProgressLog
    on_step: OnStep | None
    cache: FeatureCache
    extra_images: NDArray[np.uint8] | None
    later_runs: int  # of the tuning

    def all(self, arms: Sequence[ArmData]) -> list[RunRecord]:
        """Load or train every arm with every seed, seed by seed."""
        return [self._run(data, seed) for seed in self.options.seeds for data in arms]

    def _run(self, data: ArmData, seed: int) -> RunRecord:
        kept = self.files.read(data.arm, seed)
        if kept is not None:
            with self.tracking.run(data.arm, seed, earlier=kept.curve):
                self.log.finished(kept, earlier=True)
            self._report(data.arm, seed, 0)
            return kept

        with self.tracking.run(data.arm, seed) as track:

            def on_point(point: Point) -> None:
                track(point)
                self.log.point(data.arm, seed, point)
                self._report(data.arm, seed, point.step)

            record = fit(
                self.release,
                data,
                self.options.training,
                seed=seed,
                cache=self.cache,
                extra_images=self.extra_images,
                on_point=on_point,
            )
        self.files.write(record)
        self.log.finished(record, earlier=False)
        return record

    def _report(self, arm: Arm, seed: int, step: int) -> None:
        if self.on_step:
            steps = self.options.training.steps
            total = self.log.total + self.later_runs
            self.on_step(StudyStep(self.log.done * steps + step, total * steps, arm, seed))


def _selection(dataset: str) -> Selection:
    """Identify the selection that a release folder holds now: a later release may lie in the same folder."""
    index = Path(dataset) / _INDEX
    if not index.is_file():
        return {"index": "", "pictures": 0}
    return {
        "index": hashlib.sha256(index.read_bytes()).hexdigest(),
        "pictures": parquet.read_metadata(index).num_rows,
    }
