"""Reports on decisions: how reviewers agree, what they accept, and advice for the next recipe."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from pipeline.domain.acceptance import Acceptance, Advice, Tally, acceptance, advice
from pipeline.domain.habits import Habit, habit
from pipeline.domain.review import AUTOMATIC, LASTING, Policy, Verdict, standing
from pipeline.services.review.agreement import Pair, by_sample, krippendorffs_alpha, pairs_of
from pipeline.services.review.export import write_decisions
from pipeline.store import Library, VoteRow

_ROLLED = 20  # decisions in one point of a reviewer's curve


@dataclass(frozen=True, slots=True, kw_only=True)
class TeamReport:
    """Who reviewed, how far they agree, and how their verdicts change over time."""

    policy: Policy
    disputed: int  # samples that a lead must settle
    habits: tuple[Habit, ...]  # most decisions first
    pairs: tuple[Pair, ...]
    alpha: float | None  # Krippendorff's, over all samples with two votes or more
    alpha_by_class: Mapping[str, float | None]
    alpha_of_reasons: float | None = None  # of reasons, over the samples that two people or more rejected
    alpha_by_reason: Mapping[str, float | None] = field(default_factory=dict)
    """Reason → agreement on whether a sample is to be rejected for it, over all samples with two votes or more."""
    gold: Mapping[str, Tally] = field(default_factory=dict)
    """Reviewer → right answers among their answers to gold items."""
    gold_items: int = 0
    curves: Mapping[str, Sequence[tuple[int, float]]] = field(default_factory=dict)
    """Reviewer → (number of the decision, share accepted among the last 20)."""


@dataclass(frozen=True, slots=True)
class InsightService:
    """Reports over the decisions of a library."""

    library: Library
    _counted: dict[tuple[object, ...], Acceptance] = field(
        default_factory=dict, compare=False, repr=False
    )  # the last one, by what it rests on

    def team_report(self) -> TeamReport:
        """Return the report on all reviewers; reads every decision once."""
        verdicts: dict[str, list[tuple[str, bool]]] = defaultdict(list)
        for row in standing(self.library.review.decision_rows()):
            if row.via not in AUTOMATIC and row.verdict in LASTING:
                verdicts[row.reviewer].append((row.at, row.verdict == Verdict.ACCEPT))
        rows = self.library.review.votes()
        votes = by_sample((row.sample_id, row.reviewer, row.verdict) for row in rows)
        classes = {row.sample_id: row.label for row in rows}
        by_class: dict[str, dict[str, dict[str, str]]] = defaultdict(dict)
        for sample_id, ratings in votes.items():
            by_class[classes[sample_id]][sample_id] = ratings
        reasons = _reasons(rows)
        habits = [habit(name, decisions) for name, decisions in verdicts.items()]
        return TeamReport(
            policy=self.library.review.policy(),
            disputed=self.library.counts().samples["disputed"],
            habits=tuple(sorted(habits, key=lambda each: (-each.decided, each.reviewer))),
            pairs=tuple(pairs_of(votes)),
            alpha=krippendorffs_alpha(votes),
            alpha_by_class={
                label: krippendorffs_alpha(class_votes) for label, class_votes in sorted(by_class.items())
            },
            alpha_of_reasons=krippendorffs_alpha(reasons),
            alpha_by_reason={
                reason: krippendorffs_alpha(_for_reason(rows, reason))
                for reason in sorted(
                    {reason for by_reviewer in reasons.values() for reason in by_reviewer.values()}
                )
            },
            gold={
                name: Tally(right, answers) for name, (right, answers) in self.library.gold.results().items()
            },
            gold_items=self.library.gold.count(),
            curves={
                name: _rolling([accepted for _, accepted in decisions])
                for name, decisions in verdicts.items()
            },
        )

    def acceptance(self) -> Acceptance:
        """Return what people accepted, by class, method, model, prompt slot and pose.

        It is counted again only where something was decided or rendered since: 40,000 samples take seconds.
        """
        review, library = self.library.review, self.library
        basis = (review.last_event(), review.policy(), *sorted(library.counts().samples.items()))
        counted = self._counted.get(basis)
        if counted is None:
            counted = acceptance(library.samples.decided_by_people())
            self._counted.clear()
            self._counted[basis] = counted
        return counted

    def advice(self) -> list[Advice]:
        """Return the changes to the prompt slots that people's decisions support."""
        return advice(self.acceptance())

    def export_decisions(self, file: Path) -> int:
        """Write all decisions to a `.parquet` or `.csv` file; return how many. See `write_decisions`."""
        return write_decisions(self.library.review.decision_rows(), file)


def _reasons(rows: Sequence[VoteRow]) -> dict[str, dict[str, str]]:
    """Return sample → reviewer → reason, for rejections with a reason."""
    return by_sample(
        (row.sample_id, row.reviewer, row.reason)
        for row in rows
        if row.verdict == Verdict.REJECT and row.reason
    )


def _for_reason(rows: Sequence[VoteRow], reason: str) -> dict[str, dict[str, str]]:
    """Return sample → reviewer → whether they rejected the sample for this reason."""
    return by_sample(
        (row.sample_id, row.reviewer, str(row.verdict == Verdict.REJECT and row.reason == reason))
        for row in rows
    )


def _rolling(accepted: Sequence[bool]) -> list[tuple[int, float]]:
    step = max(1, len(accepted) // 100)
    return [
        (end, sum(accepted[end - _ROLLED : end]) / _ROLLED) for end in range(_ROLLED, len(accepted) + 1, step)
    ]
