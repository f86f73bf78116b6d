"""What a release holds, in numbers."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field

from pipeline.domain.release import ReleaseRow, ReviewFacts, Subset
from pipeline.errors import ReleaseRefused
from pipeline.publish.release_source import ReleaseSource, StoredPlan

SPLITS = ("train", "test")  # in this order; there may be others
_EXAMPLES_PER_CLASS = 5  # remembered for the grid

Counts = dict[str, dict[str, int]]  # split → class → images


@dataclass(slots=True, kw_only=True)
class ReleaseContents:
    """What a release holds, in numbers."""

    counts: dict[Subset, Counts]
    review: ReviewFacts
    methods: Counter[str] = field(default_factory=Counter)  # of synthetic images
    models: Counter[tuple[str, str]] = field(default_factory=Counter)  # (model, revision) of synthetic images
    sources: Counter[str] = field(default_factory=Counter)  # where the photos were imported from
    examples: dict[tuple[str, Subset], list[str]] = field(default_factory=dict)  # (class, subset) → image ids
    by_method: Counter[tuple[str, str, str]] = field(
        default_factory=Counter
    )  # (split, class, method), synthetic
    contexts: dict[str, dict[str, dict[str, int]]] = field(
        default_factory=dict
    )  # prompt slot → class → value → synthetic images
    with_distractors: int = 0  # images, of all subsets
    previous_labels: tuple[str, ...] = ()  # classes of the previous release: they keep their numbers
    plans: tuple[StoredPlan, ...] = ()
    fixed: tuple[tuple[str, ...], tuple[str, ...]] | None = None  # classes and splits, once they are decided

    def emptied(self) -> ReleaseContents:
        """The same classes and splits with nothing counted yet, to count what is actually written."""
        return ReleaseContents(
            counts={subset: {} for subset in self.counts},
            review=self.review,
            plans=self.plans,
            fixed=(self.labels, self.splits),
        )

    def count(self, subset: Subset, row: ReleaseRow) -> None:
        """Count one row."""
        by_label = self.counts[subset].setdefault(row.split, {})
        by_label[row.label] = by_label.get(row.label, 0) + 1
        examples = self.examples.setdefault((row.label, subset), [])
        if len(examples) < _EXAMPLES_PER_CLASS:
            examples.append(row.image_id)
        self.with_distractors += bool(row.distractors)
        if subset is Subset.SYNTHETIC:
            self.methods[row.method] += 1
            self.by_method[row.split, row.label, row.method] += 1
            self.models[row.model, row.revision] += 1
            for slot, value in row.slots:
                self.contexts.setdefault(slot, {}).setdefault(row.label, Counter())[value] += 1
        elif subset is Subset.REAL:
            self.sources[row.source] += 1

    @property
    def labels(self) -> tuple[str, ...]:
        """All class names, the same in every configuration: those of the previous release, then new ones sorted."""
        if self.fixed:
            return self.fixed[0]
        labels = {label for counts in self.counts.values() for by in counts.values() for label in by}
        kept = tuple(label for label in self.previous_labels if label in labels)
        return kept + tuple(sorted(labels.difference(kept)))

    @property
    def subsets(self) -> tuple[Subset, ...]:
        """Real and synthetic, and rejected where it was asked for."""
        return tuple(self.counts)

    @property
    def splits(self) -> tuple[str, ...]:
        """All splits, train and test first."""
        if self.fixed:
            return self.fixed[1]
        splits = {split for counts in self.counts.values() for split in counts}
        return SPLITS + tuple(sorted(splits - set(SPLITS)))

    def splits_of(self, subsets: Sequence[Subset]) -> tuple[str, ...]:
        """The splits that hold images of these subsets (`datasets` loads no empty split), or else the first split."""
        filled = tuple(split for split in self.splits if any(self.total(subset, split) for subset in subsets))
        return filled or self.splits[:1]

    def total(self, subset: Subset, split: str | None = None) -> int:
        """The number of images of a subset, in one split or in all."""
        by_split = self.counts[subset]
        wanted = by_split.values() if split is None else [by_split.get(split, {})]
        return sum(sum(by_label.values()) for by_label in wanted)


def release_contents(
    source: ReleaseSource, *, rejected: bool = False, previous_labels: Sequence[str] = ()
) -> ReleaseContents:
    """Count what a release of this library would hold.

    Args:
        source: the library.
        rejected: count the rejected samples too.
        previous_labels: classes of the previous release, in their order.

    Raises:
        ReleaseRefused: there is nothing to release, or nothing synthetic was accepted yet.
    """
    subsets = tuple(Subset) if rejected else (Subset.REAL, Subset.SYNTHETIC)
    contents = ReleaseContents(
        counts={subset: {} for subset in subsets},
        review=source.review.facts(),
        plans=tuple(source.plans.list()),
        previous_labels=tuple(previous_labels),
    )
    for subset in subsets:
        for row in source.releases.rows(subset):
            contents.count(subset, row)
    if rejected and not contents.total(Subset.REJECTED):
        del contents.counts[Subset.REJECTED]  # `datasets` loads no empty configuration
    _refuse_empty(contents)
    return contents


def _refuse_empty(contents: ReleaseContents) -> None:
    """Refuse a release without accepted samples, unless it is one of photos alone with nothing to review."""
    review = contents.review
    if contents.total(Subset.SYNTHETIC):
        return
    if review.pending:
        raise ReleaseRefused(
            f"none of the {review.pending + review.decided} samples is accepted yet; "
            "review them, or run `python -m pipeline gate`"
        )
    if review.accepted:
        raise ReleaseRefused(
            f"the photos of all {review.accepted} accepted samples are excluded; include some of them again"
        )
    if review.decided:
        raise ReleaseRefused(f"all {review.decided} samples were rejected; generate new ones first")
    if not contents.total(Subset.REAL):
        raise ReleaseRefused("the library holds nothing to publish; import photos first")
