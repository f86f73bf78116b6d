"""The auto-reviewer: it learns from people's decisions, predicts the others, and decides within a lead's limits."""

from __future__ import annotations

import threading
import uuid
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime

from pipeline.domain.review import AUTO_REVIEWER, Decision, RejectReason, Verdict
from pipeline.services.reports import AutoReviewerReport
from pipeline.services.review.acceptance_model import ENOUGH, FEWEST, NEWEST, check_share, learn
from pipeline.services.review.roles import Roles
from pipeline.store import AutoReviewLimits, Library, SampleFilter, SampleOrder, SampleRow

CHECKED = 0.05  # share of what the auto-reviewer would decide that people decide instead
_PAGE = 500
_STALE = 10  # new decisions after which it learns anew before a queue is ordered by it


@dataclass(slots=True)
class AutoReviewer:
    """The auto-reviewer of one library; what it learned lasts as long as the studio."""

    library: Library
    roles: Roles
    _report: AutoReviewerReport | None = None
    _learned_at: int = 0  # number of the last event that it knew of
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def train(self) -> AutoReviewerReport:
        """Learn, then say of every undecided sample how likely it is to be accepted, and decide by the limits."""
        with self._lock:
            examples = self.library.auto_review.examples(NEWEST)
            helper = learn(examples)
            if helper is None:
                accepted = sum(good for _, good in examples)
                return self._kept(AutoReviewerReport(sentence=_too_few(len(examples), accepted)))
            limits = self.library.auto_review.limits()
            predicted = decided = left = 0
            for page in self._pending():
                promises = dict(zip((row.id for row in page), helper.predict(page).tolist(), strict=True))
                self.library.auto_review.set_predictions(promises)
                taken, kept = self._decide(promises, limits)
                predicted, decided, left = predicted + len(page), decided + taken, left + kept
            return self._kept(
                AutoReviewerReport(
                    quality=helper.quality, predicted=predicted, decided=decided, left_to_people=left
                )
            )

    def refresh(self) -> None:
        """Learn, where enough was decided since the last time that a queue ordered by it would be another."""
        if self._report is None or self.library.review.last_event() >= self._learned_at + _STALE:
            self.train()

    def report(self) -> AutoReviewerReport:
        """What came of learning the last time, with the present limits and checks."""
        return self._said(self._report or AutoReviewerReport())

    def set_limits(self, reviewer: str, *, accept_from: float | None, reject_below: float | None) -> None:
        """Let the auto-reviewer decide by itself outside two probabilities; None twice turns that off.

        Raises:
            NotAllowed: the reviewer is not a lead.
            InvalidRequest: the limits do not lie on either side of 1/2.
        """
        self.roles.must_lead(reviewer, "let the auto-reviewer decide")
        limits = AutoReviewLimits(accept_from=accept_from, reject_below=reject_below)
        self.library.auto_review.set_limits(limits, set_by=reviewer)

    def _kept(self, report: AutoReviewerReport) -> AutoReviewerReport:
        self._report, self._learned_at = report, self.library.review.last_event()
        return self._said(report)

    def _said(self, report: AutoReviewerReport) -> AutoReviewerReport:
        return replace(
            report, limits=self.library.auto_review.limits(), checks=self.library.auto_review.checks()
        )

    def _pending(self) -> Iterator[list[SampleRow]]:
        wanted = SampleFilter(review="pending", order=SampleOrder.PLAN)
        last = None
        while page := self.library.samples.list(wanted, limit=_PAGE, after=last):
            last = page[-1].id
            yield page

    def _decide(self, promises: dict[str, float], limits: AutoReviewLimits) -> tuple[int, int]:
        """Decide what lies outside the limits, but for the checked share; (decided, left to people)."""
        decisions, left = [], 0
        for sample_id, promise in promises.items():
            verdict = _verdict(promise, limits)
            if verdict is None:
                continue
            if check_share(sample_id, CHECKED):
                self.library.auto_review.leave_to_people(sample_id, str(verdict), promise)
                left += 1
            else:
                decisions.append(_decision(sample_id, verdict, promise))
        self.library.review.record_all(decisions)
        return len(decisions), left


def _too_few(decided: int, accepted: int) -> str:
    return (
        f"The auto-reviewer learns from {ENOUGH} decisions of people, at least {FEWEST} of them accepted and {FEWEST} "
        f"rejected; there are {accepted} accepted and {decided - accepted} rejected."
    )


def _verdict(promise: float, limits: AutoReviewLimits) -> Verdict | None:
    if limits.accept_from is not None and promise >= limits.accept_from:
        return Verdict.ACCEPT
    if limits.reject_below is not None and promise < limits.reject_below:
        return Verdict.REJECT
    return None


def _decision(sample_id: str, verdict: Verdict, promise: float) -> Decision:
    return Decision(
        sample_id=sample_id,
        reviewer=AUTO_REVIEWER,
        verdict=verdict,
        reason=str(RejectReason.OTHER) if verdict is Verdict.REJECT else None,
        comment=f"promise {promise:.2f}",
        at=datetime.now(UTC).isoformat(),
        via=AUTO_REVIEWER,
        client_id=uuid.uuid4().hex,
    )
