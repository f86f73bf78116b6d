"""Decide by the automatic gates alone, for unattended runs; the decisions are marked as automatic."""

from __future__ import annotations

import uuid
from collections import Counter
from datetime import UTC, datetime

from pipeline.domain.review import GATE, Decision, RejectReason, Verdict
from pipeline.services.reports import GateReport
from pipeline.store import Library, SampleRow

GATE_REVIEWER = "gate"
_PAGE = 500
_REASONS = {
    "seam": RejectReason.SEAM,
    "halo": RejectReason.HALO,
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


def decide_by_gates(library: Library) -> GateReport:
    """Accept every pending sample that passes all gates and reject the others, with the gate's sentence."""
    accepted = rejected = 0
    reasons: Counter[str] = Counter()
    last = None
    while rows := library.queue.next_pending(after=last, limit=_PAGE):
        last = rows[-1].id
        for row in rows:
            library.review.record(_gate_decision(row))
            accepted += not row.failed_gates
            rejected += bool(row.failed_gates)
            reasons.update(failure.gate for failure in row.failed_gates)
    return GateReport(accepted=accepted, rejected=rejected, reasons=dict(sorted(reasons.items())))


def _gate_decision(row: SampleRow) -> Decision:
    passed = not row.failed_gates
    gate = "" if passed else row.failed_gates[0].gate
    return Decision(
        sample_id=row.id,
        reviewer=GATE_REVIEWER,
        verdict=Verdict.ACCEPT if passed else Verdict.REJECT,
        reason=None if passed else str(_REASONS.get(gate, RejectReason.OTHER)),
        comment="; ".join(map(str, row.failed_gates)),
        at=datetime.now(UTC).isoformat(),
        via=GATE,
        client_id=uuid.uuid4().hex,
        shown={},
    )
