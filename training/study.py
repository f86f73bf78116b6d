"""Every arm with every seed, on the same test photographs: which use of the data is best?"""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pyarrow import parquet

from pipeline.errors import InvalidRequest
from training.arms import Arm, ArmData, filled_arms
from training.classifier import Point
from training.fit import RunRecord, fit
from training.folder import claim, data_fingerprint, read_json, write_json, write_text
from training.machine import machine_facts
from training.networks import precision_for
from training.options import TrainingOptions
from training.outcome import outcome
from training.progress import ProgressLog
from training.release import Release
from training.report_html import html_report
from training.report_markdown import markdown_report
from training.statistics import MOST_SEEDS

_RUNS = "runs"
_INDEX = "index.parquet"  # as pipeline.publish writes it


@dataclass(frozen=True, slots=True)
class StudyStep:
    """Where a study stands, for a progress bar."""

    steps_done: int  # optimiser steps over all runs, those of earlier starts included
    steps_total: int
    arm: Arm
    seed: int


OnStep = Callable[[StudyStep], None]


def study(
    release: Release,
    *,
    arms: Sequence[Arm],
    seeds: Sequence[int],
    options: TrainingOptions,
    out: Path,
    on_step: OnStep | None = None,
) -> dict[str, Any]:
    """Train all arms with all seeds, judge them, write `study.json`, `report.md` and `report.html`.

    Resumable: each finished run is kept in `out/runs`, so the same call does only what is missing; more seeds
    or arms may be asked for. It goes seed by seed, so that whatever is finished is paired.

    Args:
        seeds: 1 to 16 different numbers.
        out: the study's folder.

    Returns:
        What `study.json` holds.

    Raises:
        InvalidRequest: wrong seeds, or `out` holds a study with other settings.
        ReleaseRefused: no arm has data.
        KeyboardInterrupt: stopped by the person; finished runs are kept.
    """
    if not 1 <= len(set(seeds)) == len(seeds) <= MOST_SEEDS:
        raise InvalidRequest(f"the number of seeds is {len(seeds)}; it must lie in 1 to {MOST_SEEDS}")
    started = time.perf_counter()
    filled, skipped = filled_arms(release, arms)
    settings = options.facts() | {
        "precision": precision_for(options.network),
        "device": machine_facts()["device"],
    }
    claim(out, settings | {"data": data_fingerprint(release)})
    selection = _selection(release.name)
    log = ProgressLog(
        out / "progress.jsonl", arms=[one.arm for one in filled], seeds=seeds, steps=options.steps
    )
    for arm in skipped:
        log.skipped(arm)
    records = _all_runs(release, filled, seeds, options, out / _RUNS, log, on_step)
    found = outcome(release, filled, skipped, records, seeds=seeds, settings=settings)
    found |= {"selection": selection, "machine": machine_facts()}
    found |= {"seconds": round(time.perf_counter() - started, 1)}
    _write(out, found)
    log.verdict(found["finding"], found["verdict"])
    return found


def _selection(dataset: str) -> dict[str, Any]:
    """Which selection a release folder holds now, by its index: a later release may lie in the same folder.

    Returns:
        "index": SHA-256 of the index file, "" where there is none; "pictures": its rows.
    """
    index = Path(dataset) / _INDEX
    if not index.is_file():
        return {"index": "", "pictures": 0}
    return {
        "index": hashlib.sha256(index.read_bytes()).hexdigest(),
        "pictures": parquet.read_metadata(index).num_rows,
    }


def _all_runs(
    release: Release,
    filled: Sequence[ArmData],
    seeds: Sequence[int],
    options: TrainingOptions,
    runs: Path,
    log: ProgressLog,
    on_step: OnStep | None,
) -> list[RunRecord]:
    records = []
    for seed in seeds:
        for data in filled:
            kept = runs / f"{data.arm}-{seed}.json"
            record = _kept(kept)
            earlier = record is not None

            def told(point: Point, arm: Arm = data.arm, seed: int = seed) -> None:
                log.point(arm, seed, point)
                if on_step:
                    done = log.done * options.steps + point.step
                    on_step(StudyStep(done, log.total * options.steps, arm, seed))

            if record is None:
                record = fit(release, data, options, seed=seed, on_point=told)
                write_json(kept, record.to_json())
            records.append(record)
            log.finished(record, earlier=earlier)
            if earlier and on_step:
                on_step(StudyStep(log.done * options.steps, log.total * options.steps, data.arm, seed))
    return records


def _kept(path: Path) -> RunRecord | None:
    fields = read_json(path)
    return RunRecord.from_json(fields) if fields is not None else None


def _write(out: Path, found: dict[str, Any]) -> None:
    write_json(out / "study.json", found)
    write_text(out / "report.md", markdown_report(found))
    write_text(out / "report.html", html_report(found))
