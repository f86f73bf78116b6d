"""Studios for tests."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from pipeline.services.file_access import file_access
from pipeline.services.photos.service import PhotoService
from pipeline.services.releases.service import ReleaseService
from pipeline.services.review.services import ReviewServices
from pipeline.studio import Studio


def change_settings(studio: Studio, **changes: Any) -> None:
    """Give an open studio other settings, as if it had been started with them."""
    settings = replace(studio.settings, **changes)
    studio.settings = settings
    studio.photos = PhotoService(studio.library, settings)
    studio.review = ReviewServices(studio.library, settings, file_access(settings), studio.samples.embeddings)
    studio.releases = ReleaseService(studio.library, settings)
