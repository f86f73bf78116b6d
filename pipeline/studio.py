"""The composition root: one open library and the services that act on it."""

from __future__ import annotations

from types import TracebackType
from typing import Self

from pipeline.domain.review import Policy, Rule
from pipeline.services.file_access import FileAccess, file_access
from pipeline.services.opening import open_library
from pipeline.services.photos.service import PhotoService
from pipeline.services.plans.service import PlanService
from pipeline.services.releases.service import ReleaseService
from pipeline.services.review.services import ReviewServices
from pipeline.services.samples.service import SampleService
from pipeline.services.studies.process import StudyService
from pipeline.settings import Settings

_CLOSE_WAIT_S = 10.0  # for the step in progress; what it has not finished is rendered by the next run


class Studio:
    """An open library and what a person can do with it, one service a noun. No model is loaded before it is needed.

    Pages and commands read rows straight from `library`; what has a rule to keep goes through a service.

    Args:
        settings: where things are stored, and who may do what.
        create: make the library where there is none; otherwise a missing library is refused.
        access: paths that recipes and requests may name; by default those that the settings allow.

    Raises:
        LibraryUnusable: the library is missing, read-only, damaged or newer than this program.
    """

    def __init__(self, settings: Settings, *, create: bool = True, access: FileAccess | None = None) -> None:
        access = access or file_access(settings)
        self._opened = open_library(settings, create=create)
        self.settings = settings
        self.library = self._opened.library
        self.restored = self._opened.sentence  # what came back from the state folder; "" for nothing
        self.photos = PhotoService(self.library, settings)
        self.plans = PlanService(self.library, access, settings.batch_size)
        self.samples = SampleService(self.library, access, settings.batch_size)
        self.review = ReviewServices(self.library, settings, access, self.samples.embeddings)
        self.releases = ReleaseService(self.library, settings)
        self.studies = StudyService(settings.runs)
        if settings.overlap:
            self.library.review.set_policy(Policy(overlap=settings.overlap, rule=Rule(settings.rule)))

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Pause the run, stop the study, send the decisions, wait for the step in progress, and close the library."""
        self.samples.runs.pause()
        self.studies.stop()
        self._opened.send()  # before the wait: a machine that is shut down gives little time
        self.samples.runs.wait(_CLOSE_WAIT_S)
        self._opened.close()
