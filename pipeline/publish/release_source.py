"""What a release needs of a library."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Protocol

from pipeline.domain.release import MethodYield, Origin, ReleaseRow, ReviewFacts, Subset
from pipeline.errors import DamagedPicture, NotFound, ReleaseRefused


class StoredPlan(Protocol):
    """A recipe as it was planned."""

    @property
    def name(self) -> str: ...
    @property
    def recipe_yaml(self) -> str: ...
    @property
    def specs(self) -> int: ...


class RowSource(Protocol):
    """The rows of releases."""

    def rows(self, subset: Subset, /, *, split: str | None = None) -> Iterator[ReleaseRow]:
        """Yield the rows of a subset, of one split or of all, in the order in which they joined it."""

    def yields(self) -> Sequence[MethodYield]:
        """Return what came of the samples of each method."""


class ImageSource(Protocol):
    """The stored images."""

    def read_bytes(self, image_id: str, /) -> bytes:
        """Return the stored file of an image.

        Raises:
            NotFound: there is none.
            DamagedPicture: it was changed after it was stored.
        """


class ReviewSource(Protocol):
    """The review of the samples."""

    def facts(self) -> ReviewFacts:
        """Return how the samples were decided."""


class PlanSource(Protocol):
    """The recipes that were planned."""

    def list(self) -> Sequence[StoredPlan]:
        """Return the recipes."""


class ReleaseSource(Protocol):
    """The library as a release sees it."""

    @property
    def releases(self) -> RowSource: ...
    @property
    def images(self) -> ImageSource: ...
    @property
    def review(self) -> ReviewSource: ...
    @property
    def plans(self) -> PlanSource: ...


def stored_image(source: ReleaseSource, row: ReleaseRow, image_id: str) -> bytes:
    """Return the stored file of a row's image or mask, unchanged since it was stored.

    Raises:
        ReleaseRefused: the file is missing or was changed; the message names the row.
    """
    try:
        return source.images.read_bytes(image_id)
    except (NotFound, DamagedPicture) as error:
        state = "missing" if isinstance(error, NotFound) else "damaged"
        file = "mask" if image_id == row.mask_id else "image"
        kind = "photo" if row.origin is Origin.REAL else "sample"
        raise ReleaseRefused(
            f"the {file} of {kind} {row.sample_id} ({row.label}) is {state}; nothing was written; "
            "run `python -m pipeline verify --repair` on this library, then try again"
        ) from error
