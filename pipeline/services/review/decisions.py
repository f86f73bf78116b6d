"""Decide on samples, one or many at a time, and undo decisions."""

from __future__ import annotations

import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from pipeline.domain.images import RGB
from pipeline.domain.quality import STRICT_GATES
from pipeline.domain.review import DISPUTED, LASTING, SETTLE, Decision, RejectReason, Verdict
from pipeline.services.file_access import FileAccess
from pipeline.services.reports import GateReport
from pipeline.services.review import another_try as reviewing
from pipeline.services.review import bulk
from pipeline.services.review.gates import decide_by_gates
from pipeline.services.review.gold import GoldService
from pipeline.services.review.queries import Query, filter_of
from pipeline.services.review.queue import LEASE_S
from pipeline.services.review.roles import Roles
from pipeline.store import Library, SampleRow


@dataclass(frozen=True, slots=True)
class DecisionService:
    """The decisions of reviewers and gates."""

    library: Library
    roles: Roles
    gold: GoldService
    access: FileAccess
    batch_size: int

    def decide(
        self,
        sample_id: str,
        verdict: Verdict,
        *,
        reviewer: str,
        reason: str | None = None,
        comment: str = "",
        via: str = "click",
        client_id: str | None = None,
        shown: Mapping[str, object] | None = None,
    ) -> str:
        """Record a decision; return the sample's new review state. The same `client_id` twice counts once.

        An unknown reason is recorded as "other" and kept in the comment.

        Only a lead decides a disputed sample, which settles it. A decision on a gold item (see `GoldService`) changes
        no sample; the returned state is the one that a sample without other votes would have.

        Raises:
            NotAllowed: the reviewer may only look, or is not a lead and the sample is disputed.
            NotFound: no such sample.
            InvalidRequest: the sample has no image.
        """
        self.roles.must_review(reviewer)
        client_id = client_id or uuid.uuid4().hex
        if reason is not None and reason not in list(RejectReason):
            comment, reason = f"{reason}: {comment}".rstrip(": "), str(RejectReason.OTHER)
        if self.library.gold.get(sample_id):
            return self.gold.answer(
                sample_id, verdict, reviewer=reviewer, reason=reason, via=via, client_id=client_id
            )
        if verdict in LASTING and self.library.review.state(sample_id) == DISPUTED:
            self.roles.must_lead(reviewer, "settle what others disagree on")
            via = SETTLE
        return self.library.review.record(
            Decision(
                sample_id=sample_id,
                reviewer=reviewer,
                verdict=verdict,
                reason=reason,
                comment=comment,
                at=datetime.now(UTC).isoformat(),
                via=via,
                client_id=client_id,
                shown=dict(shown or {}),
            )
        )

    def decide_all(
        self, query: Query, verdict: Verdict, *, reviewer: str, reason: str | None = None, batch: str
    ) -> int:
        """Accept or reject all samples that match a query; return how many. `undo_all` undoes the batch."""
        self.roles.must_review(reviewer)
        return bulk.decide_all(
            self.library, filter_of(query), verdict, reviewer=reviewer, reason=reason, batch=batch
        )

    def keep_best(self, query: Query, *, reviewer: str, batch: str, kept: Sequence[str] = ()) -> int:
        """Reject all but the best of each group of undecided near-duplicates; return how many.

        Args:
            kept: ids of samples that are kept instead of the best; then only the others of their groups are rejected.

        Raises:
            NotAllowed: the reviewer may only look.
            NotFound: a sample of `kept` does not exist.
        """
        self.roles.must_review(reviewer)
        return bulk.keep_best(self.library, filter_of(query), kept=kept, reviewer=reviewer, batch=batch)

    def undo(self, reviewer: str) -> str | None:
        """Undo this reviewer's last standing decision; return the id of the sample that is pending again."""
        self.roles.must_review(reviewer)
        return self.library.review.undo(reviewer)

    def undo_all(self, batch: str, *, reviewer: str) -> int:
        """Undo this reviewer's decisions of one batch; return how many."""
        self.roles.must_review(reviewer)
        return self.library.review.undo_batch(reviewer, batch)

    def photo_in_place(self, sample_id: str) -> RGB:
        """Return the photo of the front object of a sample or gold item, moved as the object was."""
        if (item := self.library.gold.get(sample_id)) is not None:
            if item.sample_id is None:
                return self.gold.photo(item)
            sample_id = item.sample_id
        return reviewing.photo_in_place(self.library, sample_id)

    def another_try(self, sample_id: str, reviewer: str) -> SampleRow:
        """Render a sample again with a new seed; the result is pending review and leased to the reviewer.

        Raises:
            NotAllowed: the reviewer may only look.
        """
        self.roles.must_review(reviewer, "generate images here")
        if (item := self.library.gold.get(sample_id)) is not None:
            sample_id = self.gold.sample_behind(item)
        row = reviewing.another_try(self.library, sample_id, self.access, batch_size=self.batch_size)
        self.library.queue.hold(row.id, reviewer, lease_s=LEASE_S)
        return row

    def gate(self, *, strict: bool = False) -> GateReport:
        """Decide every pending sample by the automatic gates; the decisions are marked as automatic.

        Args:
            strict: apply the gates that hold on request only, too.
        """
        return decide_by_gates(self.library, also=STRICT_GATES if strict else ())
