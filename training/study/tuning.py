"""The same tuning budget for every arm: settings are chosen on validation photos, then trained and tested as usual.

All arms of a study share one setting of learning rate and weight decay, which may suit one arm better than another. So
every arm tries the same draws of these two, each once, trained without the validation photos and without the images
made from them; the setting with the best score on the validation photos is trained on all images of the arm with every
seed and tested. The test photos have no part in the choice.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from pipeline.domain.arms import Arm
from training.data.arm_data import ArmData, SkippedArm
from training.data.release import Release
from training.data.validation import Validation
from training.fit.features import FeatureCache
from training.fit.fit import DivergedRun, RunRecord, fit
from training.fit.machine import run_settings
from training.fit.options import TrainingOptions
from training.fit.run_folder import claim, data_fingerprint
from training.fit.tuning_draws import drawn_options, setting_name
from training.study.options import StudyOptions
from training.study.progress import ProgressLog
from training.study.result import TuningFindings
from training.study.run_files import RunFiles
from training.study.step import OnStep, StudyStep
from training.study.tuning_outcome import Choice, tuning_findings

_FOLDER = "tuning"
_VALIDATED, _TESTED = "validated", "tested"  # folders: runs on validation photos, and on test photos
_SEED = 0  # of the runs on validation photos: further seeds of a study change no choice


@dataclass(frozen=True, slots=True, kw_only=True)
class Tuning:
    """The tuning of a study, kept in a folder of its own."""

    release: Release
    options: StudyOptions
    folder: Path
    settings: tuple[TrainingOptions, ...]  # the default first
    validation: Validation
    arms: tuple[ArmData, ...]  # those that can be tuned, with all their images
    parts: tuple[ArmData, ...]  # the same arms with the images that are trained on to choose a setting
    skipped: tuple[SkippedArm, ...]

    @classmethod
    def prepared(
        cls, release: Release, arms: Sequence[ArmData], options: StudyOptions, out: Path
    ) -> Tuning | None:
        """Hold out the validation photos and draw the settings; None where the options ask for no tuning.

        Args:
            out: the study's folder.

        Raises:
            ReleaseRefused: there are too few training photos.
        """
        if not options.tuning:
            return None
        validation = Validation.of(release)
        parts = [(data, validation.training_part(data)) for data in arms if options.compares(data.arm)]
        return cls(
            release=release,
            options=options,
            folder=out / _FOLDER,
            settings=drawn_options(options.training, options.tuning),
            validation=validation,
            arms=tuple(data for data, part in parts if isinstance(part, ArmData)),
            parts=tuple(part for _, part in parts if isinstance(part, ArmData)),
            skipped=tuple(part for _, part in parts if isinstance(part, SkippedArm)),
        )

    def claim_folder(self) -> None:
        """Make sure that the folder holds no runs with other settings, images or validation photos.

        Raises:
            InvalidRequest: it does, or cannot be written.
        """
        facts = {"data": data_fingerprint(self.release), "validation": self.validation.fingerprint}
        claim(self.folder, {**run_settings(self.options.training), **facts})

    @property
    def run_count(self) -> int:
        """The number of runs; those of the study that are used again count, too."""
        return len(self.arms) * (len(self.settings) + len(self.options.seeds))

    def findings(
        self, records: Sequence[RunRecord], cache: FeatureCache, log: ProgressLog, on_step: OnStep | None
    ) -> TuningFindings:
        """Load or train every run, and say what they show.

        Args:
            records: the runs of the study; an arm that keeps the default setting needs no others.
            cache: of the probe's features.

        Raises:
            KeyboardInterrupt: stopped by the user; finished runs are kept.
        """
        runs = _TuningRuns(self, cache, log, on_step)
        choices = [
            Choice.of(data, {options: runs.validated(part, options) for options in self.settings})
            for data, part in zip(self.arms, self.parts, strict=True)
        ]
        known = {(record.arm, record.seed): record for record in records}
        tested = [runs.tested(choice, seed, known) for seed in self.options.seeds for choice in choices]
        return tuning_findings(
            self.release,
            choices,
            tested,
            records,
            skipped=self.skipped,
            validation_counts=self.validation.release.test_counts(),
            options=self.options,
        )


@dataclass(slots=True)
class _TuningRuns:
    """The runs of a tuning, each in a folder named after its setting."""

    tuning: Tuning
    cache: FeatureCache
    log: ProgressLog
    on_step: OnStep | None
    done: int = 0

    def validated(self, part: ArmData, options: TrainingOptions) -> float:
        """Return the balanced accuracy of an arm on the validation photos with one setting; 0 where it diverges."""
        try:
            record = self._run(self.tuning.validation.release, part, options, _SEED, _VALIDATED)
        except DivergedRun:
            self._count(part.arm, _SEED)
            return 0.0
        return record.balanced_accuracy

    def tested(self, choice: Choice, seed: int, known: Mapping[tuple[Arm, int], RunRecord]) -> RunRecord:
        """Return the run of an arm with the setting chosen for it, on the test photos."""
        if choice.options == self.tuning.options.training:
            self._count(choice.data.arm, seed)
            return known[choice.data.arm, seed]
        return self._run(self.tuning.release, choice.data, choice.options, seed, _TESTED)

    def _run(
        self, release: Release, data: ArmData, options: TrainingOptions, seed: int, folder: str
    ) -> RunRecord:
        files = RunFiles(self.tuning.folder / folder / setting_name(options))
        record = files.read(data.arm, seed)
        if record is None:
            self.log.stage(f"tuning, run {self.done + 1} of {self.tuning.run_count}")
            record = fit(
                release,
                data,
                options,
                seed=seed,
                cache=self.cache,
                on_point=lambda point: self._report(data.arm, seed, point.step),
            )
            files.write(record)
        self._count(data.arm, seed)
        return record

    def _count(self, arm: Arm, seed: int) -> None:
        self.done += 1
        self._report(arm, seed, 0)

    def _report(self, arm: Arm, seed: int, step: int) -> None:
        if self.on_step:
            steps = self.tuning.options.training.steps
            total = self.log.total + self.tuning.run_count
            self.on_step(StudyStep((self.log.total + self.done) * steps + step, total * steps, arm, seed))
