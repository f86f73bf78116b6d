"""Decisions on many samples at once: one event for each, and all of them undone in one step."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from itertools import islice

from pipeline.domain.review import BULK, LASTING, Decision, RejectReason, Verdict
from pipeline.errors import InvalidRequest
from pipeline.store import Library, SampleFilter, SampleOrder, SampleRow, SampleState

MOST = 20_000  # samples decided at once
_AT_ONCE = 200  # decisions in one transaction, for which other writers wait
_PAGE = 500
BATCH = re.compile(r"[\w.-]{1,50}", re.ASCII)  # without a colon: client ids are "batch:sample"
_SHOWN = 60  # characters of a wrong batch number


def decide_all(
    library: Library, wanted: SampleFilter, verdict: Verdict, *, reviewer: str, reason: str | None, batch: str
) -> int:
    """Accept or reject all samples that match, at most `MOST`; return how many were decided.

    Disputed samples are left out, whoever asks: a lead settles those one by one.

    Args:
        batch: the number of the batch, see `BATCH`; a batch that is sent twice is recorded once.

    Raises:
        InvalidRequest: another verdict, a batch without a usable number, or the state "disputed".
    """
    if verdict not in LASTING:
        raise InvalidRequest(f"many samples at once can be accepted or rejected, not '{verdict}'")
    if wanted.review == SampleState.DISPUTED:
        raise InvalidRequest("disputed samples are settled one by one; choose another state")
    ids = library.samples.ids(wanted, limit=MOST)
    return _record(library, ids, verdict, reviewer=reviewer, reason=reason, batch=batch)


def keep_best(
    library: Library, wanted: SampleFilter, *, kept: Sequence[str], reviewer: str, batch: str
) -> int:
    """Reject all but the best of each group of near-duplicates among the undecided samples that match; return how many.

    An accepted sample of the group is the best, whether it matches or not. Otherwise the best has the highest predicted
    acceptance; among equals, it is the furthest from failing a gate.

    Args:
        kept: ids of samples that are kept instead; then only the others of their groups are rejected.
    """
    groups = {library.samples.get(sample_id).cluster for sample_id in kept}
    best = dict.fromkeys(groups, "")  # group → id of the only sample that is kept beside `kept`
    others: list[str] = []
    for row in _pending(library, wanted):
        if row.id in kept or not row.cluster or (kept and row.cluster not in groups):
            continue
        if row.cluster not in best:
            best[row.cluster] = _accepted_of(library, row.cluster) or row.id
        if best[row.cluster] != row.id:
            others.append(row.id)
    reason = str(RejectReason.DUPLICATE)
    return _record(library, others, Verdict.REJECT, reviewer=reviewer, reason=reason, batch=batch)


def _accepted_of(library: Library, group: str) -> str | None:
    """Return the id of an accepted sample of a group, if there is one."""
    accepted = SampleFilter(review=SampleState.ACCEPTED, cluster=group)
    return next(iter(library.samples.ids(accepted, limit=1)), None)


def _pending(library: Library, wanted: SampleFilter) -> Iterator[SampleRow]:
    """Iterate over pending samples in groups of near-duplicates, the best of each group first."""
    narrowed = replace(wanted, review=SampleState.PENDING, order=SampleOrder.GROUPS)
    last, count = None, 0
    while count < MOST and (page := library.samples.list(narrowed, limit=_PAGE, after=last)):
        last, count = page[-1].id, count + len(page)
        yield from page


def _record(
    library: Library, ids: Iterable[str], verdict: Verdict, *, reviewer: str, reason: str | None, batch: str
) -> int:
    def decision(sample_id: str) -> Decision:
        return Decision(
            sample_id=sample_id,
            reviewer=reviewer,
            verdict=verdict,
            reason=reason,
            at=datetime.now(UTC).isoformat(),
            via=BULK,
            client_id=f"{batch}:{sample_id}",
        )

    if not BATCH.fullmatch(batch):
        raise InvalidRequest(
            f"the batch is numbered '{batch[:_SHOWN]}'; use 1 to 50 letters, digits, dots, hyphens and underscores"
        )
    rest = iter(ids)
    count = 0
    while chunk := list(islice(rest, _AT_ONCE)):
        count += library.review.record_all([decision(sample_id) for sample_id in chunk])
    return count
