"""What a release needs of a library, and a look over what it would hold."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from pipeline.domain.release import Origin, ReleaseRow, ReviewFacts
from pipeline.errors import ReleaseRefused

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


class ReleaseSource(Protocol):
    """The library as a release sees it."""

    def release_rows(self, *, origin: Origin | None = None, split: str | None = None) -> Iterator[ReleaseRow]:
        """Everything that belongs to the release."""

    def picture_bytes(self, blob_id: str) -> bytes:
        """The stored file of a picture."""

    def review_facts(self) -> ReviewFacts:
        """How the samples were decided."""

    def plans(self) -> Sequence[StoredPlan]:
        """The recipes."""


Counts = dict[str, dict[str, int]]  # split → class → pictures


@dataclass(slots=True, kw_only=True)
class Survey:
    """What a release holds, in numbers."""

    counts: dict[Origin, Counts]
    review: ReviewFacts
    methods: Counter[str] = field(default_factory=Counter)  # of synthetic pictures
    models: Counter[tuple[str, str]] = field(default_factory=Counter)  # (model, revision) of synthetic ones
    sources: Counter[str] = field(default_factory=Counter)  # where the real ones were imported from
    examples: dict[tuple[str, Origin], list[str]] = field(
        default_factory=dict
    )  # (class, origin) → picture ids
    plans: tuple[StoredPlan, ...] = ()

    @property
    def labels(self) -> tuple[str, ...]:
        """All class names, sorted: the same in every configuration."""
        return tuple(
            sorted({label for counts in self.counts.values() for by in counts.values() for label in by})
        )

    @property
    def splits(self) -> tuple[str, ...]:
        """All splits, train and test first."""
        found = {split for counts in self.counts.values() for split in counts}
        return SPLITS + tuple(sorted(found - set(SPLITS)))

    def splits_of(self, origins: Sequence[Origin]) -> tuple[str, ...]:
        """Splits that hold pictures of these origins (`datasets` loads no empty one), or the first."""
        filled = tuple(split for split in self.splits if any(self.total(origin, split) for origin in origins))
        return filled or self.splits[:1]

    def total(self, origin: Origin, split: str | None = None) -> int:
        """Pictures of an origin, in one split or in all."""
        by_split = self.counts[origin]
        wanted = by_split.values() if split is None else [by_split.get(split, {})]
        return sum(sum(by_label.values()) for by_label in wanted)


def survey(source: ReleaseSource) -> Survey:
    """Count what a release of this library would hold.

    Raises:
        ReleaseRefused: there is nothing to release, or nothing synthetic was accepted yet.
    """
    found = Survey(
        counts={origin: {} for origin in Origin}, review=source.review_facts(), plans=tuple(source.plans())
    )
    for row in source.release_rows():
        by_label = found.counts[row.origin].setdefault(row.split, {})
        by_label[row.label] = by_label.get(row.label, 0) + 1
        examples = found.examples.setdefault((row.label, row.origin), [])
        if len(examples) < _PICTURES_PER_CLASS:
            examples.append(row.image_id)
        if row.origin is Origin.SYNTHETIC:
            found.methods[row.method] += 1
            found.models[row.model, row.revision] += 1
        else:
            found.sources[row.source] += 1
    _refuse_empty(found)
    return found


def _refuse_empty(found: Survey) -> None:
    """A release of photos alone is fine (a test set) as long as no sample waits to be decided."""
    review = found.review
    if found.total(Origin.SYNTHETIC):
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
    if not found.total(Origin.REAL):
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
    found = survey(source)
    return Outlook(
        real=found.counts[Origin.REAL],
        synthetic=found.counts[Origin.SYNTHETIC],
        methods=dict(sorted(found.methods.items())),
        review=found.review,
    )
