"""Decide by the automatic gates alone, for unattended runs; the decisions are marked as automatic."""

from __future__ import annotations

import uuid
from collections import Counter
from collections.abc import Sequence
from datetime import UTC, datetime

from pipeline.domain.quality import Gate, GateFailure, gates_failed
from pipeline.domain.review import GATE, Decision, RejectReason, Verdict
from pipeline.services.reports import GateReport
from pipeline.store import Library, SampleState

GATE_REVIEWER = "gate"
_PAGE = 500
_STATES = {Verdict.ACCEPT: SampleState.ACCEPTED, Verdict.REJECT: SampleState.REJECTED}
_RETIRED = frozenset({"seam"})  # gates of earlier versions; images rendered then hold their failures
_REASONS = {
    "seam": RejectReason.SEAM,
    "halo": RejectReason.HALO,
    "band": RejectReason.HALO,
    "fringe": RejectReason.HALO,
    "rim": RejectReason.HALO,
    "sharpness_gap": RejectReason.UNREAL,
    "over_exposed": RejectReason.LIGHT,
    "under_exposed": RejectReason.LIGHT,
    "clipped": RejectReason.LIGHT,
    "visible": RejectReason.SCALE,
    "object_share": RejectReason.SCALE,
    "expansion": RejectReason.LABEL_LOST,
    "recognised": RejectReason.LABEL_LOST,
    "second_object": RejectReason.SECOND_OBJECT,
    "duplicate": RejectReason.DUPLICATE,
    "novelty": RejectReason.DUPLICATE,
}


def decide_by_gates(library: Library, *, also: Sequence[Gate] = ()) -> GateReport:
    """Accept every pending sample that passes all gates and reject the others, with the gate's sentence.

    Samples on which a person has voted are left to people: gates do not decide those, see `outcome`.

    Args:
        also: further gates on the stored scores.

    Returns:
        How many were accepted and rejected, without those that a person decided otherwise meanwhile.
    """
    accepted = rejected = 0
    reasons: Counter[str] = Counter()
    is_voted = library.review.policy().overlap > 1  # otherwise no pending sample has a vote
    voted = {vote.sample_id for vote in library.review.votes()} if is_voted else set()
    last = None
    while rows := library.queue.next_pending(after=last, limit=_PAGE):
        last = rows[-1].id
        for row in rows:
            if row.id in voted:
                continue
            stored = [failure for failure in row.failed_gates if failure.gate not in _RETIRED]
            failures = (*stored, *gates_failed(row.scores, also))
            decision = _gate_decision(row.id, failures)
            if library.review.record(decision) != _STATES[decision.verdict]:
                continue
            accepted += not failures
            rejected += bool(failures)
            reasons.update(failure.gate for failure in failures)
    return GateReport(accepted=accepted, rejected=rejected, reasons=dict(sorted(reasons.items())))


def _gate_decision(sample_id: str, failures: Sequence[GateFailure]) -> Decision:
    passed = not failures
    gate = "" if passed else failures[0].gate
    return Decision(
        sample_id=sample_id,
        reviewer=GATE_REVIEWER,
        verdict=Verdict.ACCEPT if passed else Verdict.REJECT,
        reason=None if passed else str(_REASONS.get(gate, RejectReason.OTHER)),
        comment="; ".join(map(str, failures)),
        at=datetime.now(UTC).isoformat(),
        via=GATE,
        client_id=uuid.uuid4().hex,
        shown={},
    )
