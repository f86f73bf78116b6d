"""The review part of the studio: who may decide, what comes next, and what decisions add up to."""

from __future__ import annotations

import random
import uuid
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from pipeline.domain.acceptance import Acceptance, Advice, acceptance, advice, changed
from pipeline.domain.images import RGB
from pipeline.domain.people import Role, people_from, role_of
from pipeline.domain.recipe import to_yaml
from pipeline.domain.review import (
    ACCEPTED,
    DISPUTED,
    LASTING,
    PENDING,
    REJECTED,
    SETTLE,
    Decision,
    RejectReason,
    Verdict,
)
from pipeline.errors import InvalidRequest, NotAllowed
from pipeline.services.file_access import file_access
from pipeline.services.plans.planning import recipe_of
from pipeline.services.reports import AutoReviewerReport, GateReport
from pipeline.services.review import another_try as reviewing
from pipeline.services.review import bulk, gold
from pipeline.services.review.auto_review import Helping
from pipeline.services.review.export import export_decisions
from pipeline.services.review.gates import decide_by_gates
from pipeline.services.review.queries import filter_of, reviewable
from pipeline.services.review.team import TeamReport, team_report
from pipeline.settings import Settings
from pipeline.store import AutoReviewLimits, GoldItem, Library, SampleOrder, SampleRow, VoteRow

_LEASE_S = 300.0  # a sample is kept for a reviewer who does nothing
_QUEUE_NAME = 80  # characters
Query = Mapping[str, str | None]  # see `queries.filter_of`


class ReviewDesk:
    """One method per thing that a reviewer or a lead can do."""

    def __init__(self, settings: Settings, library: Library) -> None:
        self.settings = settings
        self.library = library
        self._helping = Helping(library)
        self._dealt_gold: dict[str, set[str]] = {}  # reviewer → gold items in their queue without an answer

    def role(self, name: str) -> Role:
        """What a person may do in the review."""
        owner = self.settings.owner if self.settings.hosted else None
        return role_of(people_from(self.settings.people), name, owner=owner)

    def _must_review(self, name: str, what: str = "decide here") -> None:
        if self.role(name) is Role.READER:
            raise NotAllowed(name, what)

    def _must_lead(self, name: str, what: str) -> None:
        if self.role(name) is not Role.LEAD:
            raise NotAllowed(name, what)

    # --- what comes next ------------------------------------------------------------------------------------

    def next_for_review(
        self, reviewer: str, *, query: Query | None = None, after: str | None = None, limit: int = 30
    ) -> list[SampleRow]:
        """Pending samples, behind the sample `after`, leased to the reviewer (not to a reader).

        Args:
            query: a filter and an order; the whole queue, most doubtful first, without one. A lead who asks for the
                state "disputed" gets those instead.

        Raises:
            InvalidRequest, UnknownName: a field of the query does not hold.
        """
        wanted = reviewable(query or {})
        if after is None:
            self._dealt_gold.pop(reviewer, None)
        role = self.role(reviewer)
        by_helper = wanted.order in (SampleOrder.PROMISE, SampleOrder.DOUBT)
        if by_helper and after is None and role is not Role.READER:  # learning writes
            self._helping.ready()
        if role is Role.READER or (role is Role.LEAD and wanted.review == DISPUTED):
            return self.library.samples.list(wanted, limit=limit, after=after)
        return self.library.queue.take_next(
            reviewer, wanted=wanted, after=after, limit=limit, lease_s=_LEASE_S
        )

    def leave_review(self, reviewer: str) -> None:
        """Give what was leased to a reviewer to the others."""
        self._dealt_gold.pop(reviewer, None)
        self.library.queue.release(reviewer)

    def left_for(self, reviewer: str) -> int:
        """How many pending samples a reviewer has not voted on, with the gold items in their queue.

        Gold items count until they are answered: a number that did not fall by one would give them away.
        """
        return self.library.queue.left_for(reviewer) + len(self._dealt_gold.get(reviewer, ()))

    def votes(self, sample_id: str) -> list[VoteRow]:
        """The standing votes on a sample, for a lead who settles it."""
        return self.library.review.votes(sample_id)

    def sample(self, sample_id: str) -> SampleRow:
        """One sample by its id."""
        return self.library.samples.get(sample_id)

    def samples(self, query: Query, *, limit: int = 100, after: str | None = None) -> list[SampleRow]:
        """A page of the samples that a query asks for, newest first where it names no order."""
        return self.library.samples.list(filter_of(query), limit=limit, after=after)

    def count_samples(self, query: Query) -> int:
        """How many samples a query asks for; one more than can be decided in one go where there are more."""
        return self.library.samples.count(filter_of(query), most=bulk.MOST)

    def filter_choices(self) -> dict[str, list[str]]:
        """What a query can ask for: labels, models, scores, words ("slot=value") and reviewers."""
        found = self.library.samples.filter_choices()
        words = [
            f"{slot}={value}"
            for slot in found.pop("slots")
            for value in self.library.samples.slot_values(slot)
        ]
        return {"labels": list(self.library.counts().classes), "words": words, **found}

    def save_queue(self, name: str, query: Query, reviewer: str) -> None:
        """Give a query a name under which everybody finds it.

        Raises:
            NotAllowed: the reviewer may only look.
            InvalidRequest: no name, or too long a one.
        """
        self._must_review(reviewer, "name queues here")
        name = name.strip()
        if not 0 < len(name) <= _QUEUE_NAME:
            raise InvalidRequest(
                f"a queue's name has 1 to {_QUEUE_NAME} characters; this one has {len(name)}"
            )
        filter_of(query)
        self.library.queue.save(name, {key: value for key, value in query.items() if value}, made_by=reviewer)

    def remove_queue(self, name: str, reviewer: str) -> None:
        """Forget a named query; no sample changes."""
        self._must_review(reviewer, "remove queues here")
        self.library.queue.remove(name)

    def queues(self) -> dict[str, dict[str, str]]:
        """The named queries."""
        return self.library.queue.saved()

    # --- deciding -------------------------------------------------------------------------------------------

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
        shown: dict[str, Any] | None = None,
    ) -> str:
        """Record a decision; the sample's new review state. The same `client_id` twice counts once.

        A reason that does not exist (any more) is kept in the comment, under "other".

        A decision on a disputed sample is a lead's, and settles it. One on a gold item (see `gold_for`) changes no
        sample; its answer is the state that a sample without other votes would have.

        Raises:
            NotAllowed: the reviewer may only look, or is no lead and the sample is disputed.
            NotFound: no such sample.
            InvalidRequest: the sample has no picture.
        """
        self._must_review(reviewer)
        client_id = client_id or uuid.uuid4().hex
        if reason is not None and reason not in list(RejectReason):
            comment, reason = f"{reason}: {comment}".rstrip(": "), str(RejectReason.OTHER)
        if self.library.gold.get(sample_id):
            self.library.gold.answer(
                sample_id,
                reviewer=reviewer,
                verdict=str(verdict),
                reason=reason,
                via=via,
                client_id=client_id,
            )
            return self._answered_gold(sample_id, reviewer, verdict)
        if verdict in LASTING and self.library.review.state(sample_id) == DISPUTED:
            self._must_lead(reviewer, "settle what others disagree on")
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
                shown=shown or {},
            )
        )

    def _answered_gold(self, gold_id: str, reviewer: str, verdict: Verdict) -> str:
        dealt = self._dealt_gold.setdefault(reviewer, set())
        (dealt.add if verdict is Verdict.UNDO else dealt.discard)(gold_id)
        if verdict in LASTING and self.library.review.policy().overlap == 1:
            return ACCEPTED if verdict is Verdict.ACCEPT else REJECTED
        return PENDING

    def decide_all(
        self, query: Query, verdict: Verdict, *, reviewer: str, reason: str | None = None, batch: str
    ) -> int:
        """Accept or reject all samples that a query asks for; how many. `undo_all` takes the batch back."""
        self._must_review(reviewer)
        return bulk.decide_all(
            self.library, filter_of(query), verdict, reviewer=reviewer, reason=reason, batch=batch
        )

    def keep_best(self, query: Query, *, reviewer: str, batch: str) -> int:
        """Reject all but the best of each group of undecided samples that look alike; how many."""
        self._must_review(reviewer)
        return bulk.keep_best(self.library, filter_of(query), reviewer=reviewer, batch=batch)

    def undo(self, reviewer: str) -> str | None:
        """Take back this reviewer's last standing decision; the sample that is pending again."""
        self._must_review(reviewer)
        return self.library.review.undo(reviewer)

    def undo_all(self, batch: str, *, reviewer: str) -> int:
        """Take back what this reviewer decided in one go; how many decisions."""
        self._must_review(reviewer)
        return self.library.review.undo_batch(reviewer, batch)

    def photo_in_place(self, sample_id: str) -> RGB:
        """The photograph of a sample's front object, moved as the object was; of a gold item just the same."""
        if (item := self.library.gold.get(sample_id)) is not None:
            if item.sample_id is None:
                return gold.photo_of_gold(self.library, item)
            sample_id = item.sample_id
        return reviewing.photo_in_place(self.library, sample_id)

    def another_try(self, sample_id: str, reviewer: str) -> SampleRow:
        """The same objects, placement and prompt with a new seed, pending review and leased to who asked.

        Raises:
            NotAllowed: the reviewer may only look.
        """
        self._must_review(reviewer, "have pictures drawn here")
        if (item := self.library.gold.get(sample_id)) is not None:
            sample_id = gold.sample_behind(self.library, item)
        row = reviewing.another_try(
            self.library, sample_id, file_access(self.settings), batch_size=self.settings.batch_size
        )
        self.library.queue.hold(row.id, reviewer, lease_s=_LEASE_S)
        return row

    def gate(self) -> GateReport:
        """Decide every pending sample by the automatic gates, marked as such."""
        return decide_by_gates(self.library)

    # --- gold items -----------------------------------------------------------------------------------------

    def add_gold(self, sample_ids: Sequence[str], reviewer: str) -> None:
        """Make decided samples gold items: reviewers meet them again and are measured by them.

        Raises:
            NotAllowed: the reviewer is no lead.
            InvalidRequest: a sample is not decided.
        """
        self._must_lead(reviewer, "make gold items")
        self.library.gold.add(sample_ids, made_by=reviewer)

    def add_gold_photos(self, number: int, reviewer: str) -> int:
        """Make real photographs gold items that must be accepted; how many are new."""
        self._must_lead(reviewer, "make gold items")
        return self.library.gold.add_photos(number, made_by=reviewer)

    def gold_for(self, reviewer: str, dealt: int) -> list[GoldItem]:
        """Gold items to be mixed into so many dealt samples, by the share that the settings ask for.

        An item is dealt once, until the reviewer begins a queue anew.
        """
        number = int(dealt * self.settings.gold + random.random())  # right in the mean also for small shares
        if not self.settings.gold or not number or self.role(reviewer) is Role.READER:
            return []
        there = self._dealt_gold.setdefault(reviewer, set())
        items = self.library.gold.next_for(reviewer, number + len(there))
        return [item for item in items if item.id not in there][:number]

    def gold_row(self, item: GoldItem, reviewer: str) -> SampleRow:
        """What a gold item shows, in the form of a sample; from then on it counts as dealt to the reviewer.

        Raises:
            NotFound: what it shows is missing.
        """
        row = gold.gold_row(self.library, item)
        self._dealt_gold.setdefault(reviewer, set()).add(item.id)
        return row

    # --- what decisions add up to ---------------------------------------------------------------------------

    def team_report(self) -> TeamReport:
        """Who reviewed, how they agree and how they change."""
        return team_report(self.library)

    def acceptance(self) -> Acceptance:
        """What people accepted, by class, method, model, prompt slot and pose."""
        return acceptance(self.library.samples.decided_by_people())

    def advice(self) -> list[Advice]:
        """Changes to the prompt slots that people's decisions speak for."""
        return advice(self.acceptance())

    def changed_recipe(self, recipe: str | None, changes: Sequence[Advice]) -> str:
        """A recipe's YAML with the changes that a person confirmed."""
        return to_yaml(changed(recipe_of(recipe), changes))

    def export_decisions(self, file: Path) -> int:
        """Write all decisions to a `.parquet` or `.csv` file; how many."""
        return export_decisions(self.library, file)

    # --- the helper that learns -----------------------------------------------------------------------------

    def teach_helper(self) -> AutoReviewerReport:
        """Learn from all decisions and say of every undecided sample how likely it is to be accepted.

        Where a lead has set limits, decide by them, and leave a share to people as a check.
        """
        return self._helping.teach()

    def helper_report(self) -> AutoReviewerReport:
        """How well the helper knows what people accept, without learning anew."""
        return self._helping.report()

    def set_helper_limits(
        self, reviewer: str, *, accept_from: float | None, reject_below: float | None
    ) -> None:
        """Let the helper decide by itself outside the two probabilities; None twice turns it off.

        Raises:
            NotAllowed: the reviewer is no lead.
            InvalidRequest: the limits do not lie on either side of 1/2.
        """
        self._must_lead(reviewer, "let the helper decide")
        limits = AutoReviewLimits(accept_from=accept_from, reject_below=reject_below)
        self.library.auto_review.set_limits(limits, set_by=reviewer)
