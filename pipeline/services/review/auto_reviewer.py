"""The auto-reviewer: it learns from people's decisions, predicts acceptance, and decides within a lead's limits."""

from __future__ import annotations

import threading
import uuid
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime

import numpy as np
from numpy.typing import NDArray

from pipeline.domain.review import AUTO_REVIEWER, Decision, RejectReason, Verdict
from pipeline.embedding import load_embedder
from pipeline.services.reports import AutoReviewerReport
from pipeline.services.review.acceptance_model import (
    ENOUGH,
    FEWEST,
    NEWEST,
    AcceptanceModel,
    check_share,
    learn,
)
from pipeline.services.review.roles import Roles
from pipeline.services.samples.embeddings import SampleEmbeddings
from pipeline.store import AutoReviewLimits, Library, SampleFilter, SampleOrder, SampleRow

CHECKED = 0.05  # share of the samples beyond the limits that people decide instead
_PAGE = 500
_EMBEDDED_AT_ONCE = 64  # samples before a queue is ordered; a second or two
_STALE = 10  # new decisions after which it is trained again before a queue is ordered by its predictions


@dataclass(slots=True)
class AutoReviewer:
    """The auto-reviewer of a library; its last report is kept while the studio is open."""

    library: Library
    roles: Roles
    embeddings: SampleEmbeddings
    _report: AutoReviewerReport | None = None
    _trained_at: int = 0  # number of the last decision that it was trained on
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def train(self, *, embedded: int = 2000) -> AutoReviewerReport:
        """Learn, predict the acceptance of every undecided sample, and decide by the limits.

        It learns from embeddings if every sample has one, otherwise from colours and edges.

        Args:
            embedded: samples without an embedding that are embedded before, at most; 2,000 take about a minute.
        """
        with self._lock:
            examples = self.library.auto_review.examples(NEWEST)
            missing = self._missing(embedded) if len(examples) >= ENOUGH else 0
            model = self._learned(examples, by_embeddings=load_embedder().is_network and not missing)
            if model is None:
                accepted = sum(is_accepted for _, is_accepted in examples)
                return self._remembered(AutoReviewerReport(sentence=_too_few(len(examples), accepted)))
            return self._remembered(replace(self._applied(model), not_embedded=missing))

    def refresh(self) -> None:
        """Train again if enough was decided since the last training to change the order of a queue."""
        if self._report is None or self.library.review.last_event() >= self._trained_at + _STALE:
            self.train(embedded=_EMBEDDED_AT_ONCE)

    def report(self) -> AutoReviewerReport:
        """Return the report of the last training, with the present limits and checks."""
        return self._with_limits(self._report or AutoReviewerReport())

    def set_limits(self, reviewer: str, *, accept_from: float | None, reject_below: float | None) -> None:
        """Let the auto-reviewer decide by itself outside two probabilities; None twice turns that off.

        Raises:
            NotAllowed: the reviewer is not a lead.
            InvalidRequest: the limits do not lie on either side of 1/2.
        """
        self.roles.must_lead(reviewer, "let the auto-reviewer decide")
        limits = AutoReviewLimits(accept_from=accept_from, reject_below=reject_below)
        self.library.auto_review.set_limits(limits, set_by=reviewer)

    def _remembered(self, report: AutoReviewerReport) -> AutoReviewerReport:
        self._report, self._trained_at = report, self.library.review.last_event()
        return self._with_limits(report)

    def _with_limits(self, report: AutoReviewerReport) -> AutoReviewerReport:
        return replace(
            report, limits=self.library.auto_review.limits(), checks=self.library.auto_review.checks()
        )

    def _pending(self) -> Iterator[list[SampleRow]]:
        wanted = SampleFilter(review="pending", order=SampleOrder.PLAN)
        last = None
        while page := self.library.samples.list(wanted, limit=_PAGE, after=last):
            last = page[-1].id
            yield page

    def _missing(self, embedded: int) -> int:
        """Embed samples that have no embedding, at most so many; return how many are left."""
        if not load_embedder().is_network:
            return 0
        beyond = self.library.counts().samples["rendered"] - self.embeddings.most
        return self.embeddings.embed_missing(embedded) + max(0, beyond)

    def _learned(
        self, examples: Sequence[tuple[SampleRow, bool]], *, by_embeddings: bool
    ) -> AcceptanceModel | None:
        """Learn from decided samples; those whose image is damaged are left out where embeddings are used."""
        if not by_embeddings:
            return learn(examples)
        vectors = self._vectors([row for row, _ in examples])
        return learn([example for example in examples if example[0].image_id in vectors], vectors)

    def _applied(self, model: AcceptanceModel) -> AutoReviewerReport:
        """Predict the acceptance of every undecided sample, and decide by the limits."""
        limits = self.library.auto_review.limits()
        predicted = decided = left = 0
        for page in self._pending():
            predictions = self._predictions(model, page)
            self.library.auto_review.set_predictions(predictions)
            decided_here, left_here = self._decide(predictions, limits)
            predicted += len(predictions)
            decided, left = decided + decided_here, left + left_here
        return AutoReviewerReport(
            quality=model.quality, predicted=predicted, decided=decided, left_to_people=left
        )

    def _vectors(self, rows: Sequence[SampleRow]) -> Mapping[str, NDArray[np.float16]]:
        """Return the embeddings of samples by image id; a damaged image has none."""
        return self.embeddings.vectors_of([row.image_id for row in rows if row.image_id is not None])

    def _predictions(self, model: AcceptanceModel, rows: Sequence[SampleRow]) -> dict[str, float]:
        """Return the predicted acceptance by sample id; samples rendered since the training began may lack one."""
        vectors = self._vectors(rows) if model.uses_embeddings else None
        if vectors is not None:
            rows = [row for row in rows if row.image_id in vectors]
        return dict(zip((row.id for row in rows), model.predict(rows, vectors).tolist(), strict=True))

    def _decide(self, predictions: dict[str, float], limits: AutoReviewLimits) -> tuple[int, int]:
        """Decide the samples beyond the limits, except the checked share; return (decided, left to people)."""
        decisions, left = [], 0
        for sample_id, predicted_acceptance in predictions.items():
            verdict = _verdict(predicted_acceptance, limits)
            if verdict is None:
                continue
            if check_share(sample_id, CHECKED):
                self.library.auto_review.leave_to_people(sample_id, str(verdict), predicted_acceptance)
                left += 1
            else:
                decisions.append(_decision(sample_id, verdict, predicted_acceptance))
        self.library.review.record_all(decisions)
        return len(decisions), left


def _too_few(decided: int, accepted: int) -> str:
    return (
        f"The auto-reviewer learns from {ENOUGH} decisions of people, at least {FEWEST} of them accepted and {FEWEST} "
        f"rejected; there are {accepted} accepted and {decided - accepted} rejected."
    )


def _verdict(predicted_acceptance: float, limits: AutoReviewLimits) -> Verdict | None:
    if limits.accept_from is not None and predicted_acceptance >= limits.accept_from:
        return Verdict.ACCEPT
    if limits.reject_below is not None and predicted_acceptance < limits.reject_below:
        return Verdict.REJECT
    return None


def _decision(sample_id: str, verdict: Verdict, predicted_acceptance: float) -> Decision:
    return Decision(
        sample_id=sample_id,
        reviewer=AUTO_REVIEWER,
        verdict=verdict,
        reason=str(RejectReason.OTHER) if verdict is Verdict.REJECT else None,
        comment=f"predicted acceptance {predicted_acceptance:.2f}",
        at=datetime.now(UTC).isoformat(),
        via=AUTO_REVIEWER,
        client_id=uuid.uuid4().hex,
    )
