"""The studio: one method per thing a person can do. The pages, the command line and the tests all call it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, replace
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from pipeline.domain.images import RGB, Mask
from pipeline.domain.placement import Box, Placement
from pipeline.domain.recipe import CREATE_PLAN
from pipeline.domain.review import Policy, Rule
from pipeline.errors import ReleaseRefused
from pipeline.publish import ExportReport, Study
from pipeline.rendering import ModelChoice, model_choices, vocabulary
from pipeline.services.file_access import FileAccess, file_access
from pipeline.services.opening import open_library
from pipeline.services.photos import masks as photos
from pipeline.services.photos import starter as starter_fill
from pipeline.services.photos.importing import Progress, import_photos
from pipeline.services.photos.repair import RepairReport, repair
from pipeline.services.plans.planning import Overrides, preview_plan, recipe_of, recipe_texts
from pipeline.services.plans.prompts import prompt_notes
from pipeline.services.releases import publishing as releases
from pipeline.services.reports import (
    Created,
    ImportReport,
    PlanPreview,
    ReleaseOutlook,
    RunProgress,
    RunReport,
    StudyProgress,
)
from pipeline.services.review.desk import ReviewDesk
from pipeline.services.samples.create import CreateRequest, create, placed_preview
from pipeline.services.samples.runs import BackgroundRun, record_single, render_plan
from pipeline.services.studies.process import StudyProcess
from pipeline.services.studies.verdicts import newest_verdict, study_verdict
from pipeline.settings import Settings
from pipeline.store import Photo

_CLOSE_WAIT_S = 10.0  # for the step in progress; what it has not finished is rendered by the next run
RECIPES = Path(__file__).resolve().parents[2] / "recipes"


class Studio(ReviewDesk):
    """A library, and everything that a person can do with it. Loads no model before the first picture.

    Args:
        settings: where things lie.
        create: make the library when it is not there; else a missing library is refused.
        access: paths that recipes and requests may name; by default what the settings allow.

    Raises:
        LibraryUnusable: the library is missing, read-only, damaged or newer than this program.
    """

    def __init__(self, settings: Settings, *, create: bool = True, access: FileAccess | None = None) -> None:
        self._opened = open_library(settings, create=create)
        super().__init__(settings, self._opened.library)
        self._access = access or file_access(settings)
        self._run = BackgroundRun(self.library, self._access, settings.batch_size)
        self._study = StudyProcess(settings.runs)
        self._outlooks = releases.ReleaseOutlooks(self.library)
        if settings.overlap:
            self.library.review.set_policy(Policy(overlap=settings.overlap, rule=Rule(settings.rule)))

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Pause what runs, send what was decided, wait a while for the step in progress, and close the library."""
        self._run.pause()
        self._study.stop()
        self._opened.send()  # before the wait: a machine that is shut down gives little time
        self._run.wait(_CLOSE_WAIT_S)
        self._opened.close()

    @property
    def restored(self) -> str:
        """What came back from the state folder when the library was opened, in one sentence; "" for nothing."""
        return self._opened.sentence

    # --- photos ---------------------------------------------------------------------------------------------

    def fill_with_starter(self, on_progress: Progress | None = None) -> list[ImportReport]:
        """Import what a new library lacks of the starter set; see `starter_fill`."""
        return starter_fill.fill_with_starter(self.library, self.settings, on_progress)

    @property
    def wants_starter(self) -> bool:
        """Whether the library is to be filled with the starter set; see `starter_fill`."""
        return starter_fill.wants_starter(self.library, self.settings)

    def import_photos(
        self,
        source: str,
        *,
        split: str | None = None,
        columns: Mapping[str, str | None] | None = None,
        token: str | None = None,
        on_progress: Progress | None = None,
        cancelled: Callable[[], bool] | None = None,
    ) -> ImportReport:
        """Add the photographs of a source; see `imports.import_photos`.

        On a Space the Hub is asked with the visitor's own token or as nobody, never with the Space's.
        """
        return import_photos(
            self.library,
            source,
            split=split,
            columns=columns,
            token=token or (False if self.settings.hosted else None),
            on_progress=on_progress,
            cancelled=cancelled,
        )

    def classes(self) -> dict[str, int]:
        """Photos per class."""
        return dict(self.library.counts().classes)

    def subjects(
        self,
        label: str | None = None,
        split: str | None = None,
        doubtful: bool | None = None,
        limit: int | None = None,
    ) -> list[Photo]:
        """Photos, doubtful masks first."""
        return self.library.photos.list(label=label, split=split, doubtful=doubtful, limit=limit)

    def subject(self, subject_id: str) -> Photo:
        """One photo by its id."""
        return self.library.photos.get(subject_id)

    def refusals(self) -> list[tuple[str, str]]:
        """Files that imports refused, with the reason."""
        return [(refusal.name, refusal.reason) for refusal in self.library.photos.refusals()]

    def picture(self, blob_id: str) -> RGB:
        """A stored picture by its blob id."""
        return self.library.images.read(blob_id)

    def picture_path(self, blob_id: str) -> Path:
        """The lossless WebP file of a stored picture."""
        return self.library.images.path(blob_id)

    def thumbnail_path(self, blob_id: str) -> Path:
        """A 256-px thumbnail, made at the first call."""
        return photos.thumbnail_path(self.library, blob_id)

    @property
    def picture_folders(self) -> list[Path]:
        """The folders whose files a browser may see: pictures and thumbnails, nothing else."""
        return photos.picture_folders(self.library)

    def cutout_preview(self, subject_id: str, ground: photos.Colour | None = None) -> RGB:
        """The cut-out on a plain colour, or on a checkerboard."""
        return photos.cutout_preview(self.library, subject_id, ground)

    def mask(self, subject_id: str) -> Mask:
        """The soft mask of a photo."""
        return photos.mask_of(self.library, subject_id)

    def mend_box(self, subject_id: str, box: Box) -> Mask:
        """A mask proposed from a box round the object; nothing is stored."""
        return photos.mask_from_box(self.library, subject_id, box)

    def mend_click(
        self, subject_id: str, point: tuple[int, int], *, add: bool = True, mask: Mask | None = None
    ) -> Mask:
        """A mask proposed from a click at (x, y) that adds or takes away a region; nothing is stored."""
        return photos.mask_from_click(self.library, subject_id, point, add=add, mask=mask)

    def save_mask(self, subject_id: str, mask: Mask) -> Photo:
        """Store a person's mask."""
        return photos.save_mask(self.library, subject_id, mask)

    def set_excluded(self, subject_id: str, excluded: bool) -> None:
        """Leave a photo out of plans and releases, or take it in again."""
        self.library.photos.set_excluded(subject_id, excluded)

    # --- create ---------------------------------------------------------------------------------------------

    def models(self) -> list[ModelChoice]:
        """The checkpoints that the registry knows, and why one is not available."""
        return model_choices()

    def vocabulary(self, model: str) -> dict[str, list[str]] | None:
        """The words that a model was trained on, by slot; None for a model that takes any words."""
        return vocabulary(self._access.model(model))

    def prompt_notes(self, prompt: str, model: str) -> list[str]:
        """Plain sentences on what a model will not see or not know of a prompt."""
        return prompt_notes(prompt, self._access.model(model))

    def preview(self, subject_id: str, placement: Placement, size: int, *, ground: RGB | None = None) -> RGB:
        """The placed object on a ground (a checkerboard by default), without any model."""
        return placed_preview(self.library, subject_id, placement, size, ground)

    def create(
        self,
        subject_id: str,
        placement: Placement,
        *,
        prompt: str,
        on_step: Callable[[int, int], None] | None = None,
        cancelled: Callable[[], bool] | None = None,
        **options: Any,
    ) -> list[Created]:
        """Variants of one object; `options` are the further fields of `CreateRequest`. Nothing is stored."""
        request = CreateRequest(subject_id=subject_id, placement=placement, prompt=prompt, **options)
        return create(
            self.library,
            request,
            self._access,
            batch_size=self.settings.batch_size,
            on_step=on_step,
            cancelled=cancelled,
        )

    def keep(self, created: Created) -> str:
        """Put a variant into the library, pending review; its sample id. Twice is once."""
        record_single(self.library, CREATE_PLAN, created.spec, created.sample)
        return created.spec.id

    # --- generate -------------------------------------------------------------------------------------------

    def recipes(self) -> dict[str, str]:
        """The example recipes as YAML text by name, the default first."""
        return recipe_texts(RECIPES)

    def preview_plan(self, recipe: str | None, **overrides: Any) -> PlanPreview:
        """What a recipe (YAML, None for the default) would make; `overrides` are fields of `Overrides`."""
        return preview_plan(self.library, recipe_of(recipe), Overrides(**overrides), self._access)

    def generate(
        self,
        recipe: str | None,
        *,
        on_warnings: Callable[[Sequence[str]], None] | None = None,
        on_progress: Progress | None = None,
        cancelled: Callable[[], bool] | None = None,
        **overrides: Any,
    ) -> RunReport:
        """Plan and render in the foreground what has no picture yet."""
        return render_plan(
            self.library,
            recipe_of(recipe),
            Overrides(**overrides),
            self._access,
            batch_size=self.settings.batch_size,
            on_warnings=on_warnings,
            on_progress=on_progress,
            cancelled=cancelled,
        )

    def start_run(self, recipe: str | None, **overrides: Any) -> None:
        """The same in the background; follow it with `run_progress`."""
        self._run.start(recipe_of(recipe), Overrides(**overrides))

    def run_progress(self) -> RunProgress:
        """Where the background run stands."""
        return self._run.progress

    def pause_run(self) -> None:
        """Pause the background run; nothing finished is lost."""
        self._run.pause()

    def resume_run(self) -> None:
        """Go on with the paused run."""
        self._run.resume()

    # --- publish and train ----------------------------------------------------------------------------------

    def release_outlook(self, name: str = "my-dataset") -> ReleaseOutlook:
        """What would be published now."""
        return self._outlooks.outlook(name, self._newest_verdict())

    def publish(
        self, request: releases.PublishRequest, *, on_progress: Progress | None = None
    ) -> dict[str, Any]:
        """Write the release to a folder or push it to `hf://datasets/ns/name`, with the verdict of the study that is
        named, or of the newest one on a release of this library.

        Raises:
            ReleaseRefused: nothing to publish, or the place cannot be written; on a Space without the visitor's own
                token, since the Space's is not theirs.
        """
        if self.settings.hosted and request.on_hub and not request.token:
            raise ReleaseRefused("on a Space your own account publishes; sign in with Hugging Face first")
        study = study_verdict(request.study) if request.study else self._newest_verdict()
        return releases.publish(self.library, request, study=study, on_progress=on_progress)

    def _newest_verdict(self) -> Study | None:
        return newest_verdict(self.settings.runs, self.library)

    def export(
        self, to: Path, kind: str, *, origin: str = "mixed", on_progress: Progress | None = None
    ) -> ExportReport:
        """Write photos and accepted samples for other tools. See `releases.export_to`."""
        return releases.export_to(self.library, to, kind, origin=origin, on_progress=on_progress)

    def releases(self) -> list[Path]:
        """Release folders on this machine, newest first."""
        folders = [card.parent for card in self.settings.releases.glob("*/README.md")]
        return sorted(folders, key=lambda folder: folder.stat().st_mtime, reverse=True)

    def start_study(
        self,
        release: str | Path,
        *,
        test: str | Path | None = None,
        seeds: int = 6,
        arms: list[str] | None = None,
        network: str = "small",
        steps: int | None = None,
    ) -> Path:
        """Start a study in a child process; the folder that will hold its report."""
        given = None if test is None else str(test)
        return self._study.start(
            str(release), test=given, seeds=seeds, arms=arms, network=network, steps=steps
        )

    def study_progress(self) -> StudyProgress:
        """Where the study stands."""
        return self._study.progress

    def stop_study(self) -> None:
        """Stop the study; finished arms are kept."""
        self._study.stop()

    # --- upkeep ---------------------------------------------------------------------------------------------

    def status(self) -> dict[str, Any]:
        """Counts of photos and samples, JSON-ready."""
        return asdict(self.library.counts())

    def verify(self) -> list[str]:
        """Problems between files, rows and hashes; empty when all agree."""
        return self.library.verify()

    def repair(self) -> RepairReport:
        """Derive anew what is damaged or missing and follows from the rest; see `repair.repair`."""
        return repair(self.library)

    def with_library(self, folder: Path) -> Studio:
        """A studio on another library with the same settings."""
        return Studio(replace(self.settings, library=folder, state=""))
