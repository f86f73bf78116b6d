"""Replace the samples of a plan that differ least from the others, up to the budget of its recipe.

Everything rests on what the library holds: a sample that was replaced is rejected as a near-duplicate, and what takes
its place is a spec of the plan "<name>, novelty". So a run that was stopped goes on where it was.
"""

from __future__ import annotations

import uuid
from collections import Counter
from collections.abc import Callable, Mapping, Sequence, Set
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from itertools import zip_longest

import numpy as np
from numpy.typing import NDArray

from pipeline.domain.novelty import least_novel, nearness_limit, repeats
from pipeline.domain.plan import shares_of
from pipeline.domain.recipe import Novelty, to_yaml
from pipeline.domain.review import GATE, NOVELTY_REVIEWER, Decision, RejectReason, Verdict
from pipeline.domain.spec import SampleSpec
from pipeline.embedding import load_embedder, normalised
from pipeline.errors import Cancelled, NotFound
from pipeline.services.file_access import FileAccess
from pipeline.services.photos.near_duplicates import photo_vectors
from pipeline.services.plans.planning import PlannedRecipe, planned_specs_of
from pipeline.services.plans.refill import novelty_name, replacements_of, replacing_plan
from pipeline.services.samples.embeddings import SampleEmbeddings
from pipeline.services.samples.run_requests import RunRequest
from pipeline.store import Library, PlanMember, SampleState

_PARTS = 4  # of the budget; each is chosen when what the one before drew is there to compare with
_EMBEDDED_AT_ONCE = 64  # samples between two looks at whether the run was stopped
_STORED_AT_ONCE = 200  # decisions; reviewers wait for the write lock meanwhile
_FEWEST_PHOTOS = 5  # of a class; with fewer its limit is that of all photos
_KEPT = (SampleState.PENDING, SampleState.ACCEPTED, SampleState.DISPUTED)


@dataclass(frozen=True, slots=True)
class _Compared:
    """The samples of a plan that are compared, in the order in which they were planned."""

    members: Sequence[PlanMember]
    units: NDArray[np.float32]  # (N, D)

    @property
    def labels(self) -> list[str]:
        return [member.spec.label for member in self.members]


@dataclass(slots=True)
class Replacing:
    """The replacing of one plan's samples.

    Args:
        wanted: the recipe of the plan, with a budget.
        request: what a person asked for; resuming the replacing resumes all of it.
        render: renders specs.
    """

    library: Library
    wanted: PlannedRecipe
    request: RunRequest
    novelty: Novelty
    access: FileAccess
    embeddings: SampleEmbeddings
    render: Callable[[Sequence[SampleSpec]], None]
    cancelled: Callable[[], bool] | None = None
    _limits: dict[str, float] = field(default_factory=dict)  # class → similarity from which two are too near
    _photos: dict[str, NDArray[np.float32]] = field(default_factory=dict)  # photo id → (D,) unit vector
    _tested: list[str] = field(default_factory=list)  # ids of test photos

    @property
    def plan(self) -> str:
        """The name of the plan of what takes the place of other samples; the specs of those must be stored."""
        return novelty_name(self.library, self.wanted.recipe.name)

    def left(self) -> int:
        """Count the images that the rest of the budget gives, those that are planned already among them.

        The first specs of the plan must be stored, since they tell whose replacements are there.
        """
        rendered = self.library.plans.rendered_count(replacing_plan(self.library, self.wanted.recipe.name))
        return max(0, self.novelty.of(self.wanted.total) - rendered)

    def run(self) -> int:
        """Choose, plan and render what takes the place of other samples; return how many there are.

        Raises:
            Cancelled: it was stopped; the same call goes on.
        """
        for part in range(1, _PARTS + 1):
            self._reject(part)
            self._plan_missing()
            self._render_missing()
        self._choose_again()
        return len(self._members()[1])

    def _members(self) -> tuple[list[PlanMember], list[PlanMember]]:
        """Return the samples of the plan, and those that were planned in the place of others."""
        plans, name = self.library.plans, self.wanted.recipe.name
        return list(plans.outcomes(name)), list(plans.outcomes(replacing_plan(self.library, name)))

    def _budget(self, planned: Sequence[PlanMember], part: int = _PARTS) -> dict[str, int]:
        """Return how many samples of each class may be replaced in the first parts."""
        number = Counter(member.spec.label for member in planned)
        return {label: self.novelty.of(count) * part // _PARTS for label, count in sorted(number.items())}

    def _plan_missing(self) -> None:
        planned, earlier = self._members()
        recipe, overrides = self.wanted.recipe, self.wanted.overrides
        seed = recipe.seed if overrides.seed is None else overrides.seed
        refill = replacements_of(recipe, self.plan, seed, planned, earlier, self._budget(planned))
        if refill.missing:
            wanted = PlannedRecipe(refill.recipe, replace(overrides, count=None, seed=None), refill)
            specs = planned_specs_of(self.library, wanted, self.access, before_each=self._stop_if_asked)
            text = refill.note + to_yaml(refill.recipe)
            self.library.plans.add(refill.recipe.name, text, specs, request=self.request.plain())

    def _render_missing(self) -> None:
        """Render what takes the place of others and has no image, or one whose file is missing or damaged."""
        specs = [member.spec for member in self._members()[1]]
        ids = [spec.id for spec in specs]
        self.library.samples.plan_broken_again(ids)
        missing = set(self.library.plans.missing(ids))
        self.render([spec for spec in specs if spec.id in missing])

    def _reject(self, part: int) -> None:
        """Reject the samples that differ least from the others, as many of each class as the budget so far allows."""
        planned, earlier = self._members()
        before = Counter(member.spec.label for member in (*planned, *earlier) if member.replaced)
        before |= Counter(member.spec.label for member in earlier)
        quotas = Counter(self._budget(planned, part)) - before
        if not quotas:
            return
        self._embed([*planned, *earlier])
        planned, earlier = (
            self._members()
        )  # with their groups of near-duplicates, which come with the embeddings
        compared = self._compared([*planned, *earlier])
        if not compared.members:
            return
        near = self._too_near(compared, {member.spec.id for member in (*planned, *earlier)})
        for label, quota in sorted(quotas.items()):
            for at, sentence in self._least_novel(compared, near, label, quota):
                self.library.review.record(_rejection(compared.members[at].spec.id, sentence))

    def _choose_again(self) -> None:
        """Choose which samples stay replaced among all that are rendered, now that the last ones can be compared.

        As many stay replaced as have replacements. What was rejected to be replaced and is chosen no more is pending
        again.
        """
        planned, earlier = self._members()
        quotas = Counter(member.spec.label for member in earlier if member.image_id)
        if not quotas:
            return
        self._embed([*planned, *earlier])
        planned, earlier = self._members()
        compared = self._compared([*planned, *earlier], replaced=True)
        if not compared.members:
            return
        known = {member.spec.id for member in compared.members}
        quotas -= Counter(
            member.spec.label
            for member in (*planned, *earlier)
            if member.replaced
            and member.spec.id not in known  # a person rejected it, too, or its file is missing
        )
        near = self._too_near(compared, {member.spec.id for member in (*planned, *earlier)})
        chosen: dict[int, str] = {}
        for label, quota in sorted(quotas.items()):
            chosen |= dict(self._least_novel(compared, near, label, quota))
        members = compared.members
        freed = [
            at
            for at, member in enumerate(members)
            if _is_free(member) and member.replaced and at not in chosen
        ]
        rejected = [at for at in sorted(chosen) if not members[at].replaced]
        changes: list[Decision] = []  # in turn, so that what a stop leaves is of the right number
        for back, out in zip_longest(freed, rejected):
            changes += [] if back is None else [_taken_back(members[back].spec.id)]
            changes += [] if out is None else [_rejection(members[out].spec.id, chosen[out])]
        for start in range(0, len(changes), _STORED_AT_ONCE):
            self.library.review.record_all(changes[start : start + _STORED_AT_ONCE])

    def _least_novel(
        self, compared: _Compared, near: Mapping[int, str], label: str, quota: int
    ) -> list[tuple[int, str]]:
        """Choose samples of a class, of each method its share; (position, why)."""
        of_class = [at for at, each in enumerate(compared.labels) if each == label]
        methods = Counter(compared.members[at].spec.method for at in of_class)
        chosen: list[tuple[int, str]] = []
        for method, count in shares_of(methods, quota).items() if methods else ():
            places = np.array([at for at in of_class if compared.members[at].spec.method is method])
            members = [compared.members[at] for at in places.tolist()]
            free = np.array([_is_free(member) for member in members])
            first = np.array([at in near for at in places.tolist()])
            plain = (
                f"Adds little: of {len(places)} images of its class and method it is among the {count} that differ "
                "least"
            )
            for at in places[least_novel(compared.units[places], count, free=free, first=first)].tolist():
                chosen.append((at, near.get(at, plain)))
        return chosen

    def _compared(self, members: Sequence[PlanMember], *, replaced: bool = False) -> _Compared:
        """Return the samples that pass the quality gates and that nobody rejected, with their vectors.

        Args:
            replaced: whether those that were rejected to be replaced are among them.
        """
        wanted = [each for each in members if each.state in _KEPT or (replaced and _is_free(each))]
        kept = [member for member in wanted if member.image_id and member.passes]
        vectors = self.embeddings.vectors_of([member.image_id for member in kept if member.image_id])
        kept = [member for member in kept if member.image_id in vectors]
        rows = [vectors[member.image_id] for member in kept if member.image_id]
        return _Compared(kept, normalised(np.stack(rows)) if rows else np.zeros((0, 0), np.float32))

    def _too_near(self, compared: _Compared, own_ids: Set[str]) -> dict[int, str]:
        """Tell which samples are too near to an earlier one, to their own photos or to a test photo, and why.

        Args:
            own_ids: of all samples of the plan and of its replacements, those that are not compared among them.
        """
        self._read_photos()
        labels = sorted(set(compared.labels))
        across = load_embedder().near_duplicate_sample
        limits = np.array([self._limits.get(label, across) for label in labels], np.float32)
        codes = np.array([labels.index(label) for label in compared.labels])
        again = np.flatnonzero(repeats(compared.units, codes, limits, across))
        near = dict.fromkeys(again.tolist(), "Too similar to another image")
        for at, member in enumerate(compared.members):
            own = [
                self._photos[each] @ compared.units[at]
                for each in member.spec.photo_ids
                if each in self._photos
            ]
            if max(own, default=-1.0) >= limits[codes[at]]:
                near.setdefault(at, "Too similar to the photo of its object")
            if member.group and member.group not in own_ids and self._is_kept(member.group):
                near.setdefault(at, "Too similar to an image of another recipe")
        if self._tested:  # any test photo: an image that repeats one would be measured by memory
            tested = np.stack([self._photos[each] for each in self._tested])
            leaks = (compared.units @ tested.T).max(axis=1) >= across
            near |= dict.fromkeys(np.flatnonzero(leaks).tolist(), "Too similar to a test photo")
        return near

    def _is_kept(self, sample_id: str) -> bool:
        try:
            return self.library.samples.get(sample_id).state in _KEPT
        except NotFound:
            return False

    def _read_photos(self) -> None:
        """Read the vectors of all photos once, and what limit they give each class."""
        if self._limits:
            return
        photos = [photo for photo in self.library.photos.list() if not photo.excluded]
        embedder = load_embedder()
        vectors = photo_vectors(self.library, embedder, photos, cancelled=self.cancelled)
        photos = [photo for photo in photos if photo.image_id in vectors]
        for photo in photos:
            (self._photos[photo.id],) = normalised(vectors[photo.image_id][None])
        self._tested = [photo.id for photo in photos if photo.split == "test"]
        train = [photo for photo in photos if photo.split == "train"]
        most = embedder.near_duplicate_sample
        for label in {photo.label for photo in train}:
            of_class = [photo for photo in train if photo.label == label]
            measured = of_class if len(of_class) >= _FEWEST_PHOTOS else train
            units = np.stack([self._photos[photo.id] for photo in measured])
            self._limits[label] = nearness_limit(units, most) if len(measured) > 1 else most

    def _embed(self, members: Sequence[PlanMember]) -> None:
        """Embed the images of the plan and of what replaces others; those of other plans wait."""
        wanted = {member.image_id for member in members if member.image_id}
        while self.embeddings.embed_missing(_EMBEDDED_AT_ONCE, wanted=wanted):
            self._stop_if_asked()

    def _stop_if_asked(self) -> None:
        if self.cancelled and self.cancelled():
            raise Cancelled()


def _is_free(member: PlanMember) -> bool:
    """Whether a sample may be rejected to be replaced, or be taken back: no person has decided on it."""
    return not member.has_votes and (member.replaced or member.state is SampleState.PENDING)


def _rejection(sample_id: str, sentence: str) -> Decision:
    return _decision(sample_id, Verdict.REJECT, str(RejectReason.DUPLICATE), sentence)


def _taken_back(sample_id: str) -> Decision:
    return _decision(sample_id, Verdict.UNDO, None, "")


def _decision(sample_id: str, verdict: Verdict, reason: str | None, sentence: str) -> Decision:
    return Decision(
        sample_id=sample_id,
        reviewer=NOVELTY_REVIEWER,
        verdict=verdict,
        reason=reason,
        comment=sentence,
        at=datetime.now(UTC).isoformat(),
        via=GATE,
        client_id=uuid.uuid4().hex,
        shown={},
    )
