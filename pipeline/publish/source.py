"""What a release needs of a library, and a look over what it would hold."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from pipeline.domain.release import Origin, ReleaseRow, ReviewFacts, Subset
from pipeline.errors import DamagedPicture, NotFound, ReleaseRefused

SPLITS = ("train", "test")  # in this order; there may be others
_PICTURES_PER_CLASS = 5  # remembered for the grid


class StoredPlan(Protocol):
    """A recipe as it was planned."""

    @property
    def name(self) -> str: ...
    @property
    def recipe_yaml(self) -> str: ...
    @property
    def specs(self) -> int: ...


class _Rows(Protocol):
    def rows(self, subset: Subset, /, *, split: str | None = None) -> Iterator[ReleaseRow]:
        """The rows of one subset; what came into it later comes later."""


class _ImageFiles(Protocol):
    def read_bytes(self, image_id: str, /) -> bytes:
        """The stored file of an image. NotFound: there is none; DamagedPicture: it was changed after it was stored."""


class _Review(Protocol):
    def facts(self) -> ReviewFacts:
        """How the samples were decided."""


class _Plans(Protocol):
    def list(self) -> Sequence[StoredPlan]:
        """The recipes."""


class ReleaseSource(Protocol):
    """The library as a release sees it."""

    @property
    def releases(self) -> _Rows: ...
    @property
    def images(self) -> _ImageFiles: ...
    @property
    def review(self) -> _Review: ...
    @property
    def plans(self) -> _Plans: ...


def stored_picture(source: ReleaseSource, row: ReleaseRow, blob_id: str) -> bytes:
    """Read the stored file of a row's image or mask, and see that it is what was stored.

    Raises:
        ReleaseRefused: it is missing or was changed; the message names the row.
    """
    try:
        return source.images.read_bytes(blob_id)
    except (NotFound, DamagedPicture) as error:
        state = "missing" if isinstance(error, NotFound) else "damaged"
        part = "mask" if blob_id == row.mask_id else "image"
        kind = "photo" if row.origin is Origin.REAL else "sample"
        raise ReleaseRefused(
            f"the {part} of {kind} {row.sample_id} ({row.label}) is {state}; nothing was written; "
            "run `python -m pipeline verify --repair` on this library, then try again"
        ) from error


Counts = dict[str, dict[str, int]]  # split → class → pictures


@dataclass(slots=True, kw_only=True)
class Survey:
    """What a release holds, in numbers."""

    counts: dict[Subset, Counts]
    review: ReviewFacts
    methods: Counter[str] = field(default_factory=Counter)  # of synthetic pictures
    models: Counter[tuple[str, str]] = field(default_factory=Counter)  # (model, revision) of synthetic ones
    sources: Counter[str] = field(default_factory=Counter)  # where the real ones were imported from
    examples: dict[tuple[str, Subset], list[str]] = field(default_factory=dict)  # (class, part) → picture ids
    by_method: Counter[tuple[str, str, str]] = field(
        default_factory=Counter
    )  # (split, class, method), synthetic
    known: tuple[str, ...] = ()  # classes of the release before: they keep their numbers
    plans: tuple[StoredPlan, ...] = ()
    fixed: tuple[tuple[str, ...], tuple[str, ...]] | None = None  # classes and splits, once they are decided

    def emptied(self) -> Survey:
        """With the same classes and splits and nothing counted yet, to count what is really written."""
        return Survey(
            counts={part: {} for part in self.counts},
            review=self.review,
            plans=self.plans,
            fixed=(self.labels, self.splits),
        )

    def count(self, part: Subset, row: ReleaseRow) -> None:
        """Take one row."""
        by_label = self.counts[part].setdefault(row.split, {})
        by_label[row.label] = by_label.get(row.label, 0) + 1
        examples = self.examples.setdefault((row.label, part), [])
        if len(examples) < _PICTURES_PER_CLASS:
            examples.append(row.image_id)
        if part is Subset.SYNTHETIC:
            self.methods[row.method] += 1
            self.by_method[row.split, row.label, row.method] += 1
            self.models[row.model, row.revision] += 1
        elif part is Subset.REAL:
            self.sources[row.source] += 1

    @property
    def labels(self) -> tuple[str, ...]:
        """All class names, the same in every configuration: those of the release before, then new ones sorted."""
        if self.fixed:
            return self.fixed[0]
        found = {label for counts in self.counts.values() for by in counts.values() for label in by}
        kept = tuple(label for label in self.known if label in found)
        return kept + tuple(sorted(found.difference(kept)))

    @property
    def parts(self) -> tuple[Subset, ...]:
        """Real and synthetic, and rejected where it was asked for."""
        return tuple(self.counts)

    @property
    def splits(self) -> tuple[str, ...]:
        """All splits, train and test first."""
        if self.fixed:
            return self.fixed[1]
        found = {split for counts in self.counts.values() for split in counts}
        return SPLITS + tuple(sorted(found - set(SPLITS)))

    def splits_of(self, parts: Sequence[Subset]) -> tuple[str, ...]:
        """Splits that hold pictures of these parts (`datasets` loads no empty one), or the first."""
        filled = tuple(split for split in self.splits if any(self.total(part, split) for part in parts))
        return filled or self.splits[:1]

    def total(self, part: Subset, split: str | None = None) -> int:
        """Pictures of a part, in one split or in all."""
        by_split = self.counts[part]
        wanted = by_split.values() if split is None else [by_split.get(split, {})]
        return sum(sum(by_label.values()) for by_label in wanted)


def survey(source: ReleaseSource, *, rejected: bool = False, known: Sequence[str] = ()) -> Survey:
    """Count what a release of this library would hold.

    Args:
        source: the library.
        rejected: count the rejected samples too.
        known: classes of the release before, in their order.

    Raises:
        ReleaseRefused: there is nothing to release, or nothing synthetic was accepted yet.
    """
    parts = tuple(Subset) if rejected else (Subset.REAL, Subset.SYNTHETIC)
    found = Survey(
        counts={part: {} for part in parts},
        review=source.review.facts(),
        plans=tuple(source.plans.list()),
        known=tuple(known),
    )
    for part in parts:
        for row in source.releases.rows(part):
            found.count(part, row)
    if rejected and not found.total(Subset.REJECTED):
        del found.counts[Subset.REJECTED]  # `datasets` loads no empty configuration
    _refuse_empty(found)
    return found


def _refuse_empty(found: Survey) -> None:
    """A release of photos alone is fine (a test set) as long as no sample waits to be decided."""
    review = found.review
    if found.total(Subset.SYNTHETIC):
        return
    if review.pending:
        raise ReleaseRefused(
            f"none of the {review.pending + review.decided} samples is accepted yet; "
            "review them, or run `python -m pipeline gate`"
        )
    if review.accepted:
        raise ReleaseRefused(
            f"the photos of all {review.accepted} accepted samples are excluded; take some of them in again"
        )
    if review.decided:
        raise ReleaseRefused(f"all {review.decided} samples were rejected; generate others first")
    if not found.total(Subset.REAL):
        raise ReleaseRefused("the library holds nothing to publish; import photos first")


@dataclass(frozen=True, slots=True, kw_only=True)
class Outlook:
    """What a release would hold, for a page to show before it is written."""

    real: Mapping[str, Mapping[str, int]]  # split → class → pictures
    synthetic: Mapping[str, Mapping[str, int]]
    methods: Mapping[str, int]
    review: ReviewFacts


def outlook(source: ReleaseSource) -> Outlook:
    """Count what a release of this library would hold.

    Raises:
        ReleaseRefused: there is nothing to release.
    """
    return outlook_of(survey(source))


def outlook_of(found: Survey) -> Outlook:
    """What a survey found, for a page."""
    return Outlook(
        real=found.counts[Subset.REAL],
        synthetic=found.counts[Subset.SYNTHETIC],
        methods=dict(sorted(found.methods.items())),
        review=found.review,
    )
